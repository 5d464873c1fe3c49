"""`python -m tools.attack [NAME …]`: attack a served process, each attack bounded in counts, beside ordinary clients.

Prints what each attack did and what the clients noticed of it. Exit status 1 when a guess came through, a client was
not served, memory grew by more than MOST_MEMORY, or a siege made the server work longer than MOST_WORK_MS before one
answer in a hundred. Waiting times are printed and not judged: the machine adds to them.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

import httpx

from tests import harness
from tests.fake_smsc.live import LivePeer, dial
from tests.survive.limits import rss
from tools.attack.bystanders import Server, beside, child, served
from tools.attack.flood import FLOODS
from tools.attack.web import ATTACKS as WEB
from tools.soak.load import Client, Counts

MOST_MEMORY: Final = 400_000_000
MOST_WORK_MS: Final = 20.0  # of the server between a submit and its answer, for 99 of 100
CONNECTIONS, OCTETS, AT_ONCE = 600, 1_000_000, 60
GUESSES, BOUND = 400, 20
PAGES = 600


def flooded(kind: str) -> Callable[[], bool]:
    """An attack by strangers that all send one kind of octets."""

    def attack() -> bool:
        with served() as server:
            seen, flood = asyncio.run(
                beside(server, lambda: child("tools.attack.flood", server.port, kind, CONNECTIONS, OCTETS, AT_ONCE))
            )
        print(
            f"{kind}: {flood['connections']} connections, {flood['octets'] / 1e6:.0f} MB sent; {seen.line()}",
            flush=True,
        )
        return bool(seen.waits_ms) and seen.memory < MOST_MEMORY

    return attack


def on_the_web(kind: str) -> Callable[[], bool]:
    """A flood of HTTP on console and API, which have no token here."""

    def attack() -> bool:
        with served("--api", "0", "--console") as server:
            url = _console(server)
            seen, answers = asyncio.run(beside(server, lambda: child("tools.attack.web", url, kind)))
        print(f"web {kind}: {sum(answers.values())} requests, answers {answers}; {seen.line()}", flush=True)
        return bool(seen.waits_ms) and seen.memory < MOST_MEMORY

    return attack


def besieged(rounds: int, rate_per_s: float) -> bool:
    """Floods of every kind, round after round, beside ordinary clients and a load at an even rate."""
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
    print(
        f"siege: {rounds} rounds of {len(FLOODS)} floods, {octets / 1e6:.0f} MB sent; load at {rate_per_s:g}/s: "
        f"{counts.accepted:,} accepted, {counts.notified:,} notified; {seen.line()}, "
        f"{seen.resident / 1e6:.0f} MB at most",
        flush=True,
    )
    return counts.accepted > 0 and seen.resident < MOST_MEMORY and seen.work_p99_ms < MOST_WORK_MS


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


def guessed() -> bool:
    """Guess one password from many addresses, and many times in one write."""
    with served(guesses=BOUND) as server:
        found = asyncio.run(_guesses(server))
    print(
        f"guessing: {GUESSES} addresses and 1,500 guesses in one write: {found} (07: wrong password, 04: turned away)"
    )
    return found.get("N07", 0) <= BOUND and not any(kind.startswith("A") for kind in found)


def paged() -> bool:
    """Fetch the console again and again without opening it."""
    with served("--api", "0", "--console") as server:
        with httpx.Client(base_url=_console(server), trust_env=False, timeout=60) as client:
            for _ in range(20):
                client.get("/")
            before = rss(server)
            answers = [client.get("/").status_code for _ in range(PAGES)]
        grown = rss(server) - before
    print(f"pages: {answers.count(200)} of {PAGES} answered; memory grew by {grown / 1e6:.0f} MB")
    return grown < MOST_MEMORY // 4


ATTACKS: dict[str, Callable[[], bool]] = {
    **{kind: flooded(kind) for kind in FLOODS},
    **{f"web-{kind}": on_the_web(kind) for kind in WEB},
    "guessing": guessed,
    "pages": paged,
}


def main() -> None:
    """Run the attacks named, or all."""
    parser = argparse.ArgumentParser(description="Attack a served simbench and measure its clients.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"attacks to run: {', '.join(ATTACKS)}, siege (all)")
    parser.add_argument("--rounds", type=int, default=3, help="of the siege (default 3)")
    parser.add_argument("--rate", type=float, default=1_000, help="messages a second beside the siege (default 1000)")
    options = parser.parse_args()
    attacks: dict[str, Callable[[], bool]] = {**ATTACKS, "siege": partial(besieged, options.rounds, options.rate)}
    names = options.names or list(attacks)
    unknown = [name for name in names if name not in attacks]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; expected some of {', '.join(attacks)}")
    failed = [name for name in names if not attacks[name]()]
    if failed:
        print(f"did not hold: {', '.join(failed)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
