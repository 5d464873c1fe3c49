"""`simbench sweep`: a study's runs, gone on with where they were interrupted. Computes none itself."""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from simbench.base.json_files import indented
from simbench.cli.run import Progress
from simbench.planning.study import Prepared, read_study
from simbench.planning.sweep import RESULT, Interval, intervals, sweep
from simbench.planning.worker_pool import Crew, DaskCrew, LocalCrew

SHOWN = ("offered", "delivered", "backlog_max", "busy_min", "last_sent_min", "delivered_share")


def sweep_command(study: Path, output: Path | None, workers: int | None, dask: str | None, *, as_json: bool) -> int:
    """Run a study to its end; 0."""
    prepared = read_study(study)
    folder = output or Path("reports") / f"sweep-{prepared.study.name}"
    crew: Crew = DaskCrew(prepared, dask) if dask else LocalCrew(prepared, workers or os.cpu_count() or 1)
    progress = Progress()
    try:
        done = sweep(prepared, folder, crew, progress.show)
    finally:
        crew.close()
        progress.end()
    found = intervals(prepared, done)
    if as_json:
        click.echo(indented(_told(prepared, found, folder)))
    else:
        _print(prepared, found, folder)
    return 0


def _told(prepared: Prepared, found: list[tuple[Interval, ...]], folder: Path) -> dict[str, object]:
    keys = [one.key for one in prepared.study.parameters]
    points = [
        {"parameters": dict(zip(keys, point, strict=True)), "measures": measures}
        for point, measures in zip(prepared.points, found, strict=True)
    ]
    return {"study": prepared.study.name, "digest": prepared.digest, "result": str(folder / RESULT), "points": points}


def _print(prepared: Prepared, found: list[tuple[Interval, ...]], folder: Path) -> None:
    table = Table(box=None, pad_edge=False)
    for one in prepared.study.parameters:
        table.add_column(one.key, justify="right")
    for name in ("runs", *SHOWN):
        table.add_column(name, justify="right")
    for point, measures in zip(prepared.points, found, strict=True):
        by_name = {one.measure: one for one in measures}
        cells = [f"{by_name[name].mean:,.4g} ± {by_name[name].half_width:.2g}" for name in SHOWN]
        shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in point]
        table.add_row(*shown, str(measures[0].replications), *cells)
    console = Console(width=None if Console().is_terminal else 180)
    console.print(table, highlight=False, markup=False)
    console.print(f"result: {folder / RESULT}", highlight=False, markup=False)
