"""A sender's duties: consent, brand, opt-out mention, free services, use of the ranges, one message a day.

Each duty has a name under which a fault can disable it. The rules that judge these duties are independent of this
module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from msgspec.structs import replace

from simbench.base.units import HOUR_US
from simbench.client.messages import MARKETING, Knowledge, Outgoing

WEB2SMS = "web2sms"
FREE = re.compile(r"\bservices?\s+gratuits?\b", re.IGNORECASE)

Duty = Callable[[Outgoing, int, date], str]


class Duties:
    """The duties of one short code. Its memory of users is lost on restart."""

    def __init__(self, code: str, knows: Knowledge) -> None:
        self._code, self._plan = code, knows.plan
        self._uses = {use for use, prefixes in knows.ranges.items() if code.startswith(prefixes)}
        self._reply_session_us = knows.reply_session_h * HOUR_US
        self._stop_word = knows.stop_word
        self._heard: dict[str, int] = {}  # by user: their last message to the code
        self._marketed: dict[tuple[str, str, date], str] = {}  # (user, brand, day) to the marketing message sent
        self._mention = re.compile(rf"\b{re.escape(knows.stop_word)}\b.*{re.escape(code)}", re.IGNORECASE | re.DOTALL)
        self.bind: dict[str, Duty] = {
            "consent": self._consent,
            "brand": self._brand,
            "free": self._free,
            "reply": self._reply,
            "presence": self._presence,
            "marketing-range": self._marketing_range,
            "web2sms-range": self._web2sms_range,
            "machines": self._machines,
            "once-a-day": self._once_a_day,
        }
        self.mentions_stop = True

    def forbid(self, message: Outgoing, now: int, day: date) -> str:
        """Return why the message must not be sent on that day, or ""."""
        return next((reason for duty in self.bind.values() if (reason := duty(message, now, day))), "")

    def dressed(self, message: Outgoing) -> Outgoing:
        """Return marketing with an opt-out mention, unless the user was informed before."""
        informed = "optout-told" in message.traits or self._mention.search(message.text)
        if message.traffic_class != MARKETING or informed or not self.mentions_stop:
            return message
        return replace(message, text=f"{message.text} {self._stop_word} au {self._code}")

    def heard(self, sender: str, now: int) -> None:
        """Record a message from a user to the code."""
        self._heard[self._plan.key(sender)] = now

    def _consent(self, message: Outgoing, *_: object) -> str:
        return "recipient did not consent" if message.traffic_class == MARKETING and not message.opted_in else ""

    def _brand(self, message: Outgoing, *_: object) -> str:
        """The text or the sender's name identifies the brand."""
        if message.traffic_class != MARKETING:
            return ""
        named = f"{message.text} {message.oadc or ''}".casefold()
        return "" if message.brand and message.brand.casefold() in named else "brand is not named"

    def _free(self, message: Outgoing, *_: object) -> str:
        return "not all of it is free" if FREE.search(message.text) and "all-free" not in message.traits else ""

    def _reply(self, message: Outgoing, now: int, _: date) -> str:
        heard = self._heard.get(self._plan.key(message.recipient))
        if "reply" not in self._uses or (heard is not None and now - heard <= self._reply_session_us):
            return ""
        return "user did not begin the session"

    def _presence(self, message: Outgoing, *_: object) -> str:
        wrong = "presence" in self._uses and "presence" not in message.traits
        return "recipient is on no presence list" if wrong else ""

    def _marketing_range(self, message: Outgoing, *_: object) -> str:
        fits = self._uses & {"reply", "presence", "marketing", "ordinary"}
        return "" if fits or message.traffic_class != MARKETING else "range is not for marketing"

    def _web2sms_range(self, message: Outgoing, *_: object) -> str:
        fits = self._uses & {"interpersonal", "ordinary"}
        return "" if fits or message.traffic_class != WEB2SMS else "range is not for web2sms"

    def _machines(self, message: Outgoing, *_: object) -> str:
        is_person = "machines" in self._uses and self._plan.classify(message.recipient).kind != "m2m"
        return "recipient is no machine" if is_person else ""

    def _once_a_day(self, message: Outgoing, _: int, day: date) -> str:
        """All messages without a brand count as one brand."""
        if message.traffic_class != MARKETING:
            return ""
        first = self._marketed.setdefault((self._plan.key(message.recipient), message.brand, day), message.token)
        return "" if first == message.token else "brand has written to this user today"
