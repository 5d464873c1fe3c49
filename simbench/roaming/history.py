"""One account for the rules: billing periods, balances of presence and consumption, surcharges in force.

It is calculated from the billing files and the contract, in exact fractions and independently of the simulator.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from simbench.roaming.billing import Account, Notice, Record
from simbench.roaming.contract import RoamingContract

DAY = timedelta(days=1)


class Period(NamedTuple):
    """One billing period: first day, octets granted, the data records and the notices in it."""

    starts: date
    granted: int
    data: list[Record]
    notices: list[Notice]

    def told_by(self, kind: str, day: date) -> bool:
        """Tell whether a notice of this kind was given on a day or before."""
        return any(notice.kind == kind and notice.day <= day for notice in self.notices)


class Sums(NamedTuple):
    """Sums over consecutive days: days at home and abroad (`mixed`: both), octets at home and abroad."""

    home: int
    abroad: int
    mixed: int
    home_octets: int
    abroad_octets: int


class History:
    """An account with the values that rules need; `whole` if its first day is shown, and not only that of the files."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.abroad = [
            record for record in account.records if record.place == "abroad" and record.service != "presence"
        ]
        days = [record.day for record in account.records[:1]] + [notice.day for notice in account.notices[:1]]
        self.since = min(days) if days else None
        self.whole = True
        self.periods = list(self._periods())
        self.surcharges = list(self._surcharges())
        self._days, self._sums = self._accumulated()

    def _periods(self) -> Iterator[Period]:
        envelopes = [notice for notice in self.account.notices if notice.kind == "envelope"]
        data = [record for record in self.abroad if record.service == "data"]
        begins = [notice.day for notice in envelopes]
        for place, opening in enumerate(envelopes):
            after = begins[place + 1] if place + 1 < len(begins) else date.max
            yield Period(
                opening.day,
                opening.octets,
                [record for record in data if opening.day <= record.day < after],
                [notice for notice in self.account.notices if opening.day <= notice.day < after],
            )

    def before_any_envelope(self) -> list[Record]:
        """Roaming data before the customer was notified of the first envelope."""
        first = self.periods[0].starts if self.periods else date.max
        return [record for record in self.abroad if record.service == "data" and record.day < first]

    def _surcharges(self) -> Iterator[tuple[date, date]]:
        """Yield the intervals under a surcharge: first day, day after the last."""
        kinds = [notice.kind for notice in self.account.notices if notice.kind.startswith("surcharge-")]
        begun = date.min if kinds[:1] == ["surcharge-ends"] else None  # it began before the files
        for notice in self.account.notices:
            if notice.kind == "surcharge-begins" and begun is None:
                begun = notice.day
            elif notice.kind == "surcharge-ends" and begun is not None:
                yield begun, notice.day
                begun = None
        if begun is not None:
            yield begun, date.max

    def surcharged(self, day: date) -> bool:
        """Tell whether a surcharge was in force on a day."""
        return any(begins <= day < ends for begins, ends in self.surcharges)

    def _accumulated(self) -> tuple[list[date], list[Sums]]:
        by_day: dict[date, list[int]] = {}
        for record in self.account.records:
            sums = by_day.setdefault(record.day, [0, 0, 0, 0, 0])
            if record.service == "presence":
                sums[("home", "abroad", "both").index(record.place)] += 1
            elif record.service == "data":
                sums[3 + (record.place == "abroad")] += record.quantity
        running = accumulate(by_day.values(), lambda one, other: [a + b for a, b in zip(one, other, strict=True)])
        return list(by_day), [Sums(0, 0, 0, 0, 0), *(Sums(*sums) for sums in running)]

    def balance(self, day: date, window_days: int) -> Sums:
        """Sums over the `window_days` days before a day."""
        early, late = (bisect_right(self._days, end - DAY) for end in (day - window_days * DAY, day))
        return Sums(*(b - a for a, b in zip(self._sums[early], self._sums[late], strict=True)))

    def prevails(self, day: date, window_days: int, share: Fraction, mixed_at_home: bool) -> bool:
        """Tell whether both presence and consumption abroad prevailed over the days before a day."""
        sums = self.balance(day, window_days)
        home, abroad = (sums.home + sums.mixed, sums.abroad) if mixed_at_home else (sums.home, sums.abroad + sums.mixed)
        return abroad > share * (home + abroad) and sums.abroad_octets > share * (sums.home_octets + sums.abroad_octets)


def histories(accounts: Iterable[Account]) -> list[History]:
    """Return all accounts; one that is there on the first day of the files may be older than they are.

    Any other is whole if its first row is the notice of its envelope, which opens its first period.
    """
    found = [History(account) for account in accounts]
    first = min((history.since for history in found if history.since), default=None)
    for history in found:
        notices = history.account.notices[:1]
        opened = bool(notices) and notices[0].kind == "envelope" and notices[0].day == history.since
        history.whole = opened and history.since != first
    return found


def least_octets(account: Account, day: date, contract: RoamingContract) -> Fraction:
    """Return the minimum roaming volume of a billing period that starts on a day (ROM-ENV-01)."""
    terms = contract.terms.envelope
    net = Fraction(account.price_eur) / (1 + Fraction(account.vat_share))
    cap = Fraction(contract.cap("data", day).value)
    times = terms.prepaid_factor.value if account.prepaid else terms.factor.value
    bought = times * net / cap * terms.gigabyte_octets.value
    if account.domestic_gb is None:
        return bought
    allowance = Fraction(account.domestic_gb) * terms.gigabyte_octets.value
    closed = not account.prepaid and net * terms.gigabyte_octets.value >= cap * allowance
    return allowance if closed else min(allowance, bought)


def months_before(day: date, months: int) -> date:
    """Return the same day some months earlier, the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
