"""Rows read from a wire, and their views. Instants are microseconds (UTC), -1 if missing."""

from __future__ import annotations

import msgspec

from simbench.trace.view import Bools, Ints, Objects, View


class Submit(msgspec.Struct, gc=False):
    """An operation 51 of the client, and its result; without a result `result_at` is -1 and `ack` empty."""

    at: int
    session: int
    account: str
    code: str
    trn: str
    recipient: str
    oadc: str
    alphanumeric: bool
    text: str
    segments: int
    notify: int
    validity: str
    token: str
    result_at: int
    ack: str
    ec: str
    scts: str
    mvp: str
    frame: bytes


class Notification(msgspec.Struct, gc=False):
    """An operation 53, and the client's result."""

    at: int
    session: int
    account: str
    code: str
    recipient: str
    scts: str
    outcome: int
    reason: int
    trn: str
    result_at: int
    ack: str
    frame: bytes


class Mo(msgspec.Struct, gc=False):
    """An operation 52 (a message of a subscriber), and the client's result."""

    at: int
    session: int
    account: str
    code: str
    sender: str
    scts: str
    text: str
    trn: str
    result_at: int
    ack: str
    frame: bytes


class Alert(msgspec.Struct, gc=False):
    """An operation 31 of the client, and the instant of its result."""

    at: int
    session: int
    account: str
    result_at: int
    frame: bytes


class FrameSeen(msgspec.Struct, gc=False):
    """A frame, or octets outside any frame; direction "in" is from the client; `problem` is "" if there is none."""

    at: int
    session: int
    direction: str
    kind: str
    ot: str
    trn: str
    problem: str
    tolerated: bool
    frame: bytes


class Session(msgspec.Struct, gc=False):
    """A connection: its opening, login, first operation (`early_at`: before the login was accepted) and end."""

    session: int
    opened_at: int
    peer: str
    account: str
    login_at: int
    login_ack: str
    login_ec: str
    first: str
    first_at: int
    early_at: int
    heard_at: int
    closed_at: int
    closed_by: str
    reason: str


class Attempt(msgspec.Struct, gc=False):
    """A connection attempt: the peer ("address:port") and the outcome ("session" if it succeeded)."""

    at: int
    peer: str
    outcome: str


class Message(msgspec.Struct):
    """A message as its recipient reads it.

    `rows_of` are the positions of its parts in the view of segments, `doubles` those of repeated parts; `missing` are
    the numbers of parts that never arrived. `segments` counts segments on the network without repeated ones.
    """

    at: int
    session: int
    account: str
    code: str
    sender: str
    recipient: str
    text: str
    token: str
    total: int
    missing: tuple[int, ...]
    segments: int
    doubles: tuple[int, ...]
    rows_of: tuple[int, ...]


class Late(msgspec.Struct, gc=False):
    """An interval in which instants may be wrong by `size_us`; `place` names the part of the bench that was late."""

    started: int
    ended: int
    size_us: int
    place: str = ""


class Submits(View[Submit], row=Submit):
    """Operations 51 in order of arrival."""

    at: Ints
    session: Ints
    account: Objects
    code: Objects
    trn: Objects
    recipient: Objects
    oadc: Objects
    alphanumeric: Bools
    text: Objects
    segments: Ints
    notify: Ints
    validity: Objects
    token: Objects
    result_at: Ints
    ack: Objects
    ec: Objects
    scts: Objects
    mvp: Objects
    frame: Objects


class Notifications(View[Notification], row=Notification):
    """Operations 53 in order."""

    at: Ints
    session: Ints
    account: Objects
    code: Objects
    recipient: Objects
    scts: Objects
    outcome: Ints
    reason: Ints
    trn: Objects
    result_at: Ints
    ack: Objects
    frame: Objects


class Mos(View[Mo], row=Mo):
    """Operations 52 in order."""

    at: Ints
    session: Ints
    account: Objects
    code: Objects
    sender: Objects
    scts: Objects
    text: Objects
    trn: Objects
    result_at: Ints
    ack: Objects
    frame: Objects


class Alerts(View[Alert], row=Alert):
    """Operations 31 of the client in order."""

    at: Ints
    session: Ints
    account: Objects
    result_at: Ints
    frame: Objects


class Frames(View[FrameSeen], row=FrameSeen):
    """Every frame, and octets outside any frame, in order."""

    at: Ints
    session: Ints
    direction: Objects
    kind: Objects
    ot: Objects
    trn: Objects
    problem: Objects
    tolerated: Bools
    frame: Objects


class Sessions(View[Session], row=Session):
    """Connections in order of opening."""

    session: Ints
    opened_at: Ints
    peer: Objects
    account: Objects
    login_at: Ints
    login_ack: Objects
    login_ec: Objects
    first: Objects
    first_at: Ints
    early_at: Ints
    heard_at: Ints
    closed_at: Ints
    closed_by: Objects
    reason: Objects


class Attempts(View[Attempt], row=Attempt):
    """Connection attempts in order."""

    at: Ints
    peer: Objects
    outcome: Objects


class Messages(View[Message], row=Message):
    """Messages in order of their first parts."""

    at: Ints
    session: Ints
    account: Objects
    code: Objects
    sender: Objects
    recipient: Objects
    text: Objects
    token: Objects
    total: Ints
    missing: Objects
    segments: Ints
    doubles: Objects
    rows_of: Objects


class Lateness(View[Late], row=Late):
    """Intervals of timing error."""

    started: Ints
    ended: Ints
    size_us: Ints
    place: Objects
