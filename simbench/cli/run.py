"""`simbench run`: simulate a world in virtual time into a ledger."""

from __future__ import annotations

import resource
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cloup

from simbench.base.json_files import indented
from simbench.base.progress import Shown
from simbench.base.text import count
from simbench.base.toml_files import label
from simbench.cli.options import OUTPUT_FOLDER, RULES
from simbench.cli.pages import command

if TYPE_CHECKING:
    from simbench.simulation.event_driven import Detail
    from simbench.simulation.plan import World
    from simbench.simulation.run import Way

STOPPED = 3


@command(
    files="OUTPUT, or reports/run-SCENARIO-DATE-TIME: run.json and Parquet files, one per table.",
    see=("simbench report", "simbench judge", "simbench bill", "docs/reference/scenario.md"),
)
@cloup.argument("scenario", type=click.Path(path_type=Path))
@RULES
@cloup.option_group(
    "Execution",
    cloup.option(
        "--way",
        type=click.Choice(["auto", "bulk", "events"]),
        default="auto",
        show_default=True,
        help="Engine: event-driven, vectorised (bulk), or chosen by the scenario.",
    ),
    cloup.option(
        "--workers",
        type=click.IntRange(1, 256),
        default=1,
        show_default=True,
        help="Number of processes; each simulates one code at a time.",
    ),
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for the ledger (default: under reports/)."),
    cloup.option(
        "--detail",
        type=click.Choice(["rows", "minute"]),
        default="minute",
        show_default=True,
        help="Contents of the ledger: every row, or counts by code and minute.",
    ),
    cloup.option("--json", "as_json", is_flag=True, help="Print the counts as JSON instead of a table."),
)
def run(  # noqa: PLR0913 - one argument an option
    scenario: Path, output: Path | None, contract_name: str | None, detail: Detail, way: Way, workers: int,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Run a world in virtual time: the platform, its clients and subscribers over days or years.

    SCENARIO is a file, or the name of a bundled one.

    Long runs without reactive clients use the vectorised engine, the others the event-driven one. Both produce the same
    ledger, and the same scenario and seed give the same rows.

    \b
    Examples:
      simbench run year/01_quiet_day
      simbench run scenarios/year/06_year_with_15_outages.toml -o reports/year --workers 2
    """
    from simbench.api.runs import How, simulate_into
    from simbench.base.bundled import find_scenario
    from simbench.contract import load_contract
    from simbench.contract.load import contract_beside
    from simbench.ledger.info import read_info
    from simbench.simulation.plan import plan
    from simbench.simulation.scenario import read_world

    scenario = find_scenario(scenario)
    read = read_world(scenario)
    contract = load_contract(contract_name) if contract_name else contract_beside(read.contract, scenario)
    world = plan(read, contract, str(scenario))
    folder = output or Path("reports") / f"run-{scenario.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
    progress, began = Shown(), time.monotonic()
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        went = simulate_into(folder, world, How(detail, way, workers), progress)
    except KeyboardInterrupt:
        click.echo(f"{read_info(folder).note}; the rows written so far can be read: {folder}", err=True)
        return STOPPED
    finally:
        progress.end()
    _print(world, folder, (went, detail, time.monotonic() - began, workers), as_json=as_json)
    return 0


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def _print(world: World, folder: Path, how: tuple[str, str, float, int], *, as_json: bool) -> None:
    """Print the counts of the ledger by code."""
    from simbench.api.runs import counts_of
    from simbench.ledger import open_run
    from simbench.ledger.rows import COUNTED

    went, detail, seconds, processes = how
    counts = counts_of(open_run(folder))
    if as_json:
        own, workers = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        kilobytes = own + workers * processes
        result = {
            "folder": label(folder), "way": went, "detail": detail, "seconds": round(seconds, 3),
            "peak_megabytes": kilobytes // 1024, "incidents": len(world.incidents), "codes": counts,
        }  # fmt: skip
        click.echo(indented(result))
        return
    names = [name for name in COUNTED if any(name in each for each in counts.values())]
    click.echo("  code  " + "".join(f"{name:>13}" for name in names))
    for code in world.codes:
        click.echo(f"  {code:<6}" + "".join(f"{counts.get(code, {}).get(name, 0):>13,}" for name in names))
    incidents = count(len(world.incidents), "incident")
    click.echo(f"  {incidents}; {went} way, detail {detail}, {seconds:.1f} s\n  ledger: {folder}")
