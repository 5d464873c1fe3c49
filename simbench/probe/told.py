"""Which message a notification (53) that came to a probe is about. Judges nothing.

A message is known by recipient and time stamp (SCTS), as its positive result named them.
"""

from __future__ import annotations

from typing import Final

from simbench.contract.calendar import parse_scts
from simbench.probe.link import Asked, Seen
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

NUMBER: Final = 9  # last digits of a recipient: prefixes are written in several ways
Told = tuple[int, Frame]
Key = tuple[str, str]


def key_of(frame: Frame) -> Key:
    """Recipient and time stamp of a notification."""
    return frame.data[At.OADC][-NUMBER:], frame.data[At.SCTS]


def named(one: Asked) -> Key | None:
    """Recipient and time stamp of a submit, as its result named them; None if it was not accepted."""
    if not one.accepted or one.answer is None:
        return None
    recipient, _, stamp = one.answer.data[-1].rpartition(":")
    return recipient[-NUMBER:], stamp


def notified(seen: Seen) -> list[Told]:
    """The notifications of a session, but for those about messages accepted before it began.

    Such have a time stamp before the first the session was given: what a client sent earlier is its platform's to tell,
    and nothing a probe can judge.
    """
    told = [(at, frame) for at, frame in seen.heard if frame.ot == "53" and len(frame.data) > At.SCTS]
    keys = [named(one) for one in seen.asked if one.ot == "51"]
    given = [stamp for key in keys if key is not None and (stamp := parse_scts(key[1])) is not None]
    first = min(given, default=0)
    return [(at, frame) for at, frame in told if (parse_scts(frame.data[At.SCTS]) or first) >= first]
