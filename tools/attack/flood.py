"""`python -m tools.attack.flood PORT KIND CONNECTIONS OCTETS AT_ONCE`: floods of peers that do not log in.

It is a separate process, so that the measuring clients are not slowed. Prints a line when the first connection is open,
and at the end one JSON object: connections made and octets accepted by the server's machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

from simbench.ucp.frame import ETX, STX, encode
from tests import harness

FLOODS = {
    "bare-etx": ETX,
    "bare-stx": STX,
    "letters": b"flood ",
    "wrong-checksums": harness.submit(1)[:-3] + b"XX\x03",
    "submits": harness.submit(1),
    "alerts": encode(1, "O", "31", "36010/0539/"),
    "logins": harness.login(password="wrong"),
    "silence": b"",
}
WRITE = 65_536


class Flood:
    """The connections still to be made, and the octets sent on the others."""

    def __init__(self, port: int, kind: str, connections: int, octets: int) -> None:
        self.port, self.left, self.octets = port, connections, octets
        unit = FLOODS[kind]
        self.piece = unit * (WRITE // len(unit)) if unit else b""
        self.made = self.sent = 0

    async def attack(self) -> None:
        """Connect, send until the connection ends or all is sent, and again."""
        while self.left > 0:
            self.left -= 1
            with suppress(OSError):
                await self._once()

    async def _once(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.made += 1
        if self.made == 1:
            print("flooding", flush=True)
        try:
            for _ in range(self.octets // max(1, len(self.piece)) + 1 if self.piece else 0):
                writer.write(self.piece)
                await writer.drain()
                self.sent += len(self.piece)
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while await reader.read(WRITE):
                        pass
        finally:
            writer.close()


async def main(port: int, kind: str, connections: int, octets: int, at_once: int) -> None:
    """Flood and print."""
    flood = Flood(port, kind, connections, octets)
    await asyncio.gather(*(flood.attack() for _ in range(at_once)))
    print(json.dumps({"connections": flood.made, "octets": flood.sent}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6])))
