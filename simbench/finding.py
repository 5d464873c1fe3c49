"""Findings: what a rule concluded about one clause, with its evidence.

`findings.json` contains these structs; JUnit and HTML are rendered from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

Outcome = Literal["pass", "fail", "weak", "inconclusive", "error", "unsupported"]
Blame = Literal["", "client", "platform", "bench"]

SHOWN: Final = 2  # pieces of evidence in the repr of a finding
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "weak", "inconclusive", "error", "unsupported")


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in the ledger that a reader can look up: an interval (microseconds, UTC) and, if there is one, a frame.

    `exercise` names the ledger if the finding is about a whole session.

    >>> Evidence("no answer", start=1_000_000, end=61_000_000).note
    'no answer'
    """

    note: str
    start: int = 0
    end: int = 0
    session: int = -1
    frame: str = ""  # hexadecimal octets, STX to ETX
    exercise: str = ""

    def __repr__(self) -> str:
        """The note, and the frame in words."""
        from simbench.ucp.frame_line import frame_line  # noqa: PLC0415 - most findings are never shown so

        try:
            octets = bytes.fromhex(self.frame)
        except ValueError:
            octets = b""
        return f"<Evidence {self.note}{f': {frame_line(octets)}' if octets else ''}>"


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of one test purpose: `purpose` is `topic.slug`; `measured` and `limit` are in `unit`.

    `parts` are the sentences of the summary, at least one; `summary` is `prose(parts)`. `assumed` names every value or
    interpretation that the outcome depends on and that neither the contract nor a source gives.

    >>> one = Finding("rate.backlog-at-tier", "OPS-ENG-01", "fail", "40 a second", measured=40.0, limit=10.0, unit="/s")
    >>> one.outcome, one.measured
    ('fail', 40.0)
    """

    purpose: str
    clause: str
    outcome: Outcome
    summary: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    blame: Blame = ""
    assumed: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    exercise: str = ""
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make the summary the only part if it was not made of the parts."""
        if prose(self.parts) != self.summary:
            msgspec.structs.force_setattr(self, "parts", (self.summary,))

    def __repr__(self) -> str:
        """Purpose, outcome, reason and the first evidence in words."""
        blamed = f", blames the {self.blame}" if self.outcome == "fail" and self.blame else ""
        shown = "; ".join(repr(one)[1:-1] for one in self.evidence[:SHOWN])
        more = f"; and {len(self.evidence) - SHOWN} more" if len(self.evidence) > SHOWN else ""
        name = ", ".join(filter(None, (self.purpose, self.clause, self.exercise)))
        return f"<Finding {self.outcome}{blamed} ({name}): {self.summary}{f' | {shown}{more}' if shown else ''}>"

    @property
    def lines(self) -> str:
        """The summary with a line for each part."""
        return "\n".join(self.parts)


BUT: Final = "but "  # begins a part that limits the ones before it


GRAVEST_FIRST: Final[tuple[Outcome, ...]] = ("fail", "error", "inconclusive", "weak", "pass", "unsupported")
"""The outcomes in order of severity. If one purpose has several outcomes, the first in this order counts."""


def prose(parts: Sequence[str]) -> str:
    """Join the sentences of a finding into one text. This is the only place where they are joined."""
    text = parts[0] if parts else ""
    for part in parts[1:]:
        text += f"{', ' if part.startswith(BUT) else '; '}{part}"
    return text


def doubted(finding: Finding, reasons: Sequence[str]) -> Finding:
    """Return the finding as inconclusive for these reasons, which follow its own sentences."""
    parts = (*finding.parts, f"{BUT}{reasons[0]}", *reasons[1:])
    return msgspec.structs.replace(finding, outcome="inconclusive", summary=prose(parts), parts=parts, blame="bench")


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """Count the findings by outcome; every outcome has an entry."""
    counted = Counter(finding.outcome for finding in findings)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def counted(findings: Iterable[Finding]) -> str:
    """Return the counts as text, without zeros: "13 pass, 3 weak"."""
    return ", ".join(f"{count} {outcome}" for outcome, count in tally(findings).items() if count)


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """The whole in one word: fail if anything failed, inconclusive if something was not decided, else pass."""
    outcomes: dict[int, Outcome] = {0: "pass", 1: "fail", 3: "inconclusive"}
    return outcomes[exit_status(findings)]


def exit_status(findings: Iterable[Finding]) -> int:
    """Return the exit status: 1 for any fail; else 3 for any error or inconclusive or if nothing was judged; else 0."""
    counts = tally(findings)
    if counts["fail"]:
        return 1
    judged = counts["pass"] + counts["weak"]
    return 3 if counts["error"] or counts["inconclusive"] or not judged else 0
