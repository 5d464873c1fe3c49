"""Servers that do no work: one answers without parsing, one only echoes. Their rates are upper limits."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import cast

import uvloop

from simbench.ucp.frame import encode

RESULTS = {b"%02d" % trn: encode(trn, "R", "51", "A//33710000000:221126120000/") for trn in range(100)}
LOGIN = encode(0, "R", "60", "A//")


class Echo(asyncio.Protocol):
    """Echoes what it receives."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.rest = cast(asyncio.Transport, transport), b""

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class Sink(Echo):
    """Answers every frame positively."""

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\x03")
        self.transport.write(b"".join(RESULTS[f[1:3]] if f[10:14] == b"O/51" else LOGIN for f in whole))


async def serve(protocol: type[Echo]) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    uvloop.run(serve(Echo if sys.argv[2:] == ["echo"] else Sink))
