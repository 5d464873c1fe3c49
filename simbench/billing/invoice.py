"""The invoice of a calendar month: every row of the tariff grid that applies to the month's acts and messages.

Amounts are exact decimals in euros before VAT; a line is rounded once (AMB-15).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.billing.counts import Counts, oddly_counted
from simbench.billing.readings import other_readings
from simbench.billing.words import words
from simbench.contract import Contract
from simbench.contract.terms import Charge, TariffRow

CENT = Decimal("0.01")


class Line(msgspec.Struct, frozen=True):
    """One line: its clause, its label, its code ("" for the contract), quantity and price.

    label: in the language of the contract. `amount` and `unit_price` are None if the price needs a quotation (AMB-07).
    """

    clause: str
    label: str
    code: str
    quantity: int
    unit_price: Decimal | None
    amount: Decimal | None


class Invoice(msgspec.Struct, frozen=True):
    """A month's lines and their sums; `complete` is false if the price of a line is unknown."""

    month: str
    lines: tuple[Line, ...]
    total_ht: Decimal
    vat: Decimal
    total_ttc: Decimal
    complete: bool
    notes: tuple[str, ...] = ()


class Effect(msgspec.Struct, frozen=True):
    """The effect of another reading of an ambiguity: the total before VAT under it, and the difference."""

    ambiguity: str
    reading: str
    meaning: str
    total_ht: Decimal
    difference: Decimal
    complete: bool


def invoice(contract: Contract, acts: Acts, counts: Counts, month: Month) -> Invoice:
    """Return the invoice of one month under the contract's readings."""
    lines = tuple(_Grid(contract, acts, counts, month).lines())
    known = [line.amount for line in lines if line.amount is not None]
    total = sum(known, Decimal(0)).quantize(CENT)
    vat = _round(total * contract.terms.money.vat_share.value)
    return Invoice(
        str(month),
        lines,
        total,
        vat,
        total + vat,
        len(known) == len(lines),
        (*_notes(contract, acts, month), *oddly_counted(acts, counts, month, contract, contract.language)),
    )


def effects(contract: Contract, acts: Acts, counts: Counts, month: Month) -> tuple[Effect, ...]:
    """Return the effects of every other reading that would change the month's total."""
    own = invoice(contract, acts, counts, month)
    found = []
    for topic, reading, read_otherwise in other_readings(contract):
        other = invoice(read_otherwise, acts, counts, month)
        if other.total_ht != own.total_ht or other.complete != own.complete:
            t, key = words(contract.language, contract), f"reading.{topic}-{reading}"
            meaning = t(key) if t.has(key) else contract.ambiguity(topic).readings[reading]
            difference = other.total_ht - own.total_ht
            found.append(
                Effect(contract.ambiguity_id(topic), reading, meaning, other.total_ht, difference, other.complete)
            )
    return tuple(found)


class _Grid:
    """The rows of the grid by chapter, for one month."""

    def __init__(self, contract: Contract, acts: Acts, counts: Counts, month: Month) -> None:
        self.contract, self.acts, self.counts, self.month = contract, acts, counts, month
        self.terms, self.read = contract.terms, contract.reading
        self.standard = contract.terms.throughput.default_per_s.value
        self.special = contract.terms.ranges_apart
        self.served = [code for code in acts.codes if in_service(code, month)]

    def lines(self) -> Iterator[Line]:
        """Yield every line, in the order of the grid."""
        yield from self._acts()
        yield from self._messages()
        yield from self._months()
        yield from self._tiers()
        yield from self._qualification()
        yield from self._sender_names()
        yield from self._special()

    def _line(self, clause: str, label: str, quantity: int, price: Decimal | None, code: str = "") -> Line:
        amount = None if price is None else _round(price * quantity)
        return Line(clause, label, code, quantity, price, amount)

    def _rows(self, charge: Charge, quantity: int, code: str = "", label: str = "", **parts: object) -> Iterator[Line]:
        """Yield the lines of a charge, one per row of the tariff; `label` replaces the row's own."""
        for row in self.terms.rows(charge) if quantity else ():
            text = label or self.contract.labelled(row.label, charge.replace("_", " "), **parts)
            yield self._line(row.clause, text, quantity, row.value, code)

    def _acts(self) -> Iterator[Line]:
        month = self.month
        for code in self.acts.codes:
            yield from self._rows("opening", int(month.has(code.opened)), code.code)
            yield from self._rows("rate_change", int(changes_rate(code, month, self.standard)), code.code)
            yield from self._rows("other_change", int(month.has(code.closed)), code.code)
        for change in self.acts.other_changes:
            yield from self._rows("other_change", int(month.has(change.day)), change.code, change.what)

    def _messages(self) -> Iterator[Line]:
        counted = [self.counts.of(self.month, code) for code in self.counts.codes(self.month)]
        routed = self.read("billed-message") == "routed"
        quantity = sum(count.accepted if routed else count.delivered for count in counted)
        for row in self.terms.rows("message") if quantity else ():
            price = _round(row.value) if self.read("rounding") == "per_message" else row.value
            yield self._line(row.clause, self.contract.labelled(row.label, "messages"), quantity, price)

    def _months(self) -> Iterator[Line]:
        codes = [code for code in self.served if self.read("range-price") == "adds" or not self._is_special(code)]
        if self.read("tier-price") == "replaces":
            codes = [code for code in codes if rate_of(code, self.month, self.standard) == self.standard]
        yield from self._banded(self.terms.rows("code_month"), len(codes), slab=self.read("band-scope") == "slab")

    def _banded(
        self, rows: list[TariffRow], count: int, *, slab: bool = False, earlier: int = 0, digits: str = ""
    ) -> Iterator[Line]:
        """Yield the lines of codes priced by band; `earlier` moves the edges between bands down."""
        below = 0
        for row in rows:
            upper = count if row.last is None else min(count, row.last - earlier)
            here = max(0, upper - below)
            if slab:
                here = count if row.first <= count and (row.last is None or count <= row.last) else 0
            below = max(below, upper)
            if here:
                shown = digits + "ABCDEFGHIJ"[: self.terms.numbering.code_digits.value - len(digits)]
                parts = {"first": row.first - (earlier if row.first > 1 else 0), "last": (row.last or 0) - earlier}
                label = self.contract.labelled(row.label, "codes", range=shown, **parts)
                yield self._line(row.clause, label, here, row.value)

    def _tiers(self) -> Iterator[Line]:
        tiers = self.terms.throughput.paid_tiers
        by_quotation = set(sorted(tiers)[1:]) if self.read("high-rates") == "quotation" else set()
        for code in self.served:
            rate = rate_of(code, self.month, self.standard)
            if rate in tiers:
                tier, quoted = tiers[rate], self.acts.quotes.get(str(rate))
                price = quoted if tier.by_quotation or rate in by_quotation else tier.price
                label = self.contract.labelled(tier.label, f"{rate} messages/s", rate=rate)
                yield self._line(tier.clause, label, 1, price, code.code)

    def _qualification(self) -> Iterator[Line]:
        used = [one for one in self.acts.qualifications if one.month == str(self.month)]
        for one in used:
            yield from self._rows("qualification_month", 1, company=one.company)
        yield from self._rows("qualification", sum(one.numbers for one in used))

    def _sender_names(self) -> Iterator[Line]:
        month, reading = self.month, self.read("sender-name-acts")
        for code in self.acts.codes:
            active = [
                option
                for option in code.oadc_options
                if _overlaps(option.activated, option.deactivated or code.closed, month)
            ]
            yield from self._rows("sender_name_month", int(bool(active)), code.code)
            acts = sum(month.has(option.activated) for option in active)
            if reading == "each_act":
                acts += sum(month.has(option.deactivated) for option in active)
            elif reading == "monthly":
                acts = int(bool(active))
            yield from self._rows("sender_name_act", acts, code.code)

    def _special(self) -> Iterator[Line]:
        earlier = int(self.read("band-overlap") == "from_10")
        for digits in self.special:
            use = self.terms.numbering.use_of(digits)
            rows = [row for row in self.terms.rows("range_month") if use in row.uses]
            count = sum(code.code.startswith(digits) for code in self.served)
            yield from self._banded(rows, count, earlier=earlier, digits=digits)

    def _is_special(self, code: CodeActs) -> bool:
        return code.code.startswith(self.special)


def in_service(code: CodeActs, month: Month) -> bool:
    """Tell whether a code was in service on any day of a month."""
    return _overlaps(code.opened, code.closed, month)


def rate_of(code: CodeActs, month: Month, standard: int) -> int:
    """Return the rate to which a code is subscribed in a month: the latest tier, otherwise the standard rate."""
    begun = [tier.rate_per_s for tier in code.tiers if tier.month <= str(month)]
    return begun[-1] if begun else standard


def changes_rate(code: CodeActs, month: Month, standard: int) -> bool:
    """Tell whether a code's rate differs from the month before; opening a code on a tier is not a change."""
    if month.has(code.opened) or not in_service(code, month):
        return False
    before = Month(month.year - (month.month == 1), (month.month - 2) % 12 + 1)
    return rate_of(code, month, standard) != rate_of(code, before, standard)


def _overlaps(first: object, last: object, month: Month) -> bool:
    return str(first) < str(month.following.first) and (last is None or str(last) >= str(month.first))


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _notes(contract: Contract, acts: Acts, month: Month) -> Iterator[str]:
    """Yield notes for the reader of this month: contradictions in the offer."""
    question = contract.ambiguity("band-overlap")
    bands = [row.last for row in contract.terms.rows("range_month") if row.last is not None]
    if not bands or not question.clauses:
        return
    for digits in contract.terms.ranges_apart:
        count = sum(code.code.startswith(digits) and in_service(code, month) for code in acts.codes)
        if count >= bands[0]:
            name = digits + "ABCDEFGHIJ"[: contract.terms.numbering.code_digits.value - len(digits)]
            own = contract.ambiguity_id("band-overlap")
            yield words(contract.language, contract)("note.tenth", count=count, range=name, band=bands[0], question=own)
