"""A lean load generator: operation 51 as fast as windows allow, every 53 acknowledged. A process of its own.

All output is encoded in advance, and of the input only the necessary parts are read, so that the server's speed is
measured. Prints one JSON object: submits acknowledged and notifications acknowledged per second.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

from simbench.ucp.frame import encode
from simbench.ucp.operations import build

ACKS = {b"%02d" % trn: encode(trn, "R", "53", "A///") for trn in range(100)}


def login(account: str) -> bytes:
    """The operation 60 of an account."""
    password = b"secret".hex().upper()
    return build("60", "O", "99", OAdC=account, OTON="6", ONPI="5", STYP="1", PWD=password, VERS="0100")


class Session(asyncio.Protocol):
    """A session that counts results, acknowledges every 53, and sends what `more` returns."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.sent = self.answered = self.notified = 0
        self.rest = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.rest = cast(asyncio.Transport, transport), b""
        self.transport.write(login(self.account))

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\x03")
        out = []
        for frame in whole:
            kind = frame[10:14]
            if kind == b"R/51":
                self.answered += 1
            elif kind == b"O/53":
                self.notified += 1
                out.append(ACKS[frame[1:3]])
        out += self.more()
        if out:
            self.transport.write(b"".join(out))

    def more(self) -> list[bytes]:
        """The submits to send now."""
        raise NotImplementedError


class Link(Session):
    """One session: `frames` cyclically, at most `window` unanswered."""

    def __init__(self, load: Load, account: str, frames: list[bytes], window: int) -> None:
        super().__init__(account)
        self.load, self.frames, self.window = load, frames, window

    def more(self) -> list[bytes]:
        if not self.load.sending:
            return []
        frames, count = self.frames, self.window - (self.sent - self.answered)
        start = self.sent % len(frames)
        if self.load.rate_per_s:
            count = min(count, self.load.due(self.sent))
        self.sent += min(count, len(frames) - start)
        return frames[start : start + count]


class Load:
    """All sessions and the clock that ends them."""

    def __init__(self, rate_per_s: int = 0) -> None:
        self.rate_per_s = rate_per_s  # 0: as fast as windows allow
        self.started = time.perf_counter()
        self.sending = True
        self.links: list[Link] = []

    async def run(  # noqa: PLR0913 - one argument each of the command's
        self, port: int, accounts: list[str], window: int, seconds: float, notify: bool, server: int = 0, odd: int = 0
    ) -> dict[str, float]:
        """Send for a while, then wait for the outstanding results; `server`: the process whose time is measured."""
        loop = asyncio.get_running_loop()
        per_link = 100_000 // len(accounts)
        for number, account in enumerate(accounts):
            frames = encoded(account, number * per_link, per_link - per_link % 100, notify, odd)
            link = Link(self, account, frames, window)
            await loop.create_connection(lambda link=link: link, "127.0.0.1", port)  # type: ignore[misc]  # bound now
            self.links.append(link)
        if self.rate_per_s:
            self.started = time.perf_counter()
            self._nudging = asyncio.create_task(self._nudge())
        # Every recipient has been looked up. Notifications come some seconds after their submits.
        await asyncio.sleep(10.0 if notify else 1.0)
        while not self.rate_per_s and any(link.answered < len(link.frames) for link in self.links):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        before = self._totals()
        cpu, start, served = time.process_time(), time.perf_counter(), processor_s(server)
        each = [link.answered for link in self.links]
        await asyncio.sleep(seconds)
        elapsed, cpu, served = time.perf_counter() - start, time.process_time() - cpu, processor_s(server) - served
        after = self._totals()
        each = [link.answered - answered for link, answered in zip(self.links, each, strict=True)]
        self.sending = False
        for _ in range(300):
            answered, notified = self._totals()
            await asyncio.sleep(0.1)
            if (answered, notified) == self._totals() and (not notify or notified >= answered):
                break
        answered, notified = self._totals()
        return {
            "submits_per_s": (after[0] - before[0]) / elapsed,
            "notices_per_s": (after[1] - before[1]) / elapsed,
            "answered": answered,
            "notified": notified,
            "generator_cpu_share": cpu / elapsed,
            "submits_per_processor_s": (after[0] - before[0]) / served if served else 0.0,
            "most_mb": most_mb(server),
            "fewest_to_most": min(each) / max(each),
        }

    def due(self, sent: int) -> int:
        """Return how many more submits one link may have sent by now at the common rate."""
        passed_s = time.perf_counter() - self.started
        return max(0, round(passed_s * self.rate_per_s / len(self.links)) - sent)

    async def _nudge(self) -> None:
        """With a rate limit, results alone do not trigger the next submits."""
        while True:
            await asyncio.sleep(0.005)
            for link in self.links:
                link.data_received(b"")

    def _totals(self) -> tuple[int, int]:
        return sum(link.answered for link in self.links), sum(link.notified for link in self.links)


def processor_s(process: int) -> float:
    """Processor time that a process has used; 0 for none."""
    if not process:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def most_mb(process: int) -> float:
    """The most memory a process has held so far; 0 for none."""
    if not process:
        return 0.0
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def encoded(code: str, first: int, count: int, notify: bool, odd: int = 0) -> list[bytes]:
    """Submits of some 150 octets to `count` recipients, their TRNs in cyclic order; every `odd`-th is no plain one."""
    text = b"Votre commande 1234 est arrivee au depot".hex().upper()
    extra = {"NRq": "1", "NT": "3"} if notify else {}
    other = {**extra, "PR": "0"}  # a field that plain submits leave empty
    return [
        build(
            "51",
            "O",
            f"{n % 100:02d}",
            AdC=f"3371{first + n:07d}",
            OAdC=code,
            MT="3",
            Msg=text,
            **(other if odd and n % odd == 0 else extra),
        )
        for n in range(count)
    ]


def main() -> None:
    """`python -m tools.bench.load PORT ACCOUNTS WINDOW SECONDS NOTIFY CPU [RATE [SERVER [ODD]]]`."""
    port, accounts, window, seconds, notify, cpu = sys.argv[1:7]
    rate_per_s, server, odd = (int(word) for word in [*sys.argv[7:10], *["0"] * 3][:3])
    os.sched_setaffinity(0, {int(cpu)})
    result = uvloop.run(
        Load(rate_per_s).run(int(port), accounts.split(","), int(window), float(seconds), notify == "1", server, odd)
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
