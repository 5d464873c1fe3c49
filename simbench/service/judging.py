"""Findings so far: the rules applied to a running server's latest reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from simbench.base.units import SECOND_US
from simbench.contract import Contract
from simbench.finding import Finding, doubted
from simbench.ledger import AnyLedger
from simbench.ledger.events import ClockStepped
from simbench.ledger.reader import Run
from simbench.ledger.rows import ORDINAL, TABLES, Table
from simbench.rules.audit import audit, given_by
from simbench.rules.rule import Case
from simbench.service.log import EventLog, frame_id
from simbench.service.records import Judgement, Judgements
from simbench.trace.trace import Trace

if TYPE_CHECKING:
    import pyarrow as pa

LIVE = "live"  # name of the exercise for a server being watched


def judge_live(ledger: AnyLedger, contract: Contract, rows: int, log: EventLog, now: int) -> Judgements:
    """Return the findings of an audit of the last `rows` reads and writes, with all events, as of `now` (us).

    They equal those of `simbench judge` for the run. Call it in a separate thread.
    """
    ledger.flush()
    first = max(0, ledger.written["wire"] - rows)

    def load(table: Table) -> pa.Table:
        names = [column.name for column in (*table.columns, ORDINAL)]
        return ledger.tail(table.name, first if table is TABLES["wire"] else 0, names)

    trace = Trace(Run(ledger.info, load), ended=now)
    case, moved = Case(trace, contract), _moved(trace)
    judged = [_judgement(_fair(one, moved)) for one in audit(case, given_by(trace), LIVE, ("audit",))]
    for each in judged:
        if each.outcome in {"fail", "weak", "error"}:
            log.event("finding", ids=each.frames, **each.model_dump(include={"purpose", "outcome", "blame", "summary"}))
    since, until = trace.span
    return Judgements(since=since, until=until, findings=judged)


def _moved(trace: Trace) -> list[tuple[int, int]]:
    """Return the stretches (us) of platform time the client did not experience: steps, and changed speed."""
    moved: list[tuple[int, int]] = []
    begun: int | None = None
    for at, event in trace.events:
        if not isinstance(event, ClockStepped):
            continue
        if event.seconds is not msgspec.UNSET:
            moved.append((at - round(event.seconds * SECOND_US), at))
        else:
            if begun is not None:
                moved.append((begun, at))
            begun = at if event.speed != 1 else None
    return moved if begun is None else [*moved, (begun, max(begun, trace.span[1]) + 1)]


def _fair(finding: Finding, moved: list[tuple[int, int]]) -> Finding:
    """Return the finding, inconclusive if all evidence against the client spans time it did not experience."""
    spans = [(evidence.start, evidence.end) for evidence in finding.evidence if evidence.start < evidence.end]
    if finding.outcome not in {"fail", "weak"} or not spans or len(spans) < len(finding.evidence):
        return finding
    if not all(any(start < until and since < end for since, until in moved) for start, end in spans):
        return finding
    return doubted(finding, ["the platform's clock was moved meanwhile"])


def _judgement(finding: Finding) -> Judgement:
    frames = [
        frame_id(evidence.session, evidence.start, bytes.fromhex(evidence.frame[2:6]).decode("latin-1"))
        for evidence in finding.evidence
        if evidence.frame
    ]
    return Judgement(
        purpose=finding.purpose, clause=finding.clause, outcome=finding.outcome, summary=finding.summary,
        parts=list(finding.parts),
        blame=finding.blame, measured=finding.measured, limit=finding.limit, unit=finding.unit,
        assumed=list(finding.assumed), frames=frames,
    )  # fmt: skip
