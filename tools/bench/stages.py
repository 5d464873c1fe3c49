"""The processor time of a message by stage: a gateway in memory with a ledger on disk, with nested timing.

Counts processor time of this thread, so that other work on the machine has less effect. The timers wrap methods of the
finished objects that are called at most once per read; the server itself contains no timers.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any, cast

from fake_smsc.fast import compiled
from fake_smsc.fast.path import PlainPath
from fake_smsc.scenario import CodeConfig, Scenario
from fake_smsc.server.assembly import assemble
from fake_smsc.ucp_gateway import Gateway
from simbench.base.event_loop import sparing_collector
from simbench.contract import load_contract
from simbench.ledger.buffer import Buffer
from simbench.ledger.rows import CENTRE, WIRE
from simbench.ledger.store import Store
from simbench.ledger.writer import MemoryLedger
from tests.harness import login
from tools.bench.load import ACKS, encoded

LINES, READ, STEP_US = 4, 100, 2_000  # a read of 100 frames on each of four lines every 2 ms: 200,000 a second
WARM, MEASURED = 2_500, 600  # rounds; the first let notifications come to their steady state
STAGES = (
    "frames and admission", "acknowledgement", "delivery", "notification", "around the kernels", "columns", "disk",
    "other",
)  # fmt: skip


class Stopwatch:
    """Time spent in each stage, without the stages called from it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inner = 0.0

    def timed(self, stage: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, timed."""

        def under_watch(*arguments: Any) -> Any:
            outer, self._inner, start = self._inner, 0.0, thread_time()
            try:
                return call(*arguments)
            finally:
                whole = thread_time() - start
                self.spent[stage] += whole - self._inner
                self._inner = outer + whole

        return under_watch

    def on(self, owner: Any, name: str, stage: str) -> None:
        """Time a method of one object, or a function of a module."""
        setattr(owner, name, self.timed(stage, getattr(owner, name)))


def stages(*, notify: bool) -> dict[str, float]:
    """Microseconds a message spends in each stage."""
    watch: Stopwatch = Stopwatch()
    ledger: Any = MemoryLedger()
    ledger.wire, ledger.centre = Buffer(), Buffer()  # blocks stay as they come, for the store
    gateway = _gateway(ledger)
    _instrument(watch, gateway)
    frames = [encoded(f"3601{n}", n * 25_000, 25_000, notify) for n in range(LINES)]
    reads = [[b"".join(of_line[at : at + READ]) for at in range(0, len(of_line), READ)] for of_line in frames]
    with sparing_collector(), tempfile.TemporaryDirectory() as folder:
        store, now = Store(Path(folder), 1 << 40), gateway.centre.now
        watch.on(store, "add", "columns")
        watch.on(store, "commit", "disk")
        for number in range(WARM + MEASURED):
            if number == WARM:
                watch.spent.clear()
            now += STEP_US
            watch.timed("other", gateway.advance)(now)
            turn = [(line + 1, reads[line][number % len(reads[line])]) for line in range(LINES)]
            for line, octets in turn:
                ledger.wire.append((now, line, "in", octets))
            watch.timed("other", gateway.received_many)(turn, now)
            _exchange(watch, gateway, ledger, now)
            if number % 100 == 99:  # every 200 ms
                _store(store, ledger, keep=number >= WARM)
        store.close()
    messages = MEASURED * LINES * READ
    return {stage: watch.spent[stage] / messages * 1e6 for stage in STAGES if watch.spent[stage]}


def _gateway(ledger: Any) -> Gateway:
    codes = tuple(
        CodeConfig(code=f"3601{n}", rate_per_s=150, window=100, limit="monitor", request_id="b") for n in range(LINES)
    )
    gateway = assemble(Scenario(codes=codes), load_contract(), ledger)
    now = 1_790_000_000_000_000
    gateway.advance(now)
    for line in range(LINES):
        gateway.opened(line + 1, now)
        gateway.received(line + 1, login(f"3601{line}"), now)
    gateway.output()
    return gateway


def _instrument(watch: Stopwatch, gateway: Gateway) -> None:
    compiled.load()
    path = cast(PlainPath, gateway._fast)
    whole = compiled.kernels()
    assert whole is not None
    timed = compiled.Kernels(
        watch.timed("frames and admission", whole.serve),
        watch.timed("delivery", whole.deliver),
        watch.timed("notification", whole.carry),
    )
    compiled._loaded[:] = [timed]
    watch.on(path, "serve", "around the kernels")
    watch.on(path, "carry", "around the kernels")
    watch.on(path, "run", "around the kernels")


def _exchange(watch: Stopwatch, gateway: Gateway, ledger: Any, now: int) -> None:
    """Take the octets to be written, and acknowledge the notifications in them."""
    while output := watch.timed("other", gateway.output)():
        turn = []
        for number, octets in output:
            ledger.wire.append((now, number, "out", octets))
            acks = b"".join([ACKS[frame[1:3]] for frame in octets.split(b"\x03") if frame[10:14] == b"O/53"])
            if acks:
                ledger.wire.append((now, number, "in", acks))
                turn.append((number, acks))
        if turn:
            watch.timed("other", gateway.received_many)(turn, now)


def _store(store: Store, ledger: Any, *, keep: bool) -> None:
    for table, buffer in ((WIRE, ledger.wire), (CENTRE, ledger.centre)):
        while keep and (entries := buffer.head(1_000, 4_000)):
            store.add(table, entries, print)
            buffer.drop(entries)
        buffer.clear()
    if keep:
        store.commit()


if __name__ == "__main__":
    for notified in (False, True):
        spent = stages(notify=notified)
        print({stage: round(each, 2) for stage, each in spent.items()}, f"sum {sum(spent.values()):.2f}")
