"""What `account` and `reconcile` do: files in, records sent, findings and differences out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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

from simbench.capture.udp import Datagrams
from simbench.dialup.calls import Calls, SetAside
from simbench.dialup.radius.captured import Captured
from simbench.dialup.radius.detail import read_detail
from simbench.dialup.radius.faults import faults_of
from simbench.dialup.radius.journal import Journal, read_journal
from simbench.dialup.radius.pairing import pair
from simbench.dialup.radius.plan import schedule
from simbench.dialup.radius.reconcile import SENTENCES, Reconciliation, reconcile
from simbench.dialup.radius.record import Heard
from simbench.dialup.radius.sender import Sender, Server
from simbench.dialup.radius.source import kind_of, plain_records
from simbench.errors import BadInput
from simbench.finding import exit_status

ACCOUNTING_PORT: Final = 1813
SHOWN: Final = 20  # differences and rows set aside in a table; JSON has all
LOOK_S: Final = 0.5
STYLES = {"pass": "green", "fail": "bold red", "weak": "yellow", "inconclusive": "magenta"}


def account_command(  # noqa: PLR0913 - one argument an option
    calls: Path,
    server: str,
    secret_file: Path,
    journal: Path,
    speed: float | None,
    fault: tuple[str, ...],
    interim: int,
    retransmissions: int,
    source_secret_file: Path | None,
    seed: int,
    *,
    fast: bool,
    as_json: bool,
) -> int:
    """Send everything; 0 when all was answered, 3 when something was given up."""
    if fast and speed is not None:
        raise BadInput("--fast", "excludes --speed", "one of them")
    faults, secret = faults_of(fault), _secret(secret_file)
    host, port = _address(server)
    target = Server(host, port, secret, speed=0.0 if fast else speed or 1.0, retransmissions=retransmissions)
    found, aside = _calls(calls, _secret(source_secret_file) if source_secret_file else b"")
    if not len(found):
        raise BadInput(str(calls), "there is no call in it", "calls to account for")
    with Journal(journal) as written:
        sender = Sender(target, written, seed)
        uvloop.run(_watched(sender, sender.run(schedule(found, interim, faults, seed), fault)))
    counts = {
        "calls": len(found), "set aside": len(aside), "answered": sender.answered, "given up": sender.given_up,
        "withheld": sender.withheld, "retransmissions": sender.retransmitted, "unsigned responses": sender.unsigned,
    }  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode({**counts, "aside": aside, "journal": str(journal)}).decode())
    else:
        click.echo(", ".join(f"{count:,} {name}" for name, count in counts.items()))
        _say_aside(aside)
    return 3 if sender.given_up else 0


def reconcile_command(journal: Path, detail: tuple[Path, ...], retransmissions: int | None, *, as_json: bool) -> int:
    """Judge and show; the exit status of the findings."""
    told = read_journal(journal)
    with _spinning("reading what the server kept"):
        found = reconcile(told, chain.from_iterable(map(read_detail, detail)), retransmissions)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _show(found)
    return exit_status(found.findings)


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a file with the shared secret") from None
    if not secret or b"\n" in secret:
        raise BadInput(str(path), "holds no secret" if not secret else "has several lines", "one line, the secret")
    return secret


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
        raise BadInput(f"--server {text}", "is no address", "HOST:PORT, as 127.0.0.1:1813")
    return host.strip("[]"), int(port)


def _calls(path: Path, secret: bytes) -> tuple[Calls, Sequence[SetAside]]:
    """The calls in a file of any kind, and what of it was set aside. `secret` verifies a capture, b"" does not."""
    kind = kind_of(path)
    if kind in {"csv", "parquet"}:
        return plain_records(path, kind), ()
    found: Iterable[Heard | SetAside] = (
        read_detail(path)
        if kind == "detail"
        else Captured(Datagrams(path, ACCOUNTING_PORT), ACCOUNTING_PORT, secret, path.name)
    )
    paired = pair(found)
    return paired.columns(), paired.aside


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
        style = STYLES.get(finding.outcome, "")
        said = f"{SENTENCES[finding.purpose]}\n  {finding.summary}"
        table.add_row(finding.purpose, f"[{style}]{finding.outcome}[/]", escape(said))
    console.print(table)
    click.echo(", ".join(f"{count:,} {name}" for name, count in found.counts.items()))
    for difference in found.differences[:SHOWN]:
        click.echo(f"  {difference}")
    if len(found.differences) > SHOWN:
        click.echo(f"  ... and {len(found.differences) - SHOWN:,} calls more; --json has all")
    _say_aside(found.aside)


def _say_aside(aside: Sequence[SetAside]) -> None:
    if aside:
        counted = Counter(each.reason for each in aside)
        click.echo("set aside: " + ", ".join(f"{count:,} {reason}" for reason, count in counted.most_common()))
        for each in aside[:SHOWN]:
            click.echo(f"  line {each.line}: {each.reason}: {each.text}")
        if len(aside) > SHOWN:
            click.echo(f"  ... and {len(aside) - SHOWN:,} more; --json has all")
