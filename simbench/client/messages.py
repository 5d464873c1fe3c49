"""Records exchanged with the client core: its settings, requests and events.

Instants are in microseconds since the Unix epoch, UTC; addresses are digits in dialled form.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Literal, get_args

import msgspec

from simbench.base.calendar import Calendar
from simbench.contract import Contract
from simbench.contract.load import contract_named
from simbench.contract.terms import Use, minutes_of
from simbench.numbering.plan import NumberingPlan, plan_of

MARKETING = "marketing"  # the traffic class subject to opt-outs and quiet hours

Portability = Callable[[str, int], str | None]
"""From an MSISDN and an instant to the operator it was ported to, or None if it was not ported."""


class Knowledge(msgspec.Struct, frozen=True):
    """The part of the operator's contract that a client uses: marketing hours, civil time, code ranges, numbering plan.


    Without `saturdays` marketing waits for Monday, and with `holidays` it is sent on public holidays and Sundays too;
    with `regional` the holidays of the region count as well. Hours are in minutes from midnight.
    """

    opens_min: int
    closes_min: int
    saturdays: bool
    holidays: bool
    regional: bool
    reply_session_h: int
    stop_word: str
    calendar: Calendar
    ranges: dict[str, tuple[str, ...]]
    plan: NumberingPlan

    def is_open(self, day: date) -> bool:
        """Return whether marketing is sent on a day."""
        if self.holidays:
            return True
        working = self.calendar.is_jour_ouvrable if self.saturdays else self.calendar.is_jour_ouvre
        return working(day, regional=self.regional)


def knowledge_of(contract: Contract) -> Knowledge:
    """Return the part of a contract that a client uses."""
    hours, numbering = contract.terms.hours.get(MARKETING), contract.terms.numbering
    days = hours.days.value if hours else "every-day"
    ranges = {use: numbering.prefixes(use) for use in get_args(Use)}
    opens, closes = (hours.opens_min, hours.closes_min) if hours else (0, minutes_of(24))
    return Knowledge(
        opens, closes, days != "monday-to-friday", days == "every-day", contract.regional_holidays,
        contract.terms.marketing.reply_session_h.value, contract.terms.marketing.stop_word.value, contract.calendar,
        ranges, plan_of(contract),
    )  # fmt: skip


@lru_cache(maxsize=8)
def read_knowledge(contract: str = "") -> Knowledge:
    """Return the same for a contract's name or path, by default the built-in contract. Raises ContractError."""
    return knowledge_of(contract_named(contract))


class LinkConfig(msgspec.Struct, frozen=True):
    """One account on one short code, hence one connection. Durations in seconds, `seed` feeds the reconnection jitter.

    `ethics` enables the duties of `client/duties.py`. With `served_only` set, messages are sent only to mobile
    numbers of the operator. `knows` is the part of the contract that the client uses.
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
    served_only: Portability | None = None
    knows: Knowledge = msgspec.field(default_factory=read_knowledge)


class Outgoing(msgspec.Struct, frozen=True, tag_field="do", tag="send", forbid_unknown_fields=True):
    """A message to send from a short code: a request of the bench, a line of the protocol, an item of a client's queue.

    `token` is the requester's identifier, repeated in reports and, in the bench's messages, in the text.
    `traffic_class` is "marketing" or other. Without `oadc` the sender is the short code; without `validity_s` (seconds)
    the client's validity applies. `opted_in`: the recipient agreed to marketing. `traits`: "all-free" (everything
    promoted is free), "presence" (the recipient comes from a presence list), "optout-told" (informed of the opt-out
    when the number was collected). Keys on the line: "ref" of `token`, "to" of `recipient`, "class" of `traffic_class`.

    >>> Outgoing("m1", "36010", "0639980001", "Bonjour").traffic_class
    'transactional'
    """

    token: str = msgspec.field(name="ref")
    code: str
    recipient: str = msgspec.field(name="to")
    text: str
    traffic_class: str = msgspec.field(name="class", default="transactional")
    brand: str = ""
    oadc: str | None = None
    validity_s: int | None = None
    opted_in: bool = True
    traits: tuple[str, ...] = ()


class Connect(msgspec.Struct, frozen=True):
    """The core requests a connection; the shell answers with `connected` or `lost`."""


class Close(msgspec.Struct, frozen=True):
    """The core has given up the present connection; the shell closes it."""

    reason: str


class Queued(msgspec.Struct, frozen=True):
    """A message was accepted into the queue, as `parts` segments sharing `reference` (0 to 255)."""

    message: Outgoing
    parts: int
    reference: int


class Sent(msgspec.Struct, frozen=True):
    """A segment was sent at `at`; `part` counts from 1."""

    token: str
    part: int
    at: int


class Accepted(msgspec.Struct, frozen=True):
    """The SMSC accepted a segment with `scts` (DDMMYYhhmmss); `complete` if it was the message's last one."""

    token: str
    part: int
    scts: str
    at: int
    complete: bool


class Refused(msgspec.Struct, frozen=True):
    """The SMSC refused a segment with code `ec`; unless `final`, it is tried again later."""

    token: str
    part: int
    ec: str
    final: bool


class Doubtful(msgspec.Struct, frozen=True):
    """A segment was sent and no result came: the SMSC may or may not have it. It is sent again."""

    token: str
    part: int


class Notified(msgspec.Struct, frozen=True):
    """A notification gave the final outcome of one segment; other segments may be open."""

    token: str
    part: int
    delivered: bool


class Delivered(msgspec.Struct, frozen=True, tag_field="event", tag="delivered"):
    """Every segment of the message reached its recipient."""

    token: str = msgspec.field(name="ref")
    reason: str


class Undelivered(msgspec.Struct, frozen=True, tag_field="event", tag="undelivered"):
    """A segment of the message will never reach its recipient."""

    token: str = msgspec.field(name="ref")
    reason: str


class Buffered(msgspec.Struct, frozen=True, tag_field="event", tag="buffered"):
    """A segment of the message waits in the SMSC for its recipient."""

    token: str = msgspec.field(name="ref")
    reason: str


class MoReceived(msgspec.Struct, frozen=True):
    """A mobile-originated message, stamped `scts` by the SMSC."""

    sender: str
    code: str
    text: str
    scts: str


class Stopped(msgspec.Struct, frozen=True):
    """A sender opted out: `scopes` are the short code and the brands that must no longer advertise to it."""

    sender: str
    scopes: tuple[str, ...]


class Withheld(msgspec.Struct, frozen=True, tag_field="event", tag="withheld"):
    """The client will not send the message."""

    token: str = msgspec.field(name="ref")
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
    """One segment of an unfinished message, for a restarted client. `at`: when it was last sent or accepted."""

    part: int
    state: PartState
    at: int = 0
    scts: str = ""


class Kept(msgspec.Struct, frozen=True):
    """One unfinished message, for a restarted client."""

    message: Outgoing
    reference: int
    parts: tuple[KeptPart, ...]


class Memory(msgspec.Struct, frozen=True):
    """Everything a core needs after a restart. `departures`: times of the last segments sent, oldest first."""

    kept: tuple[Kept, ...] = ()
    departures: tuple[int, ...] = ()
    brands: tuple[str, ...] = ()
    reference: int = 0
