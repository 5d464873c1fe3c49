"""Conversion between UCP times and instants, and the bodies that contain them.

Civil time of the platform (Paris); a text may stand for two instants in the hour that October repeats.
"""

from __future__ import annotations

from functools import lru_cache

from fake_smsc.core.records import Accepted, Refused
from simbench.base.calendar import minute_text, parse_minute, parse_scts, scts_text
from simbench.base.units import SECOND_US

HOUR_S = 3600


@lru_cache(maxsize=4096)
def stamp(second: int) -> str:
    """Return the service centre time stamp of a second since the epoch: DDMMYYHHmmss."""
    return scts_text(second * SECOND_US)


@lru_cache(maxsize=4096)
def minute(text: str) -> int:
    """Return the instant (us) of DDMMYYHHmm; 0 for an empty or impossible one."""
    return parse_minute(text) or 0


def seconds_of(text: str) -> tuple[int, ...]:
    """Return the seconds since the epoch DDMMYYHHmmss can mean: none, one, or two when October repeats the hour."""
    first = parse_scts(text)
    if first is None:
        return ()
    second = first // SECOND_US
    return (second, second + HOUR_S) if stamp(second + HOUR_S) == text else (second,)


def reversed_stamp(text: str) -> str:
    """Convert YYMMDDhhmmss, the order inside texts, to DDMMYYhhmmss and back."""
    return text[4:6] + text[2:4] + text[0:2] + text[6:]


def result_with_mvp(reply: Accepted | Refused) -> str:
    """Data part of the result of 30, 51 or 54 (EMI-UCP 4.0 section 5.3.1)."""
    if isinstance(reply, Refused):
        return f"N/{reply.ec}/{reply.reason}/"
    return f"A/{shortened_text(reply.shortened_to)}/{reply.recipient}:{stamp(reply.scts)}/"


def shortened_text(instant: int) -> str:
    """Text of the modified validity period in a result, "" for 0 (not modified)."""
    return minute_text(instant) if instant else ""


def message_id(reply: Accepted) -> str:
    """Return recipient and SCTS, the message's identification in a result."""
    return f"{reply.recipient}:{stamp(reply.scts)}"
