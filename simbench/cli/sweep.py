"""`simbench sweep`: runs or continues a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup

from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import indented
from simbench.base.toml_files import choice
from simbench.cli.options import OUTPUT_FOLDER, language_option
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.planning.study import Prepared
    from simbench.planning.sweep import Interval

SHOWN = ("offered", "delivered", "backlog_max", "busy_min", "last_sent_min", "late", "delivered_share")


@command(
    files=(
        "OUTPUT, or reports/sweep-NAME: sweep.parquet (a row a run), sweep.journal (to go on from), report.html, "
        "points.csv (with --xlsx also points.xlsx)."
    ),
    see=("simbench run", "docs/guides/planning.md"),
)
@cloup.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
@cloup.option_group(
    "Execution",
    cloup.option(
        "--workers", type=click.IntRange(1, 256), help="Number of local processes (default: one for each core)."
    ),
    cloup.option("--dask", metavar="ADDRESS", help="Run on this Dask cluster instead (tcp://host:8786)."),
)
@cloup.option_group(
    "Report",
    cloup.option("--measure", default="", help="Measure of the report (default: that of [stop], else late)."),
    language_option("report"),
    cloup.option("--xlsx", is_flag=True, help="Also write the table of points as a workbook."),
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder of the result (default: under reports/)."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."),
)
def sweep(  # noqa: PLR0913 - one argument an option
    study: Path, output: Path | None, workers: int | None, dask: str | None, measure: str, language: str,
    *, xlsx: bool, as_json: bool,
) -> int:  # fmt: skip
    """Run a world over a grid or sample of parameters, with replications, until the intervals are narrow enough.

    After an interruption, run it again with the same output folder to continue.

    Every point of the grid is simulated in the same futures.

    \b
    Examples:
      simbench sweep scenarios/plan/study_tiers.toml -o reports/tiers
      simbench sweep scenarios/plan/study_tiers.toml -o reports/tiers --dask tcp://127.0.0.1:8786
    """
    need("plan", "simbench sweep")
    from simbench.api.planning import Sweep, write_sweep
    from simbench.base.bundled import find_scenario
    from simbench.base.progress import Shown
    from simbench.planning.study import MEASURES, read_study
    from simbench.planning.sweep import intervals
    from simbench.planning.sweep import sweep as run_sweep
    from simbench.planning.worker_pool import pool_of

    if xlsx:
        need("xlsx", "--xlsx")
    if measure and measure not in MEASURES:
        raise BadInput("--measure", measure, choice(measure, MEASURES))
    prepared = read_study(find_scenario(study))
    folder = output or Path("reports") / f"sweep-{prepared.study.name}"
    pool = pool_of(prepared, dask or workers, "--dask")
    progress = Shown()
    try:
        done = run_sweep(prepared, folder, pool, progress)
    finally:
        pool.close()
        progress.end()
    found = intervals(prepared, done)
    write_sweep(folder, Sweep(prepared, done, found), language, measure, xlsx=xlsx)
    if as_json:
        click.echo(indented(_summary(prepared, found, folder)))
    else:
        _print(prepared, found, folder)
    return 0


def _summary(prepared: Prepared, found: list[tuple[Interval, ...]], folder: Path) -> dict[str, object]:
    from simbench.planning.sweep import RESULT

    keys = [one.key for one in prepared.study.parameters]
    points = [
        {"parameters": dict(zip(keys, point, strict=True)), "measures": measures}
        for point, measures in zip(prepared.points, found, strict=True)
    ]
    return {"study": prepared.study.name, "digest": prepared.digest, "result": str(folder / RESULT), "points": points}


def _print(prepared: Prepared, found: list[tuple[Interval, ...]], folder: Path) -> None:
    from simbench.cli.console import console
    from simbench.cli.findings import columns
    from simbench.planning.report.sweep_page import measured
    from simbench.planning.sweep import RESULT
    from simbench.planning.wording import english

    t, keys = english(), (one.key for one in prepared.study.parameters)
    table = columns(figures=(*keys, "runs", *(t(f"measure.{name}") for name in SHOWN)))
    for point, measures in zip(prepared.points, found, strict=True):
        by_name = {one.measure: one for one in measures}
        cells = [measured(t, by_name[name]) for name in SHOWN]
        shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in point]
        table.add_row(*shown, str(measures[0].replications), *cells)
    out = console(180)
    out.print(table)
    out.print(f"result: {folder / RESULT}")
