"""The commands. Each imports what it needs when it runs, so that `--help` is quick. Computes nothing itself.

Exit status: 0 nothing failed; 1 a finding failed; 2 wrong usage or input; 3 an error, an inconclusive finding, or
nothing judged.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from simbench import __version__
from simbench.commands.radius import CLOCK, account, reconcile
from simbench.commands.roaming_options import roaming
from simbench.commands.serve_options import service_options
from simbench.errors import BadInput, SimbenchError

LIMIT_MODES = ("monitor", "delay", "nack", "discard", "close")

EXAMPLES = """\b
Examples:
  simbench serve                                a fake Orange SMSC on loopback, one short code per tier
  simbench serve scenarios/01_first.toml -o reports/first
  simbench conform --sut reference -o reports/mine
  simbench conform --sut kannel --only OPS-ENG-01 --only total-outage
  simbench explain OPS-ENG-01
"""


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="simbench")
def cli() -> None:
    """A fake UCP/EMI SMSC that judges your client against Orange's "Opérateur Push SMS" contract, clause by clause."""


@cli.command()
@click.argument("scenario", required=False, type=click.Path(path_type=Path))
@click.option("--host", help="Address to listen on (loopback).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--limit", type=click.Choice(LIMIT_MODES), help="Answer of the meter.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the ledger (default: under reports/)."
)
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--expose", is_flag=True, help="Serve an address that other machines can reach; needs --allow.")
@click.option("--allow", multiple=True, metavar="ADDRESS", help="Address or network that may connect; may be repeated.")
@service_options
def serve(**options: object) -> None:
    """Serve a fake SMSC, with no configuration at all or out of a scenario file, until SIGINT or SIGTERM.

    \b
    Examples:
      simbench serve
      simbench serve --port 5000 --limit monitor
      simbench serve scenarios/01_first.toml
      simbench serve --api 8080 --console
    """
    from simbench.commands.serve import serve_command  # noqa: PLC0415 - quick --help

    serve_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.option("--sut", default="", metavar="NAME", help="reference, kannel, command, external, or a file (.toml).")
@click.option("--program", default="", metavar="COMMAND", help="With --sut command: the program and its flags.")
@click.option("--capabilities", type=click.Path(path_type=Path), help="What the client says it can do (TOML).")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("reports/conform"),
    show_default=True,
    help="Folder for findings.json, junit.xml, report.html and the ledgers.",
)
@click.option(
    "--only", multiple=True, metavar="CLAUSE", help="A clause, chapter, purpose or exercise; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print findings.json instead of the table.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file of your own.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of every draw.")
@click.option("--fault", multiple=True, metavar="NAME", help="Give the reference client this fault (to see it caught).")
@click.option(
    "--from",
    "judge_from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Judge the ledgers of an earlier output folder again, without any client.",
)
@click.option("--baseline", type=click.Path(path_type=Path), help="Known deviations (TOML).")
@click.option("--update-baseline", is_flag=True, help="Write the baseline so that this run has nothing new.")
@click.option("--last-failed", is_flag=True, help="Only what did not pass in the session of the output folder.")
@click.option("--keep-up", is_flag=True, help="Leave the SMSC running after the session, and print its port.")
@click.option("--strict", is_flag=True, help="Weak and inconclusive count as failures.")
@click.option("--soak", default="", metavar="DURATION", help="An endurance run instead, as in 60s, 10m or 8h.")
def conform(**options: Any) -> None:
    """Drive a client through the exercises and judge it, clause by clause, with evidence.

    \b
    Examples:
      simbench conform --sut reference
      simbench conform --sut kannel -o reports/kannel --only OPS-ENG-01 --only OPS-PRE-03
      simbench conform --sut reference --fault no-pacing --only backlog-monitored
      simbench conform --sut command --program './client --flag' --capabilities caps.toml
      simbench conform --sut my-client.toml --baseline known.toml --strict
      simbench conform --from reports/kannel --contract mine.toml --json
      simbench conform --sut reference --soak 8h -o reports/night
    """
    from simbench.commands.conform import Options, conform_command  # noqa: PLC0415 - quick --help
    from simbench.conformance.wanted import Wanted  # noqa: PLC0415 - as above

    contract, faults = options.pop("contract_name") or "", options.pop("fault")
    of_client = {name: options.pop(name) for name in ("sut", "program", "capabilities", "only", "seed", "soak")}
    sys.exit(conform_command(Wanted(**of_client, contract=contract, faults=faults), Options(**options)))


@cli.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--from", "start", metavar="TIME", help="Where the period judged begins (ISO 8601).")
@click.option("--to", "end", metavar="TIME", help="Where it ends.")
@click.option("--history-from", metavar="TIME", help="From when on the file tells every incident.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--tz", metavar="ZONE", help="Zone of times that say none, as in Europe/Paris.")
@click.option("--map", "mapping", type=click.Path(path_type=Path), help="Mapping of columns (TOML).")
@click.option("--decisions", type=click.Path(path_type=Path), help="Incidents classed anew (TOML).")
@click.option("--probes", type=click.Path(path_type=Path), help="What the client's probes saw (CSV, Parquet).")
@click.option("--traffic", type=click.Path(path_type=Path), help="Messages of the platform (CSV, Parquet).")
@click.option("--campaigns", type=click.Path(path_type=Path), help="Of a capture: codes, campaigns, outages (TOML).")
@click.option("--requests", type=click.Path(path_type=Path), help="Of a capture: what the client was asked for (CSV).")
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
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for findings.json, incidents.csv ...")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def judge(**options: object) -> None:
    """Judge what was recorded: FILE is a table of outages (CSV, Parquet), a run folder, a log of Kannel, or a capture.

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
    from simbench.commands.judge import Options, judge_command  # noqa: PLC0415 - quick --help

    sys.exit(judge_command(Options(**options)))  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("place", metavar="HOST:PORT")
@click.option("--code", "codes", multiple=True, required=True, help="Short code to send from; may be repeated.")
@click.option(
    "--rate", "rates", multiple=True, required=True, type=click.IntRange(1, 1000), help="Its subscribed rate a second."
)
@click.option("--account", "accounts", multiple=True, help="Its account (default: named as the code).")
@click.option("--password", envvar="SIMBENCH_PASSWORD", default="secret", show_envvar=True, help="Of every account.")
@click.option("--to", "recipients", multiple=True, metavar="NUMBER", help="Recipient; may be repeated.")
@click.option("--seconds", type=click.FloatRange(2, 3600), default=20, show_default=True, help="How long at the rate.")
@click.option("--window", type=click.IntRange(1, 100), help="Operations unanswered at once (default: the contract's).")
@click.option(
    "--remote", type=click.IntRange(1, 1000), metavar="CAP", help="Leave this machine, at CAP a second at most."
)
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for findings.json and what was seen.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def probe(**options: object) -> None:
    """Probe a platform from a client's place: rate, results, notifications, and what it must refuse.

    \b
    Examples:
      simbench probe 127.0.0.1:3024 --code 36010 --rate 10
      simbench probe 127.0.0.1:3024 --code 36010 --rate 10 --code 36020 --rate 20 -o reports/probe
      simbench probe 192.0.2.7:5000 --remote 10 --code 36010 --rate 10 --account mine --to 33639980012
    """
    from simbench.commands.probe import Options, probe_command  # noqa: PLC0415 - quick --help

    sys.exit(probe_command(Options(**options)))  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the ledger (default: under reports/)."
)
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
    from simbench.commands.run import run_command  # noqa: PLC0415 - quick --help

    chosen = choices["detail"], choices["way"], choices["workers"]
    sys.exit(run_command(scenario, output, contract_name, chosen, as_json=as_json))  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for the report (default: RUN itself).")
@click.option(
    "--lang", "language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Its language."
)
@click.option("--pdf", is_flag=True, help="report.pdf as well.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON instead of lines.")
def report(**options: object) -> None:
    """Report on the service level of a run: verdicts, availability, budget, restoration, throughput, delivery.

    RUN is the folder of a run in virtual time; of a conformance session it makes the report again.

    \b
    Examples:
      simbench report reports/year
      simbench report reports/year --lang fr --pdf -o reports/rapport
    """
    from simbench.commands.report import Options, report_command  # noqa: PLC0415 - quick --help

    sys.exit(report_command(Options(**options)))  # type: ignore[arg-type]  # click gives what the options say


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def list_(*, as_json: bool) -> None:
    """List exercises, purposes, clients and client faults.

    \b
    Examples:
      simbench list
      simbench list --json
    """
    from simbench.commands.explain import list_command  # noqa: PLC0415 - quick --help

    list_command(as_json=as_json)


@cli.command()
@click.argument("clause")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
def explain(clause: str, contract_name: str | None, *, as_json: bool) -> None:
    """Say what a clause asks, which figures it has and how sure they are, and how it is tested.

    \b
    Example:
      simbench explain OPS-ENG-01
    """
    from simbench.commands.explain import explain_command  # noqa: PLC0415 - quick --help

    explain_command(clause, contract_name, as_json=as_json)


@cli.command()
@click.argument("source", required=False, metavar="[FILE]", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the SMSC in a capture, where frames do not tell.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a frame instead of text.")
def decode(source: Path | None, port: int | None, *, as_json: bool) -> None:
    """Explain UCP frames field by field, from lines, a capture or a run; "-" or nothing reads standard input.

    A line is a frame in hexadecimal, or printable with <STX> or \\x02 at its start, or without its ends. Exit status 1
    when there is something wrong with any frame.

    \b
    Examples:
      simbench decode frames.txt
      simbench decode --json traffic.pcapng
      simbench decode --port 5000 traffic.pcap
      simbench decode reports/first
      echo '00/00019/R/60/A//6D' | simbench decode
    """
    from simbench.commands.decode import decode_command  # noqa: PLC0415 - quick --help

    sys.exit(decode_command(source, port, as_json=as_json))


@cli.command()
@click.argument("op", required=False)
@click.argument("kind", required=False)
@click.argument("assignments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--trn", default="00", show_default=True, help="Transaction reference number, 00 to 99.")
@click.option("--text", help="Text of the message: says alphabet, type and parts; one frame a part.")
@click.option("--hex", "as_hex", is_flag=True, help="Print hexadecimal instead of <STX>...<ETX>.")
@click.option("--json", "from_json", is_flag=True, help="Take objects of `decode --json` from standard input instead.")
def encode(**options: object) -> None:
    """Print a UCP frame: operation OP, KIND O (operation) or R (result), and its fields by name.

    \b
    Examples:
      simbench encode 31 O AdC=36010 PID=0539
      simbench encode 51 O --trn 07 AdC=33639980012 OAdC=36010 --text "Déjà prêt ?"
      simbench encode 51 R --hex EC=04 SM="too fast"
      simbench decode --json frames.txt | simbench encode --json
    """
    from simbench.commands.encode import encode_command  # noqa: PLC0415 - quick --help

    encode_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print what makes a shell complete simbench's commands and options.

    \b
    Examples:
      simbench completion bash > ~/.local/share/bash-completion/completions/simbench
      simbench completion fish > ~/.config/fish/completions/simbench.fish
      source <(simbench completion zsh)
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - quick --help

    script = get_completion_class(shell)
    assert script is not None, "the choices above are those click has"
    click.echo(script(cli, {}, "simbench", "_SIMBENCH_COMPLETE").source())


@cli.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--acts", "acts_file", required=True, type=click.Path(path_type=Path), help="The contract's acts (TOML).")
@click.option("--month", metavar="YYYY-MM", help="Calendar month to bill (default: every month with messages).")
@click.option("--against", type=click.Path(path_type=Path), help="An invoice received (CSV), to be judged.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for pages to print, JSON and CSV.")
@click.option("--json", "form", flag_value="json", help="JSON instead of tables.")
@click.option("--csv", "form", flag_value="csv", help="CSV in the columns of an invoice received.")
def bill(**options: object) -> None:
    """Bill the messages of a run (or a CSV of counts), and judge an invoice received line by line.

    \b
    Examples:
      simbench bill reports/first --acts acts.toml
      simbench bill counts.csv --acts acts.toml --month 2016-10 -o reports/bill
      simbench bill counts.csv --acts acts.toml --month 2016-10 --against received.csv --json
    """
    from simbench.commands.bill import bill_command  # noqa: PLC0415 - quick --help

    options["form"] = options["form"] or "table"
    sys.exit(bill_command(**options))  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--traffic", required=True, type=click.Path(path_type=Path, exists=True), help="A run, or a CSV of counts."
)
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def forecast(files: tuple[Path, ...], traffic: Path, contract_name: str | None, *, as_json: bool) -> None:
    """Hold traffic against the forecasts handed in to Orange (OPS-ENG-03, OPS-ACH-05).

    \b
    Example:
      simbench forecast 2016-12.toml 2017-06.toml --traffic counts.csv
    """
    from simbench.commands.bill import forecast_command  # noqa: PLC0415 - quick --help

    sys.exit(forecast_command(files, traffic, contract_name, as_json_=as_json))


cli.add_command(roaming)


@cli.group()
def dialup() -> None:
    """Dial-up minute loads of 2000: carried, accounted and settled under France Télécom's NetRevenu.

    \b
    Examples:
      simbench dialup settle --minutes 50000000
      simbench dialup run scenarios/dialup/01_fifty_million.toml -o reports/fifty
      simbench dialup replay calls.csv --month 2000-09 --statement mine.csv
      simbench dialup ports --minutes 50000000
    """


dialup.add_command(account)
dialup.add_command(reconcile)
_OFFER = click.option("--contract", default="netrevenu_2000", show_default=True, help="Offer by name, or a file.")
_TARIFF = click.option("--tariff", default="", metavar="NAME", help="Tariff function, F1 to F4 (default: as read).")
_READINGS = click.option("--reading", "readings", multiple=True, metavar="NAME=KEY", help="Choose a reading.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")


@dialup.command()
@click.option("--minutes", type=int, required=True, help="Whole minutes of one month.")
@_TARIFF
@click.option("--month", default="", help="Month whose VAT holds, such as 2000-09 (default: June 2000).")
@_OFFER
@_READINGS
@_JSON
def settle(**options: object) -> None:
    """Say what a month of minutes brings: gross share before and with VAT, in francs and euros.

    \b
    Examples:
      simbench dialup settle --minutes 50000000
      simbench dialup settle --minutes 150000000 --tariff F4 --json
    """
    from simbench.commands.dialup import settle_command  # noqa: PLC0415 - quick --help

    settle_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@dialup.command()
@click.option("--minutes", type=click.IntRange(1, 800_000_000), required=True, help="Minutes offered in a month.")
@click.option("--busy-share", type=float, default=0.0, help="Share of a day in its busiest hour (default: profile).")
@click.option("--grade", "grades", type=float, multiple=True, help="Share of calls blocked; may be repeated.")
@_TARIFF
@click.option("--month", default="2000-09", show_default=True, help="Month whose days and hours are offered.")
@_OFFER
@_JSON
def ports(**options: object) -> None:
    """Say how many ports a load needs for a grade of service, and what one more port brings.

    \b
    Examples:
      simbench dialup ports --minutes 50000000
      simbench dialup ports --minutes 150000000 --busy-share 0.1 --grade 0.01 --json
    """
    from simbench.commands.dialup import ports_command  # noqa: PLC0415 - quick --help

    ports_command(**options)  # type: ignore[arg-type]  # click gives what the options say


@dialup.command("run")
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for result.json and report.html.")
@click.option("--records", type=click.Path(path_type=Path), help="Write the last month's calls: .csv or .parquet.")
@_JSON
def dialup_run(**options: object) -> None:
    """Run a scenario: draw its calls, carry them through its pools, split, settle and report.

    \b
    Examples:
      simbench dialup run scenarios/dialup/01_fifty_million.toml -o reports/fifty
      simbench dialup run scenarios/dialup/03_growing_year.toml --json
    """
    from simbench.commands.dialup import run_command  # noqa: PLC0415 - quick --help

    sys.exit(run_command(**options))  # type: ignore[arg-type]  # click gives what the options say


@dialup.command()
@click.argument("records", type=click.Path(path_type=Path))
@click.option("--month", default="", help="2000-09, 2000, or 2000-09/2000-11 (default: the month of most calls).")
@click.option("--statement", type=click.Path(path_type=Path), help="The provider's statement, to compare.")
@click.option("--write", type=click.Path(path_type=Path), help="Write the statement these records support.")
@click.option("--ports", multiple=True, metavar="[NAS=]NUMBER", help="Ports of an access server; may be repeated.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for result.json and report.html.")
@CLOCK
@click.option("--secret-file", type=click.Path(path_type=Path), help="Secret that verifies the requests of a capture.")
@_TARIFF
@_OFFER
@_READINGS
@_JSON
def replay(**options: object) -> None:
    """Settle real calls, set bad rows aside, and judge records and statement.

    Calls are records (CSV, Parquet), a detail file of FreeRADIUS, or a capture of RADIUS accounting.

    \b
    Examples:
      simbench dialup replay calls.csv --write mine.csv
      simbench dialup replay calls.parquet --month 2000-09 --statement mine.csv --ports paris=2800 -o reports/replay
      simbench dialup replay detail-20000930 --clock event --month 2000-09
    """
    from simbench.commands.dialup import replay_command  # noqa: PLC0415 - quick --help

    sys.exit(replay_command(**options))  # type: ignore[arg-type]  # click gives what the options say


@cli.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path), help="Write a page as well.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def matrix(runs: tuple[Path, ...], html: Path | None, *, as_json: bool) -> None:
    """Compare clients: the output folders of several conform sessions, purpose by purpose.

    \b
    Example:
      simbench matrix reports/kannel reports/mine --html reports/matrix.html
    """
    from simbench.commands.certificate import matrix_command  # noqa: PLC0415 - quick --help

    sys.exit(matrix_command(runs, html, as_json=as_json))


@cli.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page (default: certificate.html in RUN).")
@click.option("--baseline", type=click.Path(path_type=Path), help="Known deviations both parties have accepted (TOML).")
@click.option("--contract", help="Contract by name, or an overlay file.")
@click.option("--verify", type=click.Path(path_type=Path), help="Recompute this certificate from the ledgers of RUN.")
def certificate(**options: Any) -> None:
    """Write one page for the acceptance meeting, or verify one: exit status 1 names what differs.

    \b
    Examples:
      simbench certificate reports/mine --baseline known.toml
      simbench certificate reports/mine --verify reports/mine/certificate.html
    """
    from simbench.commands.certificate import certificate_command  # noqa: PLC0415 - quick --help

    sys.exit(certificate_command(**options))


@cli.command("plan")
@click.argument("campaign", required=False, metavar="[CAMPAIGN.toml]", type=click.Path(path_type=Path))
@click.option("--from", "ledger", metavar="LEDGER", type=click.Path(path_type=Path), help="Price the past instead.")
@click.option("--late-min", type=click.FloatRange(0), default=10.0, show_default=True, help="With --from: late after.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder for report, invoices and JSON.")
@click.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def plan(
    campaign: Path | None, ledger: Path | None, output: Path | None, contract_name: str | None, late_min: float, *,
    as_json: bool,
) -> None:  # fmt: skip
    """Say which short codes and tiers to buy for a campaign, what they cost and how sure they are.

    \b
    Examples:
      simbench plan scenarios/plan/01_thursdays.toml -o reports/thursdays
      simbench plan --from reports/first --late-min 5
    """
    from simbench.commands.plan import plan_command  # noqa: PLC0415 - quick --help

    sys.exit(plan_command(campaign, ledger, contract_name, output, late_min, as_json=as_json))


@cli.command()
@click.argument("study", metavar="STUDY.toml", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder of the result (default: under reports/).")
@click.option("--workers", type=click.IntRange(1, 256), help="Local processes (default: one a core).")
@click.option("--dask", metavar="ADDRESS", help="Run on this Dask cluster instead (tcp://host:8786).")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def sweep(study: Path, output: Path | None, workers: int | None, dask: str | None, *, as_json: bool) -> None:
    """Run a world over a grid or sample of parameters, with replications, until the intervals are narrow enough.

    Run it again with the same output folder to go on after an interruption.

    \b
    Examples:
      simbench sweep scenarios/plan/study_tiers.toml -o reports/tiers
      simbench sweep scenarios/plan/study_tiers.toml -o reports/tiers --dask tcp://127.0.0.1:8786
    """
    from simbench.commands.sweep import sweep_command  # noqa: PLC0415 - quick --help

    sys.exit(sweep_command(study, output, workers, dask, as_json=as_json))


def main() -> None:
    """Entry point: errors of the user or the machine become one line."""
    try:
        cli(standalone_mode=True)
    except SimbenchError as error:
        click.echo(f"simbench: {error}", err=True)
        sys.exit(2 if isinstance(error, BadInput) else 3)
