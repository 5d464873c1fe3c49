"""Applies the rules to a running server's latest reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simbench.contract import Contract
from simbench.finding import Evidence, Finding
from simbench.ledger import AnyLedger
from simbench.ledger.reader import Run
from simbench.ledger.rows import ORDINAL, TABLES, Table
from simbench.rules.audit import audit, given_by
from simbench.rules.rule import Case
from simbench.service.extent import latest
from simbench.service.log import frame_id
from simbench.service.records import Judgement, Judgements
from simbench.trace.trace import Trace

if TYPE_CHECKING:
    import pyarrow as pa

OCTETS = 64_000_000  # of the reads and writes that are judged
LIVE = "live"  # name of the exercise for a server being watched


def judge_live(ledger: AnyLedger, contract: Contract, rows: int, now: int) -> tuple[Judgements, dict[str, bytes], int]:
    """Return the findings of an audit of the last `rows` reads and writes, with all events, as of `now` (us).

    Those are fewer where they have more than OCTETS.

    The second value is the octets of their frames, by id, the third the number of reads and writes up to now, judged
    or older. The findings equal those of `simbench judge` for the run.

    Call it in a separate thread.
    """
    ledger.flush()
    read = ledger.written["wire"]
    first = latest(ledger, "wire", "octets", rows, OCTETS)

    def load(table: Table) -> pa.Table:
        names = [column.name for column in (*table.columns, ORDINAL)]
        return ledger.tail(table.name, first if table is TABLES["wire"] else 0, names)

    trace = Trace(Run(ledger.info, load), ended=now)
    found = audit(Case(trace, contract), given_by(trace), LIVE, ("audit",))
    since, until = trace.span
    judgements = Judgements(since=since, until=until, findings=[_judgement(one) for one in found])
    frames = {_id(each): bytes.fromhex(each.frame) for one in found for each in one.evidence if each.frame}
    return judgements, frames, read


def _id(evidence: Evidence) -> str:
    return frame_id(evidence.session, evidence.start, bytes.fromhex(evidence.frame[2:6]).decode("latin-1"))


def _judgement(finding: Finding) -> Judgement:
    frames = [_id(evidence) for evidence in finding.evidence if evidence.frame]
    return Judgement(
        purpose=finding.purpose, clause=finding.clause, outcome=finding.outcome, summary=finding.summary,
        parts=list(finding.parts),
        blame=finding.blame, measured=finding.measured, limit=finding.limit, unit=finding.unit,
        assumed=list(finding.assumed), frames=frames,
    )  # fmt: skip
