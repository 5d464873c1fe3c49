"""Requests, frames and actions of the bench as one list by time.

It shows the time of the evidence, with some entries before and after.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from simbench.base.calendar import Calendar
from simbench.bench.report.model import ExerciseRun
from simbench.bench.report.surroundings import WAYS
from simbench.finding import Evidence, Finding
from simbench.ledger.events import row_of
from simbench.ledger.stimuli import Announced, Probe, Reported, Request, Unrequested
from simbench.reporting.evidence import Exhibit, exhibit
from simbench.reporting.format import moment

MOST_ROWS: Final = 120  # rows of one exercise
MARGIN_US: Final = 500_000


@dataclass(frozen=True)
class Entry:
    """One event: time, seconds from the start, source, description; the frame if it is one."""

    at: int
    when: str
    seconds: str
    origin: str
    what: str
    shown: Exhibit | None = None


@dataclass(frozen=True)
class Timeline:
    """One exercise, and the number of rows left out."""

    name: str
    title: str
    entries: tuple[Entry, ...]
    rest: int


def timeline(run: ExerciseRun, findings: Sequence[Finding], mask: bool, calendar: Calendar) -> Timeline:
    """Return the timeline of an exercise: all requests and actions, and the frames near evidence of failures."""
    spans = [
        (evidence.start - MARGIN_US, max(evidence.start, evidence.end) + MARGIN_US)
        for finding in findings
        if finding.outcome not in {"pass", "unsupported"}
        for evidence in finding.evidence
        if evidence.start and run.name in {finding.exercise, evidence.exercise}
    ]
    rows = sorted([*_events(run), *_stimuli(run), *_wire(run)], key=lambda row: row[0])
    if spans:
        near = [row for row in rows if row[1] == "events" or any(start <= row[0] <= end for start, end in spans)]
    else:
        near = rows
    kept = near[:MOST_ROWS]
    entries = tuple(
        Entry(
            at, moment(at, calendar), f"{(at - run.started) / 1e6:+.3f} s", origin, what,
            exhibit(Evidence("", at, at, frame=frame), mask, calendar) if frame else None,
        )
        for at, origin, what, frame in kept
    )  # fmt: skip
    return Timeline(run.name, run.title, entries, len(rows) - len(kept))


Row = tuple[int, str, str, str]


def _events(run: ExerciseRun) -> Iterator[Row]:
    for at, event in run.trace.events:
        _, kind, subject, _, stored = row_of(at, event)
        detail = " ".join(f"{name}={json.dumps(value)}" for name, value in json.loads(stored).items())
        yield at, "events", f"{kind} {subject} {detail}".strip(), ""


def _stimuli(run: ExerciseRun) -> Iterator[Row]:
    for one in run.trace.stimuli:
        match one:
            case Request():
                what = (
                    f"asked to send {one.token} from {one.code} to {one.recipient}, {one.traffic_class}: “{one.text}”"
                )
            case Announced():
                what = "maintenance was announced to the client"
            case Reported():
                what = f"the client reports: {one.kind} {one.token} {one.detail}".strip()
            case Unrequested():
                what = f"seen without a request: {one.token}"
            case Probe():
                what = f"a probe of the client was {'answered' if one.answered else 'lost'}"
        yield one.at, "stimuli", what, ""


def _wire(run: ExerciseRun) -> Iterator[Row]:
    for row in run.trace.sessions.rows():
        yield row.opened_at, "wire", f"session {row.session} opened by {row.peer}", ""
        if row.closed_at >= 0:
            yield row.closed_at, "wire", f"session {row.session} closed by {row.closed_by}: {row.reason}", ""
    for seen in run.trace.frames.rows():
        name = f"{seen.ot}{seen.kind} TRN {seen.trn}" if seen.kind else f"not a valid frame: {seen.problem}"
        way = WAYS.get(seen.direction, seen.direction)
        yield seen.at, "wire", f"{way} session {seen.session}: {name}", seen.frame.hex()
