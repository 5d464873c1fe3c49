"""Named faults of duties: hours, opt-outs, content, ranges, sender names. Each is the core with one duty broken.

They are registered in `client/faults.py`.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from msgspec.structs import replace

from simbench.base.units import HOUR_US, SECOND_US
from simbench.client.bodies import ALPHANUMERIC
from simbench.client.compliance import GUARD_US, MarketingHours, StopList
from simbench.client.core import Core
from simbench.client.messages import MARKETING, Knowledge, LinkConfig, Outgoing
from simbench.ucp.alphabet import LONGEST_OADC, encode, pack

SINGLE = 160  # characters of one segment


class _Without(Core):
    """The core without one of its duties."""

    duty = ""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        duties = self._outbox.compliance.duties
        if duties is not None:
            del duties.bind[self.duty]


class IgnoresConsent(_Without):
    """Sends marketing to recipients who did not agree."""

    duty = "consent"


class NamesNoBrand(_Without):
    """Sends marketing that does not identify its sender."""

    duty = "brand"


class CallsAnythingFree(_Without):
    """Sends texts that call paid services free."""

    duty = "free"


class BeginsReplySessions(_Without):
    """Sends from codes of a range for replies to users who did not begin the session."""

    duty = "reply"


class IgnoresPresenceList(_Without):
    """Sends from codes of a range for presence lists to recipients on no such list."""

    duty = "presence"


class MarketsOnAnyRange(_Without):
    """Sends marketing from any code requested."""

    duty = "marketing-range"


class Web2smsOnAnyRange(_Without):
    """Sends interpersonal messages from any code requested."""

    duty = "web2sms-range"


class PeopleOnMachineCodes(_Without):
    """Sends from codes of a range for machines to people."""

    duty = "machines"


class RepeatsCampaign(_Without):
    """Sends a brand's marketing to one user as often as requested."""

    duty = "once-a-day"


class OmitsStop(Core):
    """Sends marketing without an opt-out mention."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        duties = self._outbox.compliance.duties
        if duties is not None:
            duties.mentions_stop = False


class CutsMentionOff(Core):
    """Truncates the opt-out mention when a text has no room for it."""

    def submit(self, message: Outgoing, now: int) -> None:
        """Append the mention and truncate the text."""
        if message.traffic_class == MARKETING and len(message.text) <= SINGLE:
            text = f"{message.text} STOP au {self.config.code}"[:SINGLE]
            message = replace(message, text=text, traits=(*message.traits, "optout-told"))
        super().submit(message, now)


# Hours ---------------------------------------------------------------------------------------------------------


class _Hours(MarketingHours):
    """Marketing hours with an error."""

    __slots__ = ("closes_late_us", "every_day", "opens_early_us")

    def __init__(self, knows: Knowledge, opens_early_us: int = 0, closes_late_us: int = 0, every_day: str = "") -> None:
        super().__init__(knows)
        self.opens_early_us, self.closes_late_us, self.every_day = opens_early_us, closes_late_us, every_day

    def _open(self, day: date) -> bool:
        if self.every_day == "sunday":
            return day.weekday() == 6 or self.knows.is_open(day)
        return day.weekday() < 6 if self.every_day == "holiday" else self.knows.is_open(day)

    def _find(self, now: int) -> None:
        day = self.knows.calendar.civil(now).date()
        while True:
            closes = self.edge(day, self.knows.closes_min)
            self._closes = closes + (self.closes_late_us or -GUARD_US)
            if now < self._closes and self._open(day):
                self._opens = self.edge(day, self.knows.opens_min) - self.opens_early_us
                return
            day += timedelta(days=1)


class _OneOffset(MarketingHours):
    """Marketing hours computed with a fixed offset from UTC."""

    __slots__ = ("_summer",)

    def __init__(self, knows: Knowledge, *, summer: bool) -> None:
        super().__init__(knows)
        self._summer = summer

    def _find(self, now: int) -> None:
        knows = self.knows
        day = knows.calendar.civil(now).date()
        while True:
            opens = self.edge(day, knows.opens_min)
            shift = HOUR_US * (bool(knows.calendar.summer_shift(opens)) - self._summer)
            self._closes = self.edge(day, knows.closes_min) + shift - GUARD_US
            if now < self._closes and knows.is_open(day):
                self._opens = opens + shift
                return
            day += timedelta(days=1)


class _OtherHours(Core):
    """The core with other marketing hours."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        raise NotImplementedError

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.compliance.keep_hours(self._hours(config.knows))


class ClosesLate(_OtherHours):
    """Sends marketing until five seconds after the end of the hours."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        return _Hours(knows, closes_late_us=5 * SECOND_US)


class OpensEarly(_OtherHours):
    """Sends marketing from five seconds before the beginning of the hours."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        return _Hours(knows, opens_early_us=5 * SECOND_US)


class WorksOnSundays(_OtherHours):
    """Sends marketing on Sundays, except holidays."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        return _Hours(knows, every_day="sunday")


class WorksOnHolidays(_OtherHours):
    """Sends marketing on holidays other than Sundays."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        return _Hours(knows, every_day="holiday")


class KeepsWinterTime(_OtherHours):
    """Uses winter time all year for marketing hours."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        return _OneOffset(knows, summer=False)


class KeepsSummerTime(_OtherHours):
    """Uses summer time all year for marketing hours."""

    def _hours(self, knows: Knowledge) -> MarketingHours:
        return _OneOffset(knows, summer=True)


class NightDelivery(Core):
    """Gives marketing a validity beyond the hours, so that it may be delivered at night."""

    def _valid_until(self, message: Outgoing, now: int) -> int:
        return super()._valid_until(replace(message, traffic_class="transactional"), now)


# Opt-outs, recipients, senders ---------------------------------------------------------------------------------


class KnowsOneStop(Core):
    """Recognises an opt-out only as the bare word in capitals."""

    def _mobile_originated(self, sender: str, code: str, text: str, scts: str) -> str:
        if text != "STOP":
            text = re.sub("(?i)s(?=\\W*t\\W*o\\W*p)", "x", text)
        return super()._mobile_originated(sender, code, text, scts)


class ForgetsStopWhenBusy(Core):
    """Ignores opt-outs that arrive while messages are waiting."""

    def _mobile_originated(self, sender: str, code: str, text: str, scts: str) -> str:
        return super()._mobile_originated(sender, code, "..." if self._outbox.ready else text, scts)


class StopsOneCodeOnly(Core):
    """Applies an opt-out only to the code it was sent to, not to the brand's other codes."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        del stops  # a separate list instead of the one all links share
        super().__init__(config)


class IgnoresPortability(Core):
    """Takes the operator of a number from the numbering plan, ignoring portability."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        served = None if config.served_only is None else (lambda *_: None)
        super().__init__(replace(config, served_only=served), stops)


class SendsAnyName(Core):
    """Sends under any name on a code with the sender option, with any characters."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        if config.oadc_option:
            self._outbox.compliance.names = re.compile(r".+", re.DOTALL)

    def _sender(self, message: Outgoing) -> tuple[str, str]:
        codes = encode(message.oadc or "", "replace")
        if len(codes) <= LONGEST_OADC or codes.isdigit():
            return super()._sender(message)
        packed = pack(codes)
        return f"{2 * len(packed):02X}{packed.hex().upper()}", ALPHANUMERIC


DUTY_FAULTS: dict[str, type[Core]] = {
    "ignores-consent": IgnoresConsent,
    "names-no-brand": NamesNoBrand,
    "calls-anything-free": CallsAnythingFree,
    "begins-reply-sessions": BeginsReplySessions,
    "ignores-presence-list": IgnoresPresenceList,
    "markets-on-any-range": MarketsOnAnyRange,
    "web2sms-on-any-range": Web2smsOnAnyRange,
    "people-on-machine-codes": PeopleOnMachineCodes,
    "repeats-campaign": RepeatsCampaign,
    "omits-stop": OmitsStop,
    "cuts-mention-off": CutsMentionOff,
    "closes-late": ClosesLate,
    "opens-early": OpensEarly,
    "works-on-sundays": WorksOnSundays,
    "works-on-holidays": WorksOnHolidays,
    "keeps-winter-time": KeepsWinterTime,
    "keeps-summer-time": KeepsSummerTime,
    "night-delivery": NightDelivery,
    "knows-one-stop": KnowsOneStop,
    "forgets-stop-when-busy": ForgetsStopWhenBusy,
    "stops-one-code-only": StopsOneCodeOnly,
    "ignores-portability": IgnoresPortability,
    "sends-any-name": SendsAnyName,
}
