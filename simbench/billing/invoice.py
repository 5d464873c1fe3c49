"""The invoice of a calendar month: every row of the tariff grid that the month's acts and messages call for.

Amounts are exact decimals in euros before VAT; a line is rounded once, as AMB-15 says.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.billing.counts import Counts, oddly_counted
from simbench.billing.readings import other_readings
from simbench.contract import Contract

CENT = Decimal("0.01")


class Line(msgspec.Struct, frozen=True):
    """One line: its clause, what it is for, the code it belongs to ("" for the contract), quantity and price.

    `amount` and `unit_price` are None where the price needs a quotation (AMB-07).
    """

    clause: str
    label: str
    code: str
    quantity: int
    unit_price: Decimal | None
    amount: Decimal | None


class Invoice(msgspec.Struct, frozen=True):
    """A month's lines and their sums; `complete` is false when a line's price is not known."""

    month: str
    lines: tuple[Line, ...]
    total_ht: Decimal
    vat: Decimal
    total_ttc: Decimal
    complete: bool
    notes: tuple[str, ...] = ()


class Effect(msgspec.Struct, frozen=True):
    """What another reading of an ambiguity would change: the total before VAT under it, and the difference."""

    ambiguity: str
    reading: str
    meaning: str
    total_ht: Decimal
    difference: Decimal
    complete: bool


def invoice(contract: Contract, acts: Acts, counts: Counts, month: Month) -> Invoice:
    """The invoice of one month under the contract's readings."""
    lines = tuple(_Grid(contract, acts, counts, month).lines())
    known = [line.amount for line in lines if line.amount is not None]
    total = sum(known, Decimal(0)).quantize(CENT)
    vat = _round(total * contract.terms.tariff.vat_share.value)
    return Invoice(
        str(month),
        lines,
        total,
        vat,
        total + vat,
        len(known) == len(lines),
        (*_notes(contract, acts, month), *oddly_counted(acts, counts, month)),
    )


def effects(contract: Contract, acts: Acts, counts: Counts, month: Month) -> tuple[Effect, ...]:
    """The same month under every other reading that would change its total."""
    own = invoice(contract, acts, counts, month)
    found = []
    for name, reading, read_otherwise in other_readings(contract):
        other = invoice(read_otherwise, acts, counts, month)
        if other.total_ht != own.total_ht or other.complete != own.complete:
            meaning = contract.ambiguities[name].readings[reading]
            difference = other.total_ht - own.total_ht
            found.append(Effect(name, reading, meaning, other.total_ht, difference, other.complete))
    return tuple(found)


class _Grid:
    """The rows of the grid, chapter by chapter, for one month."""

    def __init__(self, contract: Contract, acts: Acts, counts: Counts, month: Month) -> None:
        self.contract, self.acts, self.counts, self.month = contract, acts, counts, month
        self.tariff, self.read = contract.terms.tariff, contract.reading
        self.standard = contract.terms.throughput.default_per_s.value
        numbering = contract.terms.numbering
        self.special = (numbering.reply_prefix.value, numbering.geo_prefix.value)
        self.served = [code for code in acts.codes if in_service(code, month)]

    def lines(self) -> Iterator[Line]:
        """Every line, in the order of the grid."""
        yield from self._acts()
        yield from self._messages()
        yield from self._months()
        yield from self._tiers()
        yield from self._qualification()
        yield from self._oadc()
        yield from self._special()

    def _line(self, clause: str, label: str, quantity: int, price: Decimal | None, code: str = "") -> Line:
        amount = None if price is None else _round(price * quantity)
        return Line(clause, label, code, quantity, price, amount)

    def _acts(self) -> Iterator[Line]:
        tariff, month = self.tariff, self.month
        for code in self.acts.codes:
            if month.has(code.opened):
                setup = tariff.code_technical_setup.value
                yield self._line("OPS-TAR-01", "Mise en service d'un numéro court (technique)", 1, setup, code.code)
                setup = tariff.code_admin_setup.value
                yield self._line("OPS-TAR-04", "Mise en service d'un numéro court (administratif)", 1, setup, code.code)
            if changes_rate(code, month, self.standard):
                yield self._line("OPS-TAR-02", "Modification du débit", 1, tariff.rate_change.value, code.code)
            if month.has(code.closed):
                yield self._line("OPS-TAR-03", "Fermeture du numéro court", 1, tariff.other_change.value, code.code)
        for change in self.acts.other_changes:
            if month.has(change.day):
                yield self._line("OPS-TAR-03", change.what, 1, tariff.other_change.value, change.code)

    def _messages(self) -> Iterator[Line]:
        price = self.tariff.per_delivered_mt.value
        counted = [self.counts.of(self.month, code) for code in self.counts.codes(self.month)]
        routed = self.read("AMB-11") == "routed"
        quantity = sum(count.accepted if routed else count.delivered for count in counted)
        if self.read("AMB-15") == "per_message":
            price = _round(price)
        if quantity:
            yield self._line("OPS-TAR-05", f"SMS-MT {'acheminés' if routed else 'remis'}", quantity, price)

    def _months(self) -> Iterator[Line]:
        tariff = self.tariff
        codes = [code for code in self.served if self.read("AMB-19") == "adds" or not self._is_special(code)]
        if self.read("AMB-03") == "replaces":
            codes = [code for code in codes if rate_of(code, self.month, self.standard) == self.standard]
        band, count = tariff.code_month_band.value, len(codes)
        low = min(count, band)
        if self.read("AMB-02") == "slab" and count > band:
            low = 0
        if low:
            yield self._line("OPS-TAR-06", f"1 à {band} numéros courts", low, tariff.code_month_1_20.value)
        if count - low:
            label = f"À partir du {band + 1}ème numéro court"
            yield self._line("OPS-TAR-07", label, count - low, tariff.code_month_21_on.value)

    def _tiers(self) -> Iterator[Line]:
        prices = self.tariff.tier_month()
        clauses = dict(zip(sorted(prices), ("OPS-TAR-09", "OPS-TAR-10", "OPS-TAR-11", "OPS-TAR-12"), strict=True))
        by_quotation = set(sorted(prices)[1:]) if self.read("AMB-07") == "quotation" else set()
        for code in self.served:
            rate = rate_of(code, self.month, self.standard)
            if rate in clauses:
                quoted = self.acts.quotes.get(str(rate))
                price = quoted if rate in by_quotation else prices[rate]
                yield self._line(clauses[rate], f"Débit {rate} SMS/s", 1, price, code.code)

    def _qualification(self) -> Iterator[Line]:
        used = [one for one in self.acts.qualifications if one.month == str(self.month)]
        for one in used:
            price = self.tariff.qualification_month.value
            yield self._line("OPS-TAR-17", f"Qualification de base, {one.company}", 1, price)
        numbers = sum(one.numbers for one in used)
        if numbers:
            yield self._line("OPS-TAR-18", "MSISDN qualifiés", numbers, self.tariff.qualification_act.value)

    def _oadc(self) -> Iterator[Line]:
        month, reading = self.month, self.read("AMB-08")
        price, act = self.tariff.oadc_option_month.value, self.tariff.oadc_option_act.value
        for code in self.acts.codes:
            active = [
                option
                for option in code.oadc_options
                if _overlaps(option.activated, option.deactivated or code.closed, month)
            ]
            if active:
                yield self._line("OPS-TAR-19", "Option modification de l'OAdC", 1, price, code.code)
            acts = sum(month.has(option.activated) for option in active)
            if reading == "each_act":
                acts += sum(month.has(option.deactivated) for option in active)
            elif reading == "monthly":
                acts = int(bool(active))
            if acts:
                yield self._line("OPS-TAR-20", "Activation, désactivation de l'option OAdC", acts, act, code.code)

    def _special(self) -> Iterator[Line]:
        tariff = self.tariff
        band = tariff.green_geo_band.value - (self.read("AMB-01") == "from_10")
        for prefix in self.special:
            count = sum(code.code.startswith(prefix) for code in self.served)
            low = min(count, band)
            if low:
                label = f"{prefix}ABC, 1 à {band} numéros"
                yield self._line("OPS-TAR-21", label, low, tariff.green_geo_month_1_10.value)
            if count - low:
                label = f"{prefix}ABC, à partir du {band + 1}ème numéro"
                yield self._line("OPS-TAR-22", label, count - low, tariff.green_geo_month_11_on.value)

    def _is_special(self, code: CodeActs) -> bool:
        return code.code.startswith(self.special)


def in_service(code: CodeActs, month: Month) -> bool:
    """Whether a code was in service on any day of a month."""
    return _overlaps(code.opened, code.closed, month)


def rate_of(code: CodeActs, month: Month, standard: int) -> int:
    """The rate a code is subscribed to in a month: the tier last begun, else the standard rate."""
    begun = [tier.rate_per_s for tier in code.tiers if tier.month <= str(month)]
    return begun[-1] if begun else standard


def changes_rate(code: CodeActs, month: Month, standard: int) -> bool:
    """Whether a code's rate is another than the month before; opening a code on a tier changes nothing."""
    if month.has(code.opened) or not in_service(code, month):
        return False
    before = Month(month.year - (month.month == 1), (month.month - 2) % 12 + 1)
    return rate_of(code, month, standard) != rate_of(code, before, standard)


def _overlaps(first: object, last: object, month: Month) -> bool:
    return str(first) < str(month.following.first) and (last is None or str(last) >= str(month.first))


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _notes(contract: Contract, acts: Acts, month: Month) -> Iterator[str]:
    """What a reader must know of this month: places where the offer contradicts itself."""
    numbering, band = contract.terms.numbering, contract.terms.tariff.green_geo_band.value
    for prefix in (numbering.reply_prefix.value, numbering.geo_prefix.value):
        count = sum(code.code.startswith(prefix) and in_service(code, month) for code in acts.codes)
        if count >= band:
            yield f"{count} codes {prefix}ABC: the offer names two prices for the {band}th (AMB-01)"
