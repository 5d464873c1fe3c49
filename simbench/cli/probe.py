"""`simbench probe`: test a platform as a client, code by code; beyond loopback only with --remote."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import cloup
import msgspec

from simbench.base.addresses import host_and_port, is_loopback
from simbench.base.errors import BadInput, Trouble
from simbench.base.json_files import indented, write_json
from simbench.base.outputs import claim
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.base.version import __version__
from simbench.cli.options import OUTPUT_FOLDER, RULES
from simbench.cli.pages import JUDGED, command

if TYPE_CHECKING:
    import asyncio

    from simbench.contract import Contract
    from simbench.finding import Finding
    from simbench.ledger import AnyLedger
    from simbench.probe import Target

OURS = tuple(f"3363998{number:04d}" for number in range(1000, 1100))  # of the fictional range


@command(
    exits=JUDGED,
    files="With -o: findings.json, and a ledger in a folder for each code.",
    see=("simbench decode", "docs/guides/probe.md"),
)
@cloup.argument("place", metavar="HOST:PORT")
@cloup.option_group(
    "Connection",
    cloup.option("--code", "codes", multiple=True, required=True, help="Short code to send from; may be repeated."),
    cloup.option(
        "--rate",
        "rates",
        multiple=True,
        required=True,
        type=click.IntRange(1, 1000),
        help="Subscribed rate of that code, in messages per second.",
    ),
    cloup.option("--account", "accounts", multiple=True, help="Account of that code (default: the code itself)."),
    cloup.option(
        "--password",
        envvar="SIMBENCH_PASSWORD",
        default="secret",
        show_envvar=True,
        help="Password used for every account.",
    ),
    cloup.option("--to", "recipients", multiple=True, metavar="NUMBER", help="Recipient; may be repeated."),
    cloup.option(
        "--seconds",
        type=click.FloatRange(2, 3600),
        default=20,
        show_default=True,
        help="Length of the rate measurement, in seconds.",
    ),
    cloup.option(
        "--window",
        type=click.IntRange(1, 100),
        help="Maximum number of unanswered operations (default: the contract's).",
    ),
    cloup.option(
        "--remote",
        type=click.IntRange(1, 1000),
        metavar="CAP",
        help="Allow a platform on another machine, and send at most CAP messages per second.",
    ),
)
@RULES
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FOLDER, help="Folder for findings.json and the ledgers."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of a table."),
)
def probe(**given: Any) -> int:
    """Probe a platform as a client: rate, results, notifications, and required refusals.

    The probe makes four connections for each code, one after the other. Beyond loopback it may reach real phones:
    --remote permits that and limits the rate.

    \b
    Examples:
      simbench probe 127.0.0.1:3024 --code 36010 --rate 10
      simbench probe 127.0.0.1:3024 --code 36010 --rate 10 --code 36020 --rate 20 -o reports/probe
      simbench probe 192.0.2.7:5000 --remote 10 --code 36010 --rate 10 --account mine --to 33639980012
    """
    from simbench.cli.console import console
    from simbench.cli.findings import findings_table
    from simbench.contract import DEFAULT, load_contract
    from simbench.finding import counted, exit_status, tally

    options = Options(**given)
    contract = load_contract(options.contract_name or DEFAULT)
    targets = _targets(options, contract)
    if options.output is not None:
        claim(options.output)
    findings: list[Finding] = []
    for target in targets:
        findings += _probe(target, contract, options)
    facts: dict[str, Any] = {
        "platform": options.place, "contract": contract.name, "contract_digest": contract.digest,
        "bench_version": __version__, "codes": ", ".join(f"{t.code} at {t.rate_per_s}/s" for t in targets),
    }  # fmt: skip
    result = {"run": facts, "summary": tally(findings), "findings": findings}
    if options.output is not None:
        write_json(options.output / "findings.json", result)
    if options.as_json:
        click.echo(indented(result))
    else:
        console(180).print(findings_table(findings))
        click.echo(counted(findings))
    return exit_status(findings)


class Options(msgspec.Struct, frozen=True):
    """The options of the command line."""

    place: str
    codes: tuple[str, ...]
    rates: tuple[int, ...]
    accounts: tuple[str, ...]
    password: str
    recipients: tuple[str, ...]
    seconds: float
    window: int | None
    remote: int | None
    contract_name: str | None
    output: Path | None
    as_json: bool


def _targets(options: Options, contract: Contract) -> list[Target]:
    """Return one target for each code.

    Raises BadInput for inconsistent options, or a remote machine without --remote.
    """
    from simbench.probe import Target

    host, port = host_and_port(options.place, "platform")
    wanted = count(len(options.codes), "code")
    if len(options.rates) != len(options.codes):
        raise BadInput("--rate", f"{len(options.rates)} for {wanted}", "one for each --code")
    if len(options.accounts) not in {0, len(options.codes)}:
        raise BadInput("--account", f"{len(options.accounts)} for {wanted}", "one for each --code")
    if not is_loopback(host):
        _check_leave(host, options)
    accounts = options.accounts or options.codes
    window = options.window or contract.terms.session.window.value
    return [
        Target(
            host=host, port=port, account=account, password=options.password, code=code, rate_per_s=rate,
            recipients=options.recipients or OURS, seconds=options.seconds, window=window,
        )
        for account, code, rate in zip(accounts, options.codes, options.rates, strict=True)
    ]  # fmt: skip


def _check_leave(host: str, options: Options) -> None:
    """Require permission, a cap and recipients beyond loopback, as messages may reach real phones and cost money."""
    if options.remote is None:
        raise BadInput(f"platform {host}", "is not a loopback address", "--remote CAP, if you may probe it")
    if max(options.rates) > options.remote:
        raise BadInput("--rate", f"{max(options.rates)}/s is above the cap of --remote", f"at most {options.remote}/s")
    if not options.recipients:
        raise BadInput("--to", "is missing", "your own recipients: beyond loopback the probe has none")


def _probe(target: Target, contract: Contract, options: Options) -> list[Finding]:
    from simbench.base.event_loop import run
    from simbench.ledger import Ledger, MemoryLedger, RunInfo
    from simbench.probe import judge_probe

    ledger: AnyLedger = MemoryLedger()
    if options.output is not None:
        info = RunInfo(f"probe {target.code}", contract=contract.name, contract_digest=contract.digest)
        ledger = Ledger.create(options.output / target.code, info)
    try:
        return judge_probe(run(_run(target, contract, ledger)))
    finally:
        ledger.close()


async def _run(target: Target, contract: Contract, ledger: AnyLedger) -> Any:
    import asyncio

    from simbench.probe import run_probe

    loop, epoch = asyncio.get_running_loop(), time.time_ns() // 1000
    start = loop.time()
    made = []

    async def connect(factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        await loop.create_connection(factory, host, port)
        made.append(port)

    seen = await run_probe(
        target, contract, connect, lambda: epoch + round((loop.time() - start) * SECOND_US), ledger.wire,
        lambda step: click.echo(f"{target.code}: {step}", err=True),
    )  # fmt: skip
    if not made:
        raise Trouble(f"no server accepts connections on {target.host}:{target.port}")
    return seen
