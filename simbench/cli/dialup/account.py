"""`simbench dialup account`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import cloup

from simbench.base.addresses import host_and_port
from simbench.base.errors import BadInput
from simbench.base.json_files import encoded
from simbench.cli.dialup.options import CLOCK, FILE, MOST, OFFER, PORTS
from simbench.cli.pages import DONE, command

if TYPE_CHECKING:
    from simbench.dialup.radius.pairing import Clock
    from simbench.dialup.radius.sender import Sender

LOOK_S: Final = 0.5


@command(
    exits={
        **DONE,
        0: "every request was answered",
        3: "a request was given up, or the machine lacks a resource",
    },
    files="JOURNAL: one line per datagram.",
    see=("simbench dialup reconcile", "docs/guides/dialup.md"),
)
@cloup.argument("calls", type=FILE)
@cloup.option_group(
    "Client under test",
    cloup.option(
        "--fault", multiple=True, metavar="NAME", help="Plant this fault in an access server; may be repeated."
    ),
)
@cloup.option_group(
    "Connection",
    cloup.option("--server", required=True, metavar="HOST:PORT", help="Accounting port of the RADIUS server."),
    cloup.option("--secret-file", required=True, type=FILE, help="File whose only line is the shared secret."),
    cloup.option(
        "--speed",
        type=click.FloatRange(min=0, min_open=True),
        help="Replay speed: seconds of call time per real second (default 1).",
    ),
    cloup.option("--fast", is_flag=True, help="Send as fast as the server answers, whatever the times of the calls."),
    cloup.option(
        "--interim", type=click.IntRange(min=0), default=0, help="Seconds between Interim-Updates (default: none)."
    ),
    cloup.option(
        "--retransmissions", type=MOST, help="Maximum number of retransmissions of a request (default: the offer's)."
    ),
    cloup.option("--source-secret-file", type=FILE, help="Secret that verifies the requests of a capture."),
)
@cloup.option_group(
    "Input",
    PORTS,
    cloup.option("--month", default="", help="Months to send, as for replay (default: the month with most calls)."),
    CLOCK,
)
@cloup.option_group("Contract and rules", OFFER)
@cloup.option_group(
    "Execution", cloup.option("--seed", type=int, default=1, show_default=True, help="Seed of every draw.")
)
@cloup.option_group(
    "Output",
    cloup.option("--journal", required=True, type=FILE, help="File to write what was sent and answered to."),
    cloup.option("--json", "as_json", is_flag=True, help="JSON instead of text."),
)
def account(  # noqa: PLR0913 - one argument an option
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
    """Send the accounting records of CALLS to a RADIUS server: call records, a detail file, or a capture of RADIUS.

    The command repeats each request until it is answered or given up. The journal has every datagram.

    \b
    Examples:
      simbench dialup account calls.csv --server 127.0.0.1:1813 --secret-file secret --fast --journal run.jsonl
      simbench dialup account detail --server 127.0.0.1:1813 --secret-file secret --speed 60 --interim 300 \\
          --fault lost-stop --fault nas-reboot --journal faulty.jsonl
    """

    from simbench.base.event_loop import run
    from simbench.cli.dialup.accounting import say_aside, spinning
    from simbench.dialup.offer import load_netrevenu
    from simbench.dialup.radius.faults import faults_of
    from simbench.dialup.radius.journal import Journal
    from simbench.dialup.radius.plan import schedule
    from simbench.dialup.radius.sender import Sender, Server
    from simbench.dialup.sources import Reading, read_calls, secret_in

    if fast and speed is not None:
        raise BadInput("--fast", "excludes --speed", "one of them")
    faults, secret = faults_of(fault), secret_in(secret_file)
    offer, (host, port) = load_netrevenu(contract), host_and_port(server, "--server")
    most = offer.terms.accounting.retransmissions.value if retransmissions is None else retransmissions
    target = Server(host, port, secret, speed=0.0 if fast else speed or 1.0, retransmissions=most)
    with spinning(f"reading {calls}"):
        records = read_calls(calls, offer, Reading(month, clock, secret_in(source_secret_file), ports))
    found, aside = records.calls, records.aside
    if not len(found):
        raise BadInput(str(calls), "there is no call in it", "calls to account for")
    with Journal(journal) as written:
        sender = Sender(target, written, seed)
        run(_watched(sender, sender.run(schedule(found, interim, faults, seed), fault)))
    counts = {
        "calls": len(found), "set aside": aside.total, "answered": sender.answered, "given up": sender.given_up,
        "withheld": sender.withheld, "retransmissions": sender.retransmitted, "unsigned responses": sender.unsigned,
    }  # fmt: skip
    if as_json:
        click.echo(encoded({**counts, "aside": aside.rows, "journal": str(journal)}))
    else:
        click.echo(", ".join(f"{count:,} {name}" for name, count in counts.items()))
        say_aside(aside.rows, aside.counts)
    return 3 if sender.given_up else 0


async def _watched(sender: Sender, run: object) -> None:
    """Run to the end and print the progress."""
    import asyncio

    from simbench.cli.dialup.accounting import spinning

    assert asyncio.iscoroutine(run)
    running = asyncio.ensure_future(run)
    with spinning("sending") as progress:
        while not running.done():
            counts = f"{sender.answered:,} answered, {sender.retransmitted:,} retransmissions"
            progress.update(progress.task_ids[0], description=f"{counts}, {sender.given_up:,} given up")
            await asyncio.wait({running}, timeout=LOOK_S)
    await running
