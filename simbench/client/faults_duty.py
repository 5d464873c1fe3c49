"""Named faults of duties: hours, opt-outs, content, ranges, sender names. Each is the core with one duty broken."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import ClassVar

from msgspec.structs import replace

from simbench.base.units import HOUR_US, SECOND_US
from simbench.client.bodies import ALPHANUMERIC
from simbench.client.compliance import GUARD_US, MarketingHours, StopList
from simbench.client.faults_base import Fault
from simbench.client.messages import MARKETING, Knowledge, LinkConfig, Outgoing
from simbench.ucp.alphabet import LONGEST_OADC, encode, pack

SINGLE = 160  # characters of one segment


class IgnoresConsent(Fault, fault="ignores-consent", without="consent"):
    """Sends marketing to recipients who did not agree."""


class NamesNoBrand(Fault, fault="names-no-brand", without="brand"):
    """Sends marketing that does not identify its sender."""


class CallsAnythingFree(Fault, fault="calls-anything-free", without="free"):
    """Sends texts that call paid services free."""


class BeginsReplySessions(Fault, fault="begins-reply-sessions", without="reply"):
    """Sends from codes of a range for replies to users who did not begin the session."""


class IgnoresPresenceList(Fault, fault="ignores-presence-list", without="presence"):
    """Sends from codes of a range for presence lists to recipients on no such list."""


class MarketsOnAnyRange(Fault, fault="markets-on-any-range", without="marketing-range"):
    """Sends marketing from any code requested."""


class Web2smsOnAnyRange(Fault, fault="web2sms-on-any-range", without="web2sms-range"):
    """Sends interpersonal messages from any code requested."""


class PeopleOnMachineCodes(Fault, fault="people-on-machine-codes", without="machines"):
    """Sends from codes of a range for machines to people."""


class RepeatsCampaign(Fault, fault="repeats-campaign", without="once-a-day"):
    """Sends a brand's marketing to one user as often as requested."""


class OmitsStop(Fault, fault="omits-stop"):
    """Sends marketing without an opt-out mention."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        duties = self._outbox.compliance.duties
        if duties is not None:
            duties.mentions_stop = False


class CutsMentionOff(Fault, fault="cuts-mention-off"):
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

    def _is_open(self, day: date) -> bool:
        if self.every_day == "sunday":
            return day.weekday() == 6 or self.knows.is_open(day)
        return day.weekday() < 6 if self.every_day == "holiday" else self.knows.is_open(day)

    def _hours_of(self, day: date) -> tuple[int, int]:
        opens, closes = super()._hours_of(day)
        return opens - self.opens_early_us, closes + (GUARD_US + self.closes_late_us if self.closes_late_us else 0)


class _OneOffset(MarketingHours):
    """Marketing hours computed with a fixed offset from UTC."""

    __slots__ = ("_summer",)

    def __init__(self, knows: Knowledge, *, summer: bool) -> None:
        super().__init__(knows)
        self._summer = summer

    def _hours_of(self, day: date) -> tuple[int, int]:
        opens, closes = super()._hours_of(day)
        shift = HOUR_US * (bool(self.knows.calendar.summer_shift(opens)) - self._summer)
        return opens + shift, closes + shift


class _OtherHours(Fault):
    """The core with other marketing hours."""

    hours: ClassVar[Callable[[Knowledge], MarketingHours]]

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.compliance.keep_hours(type(self).hours(config.knows))


class ClosesLate(_OtherHours, fault="closes-late"):
    """Sends marketing until five seconds after the end of the hours."""

    hours = partial(_Hours, closes_late_us=5 * SECOND_US)


class OpensEarly(_OtherHours, fault="opens-early"):
    """Sends marketing from five seconds before the beginning of the hours."""

    hours = partial(_Hours, opens_early_us=5 * SECOND_US)


class WorksOnSundays(_OtherHours, fault="works-on-sundays"):
    """Sends marketing on Sundays, except holidays."""

    hours = partial(_Hours, every_day="sunday")


class WorksOnHolidays(_OtherHours, fault="works-on-holidays"):
    """Sends marketing on holidays other than Sundays."""

    hours = partial(_Hours, every_day="holiday")


class KeepsWinterTime(_OtherHours, fault="keeps-winter-time"):
    """Uses winter time all year for marketing hours."""

    hours = partial(_OneOffset, summer=False)


class KeepsSummerTime(_OtherHours, fault="keeps-summer-time"):
    """Uses summer time all year for marketing hours."""

    hours = partial(_OneOffset, summer=True)


class NightDelivery(Fault, fault="night-delivery"):
    """Gives marketing a validity beyond the hours, so that it may be delivered at night."""

    def _valid_until(self, message: Outgoing, now: int) -> int:
        return super()._valid_until(replace(message, traffic_class="transactional"), now)


# Opt-outs, recipients, senders ---------------------------------------------------------------------------------


class KnowsOneStop(Fault, fault="knows-one-stop"):
    """Recognises an opt-out only as the bare word in capitals."""

    def _mobile_originated(self, sender: str, code: str, text: str, scts: str) -> str:
        if text != "STOP":
            text = re.sub("(?i)s(?=\\W*t\\W*o\\W*p)", "x", text)
        return super()._mobile_originated(sender, code, text, scts)


class ForgetsStopWhenBusy(Fault, fault="forgets-stop-when-busy"):
    """Ignores opt-outs that arrive while messages are waiting."""

    def _mobile_originated(self, sender: str, code: str, text: str, scts: str) -> str:
        return super()._mobile_originated(sender, code, "..." if self._outbox.ready else text, scts)


class StopsOneCodeOnly(Fault, fault="stops-one-code-only"):
    """Applies an opt-out only to the code it was sent to, not to the brand's other codes."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        del stops  # a separate list instead of the one all links share
        super().__init__(config)


class IgnoresPortability(Fault, fault="ignores-portability"):
    """Takes the operator of a number from the numbering plan, ignoring portability."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        served = None if config.served_only is None else (lambda *_: None)
        super().__init__(replace(config, served_only=served), stops)


class SendsAnyName(Fault, fault="sends-any-name"):
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
