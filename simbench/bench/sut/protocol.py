"""The interface of a system under test: it takes requests to send and reports their outcomes.

An adapter stops only the processes that it started, by their ids.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

import msgspec

from simbench.base.errors import MissingTool, Trouble
from simbench.client.messages import Outgoing
from simbench.ledger.stimuli import ReportKind


class AccountGiven(msgspec.Struct, frozen=True):
    """The data of one account for the client.

    `account` is the login, `code` its short code, `rate_per_s` the subscribed rate in messages (segments) per second.
    `oadc_option`: the account may send under a sender name.

    `password` is the password of the login.
    """

    code: str
    account: str
    password: str
    rate_per_s: int
    oadc_option: bool = False


class ClockGiven(msgspec.Struct, frozen=True):
    """The client's clock: `epoch_us` at `start_ns` of the machine's monotonic clock, at this speed."""

    epoch_us: int
    start_ns: int
    speed: float = 1.0


class Maintenance(msgspec.Struct, frozen=True):
    """An announcement: the platform is down from `start_us` to `end_us` (us since the epoch, UTC)."""

    start_us: int
    end_us: int


class Target(msgspec.Struct, frozen=True):
    """Address and settings of the client's connection. `folder` holds the adapter's configuration and logs.

    `contract` is the name or the path of the contract that a client may read; empty: the built-in one. `keepalive_s`
    and `result_timer_s` are seconds, `clock` None means the machine's own.

    >>> Target("127.0.0.1", 3024, (), window=10, folder=Path("adapter")).keepalive_s
    50
    """

    host: str
    port: int
    accounts: tuple[AccountGiven, ...]
    window: int
    folder: Path
    keepalive_s: int = 50
    result_timer_s: int = 60
    portability: Path | None = None
    clock: ClockGiven | None = None  # None: the machine's own
    contract: str = ""


class Report(msgspec.Struct, frozen=True):
    """A report of the client: `kind` is queued, accepted, refused, delivered, undelivered, buffered, withheld,
    doubtful, mo or error. An mo has an empty `token`, its text in `detail`, sender `subscriber` and recipient `code`.
    """

    kind: ReportKind
    token: str = ""
    detail: str = ""
    code: str = ""
    subscriber: str = ""


class Capabilities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The capabilities a client claims. A key left out is unknown, which differs from false.

    A purpose is unsupported if the capability it needs is left out or set to false. A client that is only observed is
    judged unless the key is false.

    Sending: `limits_rate`: keeps its subscribed rate by itself. `qualifies_recipients`: sends only to the operator's
    subscribers. `keeps_oadc`: sends from no originator but its short code, or a sender name where the option is active.
    `keeps_ranges`: uses each range of short codes for its purpose only. `keeps_validity`: sends no message whose
    validity has ended. `heeds_notices`: disconnects for an announced maintenance.

    Marketing: `keeps_stop_list`: sends nothing to users who opted out. `keeps_quiet_hours`: sends only in the
    contract's hours. `keeps_consent`: sends only to users who agreed. `checks_content`: withholds texts that name no
    brand or call a paid service free. `names_stop`: names STOP and the short code. `keeps_daily_limit`: sends at most
    one message per day, user and brand.

    `reports_outcomes`: reports the outcome of each message to the bench. `clock`: "fixed" is the machine's own,
    "offset" can be moved, "speed" can be moved and run faster; without it purposes that need a moved clock are
    unsupported. `result_timer_s`: seconds for which the client waits for a result before it acts (default: the longest
    time that the contract allows).

    >>> Capabilities(limits_rate=True, clock="speed").heeds_notices is None
    True
    """

    limits_rate: bool | None = None
    qualifies_recipients: bool | None = None
    keeps_oadc: bool | None = None
    keeps_stop_list: bool | None = None
    keeps_quiet_hours: bool | None = None
    keeps_consent: bool | None = None
    keeps_ranges: bool | None = None
    checks_content: bool | None = None
    names_stop: bool | None = None
    keeps_daily_limit: bool | None = None
    keeps_validity: bool | None = None
    heeds_notices: bool | None = None
    reports_outcomes: bool | None = None
    clock: Literal["fixed", "offset", "speed"] | None = None
    result_timer_s: int | None = None


CLAIMS: Final = tuple(name for name in Capabilities.__struct_fields__ if name not in {"clock", "result_timer_s"})
"""The capabilities that a client claims or does not."""


def moves_clock(capabilities: Capabilities) -> bool:
    """Tell whether the client's clock can be moved."""
    return capabilities.clock in {"offset", "speed"}


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The control of the bench over a client. The default is a client that the bench starts and configures.

    `asks`: it takes requests. `accounts`: those of its own configuration, None if `start` sets them. `port`: the port
    it connects to, 0 if `start` sets it; with a fixed port exercises run one after the other. `connect_wait_s`: the
    time within which it must log in.
    """

    asks: bool = True
    accounts: tuple[AccountGiven, ...] | None = None
    port: int = 0
    connect_wait_s: float = 20.0


WITHIN_REACH = Reach()


def reach_of(sut: SystemUnderTest) -> Reach:
    """Return the control of the bench over this client: its `reach`, or the default."""
    return getattr(sut, "reach", WITHIN_REACH)


def pids_of(sut: SystemUnderTest) -> tuple[int, ...]:
    """Return the running processes that this client's adapter started."""
    return getattr(sut, "pids", ())


class CannotRun(MissingTool):
    """The client reports that it cannot run here; this gives neither a verdict nor blame."""


class SutFailed(Trouble):
    """The client could not start or ended unexpectedly; the message contains the end of its log."""


@runtime_checkable
class HearsNotices(Protocol):
    """A client that takes announcements of maintenance."""

    async def notice(self, maintenance: Maintenance) -> None:
        """Announce maintenance. Raises SutFailed if the client has ended."""


@runtime_checkable
class MovesClock(Protocol):
    """A client whose clock can be moved while it runs."""

    async def move_clock(self, clock: ClockGiven) -> None:
        """Move the clock forward. Raises SutFailed if the client has ended."""


class SystemUnderTest(Protocol):
    """One client under test. An adapter of your own has these methods and needs no base class.

    >>> class Mine:
    ...     name, version, capabilities = "mine", "1.0", Capabilities(limits_rate=True)
    ...     async def start(self, target, tell): ...
    ...     async def send(self, ask): ...
    ...     async def stop(self): ...
    >>> client: SystemUnderTest = Mine()
    >>> client.name  # conform(Mine) runs the exercises against it
    'mine'
    """

    name: str
    version: str
    capabilities: Capabilities

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Start the client against the target; `tell` receives its reports. Raises SutFailed, MissingTool."""

    async def send(self, ask: Outgoing) -> None:
        """Request one message; returns when the client has accepted it. Raises SutFailed if the client has ended."""

    async def stop(self) -> None:
        """End the client and every process it started, and wait for them."""
