"""Bodies of the operations an SMSC originates: 52 and 53. Numbers no TRN and knows no session.

Sources: EMI-UCP 4.0 sections on operations 52 and 53; the layout itself comes from the field table.
"""

from __future__ import annotations

from functools import lru_cache

from simbench.ucp.content import Part
from simbench.ucp.fields import At

OUTCOMES = {
    0: "has been delivered on {0}-{1}-20{2} at {3}:{4}:{5}.",
    1: "has been buffered.",
    2: "could not be delivered.",
}


def _shape(*positions: int) -> str:
    """A %-template of the data part with a place at each of these positions of the 5x layout."""
    return "".join("%s/" if position in positions else "/" for position in range(At.RES5 + 1))


_NOTIFICATION = _shape(At.ADC, At.OADC, At.SCTS, At.DST, At.RSN, At.DSCTS, At.MT, At.MSG)
_DELIVER = _shape(At.ADC, At.OADC, At.SCTS, At.MT, At.NB, At.MSG, At.MMS, At.XSER)


def notification_body(adc: str, oadc: str, scts: str, outcome: int, reason: int, dscts: str) -> str:
    """Data part of a 53: addresses swapped relative to the 51, the SCTS of its result, and what became of it."""
    text = f"{_FOR}{oadc.encode('ascii').hex().upper()}{_identified(scts)}{_told(outcome, dscts)}"
    return _NOTIFICATION % (adc, oadc, scts, outcome, f"{reason:03d}", dscts, "3", text)


def _hex(text: str) -> str:
    return text.encode("ascii").hex().upper()


_FOR = _hex("Message for ")


# Many notifications of one second say the same in these two parts.
@lru_cache(maxsize=1024)
def _identified(scts: str) -> str:
    # Inside texts a time stamp runs YYMMDDhhmmss, the reverse of the field's DDMMYYhhmmss.
    return _hex(f", with identification {scts[4:6]}{scts[2:4]}{scts[0:2]}{scts[6:]} ")


@lru_cache(maxsize=1024)
def _told(outcome: int, dscts: str) -> str:
    return _hex(OUTCOMES[outcome].format(*(dscts[at : at + 2] for at in range(0, 12, 2))))


def deliver_body(adc: str, oadc: str, scts: str, part: Part) -> str:
    """Data part of a 52: one segment a subscriber sent to a short code."""
    return _DELIVER % (adc, oadc, scts, part.mt, part.nb, part.msg, part.mms, part.xser)
