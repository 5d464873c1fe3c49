"""Worlds, their reports, service levels judged: options and help. Computes nothing itself.

Each command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from simbench.cli.output_options import OUTPUT_FOLDER


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for the ledger (default: under reports/).")
@click.option(
    "--detail",
    type=click.Choice(["rows", "minute"]),
    default="minute",
    show_default=True,
    help="What the ledger keeps: every row, or counts by code and minute.",
)
@click.option(
    "--way",
    type=click.Choice(["auto", "bulk", "events"]),
    default="auto",
    show_default=True,
    help="Event by event, or in bulk where that carries the world.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes, a code each.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="What was counted as JSON instead of a table.")
def run(scenario: Path, output: Path | None, contract_name: str | None, *, as_json: bool, **choices: object) -> None:
    """Run a world in virtual time: the platform, its clients and subscribers over days or years.

    \b
    Examples:
      simbench run scenarios/year/01_quiet_day.toml
      simbench run scenarios/year/06_year_with_15_outages.toml -o reports/year --workers 2
    """
    from simbench.cli.run import run_command  # noqa: PLC0415 - quick --help

    chosen = choices["detail"], choices["way"], choices["workers"]
    sys.exit(run_command(scenario, output, contract_name, chosen, as_json=as_json))  # type: ignore[arg-type]  # click gives what the options say


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for the report (default: RUN itself).")
@click.option(
    "--lang", "language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Its language."
)
@click.option("--pdf", is_flag=True, help="report.pdf as well.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON instead of lines.")
@click.option("--unmasked", is_flag=True, help="Of a conformance session: telephone numbers as they are.")
def report(**options: object) -> None:
    """Report on the service level of a run: verdicts, availability, budget, restoration, throughput, delivery.

    RUN is the folder of a run in virtual time; of a conformance session it makes the report again.

    \b
    Examples:
      simbench report reports/year
      simbench report reports/year --lang fr --pdf -o reports/rapport
    """
    from simbench.cli.report import Options, report_command  # noqa: PLC0415 - quick --help

    sys.exit(report_command(Options(**options)))  # type: ignore[arg-type]  # click gives what the options say


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--from", "start", metavar="TIME", help="Where the period judged begins (ISO 8601).")
@click.option("--to", "end", metavar="TIME", help="Where it ends.")
@click.option("--history-from", metavar="TIME", help="From when on the file tells every incident.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--tz", metavar="ZONE", help="Zone of times that say none, as in Europe/Paris.")
@click.option("--map", "mapping", type=click.Path(path_type=Path), help="Mapping of columns (TOML).")
@click.option("--decisions", type=click.Path(path_type=Path), help="Incidents classed anew (TOML).")
@click.option("--probes", type=click.Path(path_type=Path), help="What the client's probes saw (CSV, Parquet, XLSX).")
@click.option("--traffic", type=click.Path(path_type=Path), help="Messages of the platform (CSV, Parquet, XLSX).")
@click.option("--campaigns", type=click.Path(path_type=Path), help="Of a capture: codes, campaigns, outages (TOML).")
@click.option(
    "--requests",
    type=click.Path(path_type=Path),
    help="Of a capture: what the client was asked for (CSV, Parquet, XLSX).",
)
@click.option("--keys", type=click.Path(path_type=Path), help="Of a capture: keys of its ESP associations (TOML).")
@click.option("--port", type=click.IntRange(1, 65535), help="Of a capture: the SMSC's port, where frames do not tell.")
@click.option("--forecast", "forecast_until", metavar="TIME", help="Tell the chances of a breach up to here.")
@click.option("--laws", type=click.Path(path_type=Path), help="Laws of outages to come (TOML; default: fitted).")
@click.option(
    "--replications",
    type=click.IntRange(10, 10_000_000),
    default=1000,
    show_default=True,
    help="How many futures are drawn.",
)
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes for the replications (default: cores).")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the replications.")
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for findings.json, incidents.csv ...")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def judge(**options: object) -> None:
    """Judge a record: FILE is a table of outages (CSV, Parquet, XLSX), a run folder, a log of Kannel, or a capture.

    A capture (pcap, pcapng) and the wire of a run are judged by the rules of `conform`, without any simulator.

    \b
    Examples:
      simbench judge outages.csv --from 2025-01-01T00:00+01:00 --to 2026-01-01T00:00+01:00
      simbench judge tickets.csv --map theirs.toml --tz Europe/Paris --from 2025-01-01 --to 2026-01-01 --json
      simbench judge reports/year --decisions decisions.toml --probes probes.csv -o reports/dispute
      simbench judge bearerbox.log --tz Europe/Paris
      simbench judge traffic.pcapng --campaigns campaigns.toml --requests log.csv --keys keys.toml
      simbench judge reports/lastyear --contract new.toml
    """
    from simbench.cli.judge import Options, judge_command  # noqa: PLC0415 - quick --help

    sys.exit(judge_command(Options(**options)))  # type: ignore[arg-type]  # click gives what the options say
