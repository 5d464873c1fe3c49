"""Findings of an incomplete record: rows that were not read, times with two readings, missing data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from simbench.finding import Finding, doubted
from simbench.ledger.incidents import Incident
from simbench.ledger.reader import Run
from simbench.ledger.rows import Row
from simbench.rules.rule import Case, judge, ordered
from simbench.sla.imports.record import retold
from simbench.sla.imports.sources import Source
from simbench.sla.purposes import GRANTED_RATE
from simbench.tables.rows import RejectedRow, rejected
from simbench.trace.trace import Trace

INCIDENTS, TRAFFIC, PROBES = "incidents", "traffic", "probes"


class Unread(msgspec.Struct, frozen=True):
    """The number of rows that were not read, and the reason for the first; false if all were read."""

    count: int = 0
    rows: int = 0
    first: str = ""

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        verb = "was" if self.count == 1 else "were"
        return f"{self.count} of {self.rows} rows {verb} not read ({self.first})"


def unread_of(notes: Sequence[RejectedRow], rows: int) -> Unread:
    """Summarise the notes on rows that were not read; `rows` is the number of all rows."""
    found = rejected(notes)
    return Unread(len(found), rows, str(found[0])) if found else Unread()


class Record(msgspec.Struct, frozen=True):
    """A source ready to be judged: its run, its incidents (after decisions), and its unread rows."""

    source: Source
    run: Run
    probes: Sequence[Row] = ()
    unread: Mapping[str, Unread] = {}

    def case(self, incidents: Sequence[Incident], before: Case) -> Case:
        """Return the same record with other incidents, under the same contract."""
        summary = retold(self.run, incidents, self.source.period, self.probes)
        return Case(Trace(summary), before.contract)


def service_findings(case: Case, record: Record, least: Case | None, most: Case | None) -> Iterator[Finding]:
    """Return one finding for each purpose of the service level, as far as the rows read support it.

    `least` and `most` are the same case in the platform's best and worst case, if the record leaves this open.
    """
    source = record.source
    for purpose in ordered(case.contract, "sla"):
        found = judge(purpose, case, source.kind)
        distinct = (
            found.purpose == GRANTED_RATE and TRAFFIC in record.unread
        )  # a table of traffic has the data that the log lacks
        why = None if distinct else source.unsupported.get(purpose)
        if why is not None and found.outcome != "fail":
            yield Finding(purpose, found.clause, "unsupported", why, exercise=source.kind)
            continue
        if least is not None and most is not None:
            found = _between(found, judge(purpose, least, source.kind), judge(purpose, most, source.kind))
        if found.outcome in {"fail", "weak"} and purpose in source.excusable:
            found = doubted(found, [source.excusable[purpose]])
        yield _as_far_as_read(found, record.unread)


def _between(found: Finding, least: Finding, most: Finding) -> Finding:
    """Return an inconclusive finding if the verdict depends on the reading."""
    if least.outcome == most.outcome:
        return found
    summary = (
        "the verdict depends on data that the record leaves open (hours that the clocks repeat or skip, missing "
        "beginnings or ends, attempts that failed for an unknown reason, silences of a log): "
        f"{least.outcome} at best ({least.summary}), {most.outcome} at worst ({most.summary})"
    )
    return replace(found, outcome="inconclusive", summary=summary, blame="bench", evidence=most.evidence)


def _as_far_as_read(found: Finding, unread: Mapping[str, Unread]) -> Finding:
    """Return an inconclusive finding if unread rows could change the outcome; otherwise name them as an assumption.

    An unread outage can only be one more, so a breach remains one; but it may excuse a rate that was not granted.
    """
    kinds = (INCIDENTS, TRAFFIC) if found.purpose == GRANTED_RATE else (INCIDENTS,)
    concerned = [unread[kind] for kind in kinds if unread.get(kind)]
    if not concerned:
        return found
    reasons = [str(one) for one in concerned]
    if found.outcome == "pass" or (found.outcome == "fail" and found.purpose == GRANTED_RATE):
        return doubted(found, reasons)
    return replace(found, assumed=(*found.assumed, *reasons))
