"""The system under test as exercises see it: something that is told to send and tells what became of it.

Knows no rule. An adapter owns exactly the processes it started and ends just those, by their ids.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import msgspec

from simbench.base.errors import MissingTool, Trouble


class AccountGiven(msgspec.Struct, frozen=True):
    """What the client is told about one account: login, password, short code, and the rate subscribed for it."""

    code: str
    account: str
    password: str
    rate_per_s: int
    oadc_option: bool = False


class ClockGiven(msgspec.Struct, frozen=True):
    """What time it is for the client: `epoch_us` at `start_ns` of the machine's monotonic clock, at this speed."""

    epoch_us: int
    start_ns: int
    speed: float = 1.0


class Maintenance(msgspec.Struct, frozen=True):
    """An announcement: the platform is stopped from `start_us` to `end_us` (us since the epoch, UTC)."""

    start_us: int
    end_us: int


class Target(msgspec.Struct, frozen=True):
    """Where and how the client is to connect. `folder` is the adapter's own, for configuration and logs."""

    host: str
    port: int
    accounts: tuple[AccountGiven, ...]
    window: int
    folder: Path
    keepalive_s: int = 50
    result_timer_s: int = 60
    portability: Path | None = None
    clock: ClockGiven | None = None  # None: the machine's own


class Ask(msgspec.Struct, frozen=True):
    """One message the bench asks the client to send. `mark` stands in the text and comes back in reports.

    `oadc` empty: the short code itself; anything else is a temptation. `traits` is what the campaign declares of the
    message: "all-free", "presence", "optout-told".
    """

    mark: str
    code: str
    recipient: str
    text: str
    klass: str = "transactional"
    brand: str = ""
    opted_in: bool = True
    oadc: str = ""
    validity_s: int = 0
    traits: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """What the client tells: `kind` is queued, accepted, refused, delivered, undelivered, buffered, withheld, doubtful,
    mo or error. For an mo, `mark` is empty and `detail` the text, `code` and `subscriber` say from whom to whom.
    """

    kind: str
    mark: str = ""
    detail: str = ""
    code: str = ""
    subscriber: str = ""


class Capabilities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client says it can do. None is "not said", which is not the same as False."""

    limits_rate: bool | None = None  # keeps its tier by itself
    qualifies_recipients: bool | None = None  # withholds what is not for metropolitan Orange subscribers
    keeps_oadc: bool | None = None  # withholds another originator than the short code
    keeps_stop_list: bool | None = None
    keeps_quiet_hours: bool | None = None
    keeps_consent: bool | None = None  # markets only to those who agreed
    keeps_ranges: bool | None = None  # uses each range of short codes for what it is there for
    checks_content: bool | None = None  # withholds texts that name no brand, or call free what is not
    names_stop: bool | None = None  # its marketing names the way to opt out
    keeps_daily_limit: bool | None = None  # one marketing message a day, user and brand
    keeps_validity: bool | None = None  # sends nothing whose validity is over
    heeds_notices: bool | None = None  # stops for announced maintenance
    reports_outcomes: bool | None = None  # tells accepted, refused, delivered
    clock: Literal["fixed", "offset", "speed"] | None = None  # may be moved; "speed": may run fast as well
    result_timer_s: int | None = None  # how long it waits for a result before it acts


class Reach(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the bench reaches a client. The default is one that the bench starts, and tells all it must know.

    `asks`: it can be told to send. `accounts`: those it was given beforehand, None where `start` tells them. `port`:
    the one it connects to, 0 where `start` tells it; with a fixed one, exercises follow each other. `connect_wait_s`:
    how long it may take until it has logged in.
    """

    asks: bool = True
    accounts: tuple[AccountGiven, ...] | None = None
    port: int = 0
    connect_wait_s: float = 20.0


WITHIN_REACH = Reach()


def reach_of(sut: SystemUnderTest) -> Reach:
    """How far the bench reaches this client: its own `reach`, where it has one."""
    return getattr(sut, "reach", WITHIN_REACH)


def pids_of(sut: SystemUnderTest) -> tuple[int, ...]:
    """The processes that this client's adapter started and that still run; none where it has none of its own."""
    return getattr(sut, "pids", ())


class CannotRun(MissingTool):
    """The client says that it cannot run here: nothing can be judged of it, and nobody is to blame."""


class SutFailed(Trouble):
    """The client could not be started, or ended by itself: says how, with the end of its log."""


@runtime_checkable
class HearsNotices(Protocol):
    """A client that can be told of maintenance beforehand."""

    async def notice(self, maintenance: Maintenance) -> None:
        """Tell it. Raises SutFailed when it is gone."""


@runtime_checkable
class MovesClock(Protocol):
    """A client whose clock can be moved while it runs."""

    async def move_clock(self, clock: ClockGiven) -> None:
        """Move it, forward. Raises SutFailed when it is gone."""


class SystemUnderTest(Protocol):
    """One client, driven."""

    name: str
    version: str
    capabilities: Capabilities

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Start the client against the target; `tell` hears everything it reports. Raises SutFailed, MissingTool."""

    async def send(self, ask: Ask) -> None:
        """Hand it one message; returns when the client took it over. Raises SutFailed when it is gone."""

    async def stop(self) -> None:
        """End it and every process it started, and wait for them."""
