"""Makes evidence readable: intervals in civil time, frames in hexadecimal, as text and field by field.

All octets that a finding may contain are accepted.
"""

from __future__ import annotations

from dataclasses import dataclass

from simbench.base.calendar import UTC_CALENDAR, Calendar
from simbench.base.text import count
from simbench.finding import Evidence
from simbench.reporting.format import interval
from simbench.ucp.checks import PROBLEMS, check
from simbench.ucp.explain import Explained, explain, heading
from simbench.ucp.frame import WIRE_ERRORS, Frame, Framer
from simbench.ucp.masking import masked_frame, masked_runs, masked_text

MOST_EXHIBITS = 5  # shown of one finding; findings.json has all
MOST_OCTETS = 600  # shown of a frame, in hexadecimal and as text
MOST_FRAMES = 4  # shown of one piece of evidence, whose text may contain several
_CONTROLS = {0x02: "<STX>", 0x03: "<ETX>", 0x0A: "<LF>", 0x0D: "<CR>"}


@dataclass(frozen=True)
class Shown:
    """One frame for display: in hexadecimal and as text, with its fields and its problems."""

    hex: str
    print: str
    title: str
    fields: tuple[Explained, ...] = ()
    problems: tuple[str, ...] = ()
    masked: bool = False


@dataclass(frozen=True)
class Exhibit:
    """One piece of evidence for display."""

    note: str
    when: str
    session: str
    frames: tuple[Shown, ...]


def exhibit(evidence: Evidence, mask: bool, calendar: Calendar = UTC_CALENDAR) -> Exhibit:
    """Return one piece of evidence for display; `mask` hides telephone numbers."""
    return Exhibit(
        masked_text(evidence.note) if mask else evidence.note,
        interval(evidence.start, evidence.end, calendar),
        ", ".join(filter(None, (evidence.exercise, f"session {evidence.session}" if evidence.session >= 0 else ""))),
        _frames(evidence.frame, mask) if evidence.frame else (),
    )


def _frames(text: str, mask: bool) -> tuple[Shown, ...]:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        return (Shown("", masked_text(text) if mask else text, "", problems=("not hexadecimal",)),)
    framer = Framer(max(len(octets), 1))
    items = framer.feed(octets)
    shown = [_frame(item, mask) if isinstance(item, Frame) else _broken(item.octets, item.name, mask) for item in items]
    if framer.pending:
        shown.append(_broken(framer.pending, "", mask))
    rest = len(shown) - MOST_FRAMES
    more = [Shown("", "", f"and {count(rest, 'more piece')} in findings.json")] if rest > 0 else []
    return (*shown[:MOST_FRAMES], *more)


def _frame(frame: Frame, mask: bool) -> Shown:
    seen = masked_frame(frame) if mask else frame
    problems = tuple(f"{error.field or 'frame'}: {PROBLEMS[error.problem].meaning}" for error in check(frame))
    fields = tuple(explain(seen))
    return Shown(
        _hex(seen.octets), _print(seen.octets), heading(seen), fields, problems, masked=seen.octets != frame.octets
    )


def _broken(octets: bytes, name: str, mask: bool) -> Shown:
    seen = masked_runs(octets) if mask else octets
    meaning = WIRE_ERRORS[name].meaning if name else "octets without an ETX"
    return Shown(_hex(seen), _print(seen), "not a valid frame", problems=(meaning,), masked=seen != octets)


def _hex(octets: bytes) -> str:
    return octets[:MOST_OCTETS].hex().upper() + _cut(octets)


def _print(octets: bytes) -> str:
    return "".join(
        _CONTROLS.get(octet) or (chr(octet) if 0x20 <= octet < 0x7F else f"<{octet:02X}>")
        for octet in octets[:MOST_OCTETS]
    ) + _cut(octets)


def _cut(octets: bytes) -> str:
    rest = len(octets) - MOST_OCTETS
    return f" … and {count(rest, 'more octet')}" if rest > 0 else ""
