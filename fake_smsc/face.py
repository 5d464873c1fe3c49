"""The fake SMSC as an object of a test: started by `with`, ended after it, driven by plain calls."""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import msgspec

from fake_smsc.scenario import (
    CodeConfig,
    LimitMode,
    Mode,
    Scenario,
    check_scenario,
    contract_of,
    demo_scenario,
    find_scenario,
    read_scenario,
)
from fake_smsc.server.live import LiveSmsc
from simbench.base.errors import BadInput
from simbench.contract import Contract, load_contract
from simbench.ledger import AnyLedger, Ledger, MemoryLedger, RunInfo

if TYPE_CHECKING:
    from types import TracebackType

    from fake_smsc.server.control import SessionView
    from simbench.finding import Finding
    from simbench.numbering.subscribers import Subscriber
    from simbench.trace.rows import Submit
    from simbench.trace.trace import Trace

T = TypeVar("T")
Awaited = Literal["session", "message", "idle"]
WAIT_S = 10.0
STOP_S = 30.0


class Account(msgspec.Struct, frozen=True):
    """What a client logs in with to send from a short code."""

    login: str
    password: str


class Clock:
    """The clock of the platform."""

    def __init__(self, smsc: _Commands) -> None:
        self._smsc = smsc

    def now(self) -> int:
        """The platform's present instant (us, UTC)."""
        return self._smsc.live.clock.now()

    def step(self, seconds: float) -> int:
        """Step forward by seconds; gives the new instant (us, UTC). Raises ValueError for a step back."""
        return self._smsc.do(lambda: self._smsc.live.control.step(seconds))

    def set_speed(self, speed: float) -> None:
        """Run at so many platform seconds per real second. Raises ValueError unless above 0."""
        self._smsc.do(lambda: self._smsc.live.control.set_speed(speed))


class _Commands(ABC):
    """What may be asked of a running SMSC at once, from its own loop or from another thread."""

    live: LiveSmsc

    @abstractmethod
    def do(self, work: Callable[[], T]) -> T:
        """Run something on the SMSC's loop and give its result."""

    @property
    def host(self) -> str:
        """The address the SMSC listens on."""
        return self.live.scenario.server.host

    @property
    def port(self) -> int:
        """The port the SMSC listens on."""
        return self.live.server.port

    @property
    def address(self) -> str:
        """HOST:PORT, where clients connect."""
        return f"{self.host}:{self.port}"

    @property
    def accounts(self) -> dict[str, Account]:
        """The login of each short code."""
        return {one.code: Account(one.account or one.code, one.password) for one in self.live.scenario.codes}

    @property
    def contract(self) -> Contract:
        """The contract in force."""
        return self.live.contract

    @property
    def clock(self) -> Clock:
        """The clock of the platform."""
        return Clock(self)

    def sessions(self) -> list[SessionView]:
        """Every connection, oldest first; `account` is empty before the login."""
        return self.do(self.live.control.sessions)

    def mo(self, sender: str, code: str, text: str) -> None:
        """Send a text from a subscriber to a short code. Raises BadInput for a code without an account."""
        self.do(lambda: self.live.control.mo(sender, code, text))

    def subscriber(self, number: str, **changes: Any) -> Subscriber:
        """Give a subscriber after these changes: `attached`, `fate`, `operator`, `roaming`, …

        Raises BadInput for a name that a subscriber does not have.
        """

        def changed() -> Subscriber:
            found = self.live.control.subscriber(number)
            if unknown := set(changes) - set(found.__struct_fields__):
                known = ", ".join(found.__struct_fields__)
                raise BadInput(f"subscriber {number}", f"has no {', '.join(sorted(unknown))}", f"one of {known}")
            if not changes:
                return found
            found = msgspec.structs.replace(found, **changes)
            self.live.control.put(found)
            return found

        return self.do(changed)

    def limit(self, code: str, rate_per_s: int, mode: LimitMode = "delay") -> None:
        """Change a code's rate (messages/s) and what happens above it. Raises BadInput for an unknown code."""
        self.do(lambda: self.live.control.limit(code, rate_per_s, mode))

    def fault(self, name: str, **parameters: object) -> None:
        """Start a wire fault; several can act together. Raises BadInput for an unknown name or parameter."""
        self.do(lambda: self.live.control.fault(name, **parameters))

    def clear(self, name: str = "") -> int:
        """End the faults of that name, or all of them; gives their number."""
        return self.do(lambda: self.live.control.clear(name))

    def drop(self, session: int, *, abruptly: bool = False) -> None:
        """Close one connection, with RST if abruptly. Raises BadInput if there is no such session."""
        self.do(lambda: self.live.control.drop(session, abruptly=abruptly))

    def trace(self) -> Trace:
        """The judge's reading of what has happened so far: `.submits`, `.notifications`, `.mo`, `.sessions`, …"""
        from simbench.trace.trace import Trace  # noqa: PLC0415 - a test that judges nothing needs no reader

        run, now = self.do(lambda: (self.live.control.snapshot(), self.live.control.now()))
        return Trace(run, ended=now)

    def messages(self, recipient: str = "", code: str = "") -> list[Submit]:
        """Submits in order of arrival, each with its result; of one recipient or short code, if given."""
        from simbench.numbering.written import address_key, number_of  # noqa: PLC0415 - as above

        wanted = address_key(number_of(recipient) or recipient) if recipient else ""
        return [
            one
            for one in self.trace().submits.rows()
            if (not wanted or address_key(one.recipient) == wanted) and code in {"", one.code}
        ]

    def judge(self) -> list[Finding]:
        """Findings on the client's traffic so far, those of `simbench judge` on a recorded run."""
        from simbench.rules.audit import audit, given_by  # noqa: PLC0415 - as above
        from simbench.rules.rule import Case  # noqa: PLC0415 - as above

        trace = self.trace()
        return audit(Case(trace, self.contract), given_by(trace), "live", ("audit",))

    def _reached(self, what: Awaited | Callable[[], bool], count: int) -> bool:
        control = self.live.control
        if callable(what):
            return what()
        if what == "session":
            return sum(bool(one.account) for one in control.sessions()) >= count
        if what == "message":
            return control.answered() >= count
        return not control.on_the_way() and not control.unacknowledged()

    def _missing(self, what: Awaited | Callable[[], bool], count: int, timeout_s: float) -> TimeoutError:
        control = self.live.control
        views = ", ".join(f"{one.account or 'no account yet'} ({one.state})" for one in control.sessions())
        wanted = "the condition" if callable(what) else what if what == "idle" else f"{count} {what}(s)"
        return TimeoutError(
            f"{wanted} not reached within {timeout_s:g} s: {control.answered()} messages answered, "
            f"{control.on_the_way()} on their way, {control.unacknowledged()} notifications open; "
            f"connections: {views or 'none, the client never connected or has left'}"
        )


class Outage:
    """An outage that has begun; as a context manager it ends with the block."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


class AsyncSmsc(_Commands):
    """A running SMSC on the caller's loop; given by `async with FakeSmsc(...)`."""

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
        if not await self.live.control.wait_until(lambda: self._reached(what, count), timeout_s):
            raise self._missing(what, count, timeout_s)


class FakeSmsc(_Commands):
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

    def __init__(  # noqa: PLR0913 - what a test may say about its SMSC
        self,
        codes: Mapping[str, int] | None = None,
        *,
        scenario: Scenario | Path | str | None = None,
        contract: Contract | str = "",
        limit: LimitMode = "delay",
        port: int = 0,
        seed: int = 1,
        folder: Path | str | None = None,
    ) -> None:
        if codes is not None and scenario is not None:
            raise BadInput("codes", "given beside a scenario, which has its own", "one of the two")
        self._place: Path | None = None
        read, given = self._read(scenario)
        known = contract if isinstance(contract, Contract) else load_contract(contract) if contract else given
        if known is None:
            known = load_contract()
        if read is None:
            read = _scenario(codes, known, limit)
        server = msgspec.structs.replace(read.server, port=port)
        self._scenario = msgspec.structs.replace(read, server=server, seed=read.seed if scenario else seed)
        check_scenario(self._scenario, known, "FakeSmsc")
        self._contract, self._folder = known, None if folder is None else Path(folder)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ledger: AnyLedger | None = None
        self._entered = False

    def _read(self, scenario: Scenario | Path | str | None) -> tuple[Scenario | None, Contract | None]:
        if scenario is None or isinstance(scenario, Scenario):
            return scenario, None if scenario is None else contract_of(scenario)
        path = find_scenario(Path(scenario))
        self._place = path.parent.resolve()
        read = read_scenario(path)
        return read, contract_of(read, path)

    # Beginning and end -----------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-smsc", daemon=True)
        self._thread.start()
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
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            scenario=self._scenario.name,
            seed=self._scenario.seed,
            contract=self._contract.name,
            contract_digest=self._contract.digest,
            keep=self._scenario.keep,
        )
        self._ledger = MemoryLedger(info) if self._folder is None else Ledger.create(self._folder, info)
        return LiveSmsc(self._scenario, self._contract, self._ledger, place=self._place)

    def _end(self) -> None:
        """End server, loop and thread, whatever of them had begun."""
        loop, thread, entered = self._loop, self._thread, self._entered
        self._loop, self._thread, self._entered = None, None, False
        if loop is None or thread is None:
            return
        try:
            if entered:
                asyncio.run_coroutine_threadsafe(self.live.__aexit__(), loop).result(STOP_S)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(STOP_S)
            if not thread.is_alive():
                loop.close()
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
        if self._loop is None:
            work.close()
            raise BadInput("FakeSmsc", "is not running", "a call inside its `with` block")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            with suppress(RuntimeError):
                future.cancel()
            raise

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
        """Wait for so many logged-in sessions or answered messages, until all is idle, or until a condition holds.

        "idle": no message is on its way, no notification open. A condition is called on the SMSC's loop and must not
        call this object. Raises TimeoutError, with the state of the SMSC, after `timeout_s` real seconds.
        """

        async def wait() -> None:
            if not await self.live.control.wait_until(lambda: self._reached(what, count), timeout_s):
                raise self._missing(what, count, timeout_s)

        self._wait(wait())


def _scenario(codes: Mapping[str, int] | None, contract: Contract, limit: LimitMode) -> Scenario:
    if codes is None:
        scenario = demo_scenario(contract)
        configs = tuple(msgspec.structs.replace(one, limit=limit) for one in scenario.codes)
        return msgspec.structs.replace(scenario, codes=configs)
    if not codes:
        raise BadInput("codes", "is empty", "one short code or more with its rate in messages/s")
    made = [CodeConfig(code=code, rate_per_s=rate, limit=limit, request_id="test") for code, rate in codes.items()]
    return Scenario(name="fake-smsc", contract=contract.name, codes=tuple(made))
