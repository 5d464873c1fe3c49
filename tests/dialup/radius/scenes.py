"""Calls to account for, journals of runs, and detail files as a faultless server writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from simbench.base.units import SECOND_US
from simbench.dialup.calls import Call, Calls, calls_of
from simbench.dialup.radius.faults import faults_of
from simbench.dialup.radius.journal import Ended, Journal, RecordedRun, Sent, Started, Try
from simbench.dialup.radius.packets import stated
from simbench.dialup.radius.plan import Planned, schedule
from simbench.dialup.radius.record import ATTRIBUTES, VALUES, Heard

SENT = 1_795_326_215_000_000  # 2026-11-22 05:43:35 UTC
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
START = 960_213_600_000_000  # 2000-06-05 14:00 UTC
NASES = ("192.0.2.10", "192.0.2.11", "pop-lyon")


def some_calls(count: int, seed: int = 1, spacing_us: int = SECOND_US) -> Calls:
    """Calls of all access servers, a second apart, of a few minutes each."""
    draws = np.random.default_rng(seed)
    return calls_of(
        Call(
            start_us=START + n * spacing_us + int(draws.integers(0, spacing_us)),
            duration_us=int(draws.lognormal(5.0, 1.0) * SECOND_US),
            nas=NASES[n % len(NASES)],
            port=n % 480,
            user=f"u{n:05d}@isp.example",
            session=f"{n:08X}",
            cause=1 + n % 2,
            line=n + 1,
        )
        for n in range(count)
    )


def planned(count: int = 6, *names: str, interim_s: int = 0) -> list[Planned]:
    """Return the records of these calls, under faults of these names."""
    return list(schedule(some_calls(count), interim_s, faults_of(names)))


def answered(plan: Iterable[Planned], *, faults: tuple[str, ...] = (), whole: bool = True) -> RecordedRun:
    """The journal of a run in which every record was answered at once, a millisecond apart."""
    sent = []
    for number, each in enumerate(plan):
        at = SENT + number * 1_000
        tries = () if each.withheld else (Try(at, 40_000, number & 0xFF, 0),)
        sent.append(Sent(each, tries, -1 if each.withheld else at + 500))
    run = Started("0", "127.0.0.1:1813", SENT, 1, faults, 50, 2, 5, 0.0)
    return RecordedRun(run, sent, Ended(SENT + 1, len(sent), 0, 0, 0) if whole else None)


def kept(reported: RecordedRun) -> list[Heard]:
    """Return the records of a correct server."""
    line, heard = 1, []
    for each in reported.sent:
        if each.answered_us >= 0:
            record = msgspec.structs.replace(each.planned.record, delay_s=each.tries[-1].delay_s)
            record = msgspec.structs.replace(record, event_us=record.event_us // SECOND_US * SECOND_US)
            heard.append(Heard(record, each.answered_us // SECOND_US * SECOND_US, line, "detail"))
            line += detail_text(heard[-1]).count("\n")
    return heard


def detail_text(heard: Heard) -> str:
    """A record as FreeRADIUS writes it."""
    lines = ["Sun Nov 22 05:43:35 2026"]
    for name, value in stated(heard.record, heard.record.delay_s):
        named = VALUES.get(name, {}).get(value, value) if isinstance(value, int) else value
        if name == "Event-Timestamp":
            when = datetime.fromtimestamp(int(value), UTC)
            lines.append(f'\t{name} = "{MONTHS[when.month - 1]} {when.day:2d} {when:%Y %H:%M:%S} UTC"')
        else:
            quote = ATTRIBUTES[name][1] == "string"
            lines.append(f"\t{name} = {quoted(str(named)) if quote else named}")
    lines += [f"\t{name} = {quoted(value)}" for name, value in heard.record.more]
    return "\n".join([*lines, f"\tTimestamp = {heard.received_us // SECOND_US}", "", ""])


def quoted(text: str) -> str:
    """A text as FreeRADIUS quotes it."""
    out = []
    for character in text:
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif character.isprintable():
            out.append(character)
        else:
            out += [f"\\{octet:03o}" for octet in character.encode()]
    return f'"{"".join(out)}"'


def written(folder: Path, reported: RecordedRun, found: Iterable[Heard]) -> tuple[Path, Path]:
    """A journal and a detail file that say so."""
    with Journal(folder / "journal.jsonl") as journal:
        for line in (reported.run, *reported.sent, *((reported.end,) if reported.end else ())):
            journal.append(line)
    (folder / "detail").write_text("".join(detail_text(each) for each in found))
    return folder / "journal.jsonl", folder / "detail"
