"""Matches the notifications (53) a probe receives to its messages.

A message is identified by recipient and time stamp (SCTS) of its positive result. Messages accepted before the probe's
first one are recognised by their time stamps: the probe stays quiet for `LEAD_S` beforehand.
"""

from __future__ import annotations

from typing import Final

from simbench.base.calendar import Calendar
from simbench.base.units import DAY_US, SECOND_US
from simbench.probe.link import Operation, Seen
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

NUMBER: Final = 9  # last digits of a recipient, because prefixes vary
LEAD_S: Final = 3.0  # two for the rounding of time stamps on both sides, one as a margin
OLDEST_US: Final = 7 * DAY_US  # longer than any validity
Heard = tuple[int, Frame]
Key = tuple[str, str]


def key_of(frame: Frame) -> Key:
    """Return recipient and time stamp of a notification."""
    return frame.data[At.OADC][-NUMBER:], frame.data[At.SCTS]


def named(one: Operation) -> Key | None:
    """Return recipient and time stamp of a submit from its result; None if it was not accepted."""
    if not one.accepted or one.answer is None:
        return None
    recipient, _, stamp = one.answer.data[-1].rpartition(":")
    return recipient[-NUMBER:], stamp


def notified(seen: Seen, calendar: Calendar) -> tuple[list[Heard], list[Heard]]:
    """Return the notifications of a session: those to be judged, and those about earlier messages."""
    heard = [(at, frame) for at, frame in seen.heard if frame.ot == "53" and len(frame.data) > At.SCTS]
    begins = _begins(seen, calendar)
    judged: list[Heard] = []
    earlier: list[Heard] = []
    for at, frame in heard:
        stamp = calendar.parse_scts(frame.data[At.SCTS])
        before = stamp is not None and begins - OLDEST_US <= stamp < begins
        (earlier if before else judged).append((at, frame))
    return judged, earlier


def _begins(seen: Seen, calendar: Calendar) -> int:
    """Return the earliest possible time stamp of a message of the session, by the clock that results show."""
    submits = [one for one in seen.operations if one.ot == "51"]
    stamps = [(one, calendar.parse_scts(key[1])) for one in submits if (key := named(one)) is not None]
    ahead_us = max((one.results[0][0] - stamp for one, stamp in stamps if stamp is not None), default=0)
    return (submits[0].at if submits else seen.opened_at) - ahead_us - SECOND_US
