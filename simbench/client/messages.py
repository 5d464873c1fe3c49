"""What crosses the border of the client core: its settings, what it is asked to send, what it reports. Decides nothing.

Every instant is in microseconds since the Unix epoch, UTC; an address is digits in dialled form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

MARKETING = "marketing"  # the traffic class that opt-outs and quiet hours bind
NEVER = 1 << 62  # the deadline of a core that waits for nothing

Portability = Callable[[str, int], str | None]
"""From an MSISDN and an instant to the operator it was ported to, or None where it stayed with its range's holder."""


class LinkConfig(msgspec.Struct, frozen=True):
    """One account on one short code, hence one connection. Durations in seconds, `seed` feeds the reconnection jitter.

    `ethics`: the duties of `client/duties.py` are kept. With `orange_only` set, only metropolitan mobile numbers that
    Orange holds, or that were ported to it, are served.
    """

    account: str
    password: str
    code: str
    rate_per_s: int
    window: int = 10
    keepalive_s: float = 50.0
    result_timer_s: float = 60.0
    reconnect_first_s: float = 1.0
    reconnect_max_s: float = 30.0
    seed: int = 0
    validity_s: int = 48 * 3600
    quiet_hours: bool = True
    stop_list: bool = True
    oadc_option: bool = False
    ethics: bool = True
    orange_only: Portability | None = None


class Outgoing(msgspec.Struct, frozen=True):
    """A message somebody wants sent: `ref` is the asker's own name for it, `traffic` its class ("marketing" or any).

    Without `oadc` the sender is the short code, without `validity_s` (seconds) the validity is the link's. `opted_in`:
    the recipient agreed to marketing. `traits` is what the campaign declares: "all-free", "presence", "optout-told".
    """

    ref: str
    to: str
    text: str
    traffic: str = "service"
    brand: str = ""
    oadc: str | None = None
    validity_s: int | None = None
    opted_in: bool = True
    traits: tuple[str, ...] = ()


class Connect(msgspec.Struct, frozen=True):
    """The core wants a connection; the shell answers with `connected` or `lost`."""


class Close(msgspec.Struct, frozen=True):
    """The core has given up the present connection; the shell drops it."""

    reason: str


class Queued(msgspec.Struct, frozen=True):
    """A message was taken in, as `parts` segments sharing `reference` (0 to 255)."""

    message: Outgoing
    parts: int
    reference: int


class Sent(msgspec.Struct, frozen=True):
    """A segment left, at `at`; `part` counts from 1."""

    ref: str
    part: int
    at: int


class Accepted(msgspec.Struct, frozen=True):
    """The SMSC took a segment under `scts` (DDMMYYhhmmss); `complete` once no segment of the message is missing."""

    ref: str
    part: int
    scts: str
    at: int
    complete: bool


class Refused(msgspec.Struct, frozen=True):
    """The SMSC refused a segment with code `ec`; unless `final`, it is tried again later."""

    ref: str
    part: int
    ec: str
    final: bool


class Doubtful(msgspec.Struct, frozen=True):
    """A segment left and no result came: the SMSC may or may not have it. It is sent again."""

    ref: str
    part: int


class Notified(msgspec.Struct, frozen=True):
    """A notification settled one segment of a message; the message itself may need more of them."""

    ref: str
    part: int
    delivered: bool


class Delivered(msgspec.Struct, frozen=True):
    """Every segment of the message reached its recipient."""

    ref: str
    reason: str


class Undelivered(msgspec.Struct, frozen=True):
    """A segment of the message will never reach its recipient."""

    ref: str
    reason: str


class Buffered(msgspec.Struct, frozen=True):
    """A segment of the message waits in the SMSC for its recipient."""

    ref: str
    reason: str


class MoReceived(msgspec.Struct, frozen=True):
    """A mobile originated message came in, stamped `scts` by the SMSC."""

    sender: str
    code: str
    text: str
    scts: str


class Stopped(msgspec.Struct, frozen=True):
    """A sender opted out: `scopes` are the short code and the brands that may no longer market to it."""

    sender: str
    scopes: tuple[str, ...]


class Withheld(msgspec.Struct, frozen=True):
    """The client itself will not send the message."""

    ref: str
    reason: str


Event = (
    Connect
    | Close
    | Queued
    | Sent
    | Accepted
    | Refused
    | Doubtful
    | Notified
    | Delivered
    | Undelivered
    | Buffered
    | MoReceived
    | Stopped
    | Withheld
)

PartState = Literal["queued", "sent", "accepted", "delivered"]


class KeptPart(msgspec.Struct, frozen=True):
    """One segment of a message that a restarted client still has to do with. `at`: its last departure or acceptance."""

    part: int
    state: PartState
    at: int = 0
    scts: str = ""


class Kept(msgspec.Struct, frozen=True):
    """One message that a restarted client still has to do with."""

    message: Outgoing
    reference: int
    parts: tuple[KeptPart, ...]


class Memory(msgspec.Struct, frozen=True):
    """All that a core must know again after a restart. `departures`: the last ones, oldest first."""

    kept: tuple[Kept, ...] = ()
    departures: tuple[int, ...] = ()
    brands: tuple[str, ...] = ()
    reference: int = 0
