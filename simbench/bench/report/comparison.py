"""Several sessions side by side: one row per purpose, one column per client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from simbench.base.errors import BadInput
from simbench.base.json_files import write_octets
from simbench.bench.report.findings_file import Result
from simbench.finding import Outcome, tally
from simbench.reporting.format import WORST_FIRST
from simbench.reporting.html import rendered


class Line(msgspec.Struct, frozen=True):
    """One purpose: its clause and the worst outcome of each client, "" if it was not judged."""

    clause: str
    purpose: str
    outcomes: tuple[Outcome | str, ...]

    @property
    def differs(self) -> bool:
        """Whether the outcomes of the clients differ."""
        return len(set(self.outcomes)) > 1


class Comparison(msgspec.Struct, frozen=True):
    """Clients by name, their numbers of findings by outcome, and the lines in order of purpose."""

    clients: tuple[str, ...]
    contracts: tuple[str, ...]
    tallies: tuple[dict[str, int], ...]
    lines: tuple[Line, ...]


def compared(results: Sequence[tuple[str, Result]]) -> Comparison:
    """Compare sessions; the name of each folder distinguishes clients with the same name.

    Raises BadInput without any session.
    """
    if not results:
        raise BadInput("matrix", "no session", "one output folder of `simbench conform` or more")
    names = [f"{result.run.get('system', '')} {result.run.get('system_version', '')}".strip() for _, result in results]
    names = [
        name if name and names.count(name) == 1 else f"{name} ({folder})"
        for name, (folder, _) in zip(names, results, strict=True)
    ]
    clauses = {finding.purpose: finding.clause for _, result in results for finding in result.findings}
    worst: list[dict[str, Outcome]] = []
    for _, result in results:
        mine: dict[str, Outcome] = {}
        for finding in result.findings:
            mine[finding.purpose] = min(finding.outcome, mine.get(finding.purpose, "pass"), key=WORST_FIRST.index)
        worst.append(mine)
    lines = [
        Line(clauses[purpose], purpose, tuple(mine.get(purpose, "") for mine in worst)) for purpose in sorted(clauses)
    ]
    contracts = tuple(str(result.run.get("contract_digest", "")) for _, result in results)
    return Comparison(tuple(names), contracts, tuple(tally(result.findings) for _, result in results), tuple(lines))


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write a comparison as one HTML page. Raises BadInput if the file cannot be written."""
    template = Path(__file__).with_name("comparison.html.j2")
    text = rendered(template, comparison=comparison, outcomes=WORST_FIRST)
    write_octets(path, text)
