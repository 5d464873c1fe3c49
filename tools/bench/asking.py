"""Response times, as measured and without the delay caused by other programs on the processors.

The kernel reports for each thread how long it ran and how long it waited for a processor. The waits of loop and asker
for threads other than the server's own are subtracted.
"""

from __future__ import annotations

import http.client
import os
import threading
import time
from collections.abc import Sequence

import msgspec

GAP_S = 0.004


class Taken(msgspec.Struct):
    """The response times of one path (ms): as measured, and without other programs."""

    raw: list[float] = msgspec.field(default_factory=list)
    alone: list[float] = msgspec.field(default_factory=list)

    def line(self) -> str:
        """Write the quantiles in one line."""
        quantiles = [
            f"p{percent} {quantile(self.alone, percent):.1f} ({quantile(self.raw, percent):.1f})"
            for percent in (50, 99)
        ]
        return ", ".join(quantiles) + f" ms, {len(self.raw)} calls"


class Server:
    """A server's threads as the kernel counts them; the first is its loop."""

    def __init__(self, process: int) -> None:
        self._process = process

    def counted(self) -> tuple[int, int, int]:
        """Nanoseconds: the loop waited for a processor, other threads ran, the asker waited."""
        loop = others = 0
        for thread in os.listdir(f"/proc/{self._process}/task"):
            ran, waited = _schedule(self._process, int(thread))
            if int(thread) == self._process:
                loop = waited
            else:
                others += ran
        return loop, others, _schedule(os.getpid(), threading.get_native_id())[1]


def _schedule(process: int, thread: int) -> tuple[int, int]:
    try:
        with open(f"/proc/{process}/task/{thread}/schedstat", encoding="ascii") as source:
            ran, waited, _ = source.read().split()
    except OSError:
        return 0, 0  # it has ended
    return int(ran), int(waited)


def asked(url: str, process: int, paths: Sequence[str], seconds: float) -> dict[str, Taken]:
    """One path after the other, over one connection."""
    server = Server(process)
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    taken = {path: Taken() for path in paths}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for path, each in taken.items():
            loop, others, own = server.counted()
            begun = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            took_ms = (time.perf_counter() - begun) * 1000
            assert answer.status == 200, answer.status
            then = server.counted()
            foreign_ns = max(0, then[0] - loop - (then[1] - others)) + then[2] - own
            each.raw.append(took_ms)
            each.alone.append(max(took_ms - foreign_ns / 1e6, 0.0))
            time.sleep(GAP_S)
    connection.close()
    return taken


def quantile(values: Sequence[float], percent: int) -> float:
    """A percentile."""
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]
