"""What crosses the centre's border, and what it keeps of a message. Plain records: no behaviour.

Instants are microseconds since the Unix epoch, UTC; `scts` is in whole seconds of the same epoch.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import msgspec

AccountState = Literal["active", "suspended", "closed"]
PlatformState = Literal["up", "degraded", "down", "maintenance"]

DELIVERED, BUFFERED, UNDELIVERED = 0, 1, 2  # Dst of a notification (EMI-UCP 4.0, field 16 of the 5x series)


class Account(msgspec.Struct, frozen=True):
    """A provisioned application: whom it may be, which short codes it may send from, how many sessions it may open."""

    name: str
    password: str
    codes: tuple[str, ...]
    state: AccountState = "active"
    max_sessions: int = 1
    oadc_option: bool = False


class Limit(msgspec.Struct, frozen=True):
    """How the meter of one code answers: `monitor`, `delay`, `nack`, `discard` or `close` (docs/reference, meter)."""

    rate_per_s: int
    mode: Literal["monitor", "delay", "nack", "discard", "close"] = "delay"
    nack_ec: str = "04"
    jitter_us: int = 0
    max_hold_us: int = 0
    overflow_ec: str = "04"


class Submit(msgspec.Struct, frozen=True, gc=False):
    """One operation 51 as the gateway read it. `handle` comes back unchanged with a late answer."""

    session: int
    account: str
    oadc: str
    recipient: str
    digest: str = ""  # of the text: part of the message's identity for its draws
    segments: int = 1
    notify: int = 0  # NT bit mask, 0 for no notification
    expires_at: int = 0  # 0: the default validity
    alphanumeric: bool = False
    handle: str = ""


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The message is the centre's now. `shortened_to` is the validity end the centre set instead of the one asked."""

    recipient: str
    scts: int
    shortened_to: int = 0


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A negative result: error code of EMI-UCP 4.0 section 6.1 and a short reason."""

    ec: str
    reason: str


class Silence(Enum):
    """Replies that are no result."""

    HELD = "held"  # an Answer follows
    DISCARDED = "discarded"
    CLOSE = "close"


Reply = Accepted | Refused | Silence


class Answer(msgspec.Struct, frozen=True, gc=False):
    """The late reply to a submit that was held."""

    session: int
    handle: str
    reply: Accepted | Refused


class Message(msgspec.Struct, gc=False):
    """An accepted message until its fate is told."""

    entity: int
    account: str
    code: str
    recipient: str
    scts: int
    accepted_at: int
    expires_at: int
    notify: int
    segments: int
    session: int
    attempt: int = 0
    told_buffered: bool = False


class Notice(msgspec.Struct, gc=False):
    """A 52 or 53 that waits for its acknowledgement. For a 53 `outcome` is Dst, `reason` Rsn, `at` when it happened."""

    kind: Literal["notification", "mo"]
    account: str
    code: str
    subscriber: str
    scts: int
    at: int
    outcome: int = 0
    reason: int = 0
    payload: Any = None  # of a 52: what the gateway made of the subscriber's text
    message: int = 0
    tries: int = 0
    posted_at: int = 0  # since when somebody could carry it
