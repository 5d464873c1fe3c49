"""Conversion between UCP times and instants, and the bodies that contain them.

UCP times are civil times of the platform; a text may stand for two instants in the hour that autumn repeats.
"""

from __future__ import annotations

from functools import lru_cache

from fake_smsc.core.records import Accepted, Refused
from simbench.base.calendar import Calendar
from simbench.base.units import SECOND_US

HOUR_S = 3600
KEPT = 4096  # texts and instants kept of each kind


class UcpTimes:
    """UCP times in the zone of a calendar.

    `stamp` writes a second since the epoch as a service centre time stamp, DDMMYYHHmmss. `minute` reads DDMMYYHHmm as
    an instant (us); 0 for an empty or impossible one.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.stamp = lru_cache(KEPT)(lambda second: calendar.scts_text(second * SECOND_US))
        self.minute = lru_cache(KEPT)(lambda text: calendar.parse_minute(text) or 0)

    def seconds_of(self, text: str) -> tuple[int, ...]:
        """Return the seconds since the epoch that DDMMYYHHmmss may mean: none, one, or two in the repeated hour."""
        first = self.calendar.parse_scts(text)
        if first is None:
            return ()
        second = first // SECOND_US
        return (second, second + HOUR_S) if self.stamp(second + HOUR_S) == text else (second,)

    def result_with_mvp(self, reply: Accepted | Refused) -> str:
        """Data part of the result of 30, 51 or 54 (EMI-UCP 4.0 section 5.3.1)."""
        if isinstance(reply, Refused):
            return f"N/{reply.ec}/{reply.reason}/"
        shortened = self.calendar.minute_text(reply.shortened_to) if reply.shortened_to else ""
        return f"A/{shortened}/{reply.recipient}:{self.stamp(reply.scts)}/"

    def message_id(self, reply: Accepted) -> str:
        """Return recipient and SCTS, the message's identification in a result."""
        return f"{reply.recipient}:{self.stamp(reply.scts)}"


def reversed_stamp(text: str) -> str:
    """Convert YYMMDDhhmmss, the order inside texts, to DDMMYYhhmmss and back."""
    return text[4:6] + text[2:4] + text[0:2] + text[6:]
