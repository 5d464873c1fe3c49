"""Bodies of the operations an SMSC originates: 52, 53, 57, 58 and 01.

Sources: EMI-UCP 4.0 sections 4.2, 5.4, 5.5, 5.9 and 5.10; the layout comes from the field table.
"""

from __future__ import annotations

from functools import lru_cache

from simbench.ucp.alphabet import LONGEST_OADC, encode_oadc, is_gsm, septets
from simbench.ucp.content import Part
from simbench.ucp.fields import At

OUTCOMES = {
    0: "has been delivered on {0}-{1}-20{2} at {3}:{4}:{5}.",
    1: "has been buffered.",
    2: "could not be delivered.",
}


def _shape(*positions: int) -> str:
    """Return a %-template of the data part with placeholders at these positions of the 5x layout."""
    return "".join("%s/" if position in positions else "/" for position in range(At.RES5 + 1))


_NOTIFICATION = _shape(At.ADC, At.OADC, At.SCTS, At.DST, At.RSN, At.DSCTS, At.MT, At.MSG)
_DELIVER = _shape(At.ADC, At.OADC, At.SCTS, At.MT, At.NB, At.MSG, At.MMS, At.RPI, At.OTOA, At.XSER)
_SYSTEM_TEXT = _shape(At.ADC, At.MT, At.MSG, At.MMS)
_REPLY = {False: "", True: "2"}  # RPI of an answer over a reply path


def notification_body(adc: str, oadc: str, scts: str, outcome: int, reason: int, dscts: str) -> str:
    """Data part of a 53: addresses swapped relative to the 51, the SCTS of its result, and the delivery outcome."""
    text = notification_text(oadc, scts, outcome, dscts)
    return _NOTIFICATION % (adc, oadc, scts, outcome, f"{reason:03d}", dscts, "3", text)


def notification_text(oadc: str, scts: str, outcome: int, dscts: str) -> str:
    """Text of a notification, in hexadecimal."""
    return f"{_FOR}{oadc.encode('ascii').hex().upper()}{_identified(scts)}{_outcome_text(outcome, dscts)}"


def _hex(text: str) -> str:
    return text.encode("ascii").hex().upper()


_FOR = _hex("Message for ")


# Cached, since many notifications of one second share these two parts.
@lru_cache(maxsize=1024)
def _identified(scts: str) -> str:
    return _hex(f", with identification {_reversed(scts)} ")


@lru_cache(maxsize=1024)
def _outcome_text(outcome: int, dscts: str) -> str:
    return _hex(OUTCOMES[outcome].format(*(dscts[at : at + 2] for at in range(0, 12, 2))))


def deliver_body(adc: str, oadc: str, scts: str, part: Part, reply: bool = False, octets: bool = False) -> str:
    """Data part of a 52: one segment from a subscriber to a short code; `reply`: over a reply path.

    An `oadc` that is not a number is sent as alphanumeric; its length octet counts semi-octets or, with `octets`,
    twice the octets.
    """
    otoa = ""
    if not oadc.isdigit() and is_gsm(oadc) and septets(oadc) <= LONGEST_OADC:
        oadc, otoa = encode_oadc(oadc, "octets" if octets else "semi-octets"), "5039"
    return _DELIVER % (adc, oadc, scts, part.mt, part.nb, part.msg, part.mms, _REPLY[reply], otoa, part.xser)


def inquiry_body(adc: str, about: str, stamps: list[str], more: bool) -> str:
    """Data part of a 57: the SCTS of messages waiting for the recipient `about`; an empty list means none."""
    text = " ".join([f"Destination: {about}", *map(_reversed, stamps)])
    return _SYSTEM_TEXT % (adc, "3", _hex(text), "1" if more else "")


def deletion_body(adc: str, about: str, stamp: str, more: bool) -> str:
    """Data part of a 58: the message that was deleted."""
    text = f"Destination {about} identification: {_reversed(stamp)} has been deleted."
    return _SYSTEM_TEXT % (adc, "3", _hex(text), "1" if more else "")


def call_input_body(adc: str, oadc: str, mt: str, text: str) -> str:
    """Data part of an 01: the text of a 52 or 53 for an application that supports neither."""
    return f"{adc}/{oadc if oadc.isdigit() else ''}//{mt}/{text}/"


def _reversed(scts: str) -> str:
    # Inside texts a time stamp is written YYMMDDhhmmss, the reverse of the field's DDMMYYhhmmss.
    return f"{scts[4:6]}{scts[2:4]}{scts[0:2]}{scts[6:]}"
