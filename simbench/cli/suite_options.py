"""Clients and platforms put to the test: options and help. Computes nothing itself.

Each command imports what it needs when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from simbench.cli.output_options import OUTPUT_FILE, OUTPUT_FOLDER


@click.command()
@click.option("--sut", default="", metavar="NAME", help="reference, kannel, command, external, or a file (.toml).")
@click.option("--program", default="", metavar="COMMAND", help="With --sut command: the program and its flags.")
@click.option("--capabilities", type=click.Path(path_type=Path), help="What the client says it can do (TOML).")
@click.option(
    "-o",
    "--output",
    type=OUTPUT_FOLDER,
    help="Folder for findings.json, junit.xml, report.html, ledgers (default: reports/conform, or that of --from).",
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
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=8, show_default=True,
    help="Exercises side by side; those that measure rates always run alone.",
)  # fmt: skip
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
    from simbench.bench.runner.options import Wanted  # noqa: PLC0415 - as above
    from simbench.cli.conform import Options, conform_command  # noqa: PLC0415 - quick --help

    contract, faults = options.pop("contract_name") or "", options.pop("fault")
    of_client = {name: options.pop(name) for name in ("sut", "program", "capabilities", "only", "seed", "soak", "jobs")}
    sys.exit(conform_command(Wanted(**of_client, contract=contract, faults=faults), Options(**options)))


@click.command()
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
@click.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for findings.json and what was seen.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def probe(**options: object) -> None:
    """Probe a platform from a client's place: rate, results, notifications, and what it must refuse.

    \b
    Examples:
      simbench probe 127.0.0.1:3024 --code 36010 --rate 10
      simbench probe 127.0.0.1:3024 --code 36010 --rate 10 --code 36020 --rate 20 -o reports/probe
      simbench probe 192.0.2.7:5000 --remote 10 --code 36010 --rate 10 --account mine --to 33639980012
    """
    from simbench.cli.probe import Options, probe_command  # noqa: PLC0415 - quick --help

    sys.exit(probe_command(Options(**options)))  # type: ignore[arg-type]  # click gives what the options say


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", type=OUTPUT_FILE, help="Write a page as well.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def matrix(runs: tuple[Path, ...], html: Path | None, *, as_json: bool) -> None:
    """Compare clients: the output folders of several conform sessions, purpose by purpose.

    \b
    Example:
      simbench matrix reports/kannel reports/mine --html reports/matrix.html
    """
    from simbench.cli.certificate import matrix_command  # noqa: PLC0415 - quick --help

    sys.exit(matrix_command(runs, html, as_json=as_json))


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=OUTPUT_FILE, help="The page (default: certificate.html in RUN).")
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
    from simbench.cli.certificate import certificate_command  # noqa: PLC0415 - quick --help

    sys.exit(certificate_command(**options))
