"""What `account` and `reconcile` do: files in, records sent, findings and differences out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import click
import msgspec
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.cli.dialup.call_sources import Reading, accounted, read_calls, secret_in
from simbench.cli.findings import STYLES
from simbench.dialup.calls import SetAside
from simbench.dialup.grid import month_at
from simbench.dialup.offer import Offer, load_netrevenu
from simbench.dialup.radius.detail import read_detail
from simbench.dialup.radius.faults import faults_of
from simbench.dialup.radius.journal import Journal, Told, read_journal
from simbench.dialup.radius.pairing import Clock
from simbench.dialup.radius.plan import schedule
from simbench.dialup.radius.reconcile import SENTENCES, Reconciliation, reconcile
from simbench.dialup.radius.sender import Sender, Server
from simbench.dialup.records import Records
from simbench.dialup.replay import replay
from simbench.finding import exit_status

SHOWN: Final = 20  # differences and rows set aside in a table; JSON has all
LOOK_S: Final = 0.5


def account_command(  # noqa: PLR0913 - one argument an option
    calls: Path,
    server: str,
    secret_file: Path,
    journal: Path,
    speed: float | None,
    fault: tuple[str, ...],
    interim: int,
    retransmissions: int | None,
    source_secret_file: Path | None,
    ports: tuple[int, ...],
    month: str,
    clock: Clock,
    contract: str,
    seed: int,
    *,
    fast: bool,
    as_json: bool,
) -> int:
    """Send everything; 0 when all was answered, 3 when something was given up."""
    if fast and speed is not None:
        raise BadInput("--fast", "excludes --speed", "one of them")
    faults, secret = faults_of(fault), secret_in(secret_file)
    offer, (host, port) = load_netrevenu(contract), _address(server)
    most = offer.terms.accounting.retransmissions.value if retransmissions is None else retransmissions
    target = Server(host, port, secret, speed=0.0 if fast else speed or 1.0, retransmissions=most)
    with _spinning(f"reading {calls}"):
        records = read_calls(calls, offer, Reading(month, clock, secret_in(source_secret_file), ports))
    found, aside = records.calls, records.aside
    if not len(found):
        raise BadInput(str(calls), "there is no call in it", "calls to account for")
    with Journal(journal) as written:
        sender = Sender(target, written, seed)
        uvloop.run(_watched(sender, sender.run(schedule(found, interim, faults, seed), fault)))
    counts = {
        "calls": len(found), "set aside": aside.total, "answered": sender.answered, "given up": sender.given_up,
        "withheld": sender.withheld, "retransmissions": sender.retransmitted, "unsigned responses": sender.unsigned,
    }  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode({**counts, "aside": aside.rows, "journal": str(journal)}).decode())
    else:
        click.echo(", ".join(f"{count:,} {name}" for name, count in counts.items()))
        _say_aside(aside.rows, aside.counts)
    return 3 if sender.given_up else 0


def reconcile_command(
    journal: Path,
    detail: tuple[Path, ...],
    retransmissions: int | None,
    contract: str,
    output: Path | None,
    *,
    as_json: bool,
) -> int:
    """Judge, show, and report; the exit status of the findings."""
    told, offer = read_journal(journal), load_netrevenu(contract)
    with _spinning("reading what the server kept"):
        heard = list(chain.from_iterable(map(read_detail, detail)))
        found = reconcile(told, heard, retransmissions, offer)
    if output is not None:
        with _spinning(f"writing {output}"):
            _report(output, accounted(detail[0], heard, offer, Reading(_month(told, journal), "event")), offer, found)
    if as_json:
        click.echo(indented(found))
    else:
        _show(found)
    return exit_status(found.findings)


def _month(told: Told, journal: Path) -> str:
    """The month in which the middle record of a run happened."""
    if not told.sent:
        raise BadInput(str(journal), "has no record, so there is nothing to report", "a run that sent something")
    return month_at(sorted(each.planned.at_us for each in told.sent)[len(told.sent) // 2])


def _report(output: Path, kept: Records, offer: Offer, found: Reconciliation) -> None:
    """What the server kept, settled, with its reconciliation."""
    from simbench.dialup.report.model import DialupReport  # noqa: PLC0415 - goes with it
    from simbench.dialup.report.page import write_dialup  # noqa: PLC0415 - draws

    report = DialupReport.of_replay(replay(kept, offer), offer, found.findings)
    write_dialup(output, report.with_reconciliation(found))


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
        raise BadInput(f"--server {text}", "is no address", "HOST:PORT, as 127.0.0.1:1813")
    return host.strip("[]"), int(port)


async def _watched(sender: Sender, run: object) -> None:
    """Run to the end, telling how far it is."""
    assert asyncio.iscoroutine(run)
    running = asyncio.ensure_future(run)
    with _spinning("sending") as progress:
        while not running.done():
            done = (
                f"{sender.answered:,} answered, {sender.retransmitted:,} retransmissions, {sender.given_up:,} given up"
            )
            progress.update(progress.task_ids[0], description=done)
            await asyncio.wait({running}, timeout=LOOK_S)
    await running


@contextlib.contextmanager
def _spinning(what: str) -> Iterator[Progress]:
    """Progress on standard error while it lasts."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield progress


def _show(found: Reconciliation) -> None:
    console = Console()
    table = Table("purpose", "outcome", "what was found", title="Accounting reconciled")
    for finding in found.findings:
        style = STYLES[finding.outcome]
        said = f"{SENTENCES[finding.purpose]}\n  {finding.summary}"
        table.add_row(finding.purpose, f"[{style}]{finding.outcome}[/]", escape(said))
    console.print(table)
    click.echo(", ".join(f"{count:,} {name}" for name, count in found.counts.items()))
    for difference in found.differences[:SHOWN]:
        click.echo(f"  {difference}")
    if len(found.differences) > SHOWN:
        click.echo(f"  ... and {len(found.differences) - SHOWN:,} calls more; --json has all")
    _say_aside(found.aside, Counter(each.reason for each in found.aside))


def _say_aside(aside: Sequence[SetAside], counted: Counter[str]) -> None:
    if aside:
        click.echo("set aside: " + ", ".join(f"{count:,} {reason}" for reason, count in counted.most_common()))
        for each in aside[:SHOWN]:
            click.echo(f"  line {each.line}: {each.reason}: {each.text}")
        if counted.total() > SHOWN:
            click.echo(f"  ... and {counted.total() - SHOWN:,} more; --json has the first of each reason")
