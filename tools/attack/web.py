"""`python -m tools.attack.web URL KIND`: floods of HTTP, in a process of its own. Prints one JSON object.

Each is bounded in counts: requests that wait, pages, headers without end, half requests, logins that never come.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

AT_ONCE = 70
WAIT = b'{"answered": 1000000000000, "timeout_s": 5}'
PIECE = b"a" * 65_536


class Web:
    """One attack on an address; `seen` counts what was answered."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self.host, self.port = place.hostname or "", place.port or 80
        self.seen: Counter[str] = Counter()

    def request(self, method: str, path: str, body: bytes = b"", length: int | None = None) -> bytes:
        """A request as octets, with the length announced."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nX-Simbench: 1\r\nConnection: close\r\n"
        kind = "Content-Type: application/json\r\n" if body else ""
        announced = len(body) if length is None else length
        return f"{head}{kind}Content-Length: {announced}\r\n\r\n".encode() + body

    async def ask(self, octets: bytes, more: int = 0) -> None:
        """Send octets, then so many octets more, and take the answer until the connection ends."""
        status = "no answer"
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(octets)
                    with suppress(ConnectionError):
                        for _ in range(more // len(PIECE)):
                            writer.write(PIECE)
                            await writer.drain()
                    answer = await reader.read(4_096)
                    status = answer[9:12].decode("latin-1") if answer else "closed"
                    while await reader.read(65_536):
                        pass
                finally:
                    writer.close()
        self.seen[status] += 1

    async def many(self, count: int, once: Callable[[], Awaitable[None]]) -> None:
        """Do something so many times, AT_ONCE at a time."""
        left = iter(range(count))

        async def some() -> None:
            for _ in left:
                await once()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))


ATTACKS: dict[str, tuple[int, Callable[[Web], Awaitable[None]]]] = {
    "waits": (210, lambda web: web.ask(web.request("POST", "/api/v1/wait", WAIT))),
    "gets": (140, lambda web: web.ask(web.request("GET", "/"))),
    "metrics": (280, lambda web: web.ask(web.request("GET", "/metrics"))),
    "headers": (70, lambda web: web.ask(b"GET / HTTP/1.1\r\nHost: x\r\nX: ", 100_000_000)),
    "halves": (280, lambda web: web.ask(b"GET / HTTP/1.1\r\nHost: x\r\n")),
    "slow-logins": (280, lambda web: web.ask(web.request("POST", "/login", b"token=", 30))),
    "bodies": (140, lambda web: web.ask(web.request("POST", "/api/v1/mo", b"{", 250_000), 200_000)),
}


async def main(url: str, kind: str) -> None:
    """Attack and print."""
    web = Web(url)
    count, once = ATTACKS[kind]
    await web.many(count, lambda: once(web))
    print(json.dumps(dict(web.seen)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
