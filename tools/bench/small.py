"""Short times: starting programs, creating a ledger, handing messages to Kannel."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simbench.base.errors import MissingTool
from simbench.bench.sut.child_process import find_program
from simbench.bench.sut.kannel import Kannel
from simbench.ledger import Ledger, RunInfo
from tests.bench.sut.listener import Listener
from tests.real.peer import Peer
from tests.real.test_kannel import against_peer, ask

Gates = list[tuple[str, bool]]
PROGRAM = str(Path(sys.executable).parent / "simbench")
BATCH = 250


def codec_commands() -> Gates:
    """Start times of `encode` and `decode`, and of a command that does nothing; the best of 3."""
    idle_s = min(_seconds("--version") for _ in range(3))
    encode_s = min(_seconds("encode", "31", "O", "AdC=36010", "PID=0539") for _ in range(3))
    decode_s = min(_seconds("decode", given="00/00019/R/60/A//6D") for _ in range(3))
    print(f"start: encode {encode_s:.2f} s, decode {decode_s:.2f} s, --version {idle_s:.2f} s (best of 3)")
    return [("encode and decode within 0.3 s of --version", max(encode_s, decode_s) < idle_s + 0.3)]


def ledger_made() -> Gates:
    """A ledger in a folder of its own; the best of 5."""
    took_s = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(5):
            began = time.perf_counter()
            ledger = Ledger.create(Path(folder) / str(number), RunInfo(run="bench"))
            took_s.append(time.perf_counter() - began)
            ledger.close()
    print(f"ledger: made in {min(took_s) * 1e3:.1f} ms (best of 5)")
    return [("ledger made within 10 ms", min(took_s) < 0.010)]


def kannel() -> Gates:
    """Messages a second that a real Kannel accepts over HTTP; the best of 3 batches. Skipped without Kannel."""
    try:
        find_program("bearerbox", "kannel")
    except MissingTool as missing:
        print(f"kannel: {missing}")
        return []
    took_s: list[float] = []

    async def script(sut: Kannel, _peer: Peer, listener: Listener) -> None:
        for batch in range(3):
            began = time.perf_counter()
            await asyncio.gather(*(sut.send(ask(f"{batch}{number:05d}")) for number in range(BATCH)))
            took_s.append(time.perf_counter() - began)
        await listener.hears("accepted", 3 * BATCH)

    with tempfile.TemporaryDirectory() as folder:
        against_peer(Path(folder), script)
    rate = BATCH / min(took_s)
    print(f"kannel: takes {rate:,.0f} messages/s over HTTP (best of 3)")
    return [("kannel takes 500/s", rate >= 500)]


def _seconds(*arguments: str, given: str = "") -> float:
    began = time.perf_counter()
    subprocess.run([PROGRAM, *arguments], input=given, text=True, capture_output=True, check=True)
    return time.perf_counter() - began
