"""A sweep: every run of a study exactly once, across interruptions, until the intervals are narrow enough.

Finished runs are appended to a journal in chunks, and written to one Parquet file at the end. The set of runs depends
only on the study, not on the number of workers or on interruptions.
"""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, stdev

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from simbench.base.errors import BadInput
from simbench.base.inputs import bounded_lines, open_input
from simbench.base.json_files import NOT_READ
from simbench.base.outputs import check_file, claim, grow, not_written, owned, remove, replacing
from simbench.base.parquet_files import open_parquet
from simbench.planning.runs import Key, Result, volume
from simbench.planning.study import MEASURES, Prepared
from simbench.planning.worker_pool import Chunk, WorkerPool

RESULT, JOURNAL = "sweep.parquet", "sweep.journal"
CHUNK_MESSAGES, CHUNK_RUNS = 2_000_000, 25
Progress = Callable[[float], object]


class Interval(msgspec.Struct, frozen=True):
    """One measure at one point: mean, half the width of its confidence interval, number of replications."""

    measure: str
    mean: float
    half_width: float
    replications: int


class Header(msgspec.Struct, frozen=True):
    """First line of the journal."""

    study: str
    digest: str


def sweep(prepared: Prepared, folder: Path, pool: WorkerPool, progress: Progress = lambda _: None) -> dict[Key, Result]:
    """Do the missing runs and write the result; return every run by point and replication.

    Raises BadInput for an unusable folder, Trouble if the disk is full.
    """
    try:
        claim(folder)
        return _swept(prepared, folder, pool, progress)
    except OSError as problem:
        raise not_written(Path(problem.filename or folder), problem) from None


def _swept(prepared: Prepared, folder: Path, pool: WorkerPool, progress: Progress) -> dict[Key, Result]:
    with locked(folder):
        done = known(prepared, folder)
        grow(folder / JOURNAL)
        with owned(folder / JOURNAL, "ab") as journal:
            if not journal.tell():
                _append(journal.fileno(), Header(prepared.study.name, prepared.digest))
            while missing := [key for key in wanted(prepared, done) if key not in done]:
                total = len(missing) + len(done)
                for results in pool.do(chunks(prepared, missing)):
                    _append(journal.fileno(), *results)
                    done |= {(one.point, one.replication): one for one in results}
                    progress(len(done) / total)
        write(prepared, folder, done)
        remove(folder / JOURNAL)
    return done


def wanted(prepared: Prepared, done: dict[Key, Result]) -> list[Key]:
    """Return the runs still wanted: one more block for every point whose interval is not narrow enough."""
    study, found = prepared.study, []
    for point in range(len(prepared.points)):
        until = 0
        while until < study.replications:
            until = min(until + study.block, study.replications)
            if any((point, n) not in done for n in range(until)):
                break
            if study.stop and until >= 2 and _narrow(prepared, point, until, done):
                break
        found += [(point, n) for n in range(until)]
    return found


def _narrow(prepared: Prepared, point: int, until: int, done: dict[Key, Result]) -> bool:
    stop = prepared.study.stop
    assert stop is not None
    rows = [done[point, number] for number in range(until)]
    one = interval(stop.measure, rows, prepared.study.confidence)
    return one.half_width <= stop.half_width * abs(one.mean)


def interval(measure: str, rows: Sequence[Result], confidence: float) -> Interval:
    """Return mean and half width of Student's interval of a measure over replications."""
    values = [row.measures[MEASURES.index(measure)] for row in rows]
    return Interval(measure, fmean(values), student(values, confidence), len(values))


def student(values: Sequence[float], confidence: float) -> float:
    """Return half the width of Student's interval of a mean; infinite for a single value."""
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to load

    if len(values) < 2:
        return math.inf
    t = float(stdtrit(len(values) - 1, 0.5 + confidence / 2))
    return t * stdev(values) / math.sqrt(len(values))


def intervals(prepared: Prepared, done: dict[Key, Result]) -> list[tuple[Interval, ...]]:
    """Return the intervals of every measure at each point."""
    found = []
    for point in range(len(prepared.points)):
        rows = [result for key, result in sorted(done.items()) if key[0] == point]
        found.append(tuple(interval(name, rows, prepared.study.confidence) for name in MEASURES))
    return found


def chunks(prepared: Prepared, missing: Sequence[Key]) -> list[Chunk]:
    """Divide runs into chunks of one point each that take about a second."""
    found: list[Chunk] = []
    for point in dict.fromkeys(point for point, _ in missing):
        mine = [key for key in missing if key[0] == point]
        size = max(1, min(CHUNK_RUNS, int(CHUNK_MESSAGES / max(1.0, volume(prepared, point)))))
        found += [tuple(mine[at : at + size]) for at in range(0, len(mine), size)]
    return found


def known(prepared: Prepared, folder: Path) -> dict[Key, Result]:
    """Return the results already in a folder. Raises BadInput if they belong to another study or cannot be read."""
    done: dict[Key, Result] = {}
    path = folder / RESULT
    if path.exists():
        try:
            with open_parquet(path) as file:
                table = file.read(["point", "replication", *MEASURES])
            if not {"point", "replication", *MEASURES} <= set(table.column_names):
                raise ValueError("lacks columns")
        except (pa.ArrowException, OSError, ValueError) as problem:
            raise BadInput(str(path), str(problem).splitlines()[0], "the result of a sweep") from None
        _same((table.schema.metadata or {}).get(b"digest", b"").decode("utf-8", "replace"), prepared, path)
        for row in table.to_pylist():
            one = Result(row["point"], row["replication"], tuple(row[name] for name in MEASURES))
            done[one.point, one.replication] = _possible(one, prepared, path)
    path = folder / JOURNAL
    if path.exists():
        done |= _journal(prepared, path)
    return done


def _journal(prepared: Prepared, path: Path) -> dict[Key, Result]:
    """Read the complete lines of a journal; an incomplete last line (after a kill) is removed."""
    check_file(path)
    done: dict[Key, Result] = {}
    whole = 0
    try:
        with open_input(path) as file:
            for line in bounded_lines(file):
                if not line.endswith(b"\n"):
                    break
                if whole:
                    one = _possible(msgspec.json.decode(line, type=Result), prepared, path)
                    done[one.point, one.replication] = one
                else:
                    _same(msgspec.json.decode(line, type=Header).digest, prepared, path)
                whole += len(line)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "the journal of a sweep") from None
    except NOT_READ as problem:
        raise BadInput(str(path), f"is not a journal of a sweep: {problem}", "the folder of this study") from None
    if whole < path.stat().st_size:
        os.truncate(path, whole)
    return done


def _possible(one: Result, prepared: Prepared, path: Path) -> Result:
    """The result, if it is one of the study's. Raises BadInput."""
    points = len(prepared.points)
    whole = isinstance(one.point, int) and isinstance(one.replication, int) and len(one.measures) == len(MEASURES)
    if not (
        whole
        and 0 <= one.point < points
        and one.replication >= 0
        and all(isinstance(value, float) for value in one.measures)
    ):
        raise BadInput(str(path), f"holds a result of run {one.replication} at point {one.point}", f"{points} points")
    return one


def _same(digest: str, prepared: Prepared, path: Path) -> None:
    if digest != prepared.digest:
        raise BadInput(str(path), "belongs to another study, or the study has changed since", "another folder with -o")


def write(prepared: Prepared, folder: Path, done: dict[Key, Result]) -> None:
    """Write all runs as one Parquet file, by point and replication; the same runs give the same octets."""
    table = table_of(prepared, done)
    with replacing(folder / RESULT) as fresh:
        pq.write_table(table, fresh, compression="zstd")
        with fresh.open("rb") as file:
            os.fsync(file.fileno())


def table_of(prepared: Prepared, done: dict[Key, Result]) -> pa.Table:
    """Return all runs as a table: point, replication, the parameters, every measure."""
    rows = [done[key] for key in sorted(done)]
    columns: dict[str, pa.Array] = {
        "point": pa.array([row.point for row in rows], pa.int32()),
        "replication": pa.array([row.replication for row in rows], pa.int32()),
    }
    for place, one in enumerate(prepared.study.parameters):
        columns[one.key] = pa.array([prepared.points[row.point][place] for row in rows])
    for place, name in enumerate(MEASURES):
        columns[name] = pa.array([row.measures[place] for row in rows], pa.float64())
    return pa.table(columns).replace_schema_metadata({"digest": prepared.digest, "study": prepared.study.name})


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder against a second sweep; the lock ends with its process. Raises BadInput."""
    with owned(folder / ".lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(
                str(folder), "another sweep is writing there", "another folder, or wait for its end"
            ) from None
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # a process that is just being started has the file open, too


def _append(file: int, *rows: msgspec.Struct) -> None:
    """Append lines in one write, synchronised to the disk."""
    os.write(file, b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    os.fsync(file)
