"""`simbench serve`: run a live SMSC until a signal ends it."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
from msgspec.structs import replace

from simbench.base.addresses import is_loopback
from simbench.base.errors import BadInput
from simbench.base.outputs import remove_folder
from simbench.base.version import __version__
from simbench.cli.options import CONTRACT, OUTPUT_FOLDER
from simbench.cli.pages import DONE, command

if TYPE_CHECKING:
    from fake_smsc.scenario import LimitMode, Scenario
    from fake_smsc.server.live import LiveSmsc
    from fake_smsc.server.saved_state import SavedState
    from simbench.cli.script import Script
    from simbench.cli.serve_service import ServeOptions
    from simbench.contract import Contract
    from simbench.ledger import Ledger

LIMIT_MODES = ("monitor", "delay", "nack", "discard", "close")
_FILE = click.Path(path_type=Path, dir_okay=False)
EXPOSED_FAILED_LOGINS = 20  # failed logins per minute from one address, with --expose


@command(
    exits={**DONE, 0: "ended by a signal, and the ledger is closed"},
    files=(
        "OUTPUT, or reports/serve-DATE-TIME: run.json and Parquet files, one a table (octets read and "
        "written, and events). With --log the file of log lines."
    ),
    see=("simbench decode", "simbench judge", "docs/guides/service.md", "docs/reference/scenario.md"),
)
@cloup.argument("scenario", required=False, type=click.Path(path_type=Path))
@cloup.option_group(
    "Connection",
    cloup.option("--host", help="Address to listen on (default: loopback)."),
    cloup.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one."),
    cloup.option("--expose", is_flag=True, help="Allow an address that other machines can reach; needs --allow."),
    cloup.option(
        "--allow", multiple=True, metavar="ADDRESS", help="Client address or network to accept; may be repeated."
    ),
)
@cloup.option_group(
    "Input",
    cloup.option(
        "--resume",
        metavar="RUN",
        type=click.Path(path_type=Path),
        help="Resume a run that was stopped or killed, in its own folder.",
    ),
)
@cloup.option_group(
    "Contract and rules",
    cloup.option("--limit", type=click.Choice(LIMIT_MODES), help="Treatment of submits above the rate."),
    CONTRACT,
)
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for the ledger (default: under reports/)."),
)
@cloup.option_group(
    "API and console",
    cloup.option("--api", type=click.IntRange(0, 65535), help="Port of the control API and metrics; 0: a free one."),
    cloup.option("--console", is_flag=True, help="Also serve a web page, on the port of the API (default 8080)."),
    cloup.option("--token-file", type=_FILE, help="File whose first line is the token that API and console require."),
    cloup.option("--tls-cert", type=_FILE, help="Certificate (PEM); API and console then use HTTPS."),
    cloup.option("--tls-key", type=_FILE, help="Private key of the certificate (PEM)."),
    cloup.option("--tls-ucp", is_flag=True, help="Use TLS for UCP as well, with the same certificate."),
)
@cloup.option_group(
    "Log",
    cloup.option("--log", type=_FILE, help="File for a log in JSON lines: logins, sessions, events, refusals."),
    cloup.option("--unmasked", is_flag=True, help="Write telephone numbers in full."),
)
def serve(  # noqa: PLR0913 - one argument an option
    scenario: Path | None,
    resume: Path | None,
    host: str | None,
    port: int | None,
    limit: LimitMode | None,
    output: Path | None,
    contract_name: str | None,
    allow: tuple[str, ...],
    *,
    expose: bool,
    **service: Any,
) -> None:
    """Serve a fake SMSC, without any configuration or from a scenario file, until SIGINT or SIGTERM.

    Without a scenario the server has one account for each tier, at 127.0.0.1:3024, with the password secret. It
    answers, meters, delivers and notifies by the contract; scenarios add outages and wire faults. The first lines of
    output contain all data that a client needs to connect.

    \b
    Examples:
      simbench serve
      simbench serve --port 5000 --limit monitor
      simbench serve scenarios/01_first.toml
      simbench serve --resume reports/first
      simbench serve --api 8080 --console
    """
    from simbench.base.event_loop import run
    from simbench.base.extras import without
    from simbench.cli.script import Script
    from simbench.cli.serve_service import ServeOptions
    from simbench.kernels.jit import share_heaps

    own = {"scenario": scenario, "output": output, "contract_name": contract_name}
    if resume and (given := [name for name, value in own.items() if value is not None]):
        raise BadInput("--resume", f"given with {', '.join(given)}", "no such option, as the run keeps its own")
    chosen, contract, place = _kept(resume) if resume else _new(scenario, contract_name)
    chosen = guarded(_with_options(chosen, host, port, limit), allow, expose=expose)
    folder = resume or output or Path("reports") / f"serve-{time.strftime('%Y%m%d-%H%M%S')}"
    script = None if resume else Script.of(chosen, contract, place, contract_name)
    around = ServeOptions.of(chosen, place, service)
    share_heaps()
    with without("pandas"):
        run(_serve(chosen, contract, folder, around, script))


def _new(scenario: Path | None, contract_name: str | None) -> tuple[Scenario, Contract, Path | None]:
    """Return the scenario of a new run, its contract, and the folder of its files."""
    from fake_smsc.scenario import demo_scenario, read_scenario
    from simbench.base.bundled import find_scenario
    from simbench.contract import DEFAULT, load_contract
    from simbench.contract.load import contract_beside

    if scenario is None:
        contract = load_contract(contract_name or DEFAULT)
        return demo_scenario(contract), contract, None
    scenario = find_scenario(scenario)
    chosen = read_scenario(scenario)
    contract = load_contract(contract_name) if contract_name else contract_beside(chosen.contract, scenario)
    return chosen, contract, scenario.parent.resolve()


def _kept(folder: Path) -> tuple[Scenario, Contract, Path | None]:
    """Return the same of a run that was stopped or killed. Raises BadInput if its contract has changed."""
    from simbench.cli.script import read_script
    from simbench.contract import load_contract

    script = read_script(folder)
    contract = load_contract(script.contract)
    if contract.digest != script.contract_digest:
        problem = f"is {contract.digest} now, was {script.contract_digest}"
        raise BadInput(f"contract {script.contract}", problem, "the contract of the original run")
    return script.scenario, contract, Path(script.place) if script.place else None


def _with_options(scenario: Scenario, host: str | None, port: int | None, limit: LimitMode | None) -> Scenario:
    server = scenario.server
    if host is not None:
        server = replace(server, host=host)
    if port is not None:
        server = replace(server, port=port)
    codes = tuple(replace(config, limit=limit) for config in scenario.codes) if limit else scenario.codes
    return replace(scenario, server=server, codes=codes)


def guarded(scenario: Scenario, allow: tuple[str, ...], *, expose: bool) -> Scenario:
    """Require --expose and allowed clients for an address that other machines can reach."""
    from fake_smsc.scenario import allowed_networks

    server = replace(scenario.server, allow=(*scenario.server.allow, *allow))
    allowed_networks(server, "--allow")
    if not is_loopback(server.host):
        if not expose:
            raise BadInput(f"host {server.host}", "not a loopback address", "127.0.0.1 or ::1, or --expose")
        if not server.allow:
            raise BadInput("--expose", "no allowed client address given", "--allow ADDRESS, or server.allow")
        most = server.failed_logins_per_min or EXPOSED_FAILED_LOGINS
        server = replace(server, failed_logins_per_min=most)
    return replace(scenario, server=server)


async def _serve(
    scenario: Scenario, contract: Contract, folder: Path, around: ServeOptions, script: Script | None = None
) -> None:
    """Serve a new run and keep its script, or without a script resume the run in the folder."""
    import asyncio
    import gc

    from fake_smsc.server.live import LiveSmsc
    from simbench.base.event_loop import sparing_collector
    from simbench.cli.late_lines import packing
    from simbench.cli.script import clock_of, write_script
    from simbench.cli.serve_service import with_service
    from simbench.ledger import Ledger, RunInfo

    info = RunInfo(
        run=folder.name, scenario=scenario.name, seed=scenario.seed, contract=contract.name,
        contract_digest=contract.digest, versions={"simbench": __version__}, keep=scenario.keep,
    )  # fmt: skip
    saved_state, served = None, script is None
    if script is not None:
        ledger = Ledger.create(folder, info)
    else:
        saved_state, ledger = _resumed(folder, scenario, contract)
    try:
        if script is not None:
            write_script(folder, script)
        clock = clock_of(saved_state, scenario) if saved_state else None
        smsc = LiveSmsc(scenario, contract, ledger, place=around.place, network=around.network, clock=clock)
        smsc.saved_state = saved_state
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        observed = around.observed(smsc)
        async with smsc, with_service(smsc, around.service, observed) as service_lines:
            served = True
            with sparing_collector():
                _banner(smsc, folder, service_lines)
                # The compiler's objects remain as well, unless the server stops while it loads them.
                smsc.load_fast_path().add_done_callback(lambda _: None if stop.is_set() else gc.freeze())
                await stop.wait()
            click.echo("stopping", err=True)
    finally:
        if served:
            ledger.close(packing())
        else:
            ledger.close()
            _discard(folder)
    click.echo(f"ledger closed: {folder}", err=True)


def _resumed(folder: Path, scenario: Scenario, contract: Contract) -> tuple[SavedState, Ledger]:
    """The saved state of a run and its ledger for appending; the folder is locked before reading."""
    from simbench.cli.script import saved_state_of
    from simbench.ledger import Ledger
    from simbench.ledger.lock import take_lock
    from simbench.ledger.writer import not_writable

    try:
        lock = take_lock(folder)
    except OSError as problem:
        raise not_writable(folder, problem) from None
    try:
        return saved_state_of(folder, scenario, contract), Ledger.resume(lock)
    except BaseException:
        lock.release()
        raise


def _discard(folder: Path) -> None:
    """Remove the ledger of a server that never listened, so that the command can be repeated."""
    from simbench.cli.script import SCRIPT
    from simbench.ledger.info import NAME
    from simbench.ledger.lock import NAME as LOCK
    from simbench.ledger.segments import parts_of

    parts = [path.name for paths in parts_of(folder).values() for path in paths]
    remove_folder(folder, NAME, SCRIPT, LOCK, *parts)


def _banner(smsc: LiveSmsc, folder: Path, more: tuple[str, ...]) -> None:
    """Print the data a client's developer needs to connect."""
    scenario, contract = smsc.scenario, smsc.contract
    host, port, most_s = scenario.server.host, smsc.server.port, contract.terms.throughput.max_hold_s.value
    click.echo(
        f"simbench {__version__}: UCP SMSC listening on {host}:{port}  (contract {contract.name} {contract.digest})"
    )
    click.echo("  account  password  short code  rate     window  meter")
    for config in scenario.codes:
        limit = smsc.server.gateway.centre.limiters[config.code].limit
        window = config.window or contract.terms.session.window.value
        click.echo(
            f"  {config.account or config.code:<8} {config.password:<9} {config.code:<11} {limit.rate_per_s:>3}/s    "
            f"{window:<7} {limit.mode}"
        )
        sessions = config.sessions or contract.terms.session.sessions_per_code.value
        held_s = sessions * window / limit.rate_per_s
        if limit.mode == "delay" and held_s > most_s:
            click.echo(
                f"  warning: {sessions} sessions x window {window} at {limit.rate_per_s}/s can wait {held_s:.0f} s, "
                f"but a result is held for at most {most_s} s; longer waits end in NACK 04"
            )
    click.echo("  recipients: 06 39 98 00 00 to 06 39 98 59 99 and 07 10 00 00 00 to 07 19 99 99 99 (fictional)")
    for line in more:
        click.echo(line)
    click.echo(f"  ledger: {folder}    stop with Ctrl-C")
