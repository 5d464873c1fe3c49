"""SMSC, client and clock of the fixtures for the tests of a client's own repository.

Server and client run on their own loop in a thread; tests call all functions here synchronously.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import pytest

from fake_smsc import FakeSmsc
from fake_smsc.scenario import LimitMode, demo_scenario
from fake_smsc.server.control import Control
from simbench.base.extras import need
from simbench.base.tracebacks import ends_here
from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import EXERCISES, Exercise, Setup
from simbench.bench.exercises.steps import Requests, request
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.run_exercise import Conducted, clock_of, target_of
from simbench.bench.runner.selection import select
from simbench.bench.runner.session import Plan
from simbench.bench.sut.protocol import ClockGiven, MovesClock, Report, SystemUnderTest, moves_clock, reach_of
from simbench.client.messages import Outgoing
from simbench.contract import Contract, load_contract
from simbench.contract.term import known
from simbench.finding import Finding
from simbench.ledger import Run
from simbench.ledger.events import ExerciseEnded, row_of
from simbench.rules.rule import load

if TYPE_CHECKING:
    from simbench.service.client import ApiClient

__all__ = ["Client", "Clock", "Smsc"]

T = TypeVar("T")
WAIT_S: Final = 20.0


async def _nothing(bench: Bench) -> None:
    """An empty script: the test itself drives the client."""


class Smsc(FakeSmsc):
    """A `FakeSmsc` for the client under test: it has the client's accounts and can drive it.

    `codes`, `contract`, `limit`, `latency_ms`, `scenario` and `exercise` are those of the marker; without `limit`
    excess messages are only recorded.
    """

    def __init__(  # noqa: PLR0913 - the arguments of a marker
        self,
        plan: Plan,
        client_folder: Path,
        codes: Mapping[str, int] | None = None,
        *,
        contract: Contract | str = "",
        limit: LimitMode = "monitor",
        latency_ms: int | None = None,
        scenario: Any = None,
        exercise: str = "",
    ) -> None:
        given = contract if isinstance(contract, Contract) else load_contract(contract) if contract else plan.contract
        self.sut: SystemUnderTest = plan.make()
        self.client_folder = client_folder
        reach = reach_of(self.sut)
        if exercise:
            self.exercise = _exercise(exercise).under(given)
        else:
            setup = Setup("moved" if moves_clock(self.sut.capabilities) else "any")
            first = demo_scenario(given).codes[0]
            rates = {first.code: first.rate_per_s} if codes is None else dict(codes)
            title = "A test of the client's own"
            own = Exercise("own-test", title, (), rates, _nothing, 1, limit=limit, setup=setup)
            self.exercise = own.under(given)
        if scenario is None:
            scenario, codes = self.exercise.scenario(given, plan.seed, reach), None
        super().__init__(
            codes, scenario=scenario, contract=given, port=reach.port, seed=plan.seed, latency_ms=latency_ms
        )
        self._platform_clock = clock_of(self.exercise, self.sut.capabilities)
        self._beside = AsyncExitStack()

    @ends_here
    def __enter__(self) -> Self:
        super().__enter__()
        self.bench = Bench(self.live, self.sut, self.exercise.codes)
        return self

    @ends_here
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.call(self._beside.aclose())
        finally:
            super().__exit__(kind, error, trace)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the SMSC's loop and wait for its result."""
        return self._wait(work)

    @property
    def tools(self) -> OnLoop:
        """The tools of an exercise's script (`simbench.bench.exercises.tester.Bench`), called from a test."""
        return OnLoop(self, self.bench)

    @ends_here
    def finding(self, purpose: str) -> Finding:
        """Return the verdict on one purpose so far, as if the exercise ended here.

        Raises BadInput for an unknown one.
        """
        known(load(), purpose, "finding", "purpose")

        def ended() -> Run:
            self.live.ledger.events.append(row_of(self.live.control.now(), ExerciseEnded(self.exercise.name)))
            return self.live.control.snapshot()

        conducted = Conducted(self.exercise, self.do(ended))
        client = self.sut.capabilities, reach_of(self.sut)
        (found,) = judge_exercise(conducted, [purpose], self.contract, *client)
        return found

    @ends_here
    def wait_for_session(self, account: str, timeout_s: float = WAIT_S) -> bool:
        """Wait until the account is logged in; False on time-out."""
        return self.call(self.live.control.wait_for_session(account, timeout_s))

    @ends_here
    def wait_for_answers(self, count: int, timeout_s: float = WAIT_S) -> bool:
        """Wait until that many submits are answered; False on time-out."""
        return self.call(self.bench.received(count, timeout_s))

    @cached_property
    def api(self) -> ApiClient:
        """A client of the control API with all actions of an operator; the API is served from the first use on.

        Raises BadInput without the extra `console`.
        """
        need("console", "the API")
        from simbench.service.client import ApiClient  # noqa: PLC0415 - only when used
        from simbench.service.serving import served  # noqa: PLC0415 - as above
        from simbench.service.settings import ServiceSettings  # noqa: PLC0415 - as above

        _, port = self.call(self._beside.enter_async_context(served(self.live, ServiceSettings())))
        client = ApiClient(f"http://127.0.0.1:{port}")
        self._beside.callback(client.close)
        return client


class OnLoop:
    """Proxy of an object on the SMSC's loop: methods called from the test run on the loop, attributes are read."""

    def __init__(self, smsc: Smsc, inner: object) -> None:
        self._smsc, self._inner = smsc, inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if isinstance(found, Control):
            return OnLoop(self._smsc, found)
        if not callable(found):
            return found

        async def work(*arguments: Any, **named: Any) -> Any:
            done = found(*arguments, **named)
            return await done if asyncio.iscoroutine(done) else done

        return ends_here(lambda *arguments, **named: self._smsc.call(work(*arguments, **named)))


def _exercise(name: str) -> Exercise:
    select()  # registers all of them
    return known(EXERCISES, name, "marker simbench", "exercise")


class Client:
    """The client under test, started against that SMSC for the duration of a `with` block."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self.reports: list[Report] = []
        """Every report of the client, in order."""

    @ends_here
    def __enter__(self) -> Self:
        smsc, clock = self._smsc, self._smsc._platform_clock
        target = target_of(smsc.exercise, smsc.live, smsc.client_folder, clock)
        smsc.client_folder.mkdir(parents=True, exist_ok=True)
        try:
            smsc.call(smsc.sut.start(target, self._hear))
        except BaseException:
            self.stop()
            raise
        return self

    @ends_here
    def __exit__(self, *_: object) -> None:
        self.stop()

    @ends_here
    def send(self, recipient: str, text: str, code: str = "", **more: Any) -> Outgoing:
        """Request a message; returns it with the `token` that is appended to its text."""
        bench = self._smsc.bench
        ask = bench.message(code or next(iter(bench.rates)), recipient, text, **more)
        self._smsc.call(bench.ask(ask))
        return ask

    @ends_here
    def send_all(self, messages: Sequence[Mapping[str, Any]], over_s: float = 0) -> list[Outgoing]:
        """Request many messages, each with the arguments of `send`; by default an ordinary text to a new recipient.

        They are requested as fast as the client takes them, evenly over `over_s` platform seconds, or each `at_s`
        seconds after the first.
        """
        bench, pace_s = self._smsc.bench, over_s / max(1, len(messages) - 1)
        asks, offsets_s = [], []
        for number, one in enumerate(messages):
            arguments = {"code": next(iter(bench.rates)), **one}
            offsets_s.append(arguments.pop("at_s", number * pace_s))
            asks.append(bench.message(**arguments))
        self._smsc.call(request(bench, Requests(tuple(asks), tuple(offsets_s))))
        return asks

    @ends_here
    def wait_for(self, kind: str, count: int = 1, timeout_s: float = WAIT_S) -> bool:
        """Wait for a number of reports of a kind; False on time-out."""

        def enough() -> bool:
            return sum(report.kind == kind for report in list(self.reports)) >= count

        async def look() -> bool:
            deadline = asyncio.get_running_loop().time() + timeout_s
            while not enough() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - set from any thread
                await asyncio.sleep(0.01)
            return enough()

        return self._smsc.call(look())

    @ends_here
    def stop(self) -> None:
        """Stop the client."""
        self._smsc.call(self._smsc.sut.stop())

    def _hear(self, report: Report) -> None:
        self.reports.append(report)
        self._smsc.bench.heard(report)


class Clock:
    """The clock of SMSC and client, movable if the client's is; otherwise the machine's."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc

    def now(self) -> int:
        """Return the current instant (us, UTC)."""
        return self._smsc.live.clock.now()

    @ends_here
    def step_to(self, *civil: int) -> None:
        """Move both clocks forward to a civil time (year, month, day, hour, ...).

        Skips the test if that is impossible.
        """
        if not moves_clock(self._smsc.sut.capabilities):
            pytest.skip("the client's clock cannot be moved")
        self._smsc.call(self._step((self._smsc.contract.calendar.instant(*civil) - self.now()) / SECOND_US))

    async def _step(self, seconds: float) -> None:
        self._smsc.live.control.step(seconds)
        sut, clock = self._smsc.sut, self._smsc.live.clock
        if isinstance(sut, MovesClock):
            await sut.move_clock(ClockGiven(*clock.basis(), clock.speed))
