"""The reference client in this process and in virtual time, and exercises with it.

Client, server and scripts are those of live runs, on a network in memory and in virtual time. For tests of the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from simbench.base.version import __version__
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, run_exercise, run_info
from simbench.bench.runner.virtual_loop import MemoryNetwork, VirtualLoop
from simbench.bench.sut.command import understand
from simbench.bench.sut.protocol import ClockGiven, Maintenance, Report, Target
from simbench.bench.sut.registry import EVERYTHING
from simbench.client import lines
from simbench.client.environment import Settings, portability_in
from simbench.client.messages import LinkConfig, Outgoing, read_knowledge
from simbench.client.program import Program
from simbench.client.shell import Outside
from simbench.contract import Contract
from simbench.ledger import MemoryLedger


class InMemory:
    """The reference client, with the named faults, on its own network in memory and its own platform clock."""

    name = "reference"
    version = __version__
    capabilities = EVERYTHING

    def __init__(self, network: MemoryNetwork, clock: PlatformClock, faults: tuple[str, ...] = ()) -> None:
        self._network, self._clock, self._faults = network, clock, faults
        self._program: Program | None = None

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """See SystemUnderTest."""

        def write(octets: bytes) -> None:
            for line in octets.splitlines():
                if isinstance(report := understand(line), Report):
                    tell(report)

        outside = Outside(target.host, target.port, self._clock.now, self._clock.speed, self._network.connect)
        knows = read_knowledge(target.contract)
        links = tuple(
            LinkConfig(
                **msgspec.structs.asdict(given), window=target.window, keepalive_s=target.keepalive_s,
                result_timer_s=target.result_timer_s, served_only=portability_in(target.portability, knows),
                knows=knows,
            )
            for given in target.accounts
        )  # fmt: skip
        self._program = Program(Settings(outside, links, ":memory:", self._faults), write)
        self._program.start()

    async def send(self, ask: Outgoing) -> None:
        """See SystemUnderTest."""
        assert self._program is not None, "send comes after start"
        self._program.feed(lines.write(ask))

    async def notice(self, maintenance: Maintenance) -> None:
        """See HearsNotices."""
        assert self._program is not None, "notice comes after start"
        self._program.feed(lines.write(lines.Notice(maintenance.start_us, maintenance.end_us)))

    async def move_clock(self, clock: ClockGiven) -> None:
        """See MovesClock. The clock is the platform's own, so it has moved already."""
        del clock
        assert self._program is not None, "the clock moves after start"
        self._program.clock_moved()

    async def stop(self) -> None:
        """See SystemUnderTest."""
        if self._program is not None:
            await self._program.end()
            self._program = None


def conduct_in_memory(
    exercise: Exercise,
    contract: Contract,
    faults: tuple[str, ...] = (),
    tamper: Callable[[LiveSmsc], None] = lambda _: None,
) -> Conducted:
    """Run one exercise with the reference client in virtual time.

    `faults` are the client's, by name; `tamper` adds one to the platform.
    """
    exercise, loop = exercise.under(contract), VirtualLoop()
    network = MemoryNetwork()
    clock = PlatformClock(exercise.epoch_us, 1.0, loop.time)
    ledger = MemoryLedger(run_info(exercise, contract, 1, "reference"))
    sut = InMemory(network, clock, faults)
    with TemporaryDirectory() as folder:
        environment = RunEnvironment(Path(folder), 1, network, clock, tamper)
        return loop.run_to_the_end(run_exercise(exercise, sut, contract, ledger, environment))
