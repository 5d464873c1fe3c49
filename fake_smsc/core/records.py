"""What crosses the centre's border, and what it keeps of a message. Plain records: no behaviour.

Instants are microseconds since the Unix epoch, UTC; `scts` is in whole seconds of the same epoch.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import msgspec

from fake_smsc.scenario import Meter

AccountState = Literal["active", "suspended", "closed"]
PlatformState = Literal["up", "degraded", "down", "maintenance"]

NOT_ALLOWED, INVALID_ADDRESS, INVALID_TIME = "04", "06", "22"  # error codes (EMI-UCP 4.0, EC)
DELIVERED, BUFFERED, UNDELIVERED = 0, 1, 2  # Dst of a notification (EMI-UCP 4.0, field 16 of the 5x series)


class Account(msgspec.Struct, frozen=True):
    """A provisioned application: whom it may be, which short codes it may send from, how many sessions it may open."""

    name: str
    password: str
    codes: tuple[str, ...]
    state: AccountState = "active"
    max_sessions: int = 1
    oadc_option: bool = False
    auth_code: str = ""  # AC its operations may carry; "": AC is not looked at
    priority: bool = False  # subscribed to PR
    list_max: int = 1000  # addresses each of its MO and MT lists holds
    provisioning_password: str = ""  # "": the same as the password


class Limit(msgspec.Struct, frozen=True):
    """How the meter of one code answers: `monitor`, `delay`, `nack`, `discard` or `close` (docs/reference, meter)."""

    rate_per_s: int
    mode: Literal["monitor", "delay", "nack", "discard", "close"] = "delay"
    nack_ec: str = "04"
    jitter_us: int = 0
    max_hold_us: int = 0
    overflow_ec: str = "04"
    meter: Meter = "sliding"
    mean_window_s: int = 1  # of the meter mean_10s; the contract says how long


class Special(msgspec.Struct, gc=False):
    """What few messages ask for; a message without any of it carries None, which keeps the common one light.

    `begins_at` is the deferral (DDT), 0 once it is over; `rpid` the TP-PID; `more` MMS; `header`: it holds a UDH.
    """

    originator: str = ""  # OAdC where it is not the code
    auth_code: str = ""
    notify_at: str = ""  # NAdC
    last_resort: str = ""  # LRAd
    begins_at: int = 0
    rpid: int = 0
    priority: bool = False
    more: bool = False
    reply_path: bool = False
    single_shot: bool = False
    header: bool = False
    billing: str = ""
    forwarded: bool = False  # on its way to the last-resort address
    follows: int = 0  # the message (its number) whose next part this is: not tried before that one's end
    followed: bool = False  # another part follows


class Submit(msgspec.Struct, frozen=True, gc=False):
    """One submission as the gateway read it. `handle` comes back unchanged with a late answer."""

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
    special: Special | None = None
    entity: int = 0  # the message's number for its draws, where traffic is generated; 0: made of what it is


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


class Key(msgspec.Struct, frozen=True):
    """What names a message that waits: its addresses, its AC if it had one, and its stamp.

    `stamps` are the seconds a written SCTS can mean (two in the hour that October repeats), none for every message.
    """

    account: str
    originator: str
    recipient: str
    auth_code: str = ""
    stamps: tuple[int, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """Operation 54: what of a waiting message is to be otherwise; None leaves a thing as it is.

    `notify` and `kinds` are NRq and NT; `begins_at` and `expires_at` microseconds; `segments` of the new text.
    """

    notify: bool | None = None
    kinds: int | None = None
    notify_at: str | None = None
    last_resort: str | None = None
    begins_at: int | None = None
    expires_at: int | None = None
    rpid: int | None = None
    reply_path: bool | None = None
    billing: str | None = None
    segments: int | None = None


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
    special: Special | None = None
    next_at: int = 0  # no attempt before this instant
    waits_for: int = 107  # Rsn of what it waits for: of an absent subscriber, unless an attempt failed otherwise


class Notice(msgspec.Struct, gc=False):
    """A 52, 53, 57 or 58 that waits for its acknowledgement.

    For a 53 `outcome` is Dst, `reason` Rsn, `at` when it happened; a 57 lists `stamps`, a 58 names one.
    """

    kind: Literal["notification", "mo", "inquiry", "deletion"]
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
    fallback: bool = False  # the application knows no 52 or 53: offered as 01
    reply: bool = False  # of a 52: it took the reply path of a message
    stamps: tuple[int, ...] = ()
    more: bool = False  # another 57 or 58 of the same operation follows
