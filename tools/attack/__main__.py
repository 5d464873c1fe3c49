"""`python -m tools.attack [NAME …]`: attack a served process, each attack bounded in counts, beside ordinary clients.

Prints a table of each attack and its effect on the clients. The exit status is 1 if a guess succeeded, a client or the
owner of the API was not served, the server used more than MOST_MEMORY, or worked longer than MOST_WORK_MS before one
answer in a hundred. Waiting times are printed but not judged, because they depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import httpx

from tests import harness
from tests.fake_smsc.live import LivePeer, dial
from tests.survive.limits import rss
from tools.attack.bystanders import SETTLE_S, Seen, Server, beside, child, served
from tools.attack.flood import FLOODS
from tools.attack.web import ATTACKS as WEB
from tools.attack.web import TOKENLESS
from tools.soak.load import Client, Counts

MOST_MEMORY: Final = 400_000_000
MOST_WORK_MS: Final = 20.0  # of the server between a submit and its answer, for 99 of 100
CONNECTIONS, OCTETS, AT_ONCE = 600, 1_000_000, 60
GUESSES, BOUND = 400, 20
PAGES = 600
TOKEN = "0123456789abcdef"


class Outcome(NamedTuple):
    """The description of an attack, whether the server held, and the observations of ordinary clients, if any."""

    said: str
    held: bool
    seen: Seen | None = None


def flooded(kind: str) -> Outcome:
    """Attack with connections without a login that all send one kind of octets."""
    with served() as server:
        seen, flood = asyncio.run(
            beside(server, lambda: child("tools.attack.flood", server.port, kind, CONNECTIONS, OCTETS, AT_ONCE))
        )
    return Outcome(f"{flood['connections']} connections, {flood['octets'] / 1e6:.0f} MB", _held(seen), seen)


def on_the_web(kind: str) -> Outcome:
    """Flood console and API with HTTP while their owner uses them."""
    with TemporaryDirectory() as place:
        (Path(place) / "token").write_text(TOKEN)
        with served("--console", *_token(Path(place), kind)) as server:
            url = _console(server)
            port = int(url.rpartition(":")[2])
            seen, answers = asyncio.run(beside(server, lambda: child("tools.attack.web", url, kind), port, TOKEN))
    said = ", ".join(f"{name} {count}" for name, count in answers.items())
    return Outcome(said, _held(seen) and len(seen.owner_ms) == seen.owner_asked, seen)


def _token(place: Path, kind: str) -> tuple[str | Path, ...]:
    return ("--token-file", place / "token") if kind in TOKENLESS else ()


def _held(seen: Seen) -> bool:
    return bool(seen.waits_ms) and seen.resident < MOST_MEMORY and seen.work_p99_ms < MOST_WORK_MS


def besieged(rounds: int, rate_per_s: float) -> Outcome:
    """Flood with every kind, in rounds, while ordinary clients and a load at an even rate are served."""
    counts = Counts()

    async def attack(server: Server) -> int:
        load = Client("36150", 0, counts, 2_000, rate_per_s)
        task = asyncio.create_task(load.run(server.port))
        sent = 0
        for kind in list(FLOODS) * rounds:
            flood = await child("tools.attack.flood", server.port, kind, CONNECTIONS, OCTETS, AT_ONCE)
            sent += flood["octets"]
        load.sending = False
        task.cancel()
        return sent

    with served() as server:
        seen, octets = asyncio.run(beside(server, lambda: attack(server)))
    said = (
        f"{rounds} of {len(FLOODS)} floods, {octets / 1e6:.0f} MB; at {rate_per_s:g}/s {counts.accepted:,} accepted, "
        f"{counts.notified:,} notified"
    )
    return Outcome(said, counts.accepted > 0 and _held(seen), seen)


def _console(server: Server) -> str:
    found = re.search(r"console: (\S+)/", server.banner)
    assert found is not None
    return found[1]


async def _guess(server: Server, own: str, count: int) -> list[str]:
    """Guess on one connection, then show the right password; the answers' first fields."""
    peer: LivePeer = await dial(server.port, own)
    peer.send(b"".join(harness.login(password=f"guess{n}") for n in range(count)) + harness.login())
    with suppress(ConnectionError, TimeoutError):
        await peer.end()
    answers = [f"{frame.data[0]}{frame.data[1]}" for frame in peer.kept()]
    await peer.close()
    return answers


async def _guesses(server: Server) -> dict[str, int]:
    answers: list[str] = []
    for number in range(GUESSES):
        answers += await _guess(server, f"127.{number // 250 + 1}.{number % 250}.1", 4)
    answers += await _guess(server, "127.0.0.1", 1_500)
    return {kind: answers.count(kind) for kind in sorted(set(answers))}


def guessed() -> Outcome:
    """Guess one password from many addresses, and many times in one write."""
    with served(guesses=BOUND) as server:
        found = asyncio.run(_guesses(server))
    said = f"{GUESSES} addresses, 1,500 guesses in one write: {found} (07 wrong password, 04 turned away)"
    return Outcome(said, found.get("N07", 0) <= BOUND and not any(kind.startswith("A") for kind in found))


def paged() -> Outcome:
    """Fetch the console again and again without opening it."""
    with served("--console") as server:
        time.sleep(SETTLE_S)
        with httpx.Client(base_url=_console(server), trust_env=False, timeout=60) as client:
            for _ in range(20):
                client.get("/")
            before = rss(server)
            answers = [client.get("/").status_code for _ in range(PAGES)]
        grown = rss(server) - before
    said = f"{answers.count(200)} of {PAGES} pages answered; memory grew by {grown / 1e6:.0f} MB"
    return Outcome(said, grown < MOST_MEMORY // 4)


ATTACKS: dict[str, Callable[[], Outcome]] = {
    **{kind: partial(flooded, kind) for kind in FLOODS},
    **{f"web-{kind}": partial(on_the_web, kind) for kind in WEB},
    "guessing": guessed,
    "pages": paged,
}


def _row(cells: tuple[str, ...]) -> str:
    return "  ".join(f"{cell:>{max(len(head), 6)}}" for head, cell in zip(Seen.HEADS, cells, strict=True))


def _line(name: str, outcome: Outcome) -> str:
    cells = outcome.seen.figures() if outcome.seen is not None else ("",) * len(Seen.HEADS)
    return f"{name:<16} {'held' if outcome.held else 'NOT HELD':<8}  {_row(cells)}  {outcome.said}"


def main() -> None:
    """Run the attacks named, or all; print a line when one has ended, and the table in the end."""
    parser = argparse.ArgumentParser(description="Attack a served simbench and measure its clients.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ATTACKS)}, siege; all (default)")
    parser.add_argument("--rounds", type=int, default=1, help="of the siege (default 1)")
    parser.add_argument("--rate", type=float, default=1_000, help="messages a second beside the siege (default 1000)")
    options = parser.parse_args()
    attacks: dict[str, Callable[[], Outcome]] = {**ATTACKS, "siege": partial(besieged, options.rounds, options.rate)}
    names = list(attacks) if options.names in ([], ["all"]) else options.names
    unknown = [name for name in names if name not in attacks]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; expected some of {', '.join(attacks)}")
    began_s, loads, rows = time.monotonic(), [os.getloadavg()[0]], list[str]()
    head = f"{'attack':<16} {'':<8}  {_row(Seen.HEADS)}  what came"
    held = True
    for name in names:
        outcome = attacks[name]()
        held = held and outcome.held
        rows.append(_line(name, outcome))
        loads.append(os.getloadavg()[0])
        print(rows[-1], flush=True)
    print(f"\n{head}\n" + "\n".join(rows))
    print(f"ms and MB; {time.monotonic() - began_s:.0f} s, load {min(loads):.1f} to {max(loads):.1f}")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
