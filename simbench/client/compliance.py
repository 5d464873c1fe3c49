"""What the client will not send, or not yet: opt-outs, quiet hours, foreign senders, recipients it may not serve.

Decides; sends nothing and keeps no message. The judge of these duties is written apart, in `verdict`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from simbench.base.calendar import civil, instant, is_jour_ouvrable
from simbench.base.units import SECOND_US
from simbench.client.duties import Duties
from simbench.client.messages import MARKETING, LinkConfig, Outgoing, Portability, Stopped
from simbench.client.receipts import subscriber
from simbench.numbering.plan import classify

ORANGE = "orange"
SERVED = ("mobile", "m2m")  # kinds of metropolitan numbers that can receive
OPENS_H, CLOSES_H = 8, 22  # Paris, on jours ouvrables (OPS-PRO-03)
GUARD_US = SECOND_US  # the last second is not used: what leaves in it might arrive after the hour

# An alphanumeric sender: at most 11 letters and digits, at least one letter.
ALPHANUMERIC = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{1,11}", re.ASCII)
ADDRESS = re.compile(r"[0-9]{3,16}", re.ASCII)
_STOP = re.compile(r"(?:STOP|S T O P)(?:SMS|PUB)?(?:[0-9]+)?(?: |$)")


def not_served(address: str, portability: Portability, now: int) -> str:
    """Why the recipient is none of Orange's metropolitan subscribers, or "" (OPS-ENG-02).

    The numbering plan tells the kind of a number and who first held it; portability tells who serves it now.
    """
    number = classify(address)
    if number.kind not in SERVED:
        return f"recipient is {number.kind}"
    operator = portability(number.msisdn, now) or number.holder
    return "" if operator == ORANGE else f"recipient is served by {operator or 'nobody'}"


def is_stop(text: str) -> bool:
    """Whether a mobile originated text opts out: its first word is STOP, however it is written (OPS-PRO-08)."""
    plain = unicodedata.normalize("NFKD", text).upper()
    words = "".join(sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return _STOP.match(" ".join(words.split())) is not None


class StopList:
    """Opt-outs by scope: the short code they were sent to, and every brand that markets over it (OPS-PRO-08).

    One list serves all links of a client, so that a brand with two codes is stopped on both.
    """

    __slots__ = ("_brands", "_entries")

    def __init__(self, entries: Iterable[tuple[str, str]] = ()) -> None:
        self._entries = set(entries)
        self._brands: dict[str, set[str]] = {}

    def serve(self, code: str, brand: str) -> None:
        """That brand uses that code."""
        if brand:
            self._brands.setdefault(code, set()).add(brand)

    def stop(self, code: str, sender: str) -> Stopped:
        """The sender opts out of the code and of its brands."""
        scopes = (code, *sorted(self._brands.get(code, ())))
        who = subscriber(sender)
        self._entries.update((scope, who) for scope in scopes)
        return Stopped(who, scopes)

    def blocks(self, code: str, brand: str, recipient: str) -> bool:
        """Whether marketing of that brand over that code to that recipient is forbidden."""
        who = subscriber(recipient)
        return (code, who) in self._entries or (brand, who) in self._entries


class MarketingHours:
    """The next instant at which marketing may leave. Asked with instants that never go back."""

    __slots__ = ("_closes", "_opens")

    def __init__(self) -> None:
        self._opens = self._closes = 0

    def opens_at(self, now: int) -> int:
        """`now` when marketing may leave now, else the next opening (jours ouvrables, 8 to 22, Paris: OPS-PRO-03)."""
        if now >= self._closes:
            self._find(now)
        return max(now, self._opens)

    def closes_at(self, now: int) -> int:
        """The hour at which the present opening, or the next one, ends."""
        self.opens_at(now)
        return self._closes + GUARD_US

    def _find(self, now: int) -> None:
        day = civil(now).date()
        while True:
            self._closes = instant(day.year, day.month, day.day, CLOSES_H) - GUARD_US
            if now < self._closes and is_jour_ouvrable(day):
                self._opens = instant(day.year, day.month, day.day, OPENS_H)
                return
            day += timedelta(days=1)


class Compliance:
    """The duties of one link: which message never leaves, which must wait."""

    __slots__ = ("_config", "_hours", "duties", "names", "stops")

    def __init__(self, config: LinkConfig, stops: StopList) -> None:
        self._config, self.stops = config, stops
        self._hours = MarketingHours()
        self.duties = Duties(config.code) if config.ethics else None
        self.names = ALPHANUMERIC

    def forbids(self, message: Outgoing, now: int) -> str:
        """Why the message may not leave now or ever, or ""."""
        config = self._config
        if not ADDRESS.fullmatch(message.to):
            return "malformed recipient"
        named = message.oadc or config.code
        if named != config.code and not (config.oadc_option and self.names.fullmatch(named)):
            return "sender is not the short code"
        if config.orange_only is not None and (reason := not_served(message.to, config.orange_only, now)):
            return reason
        if self.duties is None:
            return ""
        return self.duties.forbid(message, now, civil(self.opens_at(message, now)).date())

    def dressed(self, message: Outgoing) -> Outgoing:
        """The message as it leaves: marketing names the way to opt out."""
        return message if self.duties is None else self.duties.dressed(message)

    def latest(self, message: Outgoing, end: int, now: int) -> int:
        """The end of a validity, no later than the hours of marketing where they bind (AMB-06)."""
        if not self._config.quiet_hours or message.traffic != MARKETING:
            return end
        return min(end, self._hours.closes_at(now))

    def stopped(self, message: Outgoing) -> bool:
        """Whether the recipient opted out of this marketing message."""
        if not self._config.stop_list or message.traffic != MARKETING:
            return False
        return self.stops.blocks(self._config.code, message.brand, message.to)

    def opens_at(self, message: Outgoing, now: int) -> int:
        """The earliest instant from `now` on at which the message may leave."""
        if not self._config.quiet_hours or message.traffic != MARKETING:
            return now
        return self._hours.opens_at(now)

    def keep_hours(self, hours: MarketingHours) -> None:
        """Keep these hours from now on."""
        self._hours = hours

    def serve(self, brand: str) -> None:
        """That brand markets over this link's code."""
        self.stops.serve(self._config.code, brand)

    def hear(self, sender: str, text: str, now: int) -> Stopped | None:
        """A mobile originated message came in: an opt-out is noted at once."""
        if self.duties is not None:
            self.duties.heard(sender, now)
        return self.stops.stop(self._config.code, sender) if is_stop(text) else None
