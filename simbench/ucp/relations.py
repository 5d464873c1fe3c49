"""Rules that relate the fields of an operation to each other, beyond the field table."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable
from typing import Final

import msgspec

from simbench.ucp import xser
from simbench.ucp.fields import LAYOUTS, OPERATIONS_5X
from simbench.ucp.forms import digits, hexadecimal, moment
from simbench.ucp.operations import Values

INTERNATIONAL: Final = "1139"  # OTOA
SHORTEST_NUMBER, LONGEST_NUMBER = 7, 15  # digits of an international number (E.164), including the country code


def services_of(values: Values) -> list[xser.Tlv]:
    """Return the extra services of an operation, or none if they cannot be read."""
    services = xser.parse(values.get("XSer", ""))
    return services if isinstance(services, list) else []


class Rule(msgspec.Struct, frozen=True):
    """A relation between fields of some operations: if `when` is filled and `broken`, `field` has the problem."""

    ops: tuple[str, ...]
    when: str
    field: str
    problem: str
    broken: Callable[[Values], bool]
    ec: str = "02"


def _lacks(name: str, switch: str, *on: str) -> Callable[[Values], bool]:
    return lambda values: values[switch] in on and name not in values


def _alone(name: str) -> Callable[[Values], bool]:
    return lambda values: name not in values


def _odd_rpid(values: Values) -> bool:
    rpid = values["RPID"]
    return not digits(rpid) and not (int(rpid) <= 71 or int(rpid) in {95, 127} or 192 <= int(rpid) <= 255)


def _odd_download(values: Values) -> bool:
    """SIM data download (RPID 127) is sent as class 2 data only."""
    if values["RPID"].lstrip("0") != "127":
        return False
    coded = xser.value_of(services_of(values), xser.DCS) == b"\xf6"
    return bool(values.get("MT") != "4" or not (coded or values.get("MCLs") == "2"))


def _odd_originator(values: Values) -> bool:
    if values["OTOA"] != "5039" or "OAdC" not in values or hexadecimal(values["OAdC"]):
        return False
    octets = unhexlify(values["OAdC"])
    return not 0 < octets[0] <= 2 * (len(octets) - 1)


def _wrong_type(values: Values) -> bool:
    """An international number (E.164) has no prefix and is longer than any short code."""
    oadc = values.get("OAdC", "")
    if values["OTOA"] != INTERNATIONAL or not oadc or digits(oadc):
        return False
    return oadc[0] == "0" or not SHORTEST_NUMBER <= len(oadc) <= LONGEST_NUMBER


def _ends_early(values: Values) -> bool:
    ends, begins = moment(values["VP"]), moment(values.get("DDT", ""))
    return bool(ends and begins and ends <= begins)


_RULES: Final = (
    Rule(("02",), "NPL", "RAds", "missing", _alone("RAds")),
    Rule(("02",), "NPL", "RAds", "too-many", lambda values: len(values.get("RAds", [])) > 20, ec="04"),
    Rule(("03", "30", "51"), "DD", "DDT", "missing", _lacks("DDT", "DD", "1")),
    Rule(("30",), "NAd", "NPID", "missing", _alone("NPID")),
    Rule(("30",), "NPID", "NAd", "missing", _alone("NAd")),
    Rule(("54",), "NAdC", "NPID", "missing", _alone("NPID")),
    Rule(("54",), "NPID", "NAdC", "missing", _alone("NAdC")),
    Rule(("51", "54"), "LRq", "LRAd", "missing", _lacks("LRAd", "LRq", "1")),
    Rule(("51", "54"), "LRq", "LPID", "missing", _lacks("LPID", "LRq", "1")),
    Rule(("54",), "LRAd", "LRq", "missing", _alone("LRq")),
    Rule(("54",), "LPID", "LRq", "missing", _alone("LRq")),
    Rule(("54",), "VP", "VP", "not-after", _ends_early, ec="22"),
    Rule(("54",), "Msg", "MT", "missing", _alone("MT")),
    Rule(OPERATIONS_5X, "AC", "AC", "unknown-value", lambda values: not values["AC"].strip("0")),
    Rule(OPERATIONS_5X, "RPID", "RPID", "unknown-value", _odd_rpid),
    Rule(("51", "54"), "RPID", "RPID", "unknown-value", _odd_download),
    Rule(("51",), "OTOA", "OAdC", "bad-originator", _odd_originator),
    Rule(("51",), "OTOA", "OAdC", "wrong-type", _wrong_type),
    Rule(("60",), "STYP", "NPWD", "missing", _lacks("NPWD", "STYP", "3", "6")),
)
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    ot: tuple(rule for rule in _RULES if ot in rule.ops) for ot in {key[1] for key in LAYOUTS}
}
