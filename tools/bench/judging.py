"""Time and memory of judging a long served record: of a client within its rates, and of one that breaks them.

The second repeats its messages far above its rates, some of them to numbers that are refused, through outages.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import uvloop

from simbench.ucp.operations import build
from tools.bench.load import Session

MESSAGES = 2_000_000
SESSIONS, WINDOW = 4, 100
BLOCK = 20_000  # frames that are made at once
SAME = 25_000  # different messages of the second client on each session
MOST_US, MOST_OCTETS = 6.0, 200  # a message: ten million in a minute and 2 GB


class Frames:
    """Submits of one code, all different; with `same` they begin again after so many, and some are refused."""

    def __init__(self, code: str, first: int, same: int = 0) -> None:
        text = b"Commande 00000000 prete au depot".hex().upper()
        self._one = np.frombuffer(
            build("51", "O", "00", AdC="33710000000", OAdC=code, NRq="1", NT="3", MT="3", Msg=text), np.uint8
        )
        octets = self._one.tobytes()
        self._recipient = octets.index(b"33710000000") + 4
        self._text = octets.index(b"3030303030303030") + 1 + 2 * np.arange(8)
        self._next, self._same = first, same
        self._first = first
        self._ready: list[bytes] = []

    def take(self, count: int) -> list[bytes]:
        """The next submits."""
        while len(self._ready) < count:
            self._ready += self._block()
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken

    def _block(self) -> list[bytes]:
        numbers = self._next + np.arange(BLOCK)
        self._next += BLOCK
        shown = self._first + (numbers - self._first) % self._same if self._same else numbers
        frames = np.tile(self._one, (BLOCK, 1))
        _write(frames, np.arange(1, 3), numbers % 100)
        _write(frames, self._recipient + np.arange(7), shown % 1_000_000)
        _write(frames, self._text, shown)
        if self._same:
            frames[shown % 50 == 0, self._recipient - 4 : self._recipient - 1] = np.frombuffer(b"449", np.uint8)
        total = frames[:, 1:-3].sum(axis=1, dtype=np.int64) & 255
        digits = np.frombuffer(b"0123456789ABCDEF", np.uint8)
        frames[:, -3], frames[:, -2] = digits[total >> 4], digits[total & 15]
        octets, size = frames.tobytes(), frames.shape[1]
        return [octets[at : at + size] for at in range(0, len(octets), size)]


def _write(frames: np.ndarray, places: np.ndarray, numbers: np.ndarray) -> None:
    for number, place in enumerate(reversed(places.tolist())):
        frames[:, place] = 48 + numbers // 10**number % 10


class Link(Session):
    """A session that keeps its window full, and comes back when it is cut."""

    def __init__(self, load: Load, code: str, frames: Frames) -> None:
        super().__init__(code)
        self.load, self.frames, self.answered_before = load, frames, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.answered_before, self.sent, self.answered = self.answered_before + self.answered, 0, 0
        super().connection_made(transport)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.load.over:
            self.load.loop.call_later(1.0, self.load.connect, self)

    def more(self) -> list[bytes]:
        new = [] if self.load.over else self.frames.take(max(0, WINDOW - (self.sent - self.answered)))
        self.sent += len(new)
        return new


class Load:
    """All sessions, until so many messages are answered."""

    def __init__(self, port: int, same: int) -> None:
        self.port, self.over = port, False
        self.loop = asyncio.get_running_loop()
        self.links = [
            Link(self, f"3601{number}", Frames(f"3601{number}", number * 20_000_000, same))
            for number in range(SESSIONS)
        ]
        self._tasks: set[asyncio.Task[None]] = set()

    def connect(self, link: Link) -> None:
        """Connect one session, again and again until it is."""
        task = self.loop.create_task(self._connect(link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, link: Link) -> None:
        try:
            await self.loop.create_connection(lambda: link, "127.0.0.1", self.port)
        except OSError:
            self.loop.call_later(1.0, self.connect, link)

    @property
    def answered(self) -> int:
        """Results so far."""
        return sum(link.answered + link.answered_before for link in self.links)

    async def run(self, messages: int) -> None:
        """Send until so many are answered, then wait for the notifications."""
        for link in self.links:
            self.connect(link)
        while self.answered < messages:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        self.over = True
        await asyncio.sleep(15)


def serve(folder: Path, messages: int, kind: str) -> int:
    """Leave the ledger of a served run with so many messages in `folder`/run; return how many there are."""

    async def load(port: int) -> int:
        made = Load(port, SAME if kind == "beyond" else 0)
        await made.run(messages)
        return made.answered

    command = [sys.executable, "-m", "tools.bench.server", str(folder), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        answered = uvloop.run(load(int(server.stdout.readline().split()[1])))
        server.terminate()
        server.stdout.read()
    return answered


def judging(messages: int = MESSAGES) -> list[tuple[str, bool]]:
    """`simbench judge run` on such records, in a process of its own; what its start costs is left out of the shares."""
    gates = []
    with tempfile.TemporaryDirectory() as folder:
        few = _judged(Path(folder), 100, "within")
        for kind in ("within", "beyond"):
            judged, used_s, octets = _judged(Path(folder), messages, kind)
            us, each = (used_s - few[1]) * 1e6 / judged, (octets - few[2]) / judged
            print(
                f"judge, {judged:,} messages, client {kind} its rates: {used_s:.1f} s of processor, "
                f"{judged / used_s:,.0f} messages/s, {octets / 1e6:,.0f} MB at most; beyond the start ({few[1]:.1f} s, "
                f"{few[2] / 1e6:.0f} MB) {us:.2f} us and {each:.0f} octets a message"
            )
            gates += [(f"judging in {MOST_US:.0f} us a message ({kind})", us < MOST_US)]
            gates += [(f"judging in {MOST_OCTETS} octets a message ({kind})", each < MOST_OCTETS)]
    return gates


def _judged(folder: Path, messages: int, kind: str) -> tuple[int, float, int]:
    """Messages, processor time and most memory of judging a new record, judged once before to have its kernels."""
    place = folder / f"{kind}{messages}"
    served = serve(place, messages, kind)
    command = [str(Path(sys.executable).parent / "simbench"), "judge", "run", str(place / "run"), "--json"]
    subprocess.run(command, check=False, capture_output=True)
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
    ])  # fmt: skip
    _, _, used = os.wait4(process, 0)
    return served, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


if __name__ == "__main__":
    print(serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
