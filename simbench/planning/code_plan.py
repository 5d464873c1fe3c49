"""A code plan: the short codes open in each month, their rates, and the cost.

Prices come from `simbench.billing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

import msgspec

from simbench.billing.acts import Acts, CodeActs, Month, Tier
from simbench.billing.counts import Count, Counts
from simbench.billing.invoice import Invoice, invoice
from simbench.contract import Contract

Held = tuple[tuple[int, int], ...]
"""(rate, number of codes) in ascending order of rate, without rates that no code has."""


class CodePlan(msgspec.Struct, frozen=True):
    """For each range of codes ("36") the codes held in each month of the period."""

    held: dict[str, tuple[Held, ...]]

    def rates(self, prefix: str) -> tuple[int, ...]:
        """Return the total messages per second of all codes of a range, by month."""
        return tuple(sum(rate * count for rate, count in month) for month in self.held[prefix])

    @property
    def codes(self) -> int:
        """The largest number of codes open in a month."""
        months: list[tuple[Held, ...]] = list(zip(*self.held.values(), strict=True))
        return max((sum(count for held in month for _, count in held) for month in months), default=0)

    @property
    def lowest(self) -> int:
        """The smallest total rate of all codes in a month (messages per second)."""
        return min((sum(self.rates(prefix)[at] for prefix in self.held) for at in range(self._months)), default=0)

    @property
    def _months(self) -> int:
        return min((len(months) for months in self.held.values()), default=0)

    def words(self) -> str:
        """Return the code plan as a line: "36: 3 x 50/s (2026-10 on)" by range, with each change after a semicolon."""
        found = []
        for prefix, months in self.held.items():
            runs = [held for place, held in enumerate(months) if not place or held != months[place - 1]]
            shown = [" + ".join(f"{count} x {rate}/s" for rate, count in held) or "none" for held in runs[:3]]
            more = f" and {len(runs) - 3} more changes" if len(runs) > 3 else ""
            found.append(f"{prefix}ABC: {', then '.join(shown)}{more}")
        return "; ".join(found)


def code_plan_of(counts: dict[str, list[dict[int, int]]]) -> CodePlan:
    """Return a code plan for counts by rate."""
    return CodePlan(
        {
            prefix: tuple(tuple(sorted((rate, n) for rate, n in month.items() if n)) for month in months)
            for prefix, months in counts.items()
        }
    )


def acts_of(
    mix: CodePlan, months: tuple[Month, ...], contract: Contract, held: Mapping[str, int] | None = None
) -> Acts:
    """Return the acts that implement a code plan: codes keep their rate if possible; the others change, open, close.

    held: the rate of each code held before the period; these codes are shown as opened in the month before.
    """
    standard = contract.terms.throughput.default_per_s.value
    eve = _month_before(months[0])
    codes: list[CodeActs] = []
    for prefix, of_months in mix.held.items():
        mine = {code: rate for code, rate in (held or {}).items() if code.startswith(prefix)}
        paths = _paths(of_months, list(mine.values()))
        free = (code for code in contract.terms.numbering.codes_in(prefix) if code not in mine)
        for code, path in zip(chain(mine, free), paths, strict=False):
            at = (eve, *months)
            first = next(place for place, rate in enumerate(path) if rate)
            end = next((place for place in range(first, len(path)) if not path[place]), len(path))
            tiers = _tiers(code, path[first:end], at[first:end], standard, contract)
            closed = None if end == len(path) else _last_day(at[end - 1])
            codes.append(CodeActs(code, at[first].first, closed, tiers))
    return Acts(tuple(codes))


def _tiers(
    code: str, path: list[int], months: tuple[Month, ...], standard: int, contract: Contract
) -> tuple[Tier, ...]:
    throughput = contract.terms.throughput
    found, before = [], standard
    for month, rate in zip(months, path, strict=True):
        if rate != before:
            found.append(Tier(str(month), rate, f"plan {code}" if throughput.must_ask(rate) else ""))
        before = rate
    return tuple(found)


def _paths(of_months: tuple[Held, ...], before: list[int]) -> list[list[int]]:
    """Return the rate of each code before the period and by month, 0 if it is not open.

    A closed code is not opened again.
    """
    paths = [[rate] for rate in before]
    for place, month in enumerate(of_months, 1):
        wanted = Counter(dict(month))
        free = []
        for path in paths:
            if not path[-1]:
                path.append(0)
            elif wanted[path[-1]] > 0:
                wanted[path[-1]] -= 1
                path.append(path[-1])
            else:
                free.append(path)
        rest = list(wanted.elements())
        for path in free:
            path.append(rest.pop() if rest else 0)
        paths += [[0] * place + [rate] for rate in rest]
    return paths


def invoices(
    mix: CodePlan, months: tuple[Month, ...], contract: Contract, delivered: dict[tuple[Month, str], int],
    held: Mapping[str, int] | None = None,
) -> tuple[Invoice, ...]:  # fmt: skip
    """Return the invoice of each month for the delivered segments by month and range."""
    acts = acts_of(mix, months, contract, held)
    first = contract.terms.numbering.codes_in
    some = {prefix: next((one.code for one in acts.codes if one.code.startswith(prefix)), "") for prefix in mix.held}
    counted = {
        (month, some[prefix] or next(first(prefix))): Count(n, n) for (month, prefix), n in delivered.items() if n
    }
    counts = Counts("plan", counted)
    return tuple(invoice(contract, acts, counts, month) for month in months)


def cost(
    mix: CodePlan, months: tuple[Month, ...], contract: Contract, held: Mapping[str, int] | None = None
) -> Decimal:
    """Return euros before VAT over the period, without the messages, whose cost does not depend on the mix.

    A held code that is not kept is closed on the day before the period; its closing is included.
    """
    bills = invoices(mix, months, contract, {}, held)
    return sum((bill.total_ht for bill in bills), Decimal(0)) + closed_before(mix, months, contract, held)


def closed_before(
    mix: CodePlan, months: tuple[Month, ...], contract: Contract, held: Mapping[str, int] | None = None
) -> Decimal:
    """Return the euros for closing held codes on the day before the period, billed in the month before."""
    closed = [one for one in acts_of(mix, months, contract, held).codes if one.closed and one.closed < months[0].first]
    return len(closed) * Decimal(sum((row.value for row in contract.terms.rows("other_change")), Decimal(0)))


def _month_before(month: Month) -> Month:
    day = month.first - timedelta(days=1)
    return Month(day.year, day.month)


def _last_day(month: Month) -> date:
    return month.following.first - timedelta(days=1)
