"""Decides which messages must not be sent, or must wait: opt-outs, quiet hours, senders, other operators' recipients.

The rules that judge these duties are independent of this module.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from simbench.base.units import SECOND_US
from simbench.client.duties import Duties
from simbench.client.messages import MARKETING, Knowledge, LinkConfig, Outgoing, Portability, Stopped
from simbench.numbering.plan import NumberingPlan

SERVED = ("mobile", "m2m")  # kinds of numbers that can receive
GUARD_US = SECOND_US  # safety margin: a message sent in the last second might arrive after the hour

# An alphanumeric sender: at most 11 letters and digits, with at least one letter.
ALPHANUMERIC = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,11}", re.ASCII)
ADDRESS = re.compile(r"[0-9]{3,16}", re.ASCII)
_STOP = re.compile(r"(?:STOP|S T O P)(?:SMS|PUB)?(?:[0-9]+)?(?: |$)")


def not_served(address: str, plan: NumberingPlan, portability: Portability, now: int) -> str:
    """Return why the recipient is not a subscriber of the operator, or "".

    The numbering plan gives the kind of a number and its first operator; portability gives its present operator.
    """
    number = plan.classify(address)
    if number.kind not in SERVED:
        return f"recipient is {number.kind}"
    operator = portability(number.msisdn, now) or number.holder
    return "" if operator == plan.home else f"recipient is served by {operator or 'nobody'}"


def is_stop(text: str) -> bool:
    """Return whether a mobile-originated text opts out: its first word is STOP, in any spelling."""
    plain = unicodedata.normalize("NFKD", text).upper()
    words = "".join(sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return _STOP.match(" ".join(words.split())) is not None


class StopList:
    """Opt-outs by scope: the short code they were sent to, and every brand that advertises through it.

    All links of a client share one list, so that an opt-out from a brand with two codes applies to both.
    """

    __slots__ = ("_brands", "_entries", "_plan")

    def __init__(self, plan: NumberingPlan, entries: Iterable[tuple[str, str]] = ()) -> None:
        self._plan = plan
        # Spools of earlier versions identify a subscriber by nine digits.
        self._entries = {(scope, plan.read(who) or who) for scope, who in entries}
        self._brands: dict[str, set[str]] = {}

    def serve(self, code: str, brand: str) -> None:
        """Record that a brand uses a code."""
        if brand:
            self._brands.setdefault(code, set()).add(brand)

    def stop(self, code: str, sender: str) -> Stopped:
        """Opt the sender out of the code and of its brands."""
        scopes = (code, *sorted(self._brands.get(code, ())))
        who = self._plan.key(sender)
        self._entries.update((scope, who) for scope in scopes)
        return Stopped(who, scopes)

    def blocks(self, code: str, brand: str, recipient: str) -> bool:
        """Return whether the recipient opted out of marketing by that brand or code."""
        who = self._plan.key(recipient)
        return (code, who) in self._entries or (brand, who) in self._entries


class MarketingHours:
    """Finds the next instant at which marketing may be sent; instants must not decrease between calls."""

    __slots__ = ("_closes", "_opens", "knows")

    def __init__(self, knows: Knowledge) -> None:
        self._opens = self._closes = 0
        self.knows = knows

    def opens_at(self, now: int) -> int:
        """Return `now` or the next opening."""
        if now >= self._closes:
            self._find(now)
        return max(now, self._opens)

    def closes_at(self, now: int) -> int:
        """Return the end of the present or next opening."""
        self.opens_at(now)
        return self._closes + GUARD_US

    def _find(self, now: int) -> None:
        day = self.knows.calendar.civil(now).date()
        while True:
            opens, self._closes = self._hours_of(day)
            if now < self._closes and self._is_open(day):
                self._opens = opens
                return
            day += timedelta(days=1)

    def _hours_of(self, day: date) -> tuple[int, int]:
        return self.edge(day, self.knows.opens_min), self.edge(day, self.knows.closes_min) - GUARD_US

    def _is_open(self, day: date) -> bool:
        return self.knows.is_open(day)

    def edge(self, day: date, minute: int) -> int:
        """Return the instant of a minute of a day, 1440 being the next midnight."""
        return self.knows.calendar.from_civil(datetime.combine(day, time()) + timedelta(minutes=minute))


class Compliance:
    """The duties of one link: which messages are never sent, and which must wait."""

    __slots__ = ("_hours", "config", "duties", "names", "stops")

    def __init__(self, config: LinkConfig, stops: StopList) -> None:
        self.config, self.stops = config, stops
        self._hours = MarketingHours(config.knows)
        self.duties = Duties(config.code, config.knows) if config.ethics else None
        self.names = ALPHANUMERIC

    def forbids(self, message: Outgoing, now: int) -> str:
        """Return why the message must not be sent now or ever, or ""."""
        config = self.config
        if not ADDRESS.fullmatch(message.recipient):
            return "malformed recipient"
        named = message.oadc or config.code
        if named != config.code and not (config.oadc_option and self.names.fullmatch(named)):
            return "sender is not the short code"
        if config.served_only is not None and (
            reason := not_served(message.recipient, config.knows.plan, config.served_only, now)
        ):
            return reason
        if self.duties is None:
            return ""
        return self.duties.forbid(message, now, config.knows.calendar.civil(self.opens_at(message, now)).date())

    def dressed(self, message: Outgoing) -> Outgoing:
        """Return the message as sent: marketing with a mention of the opt-out."""
        return message if self.duties is None else self.duties.dressed(message)

    def latest(self, message: Outgoing, end: int, now: int) -> int:
        """Return the end of the validity, limited to the marketing hours where they apply."""
        if not self.config.quiet_hours or message.traffic_class != MARKETING:
            return end
        return min(end, self._hours.closes_at(now))

    def stopped(self, message: Outgoing) -> bool:
        """Return whether the recipient opted out of this marketing message."""
        if not self.config.stop_list or message.traffic_class != MARKETING:
            return False
        return self.stops.blocks(self.config.code, message.brand, message.recipient)

    def opens_at(self, message: Outgoing, now: int) -> int:
        """Return the earliest instant from `now` on at which the message may be sent."""
        if not self.config.quiet_hours or message.traffic_class != MARKETING:
            return now
        return self._hours.opens_at(now)

    def keep_hours(self, hours: MarketingHours) -> None:
        """Use other marketing hours from now on."""
        self._hours = hours

    def serve(self, brand: str) -> None:
        """Record that a brand advertises through this link's code."""
        self.stops.serve(self.config.code, brand)

    def hear(self, sender: str, text: str, now: int) -> Stopped | None:
        """Process a mobile-originated message; an opt-out takes effect at once."""
        if self.duties is not None:
            self.duties.heard(sender, now)
        return self.stops.stop(self.config.code, sender) if is_stop(text) else None
