"""Runs: simulated here or opened from a folder, with their tables."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload
from weakref import WeakKeyDictionary

import msgspec

from simbench.api.contracts import contract_in
from simbench.api.worlds import World, world_in
from simbench.base.errors import BadInput, LedgerError
from simbench.base.notebook import html_facts
from simbench.base.outputs import claim
from simbench.base.progress import Progress, reported, silent
from simbench.base.python_words import in_python_words
from simbench.base.version import __version__
from simbench.contract import Contract
from simbench.ledger import Ledger, RunInfo, export_parquet, scan
from simbench.ledger import Run as Recorded
from simbench.ledger import open_run as open_recorded
from simbench.ledger.events import events_in
from simbench.ledger.incidents import Incident, incidents_of, period_of
from simbench.ledger.info import NAME
from simbench.ledger.rows import COUNTED, TABLES
from simbench.planning.executors import Where, check_executor, on_this_machine, spread
from simbench.planning.study import seed_of
from simbench.simulation.plan import World as Planned
from simbench.simulation.run import run_world
from simbench.tables.frames import Frame

if TYPE_CHECKING:
    import pyarrow as pa

Detail = Literal["rows", "minute"]
Engine = Literal["auto", "bulk", "events"]
INSTANTS = ("at", "started", "ended", "until", "scts")  # columns of instants, in microseconds UTC


_HOMES: WeakKeyDictionary[Recorded, TemporaryHome] = WeakKeyDictionary()
"""The temporary folder of each ledger in one: a reader of the ledger keeps the folder."""


class Run:
    """One run of a platform, simulated or recorded, as tables of events.

    `folder` is its location, `ledger` the record itself, `engine` the engine that simulated it ("" otherwise). A run
    simulated without a folder is in a temporary one, which is deleted when the run is no longer referenced.

    >>> run = simulate("year/01_quiet_day")
    >>> run.tables
    ('events', 'minute')
    >>> run.minutes.columns[:2]
    ['at', 'code']
    """

    def __init__(
        self, ledger: Recorded, folder: Path | None = None, engine: str = "", home: TemporaryHome | None = None
    ) -> None:
        self.ledger, self.folder, self.engine = ledger, folder, engine
        if home is not None:
            _HOMES[ledger] = home

    @property
    def name(self) -> str:
        """The name of the scenario or of the run."""
        return self.ledger.info.scenario or self.ledger.info.run

    @property
    def seed(self) -> int:
        """The seed of the simulation."""
        return self.ledger.info.seed

    @property
    def contract(self) -> str:
        """The name of the contract of the run."""
        return self.ledger.info.contract

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its tables that have rows."""
        return tuple(name for name in TABLES if self.ledger.table(name).num_rows)

    def table(self, name: str) -> Frame:
        """Return a table by name: wire, events, stimuli, centre, timing_error or minute (docs/reference/ledger.md).

        Instants are timestamps in UTC, to the microsecond. Raises BadInput for another name.
        """
        if name not in TABLES:
            raise BadInput("table", f"is {name!r:.40}", f"one of {', '.join(TABLES)}")
        return Frame(_timed(self.ledger.table(name)), name)

    @property
    def minutes(self) -> Frame:
        """Counts by short code and minute: at, code, offered, submitted, accepted, …, delivered, …, backlog."""
        return self.table("minute")

    @cached_property
    def incidents(self) -> Frame:
        """Every interruption: ticket, start, end (null while it lasts), scope, share, planned, announced_at, …"""
        found = incidents_of(events_in(self.ledger.events))
        rows = [msgspec.structs.asdict(one) for one in found]
        names = Incident.__struct_fields__
        return Frame(_incidents({name: [row[name] for row in rows] for name in names}), "incidents")

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """Start and end of the run, in the zone of its contract; None if unknown."""
        found = period_of(events_in(self.ledger.events))
        if found is None:
            return None
        civil = contract_in(self.contract if not self.contract.endswith(".toml") else None).calendar.civil
        return civil(found.start), civil(found.end)

    @cached_property
    def counts(self) -> Frame:
        """Messages of each short code: offered, submitted, accepted, refused, delivered, …"""
        return Frame.of(columns_of(counts_of(self.ledger)), "counts")

    @in_python_words
    def save(self, folder: Path | str) -> Path:
        """Write the run into a new folder as Parquet files, one per table; return the folder. Raises BadInput."""
        if (Path(folder) / NAME).exists():
            raise LedgerError(str(folder), "holds a ledger already", "a new or empty folder")
        export_parquet(self.ledger, Path(folder))
        return Path(folder)

    def _facts(self) -> list[tuple[str, object]]:
        period = self.period
        times = f"{period[0]:%Y-%m-%d %H:%M} to {period[1]:%Y-%m-%d %H:%M}" if period else "unknown"
        rows = ", ".join(f"{name} {self.ledger.table(name).num_rows:,}" for name in self.tables)
        return [("period", times), ("seed", str(self.seed)), ("contract", self.contract), ("rows", rows or "none")]

    def __repr__(self) -> str:
        return f"<Run {self.name}: {'; '.join(f'{name} {value}' for name, value in self._facts())}>"

    def _repr_html_(self) -> str:
        return html_facts(self.name, self._facts()) + self.counts._repr_html_()


@in_python_words
def open_run(folder: Path | str) -> Run:
    """Return the run in a folder: of `simulate`, `simbench run`, `simbench serve`, or an exercise of a session.

    Raises BadInput (LedgerError) if there is no run, a file is damaged, or the run is being written.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     kept = simulate("year/01_quiet_day").save(f"{home}/day")
    ...     open_run(kept).name
    'quiet-day'
    """
    return Run(open_recorded(Path(folder)), Path(folder))


@overload
def simulate(
    world: World | Path | str, *, contract: Contract | Path | str | None = ..., seed: int | None = ...,
    replications: None = ..., folder: Path | str | None = ..., detail: Detail = ..., engine: Engine = ...,
    executor: Where = ..., progress: Progress | bool = ...,
) -> Run: ...  # fmt: skip


@overload
def simulate(
    world: World | Path | str, *, contract: Contract | Path | str | None = ..., seed: int | None = ...,
    replications: int, folder: Path | str | None = ..., detail: Detail = ..., engine: Engine = ...,
    executor: Where = ..., progress: Progress | bool = ...,
) -> list[Run]: ...  # fmt: skip


@in_python_words
def simulate(  # noqa: PLR0913 - the options of a simulation
    world: World | Path | str,
    *,
    contract: Contract | Path | str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    folder: Path | str | None = None,
    detail: Detail = "minute",
    engine: Engine = "auto",
    executor: Where = None,
    progress: Progress | bool = False,
) -> Run | list[Run]:
    """Run a world in virtual time: the platform, its clients and subscribers over days or years.

    `world` is a `World`, a file, or the name of a bundled one. `detail` "minute" keeps counts by short code and minute,
    "rows" every message. With `replications`, so many runs with seeds drawn from that of the world; they are spread
    over `executor` (None: a process for each core once enough work waits; a number of processes; an executor of
    `concurrent.futures`; a Dask client or address), and are the same on any. `folder` keeps the run, or a sub-folder
    for each replication. `progress`: True shows it, a function is called with the share done and a text. The same world
    and seed give the same run.

    Raises BadInput for a world that cannot be simulated, LedgerError for a folder with an earlier run.

    >>> run = simulate("year/01_quiet_day")
    >>> run.counts.columns[:3]
    ['code', 'offered', 'submitted']
    """
    check_executor(executor)
    asked = world_in(world)
    if contract is not None:
        asked = World._made(asked.settings, contract_in(contract), asked.place)
    if seed is not None:
        asked = asked.but(seed=seed)
    temporary = TemporaryHome() if folder is None else None
    home = temporary.path / "run" if temporary is not None else Path(str(folder))
    with reported(progress) as show:
        if replications is None:
            used = [_simulate(Task(asked, home, detail, engine), show)]
            return Run(open_recorded(home), home, used[0], temporary)
        if replications < 1:
            raise BadInput("replications", f"is {replications}", "1 or more")
        asked.planned()  # reports errors in the world here, not in a worker
        tasks = [
            Task(asked.but(seed=seed_of(asked.settings.seed, number)), home / f"{number:04}", detail, engine)
            for number in range(replications)
        ]
        if on_this_machine(executor):
            used = spread(simulate_there, tasks, executor, show)
        else:
            done = spread(simulate_elsewhere, tasks, executor, show)
            used = [_received(task, files) for task, files in zip(tasks, done, strict=True)]
    kept = zip(tasks, used, strict=True)
    return [Run(open_recorded(task.folder), task.folder, name, temporary) for task, name in kept]


class Task(msgspec.Struct, frozen=True):
    """One run to simulate into a folder."""

    world: World
    folder: Path
    detail: Detail
    engine: Engine


def simulate_there(task: Task) -> str:
    """Simulate into the folder of a task and return the engine used."""
    return _simulate(task, silent)


def simulate_elsewhere(task: Task) -> tuple[str, dict[str, bytes]]:
    """Simulate on a machine with another disk; return the engine used and the files of the run."""
    with tempfile.TemporaryDirectory(prefix="simbench-") as home:
        folder = Path(home) / "run"
        engine = _simulate(msgspec.structs.replace(task, folder=folder), silent)
        return engine, {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _simulate(task: Task, progress: Progress) -> str:
    how = How(task.detail, task.engine)
    return simulate_into(task.folder, task.world.planned(), how, lambda done: progress(done, ""))


class How(msgspec.Struct, frozen=True):
    """Options of a simulation: the detail of the ledger, the engine, the number of processes for the codes of a run."""

    detail: Detail = "minute"
    engine: Engine = "auto"
    workers: int = 1


def simulate_into(folder: Path, world: Planned, how: How, progress: Callable[[float], object]) -> str:
    """Simulate a world into a new folder and return the engine used; an interrupted run is kept up to that point.

    Raises LedgerError for a folder with a run, ScenarioError for an engine that does not support the world.
    """
    settings, contract, done = world.scenario, world.contract, [0.0]
    info = RunInfo(
        run=folder.name, scenario=settings.name, seed=settings.seed, contract=contract.name,
        contract_digest=contract.digest, versions={"simbench": __version__}, keep="digest",
    )  # fmt: skip
    ledger = Ledger.create(folder, info, daily=False)

    def show(share: float) -> None:
        done[0] = share
        progress(share)

    try:
        return run_world(world, ledger, how.detail, how.engine, how.workers, show)
    except KeyboardInterrupt:
        ledger.info = msgspec.structs.replace(ledger.info, note=f"stopped at {done[0]:.1%} of the run")
        raise
    finally:
        ledger.close()


def counts_of(run: Recorded) -> dict[str, dict[str, int]]:
    """Return the counts of each short code: from minutes if the run keeps them, otherwise from the centre's rows."""
    if run.table("minute").num_rows:
        found = scan.sums_of(run, "minute", scan.field("code"), scan.field(*COUNTED))
        return {code: {name: int(found[name][row]) for name in COUNTED} for row, code in enumerate(found["code"])}
    found = scan.sums_of(run, "centre", scan.field("code", "kind"), {"n": scan.ONE}, ~scan.among("code", ""))
    counts: dict[str, dict[str, int]] = {}
    for code, kind, count in zip(found["code"], found["kind"], found["n"].tolist(), strict=True):
        counts.setdefault(code, {})[kind] = count
    return counts


def columns_of(counts: dict[str, dict[str, int]]) -> dict[str, list[object]]:
    """Return counts by short code as columns; missing ones are 0."""
    names = [name for name in COUNTED if any(name in each for each in counts.values())]
    names += sorted({name for each in counts.values() for name in each} - set(names))
    codes = sorted(counts)
    return {"code": list(codes), **{name: [counts[code].get(name, 0) for code in codes] for name in names}}


class TemporaryHome:
    """A folder that is deleted with the last ledger in it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="simbench-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def _received(task: Task, done: tuple[str, dict[str, bytes]]) -> str:
    engine, files = done
    claim(task.folder, "folder", LedgerError)
    for name, octets in files.items():
        (task.folder / name).write_bytes(octets)
    return engine


def _timed(table: pa.Table) -> pa.Table:
    """Return a table of the ledger with its instants as timestamps, without the column of the order of appending."""
    import pyarrow as pa

    for place, name in enumerate(table.column_names):
        if name in INSTANTS:
            table = table.set_column(place, name, table.column(name).cast(pa.timestamp("us", "UTC")))
    return table.drop_columns(["n"])


def _incidents(columns: dict[str, list[object]]) -> pa.Table:
    import pyarrow as pa

    instant, text = pa.timestamp("us", "UTC"), pa.string()
    types = {"scope": text, "share": pa.float64(), "planned": pa.bool_()}

    types |= dict.fromkeys(("start", "end", "announced_at", "announced_end", "noticed_at"), instant)
    return pa.table({name: pa.array(cells, types.get(name, text)) for name, cells in columns.items()})
