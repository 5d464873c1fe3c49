"""`Client`: the reference client as an object, for tests of a platform and as an example of a correct client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from simbench.base.addresses import host_and_port
from simbench.base.errors import BadInput
from simbench.base.loop_thread import LoopThread
from simbench.base.python_words import in_python_words
from simbench.base.tracebacks import ends_here
from simbench.client.compliance import StopList
from simbench.client.core import Core
from simbench.client.faults import FAULTS, current, faulty
from simbench.client.messages import Close, Event, LinkConfig, MoReceived, Outgoing, Withheld, knowledge_of
from simbench.client.shell import Link, Outside
from simbench.client.spool import Spool
from simbench.contract import Contract, load_contract

T = TypeVar("T")
State = Literal["queued", "accepted", "refused", "delivered", "undelivered", "withheld"]
FINAL = frozenset({"refused", "delivered", "undelivered", "withheld"})
LATER = {"queued": FINAL | {"accepted"}, "accepted": {"delivered", "undelivered"}}  # than a state that a message had
WAIT_S = 60.0  # a delivery takes seconds, rarely half a minute
LOOK_S = 0.01


class Client:
    """A correct UCP client on one short code: it logs in, keeps its rate, window and keepalives, and reconnects.

    Use it as a context manager; it runs in a separate thread and ends with the block. `address` is HOST:PORT; `account`
    and `password` default to the short code and the password of demo scenarios. `rate_per_s` is its tier; `rate_per_s`
    and `window` default to the contract's standard values.
    `faults` are named deviations (`simbench list faults`), to test a judge or a platform. `spool`: a file in which the
    client keeps its messages; by default it keeps them in memory.

    >>> from fake_smsc import FakeSmsc
    >>> with FakeSmsc(codes={"36010": 10}) as smsc, Client(smsc.address, "36010", rate_per_s=10) as client:
    ...     token = client.send("0639980001", "Bonjour")
    ...     client.wait_for(token, "delivered")
    ...     [one.text for one in smsc.messages()]
    'delivered'
    ['Bonjour']
    """

    @in_python_words
    def __init__(  # noqa: PLR0913 - the configuration of a client
        self,
        address: str,
        code: str,
        *,
        account: str = "",
        password: str = "secret",  # noqa: S107 - of demo accounts on loopback
        rate_per_s: int = 0,
        window: int = 0,
        contract: Contract | Path | str | None = None,
        faults: tuple[str, ...] = (),
        spool: Path | str = ":memory:",
    ) -> None:
        host, port = host_and_port(address, "address")
        for name, number in {"rate_per_s": rate_per_s, "window": window}.items():
            if number < 0:
                raise BadInput(name, f"is {number}", "1 or more; 0: the contract's")
        for fault in faults:
            if current(fault) not in FAULTS:
                raise BadInput("faults", f"{fault!r:.40} is not a fault of the reference client", "a name of FAULTS")
        known = contract if isinstance(contract, Contract) else load_contract(contract) if contract else load_contract()
        terms = known.terms
        self._config = LinkConfig(
            account=account or code, password=password, code=code,
            rate_per_s=rate_per_s or terms.throughput.default_per_s.value, window=window or terms.session.window.value,
            knows=knowledge_of(known),
        )  # fmt: skip
        self._outside = Outside(host, port)
        self._make: Callable[[LinkConfig, StopList], Core] = faulty(faults) if faults else Core
        self._spool_path, self._names = str(spool), count(1)
        self._thread: LoopThread | None = None
        self.events: list[Event] = []
        """All events in order: Queued, Sent, Accepted, Refused, Delivered, MoReceived, …"""

    @ends_here
    def __enter__(self) -> Self:
        if self._thread is not None:
            raise BadInput("Client", "is running already", "one block at a time")
        self._thread = LoopThread("simbench-client")
        try:
            self._wait(self._start())
        except BaseException:
            self._end()
            raise
        return self

    @ends_here
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._wait(self._stop())
        finally:
            self._end()

    @in_python_words
    def send(  # noqa: PLR0913 - the parts of a message
        self,
        recipient: str,
        text: str,
        *,
        traffic_class: str = "transactional",
        brand: str = "",
        oadc: str | None = None,
        validity_s: int | None = None,
        opted_in: bool = True,
        token: str = "",
    ) -> str:
        """Queue a message and return its token for `state` and `wait_for`.

        Raises BadInput for a token that was used before, and for a validity below a second.
        """
        if validity_s is not None and validity_s < 1:
            raise BadInput("validity_s", f"is {validity_s}", "1 second or more")
        name = token or f"m{next(self._names)}"
        asked = Outgoing(name, self._config.code, recipient, text, traffic_class, brand, oadc, validity_s, opted_in)

        async def submit() -> bool:
            taken = self._link.submit(asked)
            self._link.turn()
            return taken

        if not self._wait(submit()):
            raise BadInput("token", f"{name!r:.60} was used before", "a new one")
        return name

    @ends_here
    def state(self, token: str) -> State | None:
        """Return a message's state: queued, accepted, refused, delivered, undelivered, withheld; None if unknown."""

        async def look() -> Any:
            return self._spool.states().get(token)

        found: State | None = self._wait(look())
        return found

    @property
    def received(self) -> list[MoReceived]:
        """Return the messages from subscribers so far: `.sender`, `.text`, `.scts`."""
        return [one for one in list(self.events) if isinstance(one, MoReceived)]

    @in_python_words
    def wait_for(self, token: str, state: State | None = None, timeout_s: float = WAIT_S) -> State:
        """Wait until a message is in a state, or was in it before; by default in a final one. Return the state.

        Raises TimeoutError after so many seconds, and if the message ends in another state.
        """

        async def reached() -> State:
            now = asyncio.get_running_loop().time
            deadline = now() + timeout_s
            while True:
                found: Any = self._spool.states().get(token)
                if (found in FINAL) if state is None else (found == state):
                    return found  # type: ignore[no-any-return]  # a state of the spool
                if state is not None and found in LATER.get(state, ()):
                    return state  # a quick platform leaves no time to see it
                if found in FINAL or now() > deadline:
                    raise TimeoutError(
                        f"message {token}: {found or 'unknown'}, not {state or 'final'}, {self._last_events()}"
                    )
                await asyncio.sleep(LOOK_S)

        return self._wait(reached())

    def _last_events(self) -> str:
        last = ", ".join(
            type(one).__name__ + (f" ({one.reason})" if isinstance(one, Withheld | Close) else "")
            for one in self.events[-4:]
        )
        return f"the last events were: {last or 'none, the client never logged in'}"

    async def _start(self) -> None:
        self._spool = Spool(self._spool_path)
        stops = StopList(self._config.knows.plan, self._spool.stops())
        self._link = Link(self._make(self._config, stops), self._spool, self._outside, self.events.append)
        self._link.turn()

    async def _stop(self) -> None:
        await self._link.end()
        self._spool.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            work.close()
            raise BadInput("Client", "is not running", "a call inside its `with` block")
        return self._thread.wait(work)

    def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.end()

    def __repr__(self) -> str:
        state = "running" if self._thread is not None else "not running"
        return f"<Client of {self._config.code} at {self._outside.host}:{self._outside.port}, {state}>"
