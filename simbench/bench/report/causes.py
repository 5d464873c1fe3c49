"""Groups findings by cause: those with the same frames, or with the same result in other exercises."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from simbench.finding import Finding, Outcome
from simbench.reporting.format import rank

OPEN: Final[tuple[Outcome, ...]] = ("fail", "error", "inconclusive", "weak")  # outcomes that have a cause
_NUMBERS: Final = re.compile(r"#[0-9A-Z]{5}|[0-9][0-9,. ]*")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


def causes(findings: Sequence[Finding]) -> list[tuple[Finding, ...]]:
    """Return the findings that did not pass, grouped by cause, the worst first; a group begins with its worst finding.

    Two findings have the same cause if they blame the same party and share a frame, or a note or summary that differs
    only in its numbers. Unsupported findings have the same cause if their summaries are equal in this sense.
    """
    wanted = [one for one in findings if one.outcome != "pass"]
    parents = list(range(len(wanted)))

    def root(place: int) -> int:
        while parents[place] != place:
            place = parents[place] = parents[parents[place]]
        return place

    known: dict[Hashable, int] = {}
    for place, finding in enumerate(wanted):
        for key in _keys(finding):
            parents[root(place)] = root(known.setdefault(key, place))
    groups: dict[int, list[Finding]] = {}
    for place, finding in enumerate(wanted):
        groups.setdefault(root(place), []).append(finding)
    ordered = (tuple(sorted(group, key=rank)) for group in groups.values())
    return sorted(ordered, key=lambda group: rank(group[0]))


def _keys(finding: Finding) -> Iterator[Hashable]:
    """Yield the keys that a finding shares with others of the same cause."""
    who = (finding.blame, finding.outcome == "unsupported")
    yield who, "summary", _shape(finding.summary)
    if finding.outcome not in {"fail", "weak"}:
        return
    for one in finding.evidence:
        if one.frame:
            yield who, "frame", one.exercise or finding.exercise, one.session, one.start, one.frame
        yield who, "note", _shape(one.note)


def _shape(text: str) -> str:
    """Return a sentence without the parts that differ between cases: numbers, tokens and quoted texts."""
    return _NUMBERS.sub("0", _QUOTED.sub("''", text))
