"""Reads a run as sorted Arrow tables, from a folder (segments, Parquet or both) or from memory.

A run that was killed is read up to the last complete batch of each segment, and the octets left out are reported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from simbench.base.errors import LedgerError, Trouble
from simbench.base.outputs import claim, replacing
from simbench.base.text import count
from simbench.ledger.info import RunInfo, read_info, write_info
from simbench.ledger.lock import check_ended
from simbench.ledger.rows import TABLES, Row, Table

if TYPE_CHECKING:
    import pyarrow as pa

Load = Callable[[Table], "pa.Table"]


def _print(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - missing data is always reported


class Run:
    """One run to read. Tables are loaded on first use, sorted by (instant, n), and kept in memory.

    `parts` are the files of each table, empty for rows in memory.
    """

    def __init__(self, info: RunInfo, load: Load, parts: Mapping[str, Sequence[Path]] | None = None) -> None:
        self.info = info
        self.parts = parts or {}
        self._load = load
        self._loaded: dict[str, pa.Table] = {}

    @property
    def wire(self) -> pa.Table:
        """Octets read and written: at, session, direction, octets, n."""
        return self.table("wire")

    @property
    def events(self) -> pa.Table:
        """The events: at, kind, subject, until, detail, n."""
        return self.table("events")

    @property
    def stimuli(self) -> pa.Table:
        """The client's requests and reports: at, kind, token, code, ..., detail, n."""
        return self.table("stimuli")

    @property
    def centre(self) -> pa.Table:
        """The centre's decisions: at, kind, session, code, ..., segments, n."""
        return self.table("centre")

    @property
    def timing_error(self) -> pa.Table:
        """The bench's own lateness: started, ended, size_us, place, n."""
        return self.table("timing_error")

    @property
    def minute(self) -> pa.Table:
        """Counts by code and minute, if the run kept them: at, code, offered, ..., backlog, n."""
        return self.table("minute")

    def table(self, origin: str) -> pa.Table:
        """Return a table by name. Raises LedgerError if its file is damaged, ValueError for an unknown name."""
        if origin not in self._loaded:
            from simbench.ledger.columns import in_order  # noqa: PLC0415 - Arrow is slow to load

            table = _named(origin)
            self._loaded[origin] = in_order(table, self._load(table))
        return self._loaded[origin]

    def holds(self, origin: str) -> bool:
        """Return whether a table is already in memory."""
        return origin in self._loaded

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the run, none for rows in memory."""
        return tuple(path for paths in self.parts.values() for path in paths)

    def sources(self, origin: str) -> list[Path | pa.Table]:
        """Return the sources of a table for a scan in pieces. Raises LedgerError for a file of another kind.

        A Parquet file is given as its path, after a check of its columns; segments and rows in memory are given as one
        Arrow table.
        """
        table = _named(origin)
        if origin not in self.parts:
            return [self.table(origin)]
        import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

        from simbench.ledger.columns import schema  # noqa: PLC0415 - as above
        from simbench.ledger.packing import open_packed  # noqa: PLC0415 - as above
        from simbench.ledger.segments import SEGMENT, read_segment  # noqa: PLC0415 - as above

        packed: list[Path | pa.Table] = []
        batches: list[pa.RecordBatch] = []
        for path in self.parts[origin]:
            if path.suffix == SEGMENT:
                batches += read_segment(path, table).batches
            else:
                open_packed(path, table).close()
                packed.append(path)
        return [*packed, pa.Table.from_batches(batches, schema(table))] if batches or not packed else packed

    def without(self, origin: str) -> Run:
        """Return the run with one table emptied, as a rule would see it if there were no such rows."""
        emptied = _named(origin)
        nothing = rows_of({emptied.name: ()})
        return Run(self.info, lambda table: nothing(table) if table is emptied else self.table(table.name))

    def extended(self, origin: str, rows: Sequence[Row]) -> Run:
        """Return the run with more rows in one table, after those of the same instant."""
        more = _named(origin)

        def load(table: Table) -> pa.Table:
            import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

            from simbench.ledger.columns import to_batch  # noqa: PLC0415 - as above

            own = self.table(table.name)
            if table is not more:
                return own
            return pa.concat_tables([own, pa.Table.from_batches([to_batch(table, rows, own.num_rows, _misfit)])])

        return Run(self.info, load, {name: paths for name, paths in self.parts.items() if name != origin})


class Written(Protocol):
    """A ledger that is being written."""

    def snapshot(self) -> Run:
        """Return the run up to now."""
        ...


def open_run(source: Path | Written, on_torn: Callable[[str], object] = _print) -> Run:
    """Open a run from its folder, or from a ledger that is being written.

    Raises LedgerError if the folder is missing or empty, a file is foreign or damaged, or a program writes the run. A
    run that was killed is read as far as it was written (`info.closed` is False); `on_torn` gets a line for each
    segment with an incomplete batch at its end, which is left out.
    """
    if not isinstance(source, Path):
        return source.snapshot()
    if not source.is_dir():
        raise LedgerError(str(source), "no such folder", "the folder of a run")
    check_ended(source)
    return read_run(source, on_torn)


def read_run(folder: Path, on_torn: Callable[[str], object] = lambda _: None) -> Run:
    """Open a run from a folder whose lock the caller holds; otherwise like `open_run`."""
    info = read_info(folder)
    from simbench.ledger.packing import open_packed  # noqa: PLC0415 - Arrow is slow to load
    from simbench.ledger.segments import SEGMENT, parts_of, read_segment  # noqa: PLC0415 - as above

    parts = parts_of(folder)
    if not any(parts.values()) and info.closed:
        raise LedgerError(str(folder), "no ledger file in it", "the folder of a run")
    for name, paths in parts.items():
        for path in paths:
            if path.suffix == SEGMENT:
                torn = read_segment(path, TABLES[name], values=False).torn
                if torn and info.closed:
                    raise LedgerError(
                        str(path), f"{torn} octets after its last complete batch", "a complete ledger file"
                    )
                if torn:
                    on_torn(f"{path}: the run was killed; {torn} octets after the last complete batch are left out")
            else:
                open_packed(path, TABLES[name], sized=False).close()
    return Run(info, lambda table: _read(folder, info, parts[table.name], table), parts)


def export_parquet(run: Run, folder: Path) -> list[Path]:
    """Write a run into a folder, as `run.json` and one Parquet file per table; return the paths of the latter."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - Arrow is slow to load

    from simbench.ledger.segments import PACKED, segment_name  # noqa: PLC0415 - as above

    try:
        claim(folder, error=LedgerError)
        written = []
        for name in TABLES:
            written.append(folder / segment_name(name, 1, PACKED))
            with replacing(written[-1]) as part:
                pq.write_table(run.table(name), part, compression="zstd")
        write_info(folder, run.info)
    except OSError as problem:
        raise LedgerError(str(folder), problem.strerror or str(problem), "a folder that can be written") from None
    return written


def rows_of(rows: Mapping[str, Sequence[Row]]) -> Load:
    """Return a loader of rows in memory; it raises Trouble for a row that does not fit its table."""

    def load(table: Table) -> pa.Table:
        import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

        from simbench.ledger.columns import to_batch  # noqa: PLC0415 - as above

        return pa.Table.from_batches([to_batch(table, rows[table.name], 0, _misfit)])

    return load


def _misfit(row: Row, problem: str) -> None:
    raise Trouble(f"a row does not fit its table: {problem}: {row!r:.200}")


def _read(folder: Path, info: RunInfo, paths: Sequence[Path], table: Table) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - Arrow is slow to load

    from simbench.ledger.columns import schema  # noqa: PLC0415 - as above
    from simbench.ledger.store import read_part  # noqa: PLC0415 - as above

    found = pa.concat_tables([schema(table).empty_table(), *(read_part(path, table) for path in paths)])
    check_count(info, table.name, found.num_rows, str(folder))
    return found


def check_count(info: RunInfo, table: str, found: int, place: str) -> None:
    """Raise LedgerError if a closed run has another number of rows in a table than when it was closed."""
    counted = info.rows.get(table, 0)
    if info.closed and counted != found:
        raise LedgerError(place, f"{count(found, 'row')} in {table}", f"the {count(counted, 'row')} it was closed with")


def _named(origin: str) -> Table:
    if origin not in TABLES:
        raise ValueError(f"no table {origin!r}; there are {', '.join(TABLES)}")
    return TABLES[origin]
