"""A finding in three lines, for JUnit and pytest: expectation, observation, and consequence."""

from __future__ import annotations

from typing import Final, NamedTuple

from simbench.base.calendar import Calendar
from simbench.base.text import count
from simbench.contract import Contract
from simbench.finding import Evidence, Finding
from simbench.reporting.evidence import exhibit
from simbench.reporting.format import interval
from simbench.rules.meaning import meaning_of
from simbench.rules.rule import load
from simbench.ucp.explain import Explained, heading
from simbench.ucp.frame import Frame, Framer
from simbench.ucp.masking import masked_text

FRAMES: Final = 3  # frames of a finding that are shown field by field
WIDTH: Final = 24  # of a field's value
LABELS: Final = ("Expected", "Seen", "Why")


class Three(NamedTuple):
    """The lines of a finding, each without its label."""

    expected: str
    seen: str
    why: str

    def text(self, evidence: str = "") -> str:
        """Return the lines with their labels; the last ends with the path of the evidence."""
        lines = [f"{label}: {line}" for label, line in zip(LABELS, self, strict=True)]
        return "\n".join(lines) + (f" Evidence: {evidence}" if evidence else "")


def three_lines(finding: Finding, contract: Contract, remark: str = "") -> Three:
    """Return the finding with its clause and limit, its first frame, and its usual cause.

    `remark` is a remark besides the outcome. Telephone numbers are masked.
    """
    meaning = meaning_of(finding.purpose)
    rule = load().get(finding.purpose)
    clause = contract.clauses.get(finding.clause)
    expected = (rule.sentence if rule else finding.purpose).rstrip(".")
    limit = "" if finding.limit is None else f"limit {finding.limit:g} {finding.unit}".strip()
    named = ", ".join(filter(None, (f"clause {finding.clause}" if finding.clause else "", limit)))
    seen = f"{remark} {finding.summary}".strip().rstrip(".")
    why = " ".join(filter(None, (meaning.matters, f"Usual cause: {meaning.cause}" if meaning.cause else "")))
    return Three(
        f"{expected} ({named})." if named else f"{expected}.",
        masked_text(f"{seen}. {first_seen(finding, contract.calendar)}".strip()),
        why or (clause.gist if clause else ""),
    )


def first_seen(finding: Finding, calendar: Calendar) -> str:
    """Return the first evidence with a frame, otherwise the first with an instant, as a sentence; "" without any."""
    dated = [one for one in finding.evidence if one.start]
    first = next((one for one in dated if one.frame), dated[0] if dated else None)
    if first is None:
        return ""
    place = ", ".join(filter(None, (first.exercise, f"session {first.session}" if first.session >= 0 else "")))
    return f"First: {decoded(first)} at {interval(first.start, first.end, calendar)}{f' ({place})' if place else ''}."


def frames_in_words(finding: Finding, calendar: Calendar) -> list[str]:
    """Return the first frames of the evidence, one line per field; telephone numbers are masked."""
    lines = []
    with_frame = [one for one in finding.evidence if one.frame]
    for evidence in with_frame[:FRAMES]:
        shown = exhibit(evidence, mask=True, calendar=calendar)
        place = ", ".join(filter(None, (shown.when, shown.session)))
        lines.append(f"Frame: {shown.note} ({place})")
        for frame in shown.frames:
            lines.append(f"  {frame.title or frame.hex}")
            lines += [f"    {one.name:<6}{_cut(one.value):<{WIDTH}} {_meaning(one)}".rstrip() for one in frame.fields]
            lines += [f"    wrong: {problem}" for problem in frame.problems]
    rest = len(with_frame) - FRAMES
    return lines + ([f"and {count(rest, 'more frame')} in the evidence"] if rest > 0 else [])


def _cut(value: str) -> str:
    return value if len(value) <= WIDTH else f"{value[: WIDTH - 1]}…"


def _meaning(field: Explained) -> str:
    return f"{field.what}: {field.meaning}" if field.meaning else field.what


def decoded(evidence: Evidence) -> str:
    """Describe a piece of evidence: its note, and the name and number of its frame."""
    try:
        octets = bytes.fromhex(evidence.frame)
    except ValueError:
        octets = b""
    item = next(iter(Framer(max(len(octets), 1)).feed(octets)), None) if octets else None
    return f"{evidence.note}: {heading(item)}" if isinstance(item, Frame) else evidence.note
