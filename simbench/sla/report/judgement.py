"""The content of a report besides its run: the findings of another record, and the requested options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simbench.contract import Contract
from simbench.finding import Finding
from simbench.ledger import Run
from simbench.sla.dispute import Dispute
from simbench.sla.forecast import BackTest, Forecast
from simbench.sla.imports.decisions import Decision
from simbench.tables.rows import RejectedRow


@dataclass(frozen=True)
class Judgement:
    """The findings of a record.

    `source`: the file; `kind`: one of the kinds of `simbench judge`; `rows`: its number of rows; `notes`: the rejected
    rows and remarks on others; `before`: the findings before `decisions`; `dispute`: the tickets compared with probes.
    """

    source: str
    kind: str
    findings: tuple[Finding, ...]
    rows: int = 0
    notes: tuple[RejectedRow, ...] = ()
    before: tuple[Finding, ...] = ()
    decisions: tuple[Decision, ...] = ()
    dispute: Dispute | None = None
    forecast: Forecast | None = None
    back_test: BackTest | None = None


@dataclass(frozen=True)
class SlaRun:
    """A record as a run, its contract, and the language of its report (one of `LANGUAGES`).

    Without a judgement the run is judged by the rules of the service level.
    """

    run: Run
    contract: Contract
    language: str = "en"
    judgement: Judgement | None = None

    @property
    def title(self) -> str:
        """The record's name for people."""
        if self.judgement is not None:
            return Path(self.judgement.source).name
        return self.run.info.scenario or self.run.info.run
