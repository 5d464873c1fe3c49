"""`simbench sla watch`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
import msgspec

from simbench.base.errors import BadInput
from simbench.cli.options import OUTPUT_FOLDER, RULES
from simbench.cli.pages import command, option_group

if TYPE_CHECKING:
    from simbench.contract import Contract
    from simbench.sla.imports.sources import Source
    from simbench.tables.columns import MappingFile

EXITS = {0: "no threshold is crossed", 1: "a threshold is crossed", 2: "wrong usage or input"}


class Options(msgspec.Struct, frozen=True):
    """The options of the command line."""

    source: Path
    history_from: str
    output: Path
    now: str | None
    tz: str | None
    mapping: Path | None
    contract_name: str | None
    every_s: float
    budget_below: str
    chance_above: str
    ahead_days: int
    once: bool
    until_crossed: bool


@command(
    exits=EXITS,
    files="OUTPUT: ledger (incidents as first seen) and metrics.prom, in the text format of Prometheus.",
    see=("simbench judge", "docs/guides/sla.md"),
)
@cloup.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@option_group(
    "Period",
    cloup.option(
        "--history-from", required=True, metavar="TIME", help="Start of the time for which the file has every incident."
    ),
    cloup.option("--now", metavar="TIME", help="With --once: the instant to judge at (default: the clock's)."),
)
@option_group(
    "Input",
    cloup.option("--tz", metavar="ZONE", help="Time zone of times that name none, such as Europe/Paris."),
    cloup.option("--map", "mapping", type=click.Path(path_type=Path), help="Meaning of the columns (TOML)."),
)
@option_group(
    "Warnings",
    cloup.option(
        "--budget-below", default="25%", show_default=True, help="Warn when less of the error budget is left."
    ),
    cloup.option(
        "--chance-above", default="50%", show_default=True, help="Warn when the probability of a breach is higher."
    ),
    cloup.option(
        "--ahead-days",
        type=click.IntRange(1, 366),
        default=90,
        show_default=True,
        help="Days that the probability looks ahead.",
    ),
)
@RULES
@option_group(
    "Run",
    cloup.option(
        "--every",
        "every_s",
        type=click.FloatRange(0.1, 86_400),
        default=60.0,
        show_default=True,
        help="Seconds between two looks at the file.",
    ),
    cloup.option("--once", is_flag=True, help="Look once and end."),
    cloup.option("--until-crossed", is_flag=True, help="End at the first threshold crossed."),
)
@option_group(
    "Output", cloup.option("-o", "--output", required=True, type=OUTPUT_FOLDER, help="Folder for ledger and metrics.")
)
def watch(**given: Any) -> int:
    """Watch a growing table of tickets or Kannel log, and warn when budget or forecast cross a threshold.

    Each crossing is one line, in both directions. The ledger keeps every incident as first seen; a later watch with the
    same folder continues it. Ctrl-C ends the watch; the exit status is that of the last state.

    \b
    Examples:
      simbench sla watch tickets.csv --history-from 2025-01-01T00:00+01:00 -o reports/watch
      simbench sla watch tickets.csv --history-from 2025-01-01T00:00Z --once --budget-below 10% -o reports/watch
    """
    from simbench.base.json_files import write_octets
    from simbench.base.outputs import claim
    from simbench.base.units import DAY_US
    from simbench.contract import DEFAULT, load_contract
    from simbench.sla.imports import outages
    from simbench.sla.watch import METRICS, Thresholds, Watch, metrics, share_of
    from simbench.tables.columns import read_mapping

    options = Options(**given)
    if options.now is not None and not options.once:
        raise BadInput("--now", "is a single instant, but a watch is continuous", "--once as well")
    contract = load_contract(options.contract_name or DEFAULT)
    mapping = read_mapping(options.mapping, {"outages": outages.COLUMNS})
    thresholds = Thresholds(
        share_of(options.budget_below, "--budget-below"), share_of(options.chance_above, "--chance-above"),
        options.ahead_days * DAY_US,
    )  # fmt: skip
    source = _opened(options, contract, mapping)
    claim(options.output)
    watch_ = Watch(options.output, contract, thresholds)
    try:
        while True:
            found, lines = watch_.look(source, source.period.end)
            write_octets(options.output / METRICS, metrics(found, watch_.crossed))
            for line in lines:  # whoever reads one finds its metrics
                click.echo(line)
            if options.once or (options.until_crossed and watch_.crossed):
                break
            source = _next(options, contract, mapping)
    except KeyboardInterrupt:
        pass
    finally:
        watch_.close()
    return 1 if watch_.crossed else 0


def _opened(options: Options, contract: Contract, mapping: MappingFile) -> Source:
    """Read the current file, up to this instant."""
    from simbench.api.record_kinds import RUN
    from simbench.base.units import SECOND_US
    from simbench.sla.imports.sources import SourceOptions, open_source
    from simbench.tables.instants import instant_of, zone_of

    name = options.tz or mapping.outages.tz
    zone = zone_of(name) if name else None
    since = instant_of(options.history_from, zone, "--history-from")
    now = int(time.time() * SECOND_US) if options.now is None else instant_of(options.now, zone, "--now")
    if now <= since:
        raise BadInput("--history-from", "is not before now", "an earlier time")
    source = open_source(SourceOptions(options.source, contract, mapping, since, now, since, zone))
    if source.kind == RUN:
        raise BadInput(str(options.source), "is the folder of a run", "a table of tickets or a Kannel log")
    return source


def _next(options: Options, contract: Contract, mapping: MappingFile) -> Source:
    """Read the file at the next look; wait if it is currently unreadable."""
    while True:
        time.sleep(options.every_s)
        try:
            return _opened(options, contract, mapping)
        except BadInput as problem:
            click.echo(f"not read this time: {problem}", err=True)
