"""The SMSC's state of one connection, and the gateway's settings."""

from __future__ import annotations

from typing import Literal

import msgspec

from fake_smsc.strictness import STRICT, Strictness
from simbench.base.calendar import UTC_CALENDAR, Calendar
from simbench.ucp.frame import Framer
from simbench.ucp.session import Outstanding, Session, Window

Mute = Literal["", "deaf", "silent"]


class GatewaySettings(msgspec.Struct, frozen=True):
    """The gateway's settings, taken from contract and scenario. Durations in microseconds, times in `calendar`."""

    windows: dict[str, int]  # account to window
    window_max: int
    login_timer_us: int
    login_failures_close: int
    idle_close_us: int
    notification_timer_us: int
    calendar: Calendar = UTC_CALENDAR
    max_frame_octets: int = 4096
    strictness: Strictness = STRICT


class OwnWindow(Window):
    """The SMSC's own operations on one connection.

    `room_at`: the instant since which it has had room; `checked`: whether a timer runs for unanswered operations;
    `shut`: whether sending is forbidden.
    """

    __slots__ = ("checked", "room_at", "shut")

    def __init__(self, size: int, now: int) -> None:
        super().__init__(size)
        self.room_at = now
        self.checked = False
        self.shut = False

    def oldest(self) -> int:
        """Return when the operation that has waited longest was sent."""
        return min(wait.sent_at for wait in self.outstanding.values())

    def remove(self, trn: str) -> Outstanding:
        """Free the TRN of an unanswered operation and return the operation."""
        return self.outstanding.pop(trn)


class Line:
    """The SMSC's state of one connection; `own` is also the session's."""

    __slots__ = (
        "account", "closing", "early", "failures", "foreign", "framer", "heard_at", "mute", "number", "out", "own",
        "peer", "session",
    )  # fmt: skip

    def __init__(self, number: int, settings: GatewaySettings, now: int, own: OwnWindow, peer: str = "") -> None:
        self.number = number
        self.peer = peer  # its address, "" where there is none
        self.framer = Framer(settings.max_frame_octets)
        self.session = Session(settings.window_max, settings.window_max)
        self.session.own = self.own = own
        self.account = ""
        self.failures = 0
        self.early = 0  # frames and wire errors without a login
        self.closing = False  # its input is no longer served
        self.foreign = False  # another protocol was detected and reported
        self.heard_at = now
        self.mute: Mute = ""  # how an outage treats the connection; see `treat`
        self.out: list[bytes] = []

    def treat(self, how: Mute) -> None:
        """Treat the connection in this way from now on; "": normally."""
        self.mute, self.own.shut = how, bool(how)
