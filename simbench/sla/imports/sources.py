"""The kinds of records that can be judged: a run folder, a log of Kannel, a table of outages.

Runs and tables are read from files or from memory. `KINDS` has one entry per kind of file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path

import msgspec

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.base.toml_files import label
from simbench.contract import Contract
from simbench.ledger import Run, open_run
from simbench.ledger.events import events_in
from simbench.ledger.incidents import Incident, Period, incidents_of, period_of
from simbench.ledger.rows import TABLES
from simbench.rules.rule import ordered
from simbench.sla.imports.kannel_frames import year_of
from simbench.sla.imports.kannel_log import looks_like, read_kannel_log
from simbench.sla.imports.outages import read_outages
from simbench.sla.imports.record import run_of
from simbench.sla.imports.traffic import is_traffic, read_traffic
from simbench.sla.purposes import GRANTED_RATE
from simbench.tables import parquet, workbook
from simbench.tables.columns import MappingFile
from simbench.tables.delimited import BOMS
from simbench.tables.frames import Frame
from simbench.tables.rows import RejectedRow
from simbench.trace.trace import Trace

HEAD = 8192  # octets by which the kind of a file is recognised


class SourceOptions(msgspec.Struct, frozen=True):
    """The record to judge: a file, run or frame, the period if given (us), and how to read it."""

    path: Path | Run | Frame
    contract: Contract
    mapping: MappingFile
    start: int | None = None
    end: int | None = None
    history_from: int | None = None
    zone: tzinfo | None = None


class Source(msgspec.Struct, frozen=True):
    """A file that rules can read: its run, period and incidents, its number of rows, and notes on them.

    `least` and `most`, if present: the incidents in the platform's best and worst case, if the file leaves this open.
    `unsupported`: by purpose, why a file of this kind cannot show it; `excusable`: by purpose, the missing data that
    may excuse a breach.
    """

    kind: str
    run: Run
    period: Period
    incidents: tuple[Incident, ...]
    rows: int = 0
    notes: tuple[RejectedRow, ...] = ()
    least: tuple[Incident, ...] = ()
    most: tuple[Incident, ...] = ()
    holes: int = 0
    unanswered: int = 0
    unsupported: Mapping[str, str] = {}
    excusable: Mapping[str, str] = {}


class Kind(msgspec.Struct, frozen=True):
    """One kind of file: its name, and how it is recognised (path, first octets) and opened."""

    name: str
    knows: Callable[[Path, bytes], bool]
    open: Callable[[SourceOptions, Path], Source]


def open_source(options: SourceOptions) -> Source:
    """Open a record by its kind. Raises BadInput."""
    path = options.path
    if isinstance(path, Run):
        return _of_run(path, options)
    if isinstance(path, Frame):
        return _open_table(options, path)
    try:
        head = b"" if path.is_dir() else _head(path)
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", "a file or the folder of a run") from None
    kind = next((kind for kind in KINDS if kind.knows(path, head)), None)
    if kind is None:
        raise BadInput(label(path), "is of an unknown kind", ", ".join(kind.name for kind in KINDS))
    return kind.open(options, path)


def _head(path: Path) -> bytes:
    with open_input(path) as file:
        return file.read(HEAD)


def _open_run(options: SourceOptions, path: Path) -> Source:
    return _of_run(open_run(path), options)


def _of_run(run: Run, options: SourceOptions) -> Source:
    events = events_in(run.events)
    period = period_of(events)
    if period is None:
        start, end = Trace(run).span
        period = Period(start, end, start)
    period = _period(options, (period.start, period.end), period.known_from)
    rows = sum(run.info.rows.values()) or sum(run.table(name).num_rows for name in TABLES)
    return Source("run", run, period, incidents_of(events), rows)


def _open_kannel(options: SourceOptions, path: Path) -> Source:
    log = read_kannel_log(path, options.contract, options.zone, year_of(options.start) if options.start else 0)
    period = _period(options, (log.start, log.end), log.start)
    run = run_of(log.incidents, period, centre=log.centre, timing_error=log.timing_error)
    return Source(
        "kannel log", run, period, log.incidents, log.rows, log.notes, log.least, log.most, log.holes, log.unanswered,
        log.unsupported,
    )  # fmt: skip


def _open_table(options: SourceOptions, path: Path | Frame) -> Source:
    return (_open_traffic if is_traffic(path, options.mapping.traffic) else _open_outages)(options, path)


def _open_outages(options: SourceOptions, path: Path | Frame) -> Source:
    found = read_outages(path, options.contract, options.mapping.outages, options.zone)
    for name, given in (("--from", options.start), ("--to", options.end)):
        if given is None:
            raise BadInput(name, "is missing", "when the period judged begins and ends: a table does not say")
    period = _period(options, (0, 0), min((one.start for one in found.incidents), default=1 << 62))
    return Source(
        "outages", run_of(found.incidents, period), period, found.incidents, found.rows, found.notes, found.least,
        found.most,
    )  # fmt: skip


def _open_traffic(options: SourceOptions, path: Path | Frame) -> Source:
    """Open a table of messages: it shows the granted rate, and nothing about interruptions of the platform."""
    found = read_traffic(path, options.contract, options.mapping.traffic, options.zone)
    instants = [int(str(row[0])) for row in found.centre]
    period = _period(options, (min(instants), max(instants) + 1), min(instants))
    purposes = ordered(options.contract, "sla")
    return Source(
        "traffic", run_of((), period, centre=found.centre), period, (), found.rows, found.notes,
        unsupported={one: "a table of messages lists no outage" for one in purposes if one != GRANTED_RATE},
        excusable={GRANTED_RATE: "a table of messages does not say when the platform was interrupted"},
    )  # fmt: skip


def _period(options: SourceOptions, recorded: tuple[int, int], known_from: int) -> Period:
    """Return the requested period, or the file's own; history begins with the file, if that is earlier."""
    start = recorded[0] if options.start is None else options.start
    end = recorded[1] if options.end is None else options.end
    if end <= start:
        raise BadInput("--to", "is not after --from" if options.end else "nothing happened in it", "a period of time")
    known = min(start, known_from) if options.history_from is None else options.history_from
    if known > start:
        raise BadInput("--history-from", "is after --from", "an earlier time")
    return Period(start, end, known)


def _is_table(_: Path, head: bytes) -> bool:
    """Tell whether a file may be a table: it has a known signature, or is text (zero octets only as in UTF-16)."""
    marks = (parquet.MAGIC, workbook.MAGIC, *(mark for mark, _ in BOMS))
    pairs = max(1, len(head) // 2)
    return head.startswith(marks) or b"\0" not in head or max(head[::2].count(0), head[1::2].count(0)) * 2 > pairs


KINDS = (
    Kind("a run folder", lambda path, _: path.is_dir(), _open_run),
    Kind("a log of Kannel", lambda _, head: looks_like(head.decode("utf-8", "replace")), _open_kannel),
    Kind("a table of outages or messages as CSV, Parquet or XLSX", _is_table, _open_table),
)
