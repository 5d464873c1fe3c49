"""The kinds of files that can be judged: a run folder, a log of Kannel, a table of outages.

A further kind is one more entry of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import label
from simbench.contract import Contract
from simbench.ledger import Run, open_run
from simbench.ledger.events import events_in
from simbench.ledger.incidents import Incident, Period, incidents_of, period_of
from simbench.sla.imports.kannel_frames import year_of
from simbench.sla.imports.kannel_log import looks_like, read_kannel_log
from simbench.sla.imports.outages import read_outages
from simbench.sla.imports.record import run_of
from simbench.tables import parquet, workbook
from simbench.tables.columns import MappingFile
from simbench.tables.delimited import BOMS
from simbench.tables.rows import RejectedRow
from simbench.trace.trace import Trace

HEAD = 8192  # octets by which the kind of a file is recognised


class SourceOptions(msgspec.Struct, frozen=True):
    """What to judge: the file, the period if given (us), and how to read it."""

    path: Path
    contract: Contract
    mapping: MappingFile
    start: int | None = None
    end: int | None = None
    history_from: int | None = None
    zone: tzinfo | None = None


class Source(msgspec.Struct, frozen=True):
    """A file as rules can read it: its run, period and incidents, how many rows it had, and notes on them.

    `least` and `most`, where there are any: the incidents at the platform's best and worst, as far as the file leaves
    that open. `unsupported`: by clause, why a file of this kind cannot show what it asks for.
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


class Kind(msgspec.Struct, frozen=True):
    """One kind of file: its name, how it is recognised (path, first octets) and opened."""

    name: str
    knows: Callable[[Path, bytes], bool]
    open: Callable[[SourceOptions], Source]


def open_source(options: SourceOptions) -> Source:
    """Open a file by its kind. Raises BadInput."""
    path = options.path
    try:
        head = b"" if path.is_dir() else _head(path)
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or "cannot be read", "a file or the folder of a run") from None
    kind = next((kind for kind in KINDS if kind.knows(path, head)), None)
    if kind is None:
        raise BadInput(label(path), "is of no kind known", ", ".join(kind.name for kind in KINDS))
    return kind.open(options)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _open_run(options: SourceOptions) -> Source:
    run = open_run(options.path)
    events = events_in(run.events)
    period = period_of(events)
    if period is None:
        start, end = Trace(run).span
        period = Period(start, end, start)
    period = _period(options, (period.start, period.end), period.known_from)
    return Source("run", run, period, incidents_of(events), sum(run.info.rows.values()))


def _open_kannel(options: SourceOptions) -> Source:
    log = read_kannel_log(options.path, options.contract, options.zone, year_of(options.start) if options.start else 0)
    period = _period(options, (log.start, log.end), log.start)
    run = run_of(log.incidents, period, centre=log.centre, timing_error=log.timing_error)
    return Source(
        "kannel log", run, period, log.incidents, log.rows, log.notes, log.least, log.most, log.holes, log.unanswered,
        log.unsupported,
    )  # fmt: skip


def _open_table(options: SourceOptions) -> Source:
    found = read_outages(options.path, options.contract, options.mapping.outages, options.zone)
    for name, given in (("--from", options.start), ("--to", options.end)):
        if given is None:
            raise BadInput(name, "is missing", "when the period judged begins and ends: a table does not say")
    period = _period(options, (0, 0), min((one.start for one in found.incidents), default=1 << 62))
    return Source(
        "outages", run_of(found.incidents, period), period, found.incidents, found.rows, found.notes, found.least,
        found.most,
    )  # fmt: skip


def _period(options: SourceOptions, recorded: tuple[int, int], known_from: int) -> Period:
    """The period requested, or else the file's own; history begins with the file, if that is earlier."""
    start = recorded[0] if options.start is None else options.start
    end = recorded[1] if options.end is None else options.end
    if end <= start:
        raise BadInput("--to", "is not after --from" if options.end else "nothing happened in it", "a period of time")
    known = min(start, known_from) if options.history_from is None else options.history_from
    if known > start:
        raise BadInput("--history-from", "is after --from", "an earlier time")
    return Period(start, end, known)


def _is_table(_: Path, head: bytes) -> bool:
    """Whether this may be a table: a known signature, or text (zero octets only as in UTF-16)."""
    marks = (parquet.MAGIC, workbook.MAGIC, *(mark for mark, _ in BOMS))
    pairs = max(1, len(head) // 2)
    return head.startswith(marks) or b"\0" not in head or max(head[::2].count(0), head[1::2].count(0)) * 2 > pairs


KINDS = (
    Kind("a run folder", lambda path, _: path.is_dir(), _open_run),
    Kind("a log of Kannel", lambda _, head: looks_like(head.decode("utf-8", "replace")), _open_kannel),
    Kind("a table of outages as CSV, Parquet or XLSX", _is_table, _open_table),
)
