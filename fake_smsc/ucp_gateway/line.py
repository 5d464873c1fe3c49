"""One connection as the SMSC sees it, and the gateway's settings."""

from __future__ import annotations

from typing import Literal

import msgspec

from fake_smsc.strictness import STRICT, Strictness
from simbench.ucp.frame import Framer
from simbench.ucp.session import Session

Mute = Literal["", "deaf", "silent"]


class GatewaySettings(msgspec.Struct, frozen=True):
    """The gateway's settings, taken from contract and scenario. Durations in microseconds."""

    windows: dict[str, int]  # account to window
    window_max: int
    login_timer_us: int
    login_failures_close: int
    idle_close_us: int
    notification_timer_us: int
    max_frame_octets: int = 4096
    strictness: Strictness = STRICT


class Line:
    """One connection as the SMSC sees it."""

    __slots__ = ("account", "failures", "foreign", "framer", "heard_at", "mute", "number", "out", "room_at", "session")

    def __init__(self, number: int, settings: GatewaySettings, now: int) -> None:
        self.number = number
        self.framer = Framer(settings.max_frame_octets)
        self.session = Session(settings.window_max, settings.window_max)
        self.account = ""
        self.failures = 0
        self.foreign = False  # another protocol was detected and reported
        self.heard_at = now
        self.room_at = now  # since when its window has had room
        self.mute: Mute = ""
        self.out: list[bytes] = []
