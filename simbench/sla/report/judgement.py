"""The data from which the report of a service level is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simbench.contract import Contract
from simbench.ledger import Run
from simbench.sla.judged import Judged


@dataclass(frozen=True)
class SlaRun:
    """A record as a run, its contract, and the language of its report (one of `LANGUAGES`).

    Without a judgement the run is judged by the rules of the service level.
    """

    run: Run
    contract: Contract
    language: str = "en"
    judgement: Judged | None = None

    @property
    def title(self) -> str:
        """The record's name for people."""
        if self.judgement is not None:
            return Path(str(self.judgement.facts["source"])).name
        return self.run.info.scenario or self.run.info.run
