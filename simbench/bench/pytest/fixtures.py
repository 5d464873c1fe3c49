"""Fixtures for the tests of a client's own repository: SMSC, client, ledger and clock.

Server and client run on their own loop in a thread; tests call everything here synchronously.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.outage import Mode
from simbench.base.extras import need
from simbench.base.loop_thread import LoopThread
from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import Exercise, Setup
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.run_exercise import run_info, target_of
from simbench.bench.runner.session import Plan
from simbench.bench.sut.protocol import ClockGiven, MovesClock, Report, SystemUnderTest, reach_of
from simbench.client.messages import Outgoing
from simbench.ledger import MemoryLedger
from simbench.trace.trace import Trace

if TYPE_CHECKING:
    from simbench.service.client import ApiClient

T = TypeVar("T")
CODES = {"36010": 10}
WAIT_S = 20.0


async def _nothing(bench: Bench) -> None:
    """The script is the test itself."""


class Smsc:
    """A fake SMSC on loopback, and the loop it runs on."""

    def __init__(self, plan: Plan, codes: dict[str, int], folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.sut: SystemUnderTest = plan.make()
        moved = _moves(self.sut)
        setup = Setup("moved") if moved else Setup()
        self.exercise = Exercise("own-test", "A test of the client's own", (), codes, _nothing, 1, setup=setup)
        self.exercise = self.exercise.under(plan.contract)
        self.clock = PlatformClock(self.exercise.epoch_us if moved else None)
        self.rows = MemoryLedger(run_info(self.exercise, plan.contract, plan.seed, self.sut.name))
        self._beside = AsyncExitStack()
        self._thread = LoopThread("simbench-smsc")
        scenario = self.exercise.scenario(plan.contract, plan.seed, reach_of(self.sut))
        self.live = LiveSmsc(scenario, plan.contract, self.rows, clock=self.clock)
        self.call(self.live.__aenter__())
        self.bench = Bench(self.live, self.sut)
        self.host, self.port = "127.0.0.1", self.live.server.port
        """Where clients connect."""
        self.accounts = {config.code: (config.account or config.code, config.password) for config in scenario.codes}
        """Short code to login and password."""

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Run something on the SMSC's loop and wait for it."""
        return self._thread.wait(work, timeout_s)

    def wait_for_session(self, account: str, timeout_s: float = WAIT_S) -> bool:
        """Wait until the account is logged in; False when time ran out."""
        return self.call(self.live.control.wait_for_session(account, timeout_s))

    def wait_for_answers(self, count: int, timeout_s: float = WAIT_S) -> bool:
        """Wait until that many submits are answered; False when time ran out."""
        return self.call(self.bench.received(count, timeout_s))

    def mo(self, sender: str, code: str, text: str) -> None:
        """A subscriber writes to a short code."""
        self.call(self._on_loop(lambda: self.live.control.mo(sender, code, text)))

    def outage(self, mode: Mode = "refuse") -> None:
        """Begin a total outage."""
        self.call(self.live.control.outage(mode))

    def restore(self) -> None:
        """End it."""
        self.call(self.live.control.restore())

    @cached_property
    def api(self) -> ApiClient:
        """The control API's client, which can do all that an operator can; served since it was first asked for.

        Raises BadInput without the extra `console`.
        """
        need("console", "the API")
        from simbench.service.client import ApiClient  # noqa: PLC0415 - only when asked for
        from simbench.service.serving import served  # noqa: PLC0415 - as above
        from simbench.service.settings import ServiceSettings  # noqa: PLC0415 - as above

        _, port = self.call(self._beside.enter_async_context(served(self.live, ServiceSettings())))
        client = ApiClient(f"http://127.0.0.1:{port}")
        self._beside.callback(client.close)
        return client

    def close(self) -> None:
        """End the server and its loop."""
        self.call(self._beside.aclose())
        self.call(self.live.__aexit__())
        self._thread.end()

    async def _on_loop(self, work: Callable[[], T]) -> T:
        return work()


class Client:
    """The client under test, started against that SMSC."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self.reports: list[Report] = []
        """Every report of the client, in order."""
        target = target_of(smsc.exercise, smsc.live, smsc.folder, smsc.clock if _moves(smsc.sut) else None)
        smsc.folder.mkdir(parents=True, exist_ok=True)
        try:
            smsc.call(smsc.sut.start(target, self._hear))
        except BaseException:
            self.stop()
            raise

    def send(self, recipient: str, text: str, code: str = "", **more: Any) -> Outgoing:
        """Request a message; returns the mark that is appended to its text."""
        bench = self._smsc.bench
        ask = bench.message(code or next(iter(bench.rates)), recipient, text, **more)
        self._smsc.call(bench.ask(ask))
        return ask

    def wait_for(self, kind: str, count: int = 1, timeout_s: float = WAIT_S) -> bool:
        """Wait for so many reports of a kind; False when time ran out."""

        def enough() -> bool:
            return sum(report.kind == kind for report in list(self.reports)) >= count

        async def look() -> bool:
            deadline = asyncio.get_running_loop().time() + timeout_s
            while not enough() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - set from any thread
                await asyncio.sleep(0.01)
            return enough()

        return self._smsc.call(look())

    def stop(self) -> None:
        """End it."""
        self._smsc.call(self._smsc.sut.stop())

    def _hear(self, report: Report) -> None:
        self.reports.append(report)
        self._smsc.bench.heard(report)


class Clock:
    """The clock of both, movable if the client's is; else the machine's."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc

    def now(self) -> int:
        """The present instant (us, UTC)."""
        return self._smsc.clock.now()

    def step_to(self, *civil: int) -> None:
        """Move both forward to a civil time (year, month, day, hour, ...). Skips the test where it cannot."""
        if not _moves(self._smsc.sut):
            pytest.skip("the client's clock cannot be moved")
        self._smsc.call(self._step((self._smsc.live.contract.calendar.instant(*civil) - self.now()) / SECOND_US))

    async def _step(self, seconds: float) -> None:
        self._smsc.live.control.step(seconds)
        sut, clock = self._smsc.sut, self._smsc.clock
        if isinstance(sut, MovesClock):
            await sut.move_clock(ClockGiven(*clock.basis(), clock.speed))


class Fixtures:
    """The fixtures under their long names. A marker `simbench(codes={"36010": 10})` says which codes there are."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @pytest.fixture
    def simbench_smsc(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Smsc]:
        """A fake SMSC; nobody is connected yet."""
        marker = request.node.get_closest_marker("simbench")
        smsc = Smsc(self._plan, (marker.kwargs if marker else {}).get("codes", CODES), tmp_path / "client")
        yield smsc
        smsc.close()

    @pytest.fixture
    def simbench_sut(self, simbench_smsc: Smsc) -> Iterator[Client]:
        """The client under test, started against it."""
        client = Client(simbench_smsc)
        yield client
        client.stop()

    @pytest.fixture
    def simbench_ledger(self, simbench_smsc: Smsc) -> Callable[[], Trace]:
        """Call it for the trace so far: `.submits`, `.notifications`, `.mo`, `.sessions`, `.frames`..."""
        return lambda: Trace(simbench_smsc.rows.snapshot())

    @pytest.fixture
    def simbench_clock(self, simbench_smsc: Smsc) -> Clock:
        """The clock of SMSC and client."""
        return Clock(simbench_smsc)


class Short:
    """The same under short names."""

    @pytest.fixture
    def smsc(self, simbench_smsc: Smsc) -> Smsc:
        """See simbench_smsc."""
        return simbench_smsc

    @pytest.fixture
    def sut(self, simbench_sut: Client) -> Client:
        """See simbench_sut."""
        return simbench_sut

    @pytest.fixture
    def ledger(self, simbench_ledger: Callable[[], Trace]) -> Callable[[], Trace]:
        """See simbench_ledger."""
        return simbench_ledger

    @pytest.fixture
    def clock(self, simbench_clock: Clock) -> Clock:
        """See simbench_clock."""
        return simbench_clock


def _moves(sut: SystemUnderTest) -> bool:
    return sut.capabilities.clock in {"offset", "speed"}
