"""The fake SMSC as an object for tests: started and stopped by `with`, controlled by plain calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from fake_smsc.built_scenario import Scenario
from fake_smsc.face_commands import WAIT_S, Awaited, Commands, Outage
from fake_smsc.scenario import LimitMode, Mode, demo_scenario
from fake_smsc.scenario import Scenario as Settings
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from simbench.base.arguments import checked
from simbench.base.errors import BadInput
from simbench.base.loop_thread import LoopThread
from simbench.base.tracebacks import ends_here
from simbench.contract import Contract, load_contract
from simbench.ledger import AnyLedger, Ledger, MemoryLedger, RunInfo

if TYPE_CHECKING:
    from types import TracebackType


T = TypeVar("T")
STOP_S = 30.0


class AsyncSmsc(Commands):
    """A running SMSC on the caller's loop, the result of `async with FakeSmsc(...)`.

    It has the methods of `FakeSmsc`; those that take time are awaited.

    >>> import asyncio
    >>> async def test() -> int:
    ...     async with FakeSmsc(codes={"36010": 10}) as smsc:
    ...         await smsc.outage("silent")
    ...         await smsc.restore()
    ...         return len(smsc.messages())
    >>> asyncio.run(test())
    0
    """

    def __init__(self, live: LiveSmsc) -> None:
        self.live = live

    def do(self, work: Callable[[], T]) -> T:
        """Run a function directly: the caller is on the SMSC's loop."""
        return work()

    @checked
    async def outage(self, mode: Mode = "refuse", scope: str = "total", *, planned: bool = False) -> None:
        """Start an outage. Raises BadInput for an unknown scope, ValueError during another outage."""
        await self.live.control.outage(mode, scope, planned=planned)

    @ends_here
    async def restore(self) -> None:
        """End the outage."""
        await self.live.control.restore()

    @checked
    async def wait_for(
        self, what: Awaited | Callable[[], bool] = "session", count: int = 1, timeout_s: float = WAIT_S
    ) -> None:
        """Like `FakeSmsc.wait_for`."""
        await self._until(what, count, timeout_s)


class FakeSmsc(Commands):
    """A fake SMSC on loopback for the duration of a `with` block; `async with` runs it on the caller's loop.

    `codes` maps short codes to their rates (messages/s, tiers of the contract; 0: its default). `scenario` is a
    `Scenario`, the path of one or the name of a bundled one, instead of `codes`. `port` 0 takes a free port. `limit` is
    the treatment of messages above the rate: see the method `limit`. `latency_ms` is the median time from
    acceptance to delivery, by default the contract's, which may be seconds, with a long tail. The ledger is kept in
    memory unless `folder` names a new folder for it.

    The constructor raises BadInput (ScenarioError, ContractError) for an invalid scenario; entering the block raises
    Trouble if the port cannot be used.

    >>> with FakeSmsc(codes={"36010": 10}) as smsc:
    ...     smsc.accounts["36010"].login
    '36010'
    """

    @checked
    def __init__(  # noqa: PLR0913 - the settings of an SMSC
        self,
        codes: Mapping[str, int] | None = None,
        *,
        scenario: Scenario | Settings | Path | str | None = None,
        contract: Contract | str = "",
        limit: LimitMode = "delay",
        port: int = 0,
        seed: int = 1,
        latency_ms: int | None = None,
        folder: Path | str | None = None,
    ) -> None:
        if codes is not None and scenario is not None:
            raise BadInput("codes", "given with a scenario, which has its own", "one of the two")
        if not 0 <= port < 65_536:
            raise BadInput("port", f"is {port}", "0 to 65535; 0 takes a free port")
        if latency_ms is not None and latency_ms < 1:
            raise BadInput("latency_ms", f"is {latency_ms}", "1 or more; None: the contract's or the scenario's")
        known = contract if isinstance(contract, Contract) else load_contract(contract) if contract else None
        given = _given(codes, scenario, known, limit)
        settings = given.settings
        server = msgspec.structs.replace(settings.server, port=port)
        settings = msgspec.structs.replace(settings, server=server, seed=settings.seed if scenario else seed)
        if latency_ms is not None:
            delivery = msgspec.structs.replace(settings.delivery, latency_median_ms=latency_ms)
            settings = msgspec.structs.replace(settings, delivery=delivery)
        self._scenario, self._contract, self._place = settings, given.contract, given.folder
        self._folder = None if folder is None else Path(folder)
        self._thread: LoopThread | None = None
        self._ledger: AnyLedger | None = None
        self._platform_clock: PlatformClock | None = None  # None: that of the scenario
        self._entered = False

    # Beginning and end -----------------------------------------------------------------------------------------

    @ends_here
    def __enter__(self) -> Self:
        self._refuse_twice()
        self._thread = LoopThread("fake-smsc")
        try:
            self.live = self._made()
            self._wait(self.live.__aenter__())
            self._entered = True
        except BaseException:
            self._end()
            raise
        return self

    @ends_here
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @ends_here
    async def __aenter__(self) -> AsyncSmsc:
        self._refuse_twice()
        try:
            self.live = self._made()
            await self.live.__aenter__()
        except BaseException:
            self._close_ledger()
            raise
        return AsyncSmsc(self.live)

    @ends_here
    async def __aexit__(self, *_: object) -> None:
        try:
            await self.live.__aexit__()
        finally:
            self._close_ledger()

    def _refuse_twice(self) -> None:
        if self._ledger is not None:
            raise BadInput("FakeSmsc", "is running already", "one block at a time")

    def _made(self) -> LiveSmsc:
        info = RunInfo(
            run=self._folder.name if self._folder else "fake-smsc",
            scenario=self._scenario.name,
            seed=self._scenario.seed,
            contract=self._contract.name,
            contract_digest=self._contract.digest,
            keep=self._scenario.keep,
        )
        self._ledger = MemoryLedger(info) if self._folder is None else Ledger.create(self._folder, info)
        return LiveSmsc(
            self._scenario, self._contract, self._ledger, clock=self._platform_clock, place=self._place, fast=False
        )

    def _end(self) -> None:
        """Stop server, loop and thread, as far as they were started."""
        thread, entered = self._thread, self._entered
        self._thread, self._entered = None, False
        if thread is None:
            return
        try:
            if entered:
                thread.wait(self.live.__aexit__(), STOP_S)
        finally:
            thread.end(STOP_S)
            self._close_ledger()

    def _close_ledger(self) -> None:
        ledger, self._ledger = self._ledger, None
        if isinstance(ledger, Ledger):
            ledger.close()

    # Calls -----------------------------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # checkers know every attribute

        def __getattr__(self, name: str) -> Any:
            """Return an attribute that exists only after the start of the SMSC. Raises BadInput before that."""
            if name == "live":
                raise BadInput("FakeSmsc", "is not running", "a call inside its `with` block")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        default = self._contract.terms.throughput.default_per_s.value
        rates = ", ".join(f"{one.code} at {one.rate_per_s or default}/s" for one in self._scenario.codes)
        return f"<FakeSmsc {rates}: {'not running' if self._ledger is None else self.address}>"

    def do(self, work: Callable[[], T]) -> T:
        """Run a function on the SMSC's loop and wait for its result."""
        if self._thread is not None and self._thread.is_current:
            return work()

        async def on_loop() -> T:
            return work()

        return self._wait(on_loop())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise BadInput("FakeSmsc", "is not running", "a call inside its `with` block")
        if self._thread.is_current:
            work.close()
            raise BadInput("condition", "waits for the SMSC that calls it", "one that only looks")
        return self._thread.wait(work)

    @checked
    def outage(self, mode: Mode = "refuse", scope: str = "total", *, planned: bool = False) -> Outage:
        """Start an outage, which ends by `restore` or with the block of `with smsc.outage(...)`.

        `mode`: "cut" closes all connections (FIN), "reset" resets them (RST), "refuse" leaves them open but silent; all
        three accept no new ones. "accept-close" closes existing connections and each new one at once, "silent" accepts
        connections and answers nothing, "deaf-results" processes what it reads but answers nothing. `scope` is "total",
        a short code or "session:NUMBER". Raises BadInput for another mode or scope, ValueError during another outage.
        """
        self._wait(self.live.control.outage(mode, scope, planned=planned))
        return Outage(self.restore)

    @ends_here
    def restore(self) -> None:
        """End the outage."""
        self._wait(self.live.control.restore())

    @checked
    def wait_for(
        self, what: Awaited | Callable[[], bool] = "session", count: int = 1, timeout_s: float = WAIT_S
    ) -> None:
        """Wait for a number of logged-in sessions or answered messages, until all is idle, or until a condition holds.

        "idle": no message is on its way, no notification open; what the client has not sent yet does not count, so wait
        for "message" first. A condition, such as `lambda: len(smsc.messages()) > 1`,
        is called in the SMSC's thread: it may look at anything, and must not wait. Raises TimeoutError, with the state
        of the SMSC, after `timeout_s` real seconds.
        """
        self._wait(self._until(what, count, timeout_s))


def _given(
    codes: Mapping[str, int] | None,
    scenario: Scenario | Settings | Path | str | None,
    contract: Contract | None,
    limit: LimitMode,
) -> Scenario:
    """Return the requested scenario under the requested contract. Raises BadInput."""
    if scenario is None:
        known = contract or load_contract()
        if codes is not None:
            return Scenario(codes, name="fake-smsc", contract=known, limit=limit)
        demo = demo_scenario(known)
        limited = tuple(msgspec.structs.replace(one, limit=limit) for one in demo.codes)
        return Scenario.of(msgspec.structs.replace(demo, codes=limited), known)
    if isinstance(scenario, Settings):
        return Scenario.of(scenario, contract)
    read = scenario if isinstance(scenario, Scenario) else Scenario.read(scenario)
    return read if contract is None else read.under(contract)
