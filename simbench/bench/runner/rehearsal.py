"""A rehearsal: an exercise's script runs in virtual time against its own platform without a client, and is recorded.

All actions of the script apply to a real platform, so that a rehearsal shows the steps of a session; waits for the
client end at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.control import Control, SessionView
from fake_smsc.server.live import LiveSmsc
from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.steps import Act, Step, Timed, Until, Wait, join
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.virtual_loop import MemoryNetwork, VirtualLoop
from simbench.bench.sut.protocol import WITHIN_REACH, Capabilities, Reach, Report, Target, reach_of
from simbench.client.messages import Outgoing
from simbench.contract import Contract
from simbench.ledger import MemoryLedger, RunInfo
from simbench.ledger.events import Event

ACTS = ("put", "mo", "fault", "clear", "limit", "suspend", "outage", "restore")


class Nobody:
    """A client with capabilities that never connects, or the client of a stored session."""

    def __init__(
        self, capabilities: Capabilities, name: str = "nobody", version: str = "", reach: Reach = WITHIN_REACH
    ) -> None:
        self.capabilities, self.name, self.version, self.reach = capabilities, name, version, reach

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """See SystemUnderTest."""

    async def send(self, ask: Outgoing) -> None:
        """See SystemUnderTest."""

    async def stop(self) -> None:
        """See SystemUnderTest."""


class _Recorder:
    """The calls of a script with the loop's time."""

    def __init__(self) -> None:
        self._now = asyncio.get_running_loop().time
        self._began_s = self._now()
        self._muted_at_s: float | None = None
        self.calls: list[tuple[float, Outgoing | Step]] = []

    @property
    def time_s(self) -> float:
        """Seconds since the script began, without those inside a recorded call."""
        return self._now() - self._began_s

    def add(self, one: Outgoing | Step) -> None:
        """Record a call, unless it is part of one that was recorded."""
        if self._muted_at_s is None:
            self.calls.append((self.time_s, one))

    def __enter__(self) -> None:
        self._muted_at_s = self._now()

    def __exit__(self, *_: object) -> None:
        assert self._muted_at_s is not None, "entered before"
        self._began_s += self._now() - self._muted_at_s
        self._muted_at_s = None


class _Control(Control):
    """The control of a platform without connections: each account has a session, and all actions are recorded."""

    def __init__(self, smsc: LiveSmsc, recorder: _Recorder) -> None:
        super().__init__(smsc.server)
        self._recorder = recorder
        self._accounts = [config.account or config.code for config in smsc.scenario.codes]

    def sessions(self) -> list[SessionView]:
        """Return one session per account."""
        return [SessionView(number, account, "open", 0, 0) for number, account in enumerate(self._accounts)]

    def drop(self, number: int, *, abruptly: bool = False) -> None:
        """Record the account whose session ends."""
        self._recorder.add(Act("drop", (self._accounts[number],), {"abruptly": True} if abruptly else {}))


def _noted(name: str) -> Callable[..., Any]:
    real = getattr(Control, name)

    def call(self: _Control, *arguments: Any, **named: Any) -> Any:
        self._recorder.add(Act(name, arguments, named))
        return real(self, *arguments, **named)

    return call


for _name in ACTS:
    setattr(_Control, _name, _noted(_name))


class Rehearsal(Bench):
    """The tools of a script; they record instead of driving a client."""

    def __init__(self, smsc: LiveSmsc, capabilities: Capabilities, codes: dict[str, str]) -> None:
        super().__init__(smsc, Nobody(capabilities), codes)
        self.recorder = _Recorder()
        self.control = _Control(smsc, self.recorder)

    async def ask(self, ask: Outgoing) -> None:
        """Record a request."""
        self.recorder.add(ask)

    async def announce(self, start_us: int, end_us: int) -> None:
        """Record an announcement."""
        wait_us = start_us - self.control.now()
        self.recorder.add(Act("announce", (wait_us / SECOND_US, (end_us - start_us) / SECOND_US)))

    def record(self, event: Event) -> None:
        """Record an event that the script records."""
        self.recorder.add(Act("record", (event,)))

    async def connected(self, accounts: Iterable[str]) -> None:
        """Record a wait for logins."""
        self.recorder.add(Wait("connected", tuple(map(self.account, accounts))))

    async def back(self, accounts: Iterable[str]) -> bool:
        """Record a wait for logins after a connection was lost."""
        limit_s = float(self.contract.terms.session.reconnect_grace_s.value)
        self.recorder.add(Wait("back", tuple(map(self.account, accounts)), limit_s=limit_s))
        return True

    async def received(self, count: int, timeout_s: float) -> bool:
        """Record a wait for answers."""
        self.recorder.add(Wait("received", count=count, asked=self.asked, limit_s=timeout_s))
        return True

    async def settled(self) -> bool:
        """Record a wait for the end of all answers."""
        self.recorder.add(Wait("settled", asked=self.asked))
        return True

    async def reported(self, timeout_s: float) -> bool:
        """Record a wait for delivery outcomes."""
        self.recorder.add(Wait("reported", asked=self.asked, limit_s=timeout_s))
        return True

    async def step_to(self, moment: datetime) -> None:
        """Record a step of both clocks, and perform it."""
        self.recorder.add(Until(moment, step=True))
        with self.recorder:
            await super().step_to(moment)

    async def until(self, moment: datetime) -> None:
        """Record a wait for a civil time, and wait."""
        self.recorder.add(Until(moment, step=False))
        with self.recorder:
            await super().until(moment)


def rehearse(exercise: Exercise, contract: Contract, capabilities: Capabilities, seed: int = 1) -> list[Timed]:
    """Return the steps of an exercise with a client of these capabilities, in the order of its script."""
    exercise, loop = exercise.under(contract), VirtualLoop()

    async def run() -> list[Timed]:
        clock = PlatformClock(exercise.epoch_us, 1.0, loop.time)
        scenario = exercise.scenario(contract, seed, reach_of(Nobody(capabilities)))
        ledger = MemoryLedger(RunInfo(run=exercise.name))
        async with LiveSmsc(scenario, contract, ledger, clock=clock, network=MemoryNetwork()) as smsc:
            bench = Rehearsal(smsc, capabilities, exercise.codes)
            await exercise.script(bench)
            return join(bench.recorder.calls, bench.recorder.time_s)

    return loop.run_to_the_end(run())
