"""The traffic of a ledger under other codes and tiers.

Each range is one first-in-first-out queue behind one sliding window of a second with the rate of all its codes;
interruptions in the ledger stop it. A ledger of single messages has the instant of each submission, from which waits
are counted. A ledger of minutes has no instants: then the worst case of each minute is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from simbench.base.errors import LedgerError
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.billing.acts import Month
from simbench.billing.counts import count_run
from simbench.contract import Contract
from simbench.ledger import Run, open_run, scan
from simbench.ledger.events import events_in
from simbench.ledger.incidents import TOTAL, incidents_of, period_of
from simbench.planning.code_plan import code_plan_of, invoices
from simbench.planning.waiting import ByInstant, ByMinute, Floats, Waiting

MOST_CODES = 6
MOST_INSTANTS = 5_000_000  # messages simulated one by one; with more, by minute
EVENTS = ("at", "kind", "subject", "until", "detail")
Traffic = tuple[Any, Any]
"""Instants or minutes (us), and the number of segments at each."""


class Otherwise(msgspec.Struct, frozen=True):
    """One range under one plan: euros before VAT over the ledger's months, messages included; the number of messages
    that would have waited longer than allowed, and of those lost (validity over, or still waiting at the end).
    `since`: waits count from the request to the client, or only from submission by it, which hides waits in the client.
    at_most: late, lost and longest wait are upper bounds, because only the minute of each message is known.
    """  # fmt: skip

    prefix: str
    words: str
    euros: Decimal
    messages: int
    late: int
    lost: int
    longest_wait_s: int
    since: Literal["asked", "submitted"] = "asked"
    at_most: bool = True


def otherwise(source: Path, contract: Contract, late_min: float) -> tuple[Otherwise, ...]:
    """Evaluate every range of codes in a ledger under each number of codes and tier. Raises LedgerError."""
    run = open_run(source)
    counts = count_run(run, contract.calendar, str(source))
    requested, since, exact = _requested(run)
    if not requested or not counts.months:
        raise LedgerError(str(source), "contains no message", "a run with traffic")
    months = _months(counts.months[0], counts.months[-1])
    start = min(int(at.min()) for at, _ in requested.values()) // MINUTE_US * MINUTE_US
    period = period_of(events_in(run.events))
    ends = [period.end // MINUTE_US * MINUTE_US] if period else []
    end = max([*ends, *(int(at.max()) // MINUTE_US * MINUTE_US + MINUTE_US for at, _ in requested.values())])
    up = _up(run, start, end)
    return tuple(
        row
        for prefix, traffic in sorted(requested.items())
        for row in _rows(prefix, _wait(traffic, up, (start, end), exact), contract, (months, counts), late_min, since)
    )


def _wait(traffic: Traffic, up: Floats, span: tuple[int, int], exact: bool) -> Waiting:
    """Return the waiting traffic, by instants or by minutes."""
    at, messages = traffic
    if exact:
        return ByInstant(np.sort((at - span[0]) / SECOND_US), up)
    minutes = (span[1] - span[0]) // MINUTE_US
    counts = np.bincount((at - span[0]) // MINUTE_US, weights=messages, minlength=minutes)
    return ByMinute(counts.astype(np.float64), up)


def _rows(
    prefix: str, waiting: Waiting, contract: Contract, billed: tuple[Any, Any], late_min: float,
    since: Literal["asked", "submitted"],
) -> Iterator[Otherwise]:  # fmt: skip
    months, counts = billed
    delivered = {
        (month, prefix): sum(
            counts.of(month, code).delivered for code in counts.codes(month) if code.startswith(prefix)
        )
        for month in months
    }
    valid_s = contract.terms.delivery.validity_default_h.value * 3600
    for rate in sorted(contract.terms.throughput.rates):
        for codes in range(1, MOST_CODES + 1):
            late, lost, longest = waiting.drained(rate * codes, late_min * 60, valid_s)
            mix = code_plan_of({prefix: [{rate: codes}] * len(months)})
            euros = sum((bill.total_ht for bill in invoices(mix, months, contract, delivered)), Decimal(0))
            yield Otherwise(
                prefix, f"{codes} x {rate}/s", euros, waiting.messages, late, lost, longest, since, waiting.at_most
            )
            if not late and not lost:
                break  # more codes at this rate only increase the cost


def _requested(run: Run) -> tuple[dict[str, Traffic], Literal["asked", "submitted"], bool]:
    """Return instants (us) and numbers of requested segments by range, in minutes; or of submitted ones, if requests
    are unknown, by instant unless they are too many. The last value tells whether instants are known.
    """  # fmt: skip
    since: Literal["asked", "submitted"] = "asked"
    found, exact = _minutes(run, "minute", "offered"), False
    if not len(found["at"]):
        since, answered = "submitted", scan.among("kind", "accepted", "refused")
        found = _minutes(run, "centre", "segments", answered)
        exact = 0 < int(found["n"].sum()) <= MOST_INSTANTS
        if exact:
            columns = {**scan.field("at"), "prefix": scan.start_of("code", 2), "n": scan.field("segments")["segments"]}
            found = scan.columns_of(run, "centre", columns, answered)
            found = {name: np.repeat(found[name], found["n"]) for name in found}
    prefixes = found["prefix"].astype(str)
    by_prefix = {str(one): (found["at"][prefixes == one], found["n"][prefixes == one]) for one in np.unique(prefixes)}
    return by_prefix, since, exact


def _minutes(run: Run, table: str, column: str, where: scan.Expression | None = None) -> scan.Columns:
    by = {"at": scan.floor("at", MINUTE_US), "prefix": scan.start_of("code", 2)}
    return scan.sums_of(run, table, by, {"n": scan.field(column)[column]}, where)


def _up(run: Run, start: int, end: int) -> Floats:
    """Return when the platform was up: (2, n) seconds from `start`."""
    cuts = [(one.start, one.end or end) for one in incidents_of(events_in(run.events)) if one.scope == TOTAL]
    edges, at = [], start
    for down, until in sorted(cuts):
        if down > at:
            edges.append((at, min(down, end)))
        at = max(at, until)
    if at < end:
        edges.append((at, end))
    pairs = np.array([pair for pair in edges if pair[1] > pair[0]], np.float64).reshape(-1, 2)
    return ((pairs - start) / SECOND_US).T.copy()


def _months(first: Month, last: Month) -> tuple[Month, ...]:
    found = [first]
    while found[-1] < last:
        found.append(found[-1].following)
    return tuple(found)
