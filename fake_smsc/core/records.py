"""Records exchanged with the centre, and its record of a message.

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
    """A provisioned application: its login, the short codes it may send from, and how many sessions it may open."""

    name: str
    password: str
    codes: tuple[str, ...]
    state: AccountState = "active"
    max_sessions: int = 1
    oadc_option: bool = False
    auth_code: str = ""  # AC its operations may carry; "": AC is not checked
    priority: bool = False  # has subscribed to PR
    list_max: int = 1000  # capacity of each of its MO and MT lists
    provisioning_password: str = ""  # "": the same as the password


class Limit(msgspec.Struct, frozen=True):
    """The rate limit of one code and its answer: `monitor`, `delay`, `nack`, `discard` or `close` (meter reference)."""

    rate_per_s: int
    mode: Literal["monitor", "delay", "nack", "discard", "close"] = "delay"
    nack_ec: str = "04"
    jitter_us: int = 0
    max_hold_us: int = 0
    overflow_ec: str = "04"
    meter: Meter = "sliding"
    mean_window_s: int = 1  # window of the meter mean_10s, from the contract


class Special(msgspec.Struct, gc=False):
    """Rarely used requests of a message; None instead of it keeps the ordinary message small.

    `begins_at` is the deferral (DDT), 0 once it is over; `rpid` the TP-PID; `more` MMS; `header`: the text has a UDH.
    """

    originator: str = ""  # OAdC if it is not the code
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
    follows: int = 0  # message number of the part before this one, which must end before this one is attempted
    followed: bool = False  # another part follows


class Submit(msgspec.Struct, frozen=True, gc=False):
    """One submission as read by the gateway. `handle` is returned unchanged with a late answer."""

    session: int
    account: str
    oadc: str
    recipient: str
    digest: str = ""  # the text, as part of the message id
    segments: int = 1
    notify: int = 0  # NT bit mask, 0 for no notification
    expires_at: int = 0  # 0: the default validity
    alphanumeric: bool = False
    handle: str = ""
    special: Special | None = None
    entity: int = 0  # message id of generated traffic; 0: derived from the message


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The message was accepted. `shortened_to`: the validity end the centre set instead of the requested one, or 0."""

    recipient: str
    scts: int
    shortened_to: int = 0


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A negative result: an error code of EMI-UCP 4.0 section 6.1 and a short reason."""

    ec: str
    reason: str


class Silence(Enum):
    """Replies without a result."""

    HELD = "held"  # an Answer follows
    DISCARDED = "discarded"
    CLOSE = "close"


Reply = Accepted | Refused | Silence


class Key(msgspec.Struct, frozen=True):
    """Identifies waiting messages by their addresses, their AC if they have one, and their SCTS.

    `stamps` are the seconds a written SCTS can mean (two in the hour that October repeats); empty: every message.
    """

    account: str
    originator: str
    recipient: str
    auth_code: str = ""
    stamps: tuple[int, ...] = ()


class Change(msgspec.Struct, frozen=True):
    """Operation 54: the changes to a waiting message; None leaves a value unchanged.

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
    """An accepted message until its final outcome."""

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
    buffered: bool = False
    special: Special | None = None
    next_at: int = 0  # no attempt before this instant
    waits_for: int = 107  # Rsn of the wait: absent subscriber, unless an attempt failed with another reason


class Notification(msgspec.Struct, gc=False):
    """A 52, 53, 57 or 58 that has not been acknowledged yet.

    For a 53, `outcome` is Dst, `reason` Rsn, `at` the time of the outcome; a 57 lists `stamps`, a 58 has one.
    """

    kind: Literal["notification", "mo", "inquiry", "deletion"]
    account: str
    code: str
    subscriber: str
    scts: int
    at: int
    outcome: int = 0
    reason: int = 0
    payload: Any = None  # of a 52: the subscriber's text as encoded by the gateway
    message: int = 0
    tries: int = 0
    posted_at: int = 0  # the instant from which it can be sent
    fallback: bool = False  # the application supports neither 52 nor 53: sent as 01
    reply: bool = False  # of a 52: sent over the reply path of a message
    stamps: tuple[int, ...] = ()
    more: bool = False  # another 57 or 58 of the same operation follows
    acknowledged: bool = False  # a 52 or 57, of which somebody keeps count
