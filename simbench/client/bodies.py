"""Data parts of the frames a client writes: login, alert, submit and results.

Source: EMI-UCP 4.0 sections 4.6 (31), 5.3 (51) and 6.3 (60); results by the layout of their operation.
"""

from __future__ import annotations

from simbench.client.messages import LinkConfig
from simbench.ucp.alphabet import encode
from simbench.ucp.content import Part
from simbench.ucp.fields import WITH_MVP, At

PC_OVER_TCP_IP = "0539"
ALPHANUMERIC = "5039"
FINAL_OUTCOMES = "3"  # NT: notify delivered (1) and not delivered (2)


def _shape(*positions: int) -> str:
    """Return a %-template of the 5x layout with placeholders at these positions."""
    return "".join("%s/" if position in positions else "/" for position in range(At.RES5 + 1))


_SUBMIT = _shape(At.ADC, At.OADC, At.NRQ, At.NT, At.VP, At.MT, At.NB, At.MSG, At.MMS, At.OTOA, At.XSER)


def login(config: LinkConfig) -> str:
    """Open a session (60): an abbreviated number (OTON 6) of a private plan (ONPI 5), STYP 1, version 0100.

    Password characters missing from the GSM alphabet become "?", so that the SMSC refuses the login.
    """
    return f"{config.account}/6/5/1/{encode(config.password, 'replace').hex().upper()}//0100//////"


def alert(config: LinkConfig) -> str:
    """A keepalive (31)."""
    return f"{config.account}/{PC_OVER_TCP_IP}/"


def submit(recipient: str, sender: tuple[str, str], validity: str, part: Part) -> str:
    """One segment (51) requesting its final notification. `sender` is OAdC and OTOA, `validity` DDMMYYHHmm."""
    oadc, otoa = sender
    content = (part.mt, part.nb, part.msg, part.mms)
    return _SUBMIT % (recipient, oadc, "1", FINAL_OUTCOMES, validity, *content, otoa, part.xser)


def positive(ot: str, message: str = "") -> str:
    """A positive result; where the layout has a modified validity, that field is empty."""
    return f"A//{message}/" if ot in WITH_MVP else f"A/{message}/"


def negative(ec: str) -> str:
    """A negative result of any operation."""
    return f"N/{ec}//"
