"""`python -m tools.attack [NAME …]`: attack a served process, each attack bounded in counts, beside ordinary clients.

Prints what each attack did and what the clients noticed of it. Exit status 1 when a guess came through, a client was
not served, or memory grew by more than MOST_MEMORY. Waiting times are printed and not judged: the machine adds to them.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import httpx

from tests import harness
from tests.fake_smsc.live import LivePeer, dial
from tests.survive.limits import rss
from tools.attack.bystanders import Server, beside, child, served
from tools.attack.flood import FLOODS

MOST_MEMORY: Final = 400_000_000
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
        found = re.search(r"console: (\S+)/", server.banner)
        assert found is not None
        with httpx.Client(base_url=found[1], trust_env=False, timeout=60) as client:
            for _ in range(20):
                client.get("/")
            before = rss(server)
            answers = [client.get("/").status_code for _ in range(PAGES)]
        grown = rss(server) - before
    print(f"pages: {answers.count(200)} of {PAGES} answered; memory grew by {grown / 1e6:.0f} MB")
    return grown < MOST_MEMORY // 4


ATTACKS: dict[str, Callable[[], Any]] = {
    **{kind: flooded(kind) for kind in FLOODS},
    "guessing": guessed,
    "pages": paged,
}


def main() -> None:
    """Run the attacks named, or all."""
    parser = argparse.ArgumentParser(description="Attack a served simbench and measure its clients.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"attacks to run: {', '.join(ATTACKS)} (default all)")
    names = parser.parse_args().names or list(ATTACKS)
    unknown = [name for name in names if name not in ATTACKS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; expected some of {', '.join(ATTACKS)}")
    failed = [name for name in names if not ATTACKS[name]()]
    if failed:
        print(f"did not hold: {', '.join(failed)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
