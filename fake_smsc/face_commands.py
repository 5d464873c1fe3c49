"""Commands to a running SMSC that return at once; `FakeSmsc` and `AsyncSmsc` share them."""

from __future__ import annotations

import asyncio
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import msgspec

from fake_smsc.faults.registry import FAULTS
from fake_smsc.scenario import LimitMode
from simbench.base.arguments import checked
from simbench.base.errors import BadInput
from simbench.base.text import count as counted
from simbench.base.toml_files import choice
from simbench.base.tracebacks import ends_here
from simbench.numbering.plan import plan_of
from simbench.numbering.subscribers import NOT_TELEPHONES_HERE

if TYPE_CHECKING:
    from fake_smsc.server.control import SessionView
    from fake_smsc.server.live import LiveSmsc
    from simbench.contract import Contract
    from simbench.findings import Findings
    from simbench.numbering.subscribers import Subscriber
    from simbench.trace.rows import Submit
    from simbench.trace.trace import Trace

T = TypeVar("T")
Awaited = Literal["session", "message", "idle"]
WAIT_S = 10.0
LOOK_S = 0.05  # between two looks at a condition


class Account(msgspec.Struct, frozen=True):
    """Login and password of the account that sends from a short code."""

    login: str
    password: str


class AccountsByCode(dict[str, Account]):
    """The accounts by their short codes."""

    def __missing__(self, code: str) -> Account:
        """Raises KeyError, which lists the known codes."""
        __tracebackhide__ = True
        raise KeyError(f"no short code {code}; there are {', '.join(self)}")


class Clock:
    """The clock of the platform."""

    def __init__(self, smsc: Commands) -> None:
        self._smsc = smsc

    @ends_here
    def now(self) -> int:
        """Return the platform's current instant (us, UTC)."""
        return self._smsc.live.clock.now()

    @checked
    def step(self, seconds: float) -> int:
        """Step forward by seconds; return the new instant (us, UTC). Raises ValueError for a step back."""
        return self._smsc.do(lambda: self._smsc.live.control.step(seconds))

    @checked
    def set_speed(self, speed: float) -> None:
        """Set the number of platform seconds per real second. Raises ValueError unless above 0."""
        self._smsc.do(lambda: self._smsc.live.control.set_speed(speed))


class Commands(ABC):
    """Commands to a running SMSC, from its own loop or from another thread."""

    live: LiveSmsc

    @abstractmethod
    def do(self, work: Callable[[], T]) -> T:
        """Run a function on the SMSC's loop and return its result."""

    @property
    @ends_here
    def host(self) -> str:
        """The address the SMSC listens on."""
        return self.live.scenario.server.host

    @property
    @ends_here
    def port(self) -> int:
        """The port the SMSC listens on."""
        return self.live.server.port

    @property
    @ends_here
    def address(self) -> str:
        """HOST:PORT, where clients connect."""
        return f"{self.host}:{self.port}"

    @property
    @ends_here
    def accounts(self) -> dict[str, Account]:
        """The login of each short code: `.login` and `.password`."""
        codes = self.live.scenario.codes
        return AccountsByCode({one.code: Account(one.account or one.code, one.password) for one in codes})

    @property
    @ends_here
    def contract(self) -> Contract:
        """The contract in force."""
        return self.live.contract

    @property
    def clock(self) -> Clock:
        """The clock of the platform."""
        return Clock(self)

    @ends_here
    def sessions(self) -> list[SessionView]:
        """Every connection, oldest first: `.number`, `.account` ("" before the login), `.state`, and how many
        operations each side has not answered.
        """
        return self.do(self.live.control.sessions)

    @checked
    def mo(self, sender: str, code: str, text: str) -> None:
        """Send a text from a subscriber's number to a short code.

        Raises BadInput for a sender that is not a number, an empty text, and a code without an account.
        """
        digits = sender.removeprefix("+")
        if not (digits.isascii() and digits.isdecimal()):
            raise BadInput("sender", f"is {sender!r:.40}", "a telephone number")
        if not text:
            raise BadInput("text", "is empty", "a text of one character or more")
        self.do(lambda: self.live.control.mo(sender, code, text))

    @checked
    def subscriber(self, number: str, **changes: Any) -> Subscriber:
        """Give a subscriber after these changes: `attached`, `standing`, `operator`, `roaming`.

        `standing` is the operator's token for a telephone that it serves, or one of "unknown", "ported-out", "m2m",
        "other-operator", "malformed", "fixed", "overseas" and "foreign"; `fate`, its former name, is accepted for one
        release. Raises BadInput for a number that the numbering plan cannot read, for a name that a subscriber does not
        have or that cannot change, and for a value that it cannot have.
        """
        plan = plan_of(self.contract)
        if plan.classify(number).kind == "malformed":
            expected = f"a telephone number of the contract {self.contract.name}, such as {plan.writer(1)}"
            raise BadInput("number", f"is {number!r:.40}", expected)
        if "fate" in changes:
            warnings.warn("subscriber: fate is now called standing", DeprecationWarning, stacklevel=2)
            changes["standing"] = changes.pop("fate")

        def changed() -> Subscriber:
            found = self.live.control.subscriber(number)
            changeable = [name for name in found.__struct_fields__ if name != "msisdn"]  # the number identifies it
            if wrong := sorted(set(changes).difference(changeable)):
                message = f"cannot change {', '.join(wrong)}" if wrong == ["msisdn"] else f"has no {', '.join(wrong)}"
                raise BadInput(f"subscriber {number}", message, f"one of {', '.join(changeable)}")
            if not changes:
                return found
            self._check_subscriber(found, changes)
            found = msgspec.structs.replace(found, **changes)
            self.live.control.put(found)
            return found

        return self.do(changed)

    def _check_subscriber(self, found: Subscriber, changes: Mapping[str, object]) -> None:
        """Raise BadInput for a value that a subscriber cannot have."""
        standings = (plan_of(self.contract).home, *NOT_TELEPHONES_HERE)
        for name, value in changes.items():
            if isinstance(getattr(found, name), bool):
                expected = "" if isinstance(value, bool) else "True or False"
            elif name == "standing":
                expected = "" if value in standings else choice(str(value), standings)
            else:
                expected = "" if isinstance(value, str) else "a text"
            if expected:
                raise BadInput(f"subscriber {found.msisdn}: {name}", f"is {value!r:.40}", expected)

    @checked
    def limit(self, code: str, rate_per_s: int, mode: LimitMode = "delay") -> None:
        """Change a code's rate (messages/s), and what happens to submits above it. Raises BadInput for an unknown code.

        `mode`: "delay" holds their results back, "nack" refuses them, "discard" does not answer, "close" closes the
        connection, "monitor" accepts everything.
        """
        self.do(lambda: self.live.control.limit(code, rate_per_s, mode))

    @checked
    def fault(self, name: str, **parameters: object) -> None:
        """Start a wire fault, such as `fault("late-result", delay_s=2)`; several can act together.

        docs/reference/faults.md has the names and their parameters. Raises BadInput for an unknown one.
        """
        self.do(lambda: self.live.control.fault(name, **parameters))

    @checked
    def clear(self, name: str = "") -> int:
        """End the faults of that name, or all of them; gives their number. Raises BadInput for an unknown name."""
        if name and name not in FAULTS:
            raise BadInput("name", f"is {name!r:.40}", choice(name, FAULTS))
        return self.do(lambda: self.live.control.clear(name))

    @checked
    def drop(self, session: int, *, abruptly: bool = False) -> None:
        """Close one connection, with RST if abruptly. Raises BadInput if there is no such session."""
        self.do(lambda: self.live.control.drop(session, abruptly=abruptly))

    @ends_here
    def trace(self) -> Trace:
        """The judge's reading of what has happened so far: `.submits`, `.messages` (whole texts), `.notifications`, …

        Each is a table: iterating gives its rows as objects with names, and a field of the table is a whole column.
        Others are `.mo` and `.sessions`.
        """
        from simbench.trace.trace import Trace  # noqa: PLC0415 - a test that judges nothing needs no reader

        run, now = self.do(lambda: (self.live.control.snapshot(), self.live.control.now()))
        return Trace(run, ended=now)

    @checked
    def messages(self, recipient: str = "", code: str = "") -> list[Submit]:
        """Submits in order of arrival, of one recipient or short code, if given; each with its result.

        A submit has `.at` (us, UTC), `.session`, `.account`, `.code`, `.recipient`, `.oadc` (the sender as sent),
        `.text`, `.trn`, `.validity`, `.frame` (octets), and its result: `.ack` "A" or "N" ("" while there is none),
        `.result_at` (us; -1), `.ec` (error code), `.scts`. A long text is several submits, one for each part;
        `trace().messages` has whole texts.
        """
        plan = plan_of(self.contract)
        wanted = plan.key(plan.read(recipient) or recipient) if recipient else ""
        return [
            one
            for one in self.trace().submits.rows()
            if (not wanted or plan.key(one.recipient) == wanted) and code in {"", one.code}
        ]

    @ends_here
    def judge(self) -> Findings:
        """Findings on the client's traffic so far, those of `simbench judge` on a recorded run.

        `judge().failures_of("client")` are the failures that the client is to blame for. Each finding has a `.purpose`,
        an `.outcome` ("pass", "fail", "weak", "inconclusive", …) and a `.summary`. The whole is seldom "pass": what a
        short test does not show is inconclusive.
        """
        from simbench.findings import Findings  # noqa: PLC0415 - as above
        from simbench.rules.audit import audit, given_by  # noqa: PLC0415 - as above
        from simbench.rules.rule import Case  # noqa: PLC0415 - as above

        trace = self.trace()
        return Findings(audit(Case(trace, self.contract), given_by(trace), "live", ("audit",)))

    async def _until(self, what: Awaited | Callable[[], bool], count: int, timeout_s: float) -> None:
        """Wait on the SMSC's loop. Raises TimeoutError, and what a condition raises.

        A condition is also looked at without an event of the SMSC: it may be about something else.
        """
        control, now = self.live.control, asyncio.get_running_loop().time
        deadline, look_s = now() + timeout_s, LOOK_S if callable(what) else timeout_s
        while not await control.wait_until(lambda: self._reached(what, count), min(look_s, deadline - now())):
            if now() >= deadline:
                raise self._missing(what, count, timeout_s)

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
        """Return the error of a wait that timed out, with the state of the SMSC."""
        control = self.live.control
        views = ", ".join(f"{one.account or 'no account yet'} ({one.state})" for one in control.sessions())
        wanted = "the condition" if callable(what) else what if what == "idle" else counted(count, what)
        return TimeoutError(
            f"{wanted} not reached within {timeout_s:g} s: {counted(control.answered(), 'message')} answered, "
            f"{control.on_the_way()} on their way, {counted(control.unacknowledged(), 'notification')} open; "
            f"connections: {views or 'none, the client never connected or has left'}{self._violations()}"
        )

    def _violations(self) -> str:
        """The client's protocol violations, a possible reason for a missing answer."""
        seen = self.live.server.gateway.protocol_violations
        return "".join(f"; {count} x {name}" for name, count in seen.items() if count)


class Outage:
    """A started outage; as a context manager it ends with the block."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
