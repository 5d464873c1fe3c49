"""`python -m tools.attack.web URL KIND`: floods of HTTP, in a process of its own. Prints one JSON object.

Each is bounded in counts: waiting requests, pages, endless headers, incomplete requests, missing logins.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

WAIT = b'{"answered": 1000000000000, "timeout_s": 5}'
TEXT = b'{"sender": "33639980001", "code": "36020", "text": "a flood of texts", "wait_s": 1}'
KEYS = json.dumps({f"a{number}": 0 for number in range(2_700)}).encode()  # each of them is a separate error
COOKIE = b'Cookie: simbench_token="' + b"\\" * 15_000 + b'"\r\nConnection: close\r\n\r\n'
PIECE = b"a" * 65_536
LONG = 100_000_000
POLLED = ("platform", "sessions", "events", "messages?fresh=false", "findings?fresh=false")  # by an open console
PATIENCE_S = 60


class Web:
    """One attack on an address; `seen` counts the answers."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.host, self.port = place.hostname or "", place.port or 80
        self.seen: Counter[str] = Counter()

    def request(
        self, method: str, path: str, body: bytes = b"", *, length: int | None = None, kept: bool = False
    ) -> bytes:
        """A request as octets, with the length announced; the connection is `kept` for another one."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nX-Simbench: 1\r\n"
        head += "" if kept else "Connection: close\r\n"
        head += "Content-Type: application/json\r\n" if body else ""
        announced = len(body) if length is None else length
        return f"{head}Content-Length: {announced}\r\n\r\n".encode() + body

    async def ask(self, octets: bytes, more: int = 0) -> None:
        """Send octets, then so many octets more, and read answers until the connection ends."""
        statuses: list[str] = []
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(octets)
                    with suppress(ConnectionError):
                        for _ in range(more // len(PIECE)):
                            writer.write(PIECE)
                            await writer.drain()
                    answer = b""
                    while taken := await reader.read(65_536):
                        answer = answer[-16:] + taken
                        statuses += [each[:3].decode("latin-1") for each in answer.split(b"HTTP/1.1 ")[1:]]
                        answer = answer if answer.rfind(b"HTTP/1.1 ") > len(answer) - 16 else b""
                finally:
                    writer.close()
        self.seen.update(statuses or ["no answer"])

    async def many(self, count: int, at_once: int, once: Callable[[], Awaitable[None]]) -> None:
        """Do something `count` times, `at_once` at a time."""
        left = iter(range(count))

        async def some() -> None:
            for _ in left:
                await once()

        await asyncio.gather(*(some() for _ in range(min(at_once, count))))


class Attack(NamedTuple):
    """The number of connections, in total and at a time, and the action on each."""

    number: int
    at_once: int
    once: Callable[[Web], Awaitable[None]]


def _polls(web: Web) -> bytes:
    """Return the requests of an open console in some seconds, as one write."""
    paths = [f"/api/v1/{path}" for path in POLLED] * 20
    return b"".join(web.request("GET", path, kept=True) for path in paths) + web.request("GET", "/")


def _pipelined(web: Web) -> bytes:
    return web.request("GET", "/api/v1/platform", kept=True) * 500 + web.request("GET", "/")


ATTACKS: dict[str, Attack] = {
    "waits": Attack(210, 70, lambda web: web.ask(web.request("POST", "/api/v1/wait", WAIT))),
    "gets": Attack(2_400, 70, lambda web: web.ask(web.request("GET", "/"))),
    "metrics": Attack(2_400, 70, lambda web: web.ask(web.request("GET", "/metrics"))),
    "headers": Attack(70, 70, lambda web: web.ask(b"GET / HTTP/1.1\r\nHost: x\r\nX: ", LONG)),
    "urls": Attack(70, 70, lambda web: web.ask(b"GET /", LONG)),
    "halves": Attack(1_005, 1_005, lambda web: web.ask(b"GET / HTTP/1.1\r\nHost: x\r\n")),
    "slow-logins": Attack(1_005, 1_005, lambda web: web.ask(web.request("POST", "/login", b"token=", length=30))),
    "bodies": Attack(140, 70, lambda web: web.ask(web.request("POST", "/api/v1/mo", b"{", length=32_000))),
    "keys": Attack(700, 70, lambda web: web.ask(web.request("POST", "/api/v1/mo", KEYS))),
    "dots": Attack(700, 70, lambda web: web.ask(web.request("GET", f"/api/v1/messages/{'.' * 1_600}/x"))),
    "cookies": Attack(700, 70, lambda web: web.ask(b"GET / HTTP/1.1\r\nHost: %s\r\n" % web.host.encode() + COOKIE)),
    "pipelined": Attack(20, 20, lambda web: web.ask(_pipelined(web))),
    "consoles": Attack(50, 50, lambda web: web.ask(_polls(web))),
    "texts": Attack(2_400, 70, lambda web: web.ask(web.request("POST", "/api/v1/mo", TEXT))),
    "downloads": Attack(280, 70, lambda web: web.ask(web.request("GET", "/api/v1/ledger/wire.parquet"))),
}
TOKENLESS = frozenset(
    {"cookies", "headers", "urls", "halves", "slow-logins"}
)  # of who has not the token that the server wants


async def main(url: str, kind: str) -> None:
    """Attack and print."""
    web, attack = Web(url), ATTACKS[kind]
    await web.many(attack.number, attack.at_once, lambda: attack.once(web))
    print(json.dumps({"connections": attack.number, **dict(sorted(web.seen.items()))}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
