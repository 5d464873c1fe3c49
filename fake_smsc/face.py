"""The fake SMSC as an object of a test: started by `with`, ended after it, driven by plain calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, get_args

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
from simbench.base.toml_files import choice
from simbench.contract import Contract, load_contract
from simbench.ledger import AnyLedger, Ledger, MemoryLedger, RunInfo

if TYPE_CHECKING:
    from types import TracebackType


T = TypeVar("T")
STOP_S = 30.0


class AsyncSmsc(Commands):
    """A running SMSC on the caller's loop; given by `async with FakeSmsc(...)`.

    It has the calls of `FakeSmsc`; those that take time are awaited.

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
        """Run it here: the caller is on the SMSC's loop."""
        return work()

    async def outage(self, mode: Mode = "refuse", scope: str = "total", *, planned: bool = False) -> None:
        """Start an outage. Raises BadInput for an unknown scope, ValueError during another outage."""
        await self.live.control.outage(mode, scope, planned=planned)

    async def restore(self) -> None:
        """End the outage."""
        await self.live.control.restore()

    async def wait_for(
        self, what: Awaited | Callable[[], bool] = "session", count: int = 1, timeout_s: float = WAIT_S
    ) -> None:
        """Like `FakeSmsc.wait_for`."""
        if not await self.live.control.wait_until(lambda: self.reached(what, count), timeout_s):
            raise self.missing(what, count, timeout_s)


class FakeSmsc(Commands):
    """A fake SMSC on loopback for the length of a `with` block; `async with` gives one on the caller's loop.

    `codes` maps short codes to their rates (messages/s, tiers of the contract; 0: its default). `scenario` is a
    `Scenario`, the path of one or the name of a bundled one, instead of `codes`. `port` 0 takes a free port. `limit`
    says what happens above the rate. The ledger is kept in memory unless `folder` names a new folder for it.

    Raises BadInput (ScenarioError, ContractError) for anything that is no scenario of the contract, when it is made;
    Trouble, when it is entered, where the port cannot be used.

    >>> with FakeSmsc(codes={"36010": 10}) as smsc:
    ...     smsc.accounts["36010"].login
    '36010'
    """

    @checked
    def __init__(  # noqa: PLR0913 - what a test may say about its SMSC
        self,
        codes: Mapping[str, int] | None = None,
        *,
        scenario: Scenario | Settings | Path | str | None = None,
        contract: Contract | str = "",
        limit: LimitMode = "delay",
        port: int = 0,
        seed: int = 1,
        folder: Path | str | None = None,
    ) -> None:
        if codes is not None and scenario is not None:
            raise BadInput("codes", "given beside a scenario, which has its own", "one of the two")
        if not 0 <= port < 65_536:
            raise BadInput("port", f"is {port}", "0 to 65535; 0 takes a free port")
        if limit not in get_args(LimitMode):
            raise BadInput("limit", f"is {limit!r:.40}", choice(str(limit), get_args(LimitMode)))
        known = contract if isinstance(contract, Contract) else load_contract(contract) if contract else None
        given = _given(codes, scenario, known, limit)
        settings = given.settings
        server = msgspec.structs.replace(settings.server, port=port)
        settings = msgspec.structs.replace(settings, server=server, seed=settings.seed if scenario else seed)
        self._scenario, self._contract, self._place = settings, given.contract, given.folder
        self._folder = None if folder is None else Path(folder)
        self._thread: LoopThread | None = None
        self._ledger: AnyLedger | None = None
        self._platform_clock: PlatformClock | None = None  # None: that of the scenario
        self._entered = False

    # Beginning and end -----------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread = LoopThread("fake-smsc")
        try:
            self.live = self._made()
            self._wait(self.live.__aenter__())
            self._entered = True
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    async def __aenter__(self) -> AsyncSmsc:
        self.live = self._made()
        try:
            await self.live.__aenter__()
        except BaseException:
            self._close_ledger()
            raise
        return AsyncSmsc(self.live)

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.live.__aexit__()
        finally:
            self._close_ledger()

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
            self._scenario, self._contract, self._ledger, clock=self._platform_clock, place=self._place
        )  # fmt: skip

    def _end(self) -> None:
        """End server, loop and thread, whatever of them had begun."""
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

    def do(self, work: Callable[[], T]) -> T:
        """Run something on the SMSC's loop and wait for its result."""

        async def on_loop() -> T:
            return work()

        return self._wait(on_loop())

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise BadInput("FakeSmsc", "is not running", "a call inside its `with` block")
        return self._thread.wait(work)

    def outage(self, mode: Mode = "refuse", scope: str = "total", *, planned: bool = False) -> Outage:
        """Start an outage, which ends by `restore` or with the block of `with smsc.outage(...)`.

        `scope` is "total", a short code or "session:NUMBER". Raises BadInput for another scope, ValueError during
        another outage.
        """
        self._wait(self.live.control.outage(mode, scope, planned=planned))
        return Outage(self.restore)

    def restore(self) -> None:
        """End the outage."""
        self._wait(self.live.control.restore())

    def wait_for(
        self, what: Awaited | Callable[[], bool] = "session", count: int = 1, timeout_s: float = WAIT_S
    ) -> None:
        """Wait for a number of logged-in sessions or answered messages, until all is idle, or until a condition holds.

        "idle": no message is on its way, no notification open. A condition is called on the SMSC's loop and must not
        call this object. Raises TimeoutError, with the state of the SMSC, after `timeout_s` real seconds.
        """

        async def wait() -> None:
            if not await self.live.control.wait_until(lambda: self.reached(what, count), timeout_s):
                raise self.missing(what, count, timeout_s)

        self._wait(wait())


def _given(
    codes: Mapping[str, int] | None,
    scenario: Scenario | Settings | Path | str | None,
    contract: Contract | None,
    limit: LimitMode,
) -> Scenario:
    """The scenario asked for, under the contract asked for. Raises BadInput."""
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
