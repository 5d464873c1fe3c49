"""A folder for each purpose: its finding, a capture of the wire as evidence, and the client's log.

Captures are not masked: they are evidence for the two parties, not for publication.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simbench.base.errors import BadInput
from simbench.base.json_files import write_json
from simbench.base.outputs import owned
from simbench.base.units import SECOND_US
from simbench.bench.report.model import Judgement
from simbench.capture.pcap import write_pcapng
from simbench.finding import Finding
from simbench.ledger.reader import Run

if TYPE_CHECKING:
    import pyarrow as pa

    from simbench.ledger.rows import Table

EVIDENCE: Final = "evidence"
MARGIN_US: Final = SECOND_US  # of the wire before and after the evidence


def write_folders(place: Path, judgement: Judgement, runs: Path, several: Collection[str] = ()) -> None:
    """Write one folder for each judged purpose, and one per exercise for those in `several`.

    `runs` contains the clients' logs. Raises BadInput.
    """
    readings = {one.name: one.trace for one in judgement.exercises}
    try:
        for finding in judgement.findings:
            if finding.outcome == "unsupported":
                continue
            folder = place / folder_name(finding, finding.purpose in several)
            write_json(folder / "finding.json", finding)
            for exercise in exercises_of(finding):
                part = "" if finding.exercise else f"{exercise}."
                if exercise in readings:
                    write_pcapng(shown(readings[exercise].run, finding, exercise), folder / f"{part}evidence.pcapng")
                for log in sorted((runs / exercise / "client").glob("*.log")):
                    _linked(log, folder / f"{part}{log.name}")
    except OSError as problem:
        raise BadInput(str(place), problem.strerror or str(problem), "a folder that can be written") from None


def folder_name(finding: Finding, several: bool = False) -> str:
    """Return the folder name of a finding: its purpose, and its exercise if several show it."""
    name = f"{finding.purpose}.{finding.exercise}" if several else finding.purpose
    return re.sub(r"[^A-Za-z0-9.-]+", "_", name)


def exercises_of(finding: Finding) -> list[str]:
    """Return the exercises of a finding: its own, or for a finding on the session those with evidence."""
    if finding.exercise:
        return [finding.exercise]
    return list(dict.fromkeys(one.exercise for one in finding.evidence if one.exercise and one.start))


def shown(run: Run, finding: Finding, exercise: str = "") -> Run:
    """Return the run with the part of its wire around the evidence; the complete wire if the evidence has no instant.

    For a finding on a session, only the evidence of one exercise counts.
    """
    spans = [
        (evidence.start - MARGIN_US, max(evidence.start, evidence.end) + MARGIN_US)
        for evidence in finding.evidence
        if evidence.start and evidence.exercise in {"", exercise}
    ]
    if not spans:
        return run

    def load(table: Table) -> pa.Table:
        import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

        rows = run.table(table.name)
        if table.name != "wire":
            return rows
        at = rows.column("at").to_numpy()
        kept = pa.array([any(start <= instant <= end for start, end in spans) for instant in at.tolist()], pa.bool_())
        return rows.filter(kept)

    return Run(run.info, load)


def _linked(log: Path, here: Path) -> None:
    """Create a hard link, or a copy if the file system has no hard links."""
    with suppress(FileExistsError):
        try:
            os.link(log, here)
        except FileExistsError:
            raise
        except OSError:
            with log.open("rb") as source, owned(here, "xb") as copy:
                shutil.copyfileobj(source, copy)
