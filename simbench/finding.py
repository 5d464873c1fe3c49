"""Findings: what a rule concluded about one clause, with its evidence.

The JSON written from these structs is the truth; JUnit and HTML are renderings of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

Outcome = Literal["pass", "fail", "weak", "inconclusive", "error", "unsupported"]
Blame = Literal["", "client", "platform", "bench"]

OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "weak", "inconclusive", "error", "unsupported")


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something anyone can look up in the ledger: an interval (microseconds, UTC) and, where there is one, a frame.

    `exercise` names the ledger where a finding is on a whole session.

    >>> Evidence("no answer", start=1_000_000, end=61_000_000).note
    'no answer'
    """

    note: str
    start: int = 0
    end: int = 0
    session: int = -1
    frame: str = ""  # hexadecimal octets, STX to ETX
    exercise: str = ""


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test purpose judged: `purpose` is `topic.slug`, `measured` and `limit` share `unit`.

    `parts` are the sentences of the summary, at least one; `summary` is `prose(parts)`. `assumed` names every contract
    value or reading the outcome hangs on that neither the contract nor a source gives.

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
        """A summary that is not made of the parts is the only part."""
        if prose(self.parts) != self.summary:
            msgspec.structs.force_setattr(self, "parts", (self.summary,))

    @property
    def lines(self) -> str:
        """The summary with a line for each part."""
        return "\n".join(self.parts)


BUT: Final = "but "  # begins a part that limits the ones before it


GRAVEST_FIRST: Final[tuple[Outcome, ...]] = ("fail", "error", "inconclusive", "weak", "pass", "unsupported")
"""Of several outcomes of one purpose the first of these counts."""


def prose(parts: Sequence[str]) -> str:
    """The sentences of a finding as one text; every other place shows the parts or this."""
    text = parts[0] if parts else ""
    for part in parts[1:]:
        text += f"{', ' if part.startswith(BUT) else '; '}{part}"
    return text


def doubted(finding: Finding, reasons: Sequence[str]) -> Finding:
    """A finding that these reasons leave inconclusive: what was seen stands before them."""
    parts = (*finding.parts, f"{BUT}{reasons[0]}", *reasons[1:])
    return msgspec.structs.replace(finding, outcome="inconclusive", summary=prose(parts), parts=parts, blame="bench")


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each outcome; every outcome is present."""
    counted = Counter(finding.outcome for finding in findings)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def counted(findings: Iterable[Finding]) -> str:
    """The counts in words, without zeros: "13 pass, 3 weak"."""
    return ", ".join(f"{count} {outcome}" for outcome, count in tally(findings).items() if count)


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """The whole in one word: fail if anything failed, inconclusive if something was not decided, else pass."""
    outcomes: dict[int, Outcome] = {0: "pass", 1: "fail", 3: "inconclusive"}
    return outcomes[exit_status(findings)]


def exit_status(findings: Iterable[Finding]) -> int:
    """Exit status of a judgement: 1 any fail; else 3 any error or inconclusive, or nothing judged; else 0."""
    counts = tally(findings)
    if counts["fail"]:
        return 1
    judged = counts["pass"] + counts["weak"]
    return 3 if counts["error"] or counts["inconclusive"] or not judged else 0
