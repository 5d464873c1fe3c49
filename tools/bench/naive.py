"""A simple server for comparison: asyncio streams, one frame at a time, every field parsed."""

from __future__ import annotations

import asyncio
import os
import sys
import time


def answered(frame: bytes) -> bytes:
    """The result of a frame, computed simply."""
    body = frame[1:-1].decode("ascii")
    fields = body.split("/")
    trn, length, _, ot = fields[:4]
    if int(length) != len(body) or sum(body[:-2].encode()) & 0xFF != int(fields[-1], 16):
        return b""
    message = ""
    if ot == "51":
        recipient, originator, text = fields[4], fields[5], bytes.fromhex(fields[24])
        assert all((recipient.isdigit(), originator.isdigit(), text.isascii()))
        message = f"{recipient}:{time.strftime('%d%m%y%H%M%S')}"
    data = f"A//{message}/" if ot == "51" else "A//"
    result = f"{trn}/{len(data) + 16:05d}/R/{ot}/{data}"
    return b"\x02" + result.encode() + f"{sum(result.encode()) & 0xFF:02X}".encode() + b"\x03"


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    try:
        while True:
            writer.write(answered(await reader.readuntil(b"\x03")))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(serve())
