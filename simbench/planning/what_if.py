"""What-if on past traffic: the traffic of a ledger under other codes and tiers.

It works by minute and by range of codes. Requests keep their order, and the interruptions in the ledger apply. A ledger
of single messages has only the instants of submission, not those of the requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from simbench.base.errors import LedgerError
from simbench.base.units import MINUTE_US
from simbench.billing.acts import Month
from simbench.billing.counts import count_run
from simbench.contract import Contract
from simbench.ledger import Run, open_run
from simbench.ledger.incidents import TOTAL, incidents_of, period_of
from simbench.ledger.query import Columns, query
from simbench.planning.mix import invoices, mix_of

MINUTE_S = 60
MOST_CODES = 6
STORY = ("at", "kind", "subject", "until", "detail")
Floats = NDArray[np.float64]


class Otherwise(msgspec.Struct, frozen=True):
    """One range under one plan: euros before VAT over the ledger's months, messages with it; how many messages would
    have waited longer than allowed, how many would have been lost (their validity over, or still waiting at the end).
    Waits count from when a message was `since`: asked of the client, or only submitted by it, which hides what it held.
    """  # fmt: skip

    prefix: str
    words: str
    euros: Decimal
    messages: int
    late: int
    lost: int
    longest_wait_s: int
    since: Literal["asked", "submitted"] = "asked"


def otherwise(source: Path, contract: Contract, late_min: float) -> tuple[Otherwise, ...]:
    """Every range of codes a ledger knows under each number of codes and tier. Raises LedgerError."""
    run = open_run(source)
    counts = count_run(run, str(source))
    asked, since = _asked(run)
    if not asked or not counts.months:
        raise LedgerError(str(source), "tells of no message", "a run with traffic")
    months = _months(counts.months[0], counts.months[-1])
    start = min(int(at.min()) for at, _ in asked.values())
    period = period_of(_story(run))
    ends = [period.end // MINUTE_US * MINUTE_US] if period else []
    end = max([*ends, *(int(at.max()) + MINUTE_US for at, _ in asked.values())])
    up = _up(run, start, end)
    return tuple(
        replace(row, since=since)
        for prefix, (at, messages) in sorted(asked.items())
        for row in _rows(prefix, (_by_minute(at, messages, start, len(up)), up), contract, (months, counts), late_min)
    )


def _rows(
    prefix: str, traffic: tuple[Floats, Floats], contract: Contract, billed: tuple[Any, Any], late_min: float
) -> Iterator[Otherwise]:
    asked, up = traffic
    months, counts = billed
    delivered = {
        (month, prefix): sum(counts.of(month, code).delivered for code in counts.codes(month) if code[:2] == prefix)
        for month in months
    }
    valid_s = contract.terms.delivery.validity_default_h.value * 3600
    for rate in sorted(contract.terms.throughput.tiers_per_s.value):
        for codes in range(1, MOST_CODES + 1):
            late, lost, longest = drained(asked, up * rate * codes * MINUTE_S, late_min * 60, valid_s)
            mix = mix_of({prefix: [{rate: codes}] * len(months)})
            euros = sum((bill.total_ht for bill in invoices(mix, months, contract, delivered)), Decimal(0))
            yield Otherwise(prefix, f"{codes} x {rate}/s", euros, round(float(asked.sum())), late, lost, longest)
            if not late and not lost:
                break  # more codes at this rate only cost more


def drained(asked: Floats, room: Floats, late_s: float, valid_s: float) -> tuple[int, int, int]:
    """Messages late, messages lost, and the longest wait (s), first come first served, minute by minute."""
    came = np.cumsum(asked)
    sums = np.cumsum(asked - room)
    served = came - (sums - np.minimum(np.minimum.accumulate(sums), 0))
    left_at = np.searchsorted(served, came - 1e-6)
    waited = (left_at - np.arange(len(asked))) * float(MINUTE_S)
    in_time, valid = (_gone(asked, served, wait_s) for wait_s in (min(late_s, valid_s), valid_s))
    some = asked > 0
    longest = int(waited[some].max()) if some.any() else 0
    return round(valid - in_time), round(float(asked.sum()) - valid), longest


def _gone(asked: Floats, served: Floats, wait_s: float) -> float:
    """How many messages, each counted from its own minute, have left when they have waited so long."""
    until = np.minimum(np.arange(len(asked)) + int(wait_s // MINUTE_S), len(asked) - 1)
    return float(np.clip(served[until] - (np.cumsum(asked) - asked), 0, asked).sum())


def _asked(run: Run) -> tuple[dict[str, tuple[Any, Any]], Literal["asked", "submitted"]]:
    """In which minutes (us) how many segments were asked for, by range; or submitted, where no more is known."""
    since: Literal["asked", "submitted"] = "asked"
    found = _minutes(run, "minute", "offered", "true")
    if not len(found["at"]):
        since = "submitted"
        found = _minutes(run, "centre", "segments", "kind in ('accepted', 'refused')")
    prefixes = found["prefix"].astype(str)
    by_prefix = {str(one): (found["at"][prefixes == one], found["n"][prefixes == one]) for one in np.unique(prefixes)}
    return by_prefix, since


def _story(run: Run) -> Iterator[Any]:
    return zip(*(run.story[name].to_pylist() for name in STORY), strict=True)


def _minutes(run: Run, table: str, column: str, which: str) -> Columns:
    return query(
        run,
        f'select "at" // {MINUTE_US} * {MINUTE_US} as "at", left(code, 2) as prefix, '  # noqa: S608 - our own words
        f"cast(sum({column}) as bigint) as n from ledger where {which} group by all",
        table,
    )


def _by_minute(at: Any, messages: Any, start: int, minutes: int) -> Floats:
    return np.bincount((at - start) // MINUTE_US, weights=messages, minlength=minutes).astype(np.float64)


def _up(run: Run, start: int, end: int) -> Floats:
    """Which share of each minute the platform was up."""
    up = np.ones((end - start) // MINUTE_US + 1)
    for one in incidents_of(_story(run)):
        if one.scope != TOTAL:
            continue
        at, until = one.start, one.end or end
        edges = start + np.arange(len(up)) * MINUTE_US
        down = np.clip(np.minimum(edges + MINUTE_US, until) - np.maximum(edges, at), 0, None)
        up = np.clip(up - down / MINUTE_US, 0, 1)
    return up


def _months(first: Month, last: Month) -> tuple[Month, ...]:
    found = [first]
    while found[-1] < last:
        found.append(found[-1].following)
    return tuple(found)
