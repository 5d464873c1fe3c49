"""Fields of a frame in plain words: what each is, and what its value says. Judges no value.

Sources: EMI-UCP 4.0 sections 4 to 6; codes come from `simbench.ucp.codes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simbench.base.text import count
from simbench.ucp import alphabet, codes, xser
from simbench.ucp.operations import Values, moment

NAMES: Final[dict[str, str]] = {
    "TRN": "transaction reference number",
    "O/R": "operation or result",
    "OT": "operation type",
    "AdC": "recipient's address",
    "OAdC": "originator's address",
    "AC": "authentication code",
    "NRq": "notification requested",
    "NAdC": "address for the notification",
    "NAd": "address for the notification",
    "NT": "kinds of notification",
    "NPID": "protocol of the notification",
    "LRq": "last resort address requested",
    "LRAd": "last resort address",
    "LPID": "protocol of the last resort address",
    "DD": "deferred delivery requested",
    "DDT": "deferred delivery time",
    "VP": "validity period, its end",
    "RPID": "replacement protocol identifier",
    "SCTS": "service centre time stamp",
    "Dst": "delivery status",
    "Rsn": "reason",
    "DSCTS": "time of that status",
    "MT": "message type",
    "NB": "number of bits",
    "Msg": "message",
    "AMsg": "message",
    "MMS": "more messages to send",
    "PR": "priority",
    "DCs": "data coding scheme",
    "MCLs": "message class",
    "RPI": "reply path",
    "OTOA": "type of the originator's address",
    "HPLMN": "home network",
    "XSer": "extra services",
    "ACK": "positive result",
    "NACK": "negative result",
    "EC": "error code",
    "SM": "system message",
    "MVP": "modified validity period",
    "OTON": "type of number",
    "ONPI": "numbering plan",
    "STYP": "what the session operation does",
    "PWD": "password",
    "NPWD": "new password",
    "VERS": "version",
    "LAdC": "address in the list",
    "LTON": "type of number in the list",
    "LNPI": "numbering plan in the list",
    "OPID": "originator's protocol",
    "PID": "protocol identifier",
    "NPL": "number of addresses",
    "RAd": "recipient's address",
    "RAds": "recipients' addresses",
    "GAs": "group addresses",
}
_STYP: Final = {
    "1": "open session",
    "2": "reserved",
    "3": "change password",
    "4": "open provisioning",
    "6": "change it",
}
_YES_NO: Final = {"0": "no", "1": "yes"}
_TABLES: Final[dict[str, dict[str, str]]] = {
    "O/R": {"O": "operation", "R": "result"},
    "Dst": codes.NOTIFICATION_STATES,
    "MT": codes.MESSAGE_TYPES,
    "NPID": codes.PIDS,
    "LPID": codes.PIDS,
    "PID": codes.PIDS,
    "STYP": _STYP,
    "OTOA": {"1139": "number, international or short code", "5039": "letters and digits"},
    **dict.fromkeys(("NRq", "LRq", "DD", "MMS"), _YES_NO),
}


def value_of(name: str, values: Values) -> str:
    """What the value of one field says; "" where it says no more than itself. Never raises on a value."""
    value = values[name]
    if not isinstance(value, str):
        return count(len(value), "address", "addresses")
    read = _READERS.get(name)
    return read(value, values) if read else _TABLES.get(name, {}).get(value, "")


def _operation(value: str, _: Values) -> str:
    known = codes.OPERATIONS.get(value)
    return known.name if known else "unknown operation"


def _error(value: str, _: Values) -> str:
    known = codes.ERROR_CODES.get(value)
    return known.meaning if known else "unknown code"


def _kinds(value: str, _: Values) -> str:
    bits = int(value) if value.isascii() and value.isdigit() and len(value) < 3 else 0
    return ", ".join(name for bit, name in codes.NOTIFICATION_TYPES.items() if bits & bit)


def _date(value: str, _: Values) -> str:
    then = moment(value)
    if then is None:
        return "no date of the calendar"
    year, month, day, hour, minute, second = then
    return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}" + (f":{second:02d}" if len(value) == 12 else "")


def _reason(value: str, values: Values) -> str:
    return "" if values.get("Dst") == "0" else codes.reason(value)


def _originator(value: str, values: Values) -> str:
    if values.get("OTOA") != "5039":
        return ""
    try:
        return f"“{alphabet.decode_oadc(value)}”"
    except ValueError:
        return "not to be read"


def _message(value: str, values: Values) -> str:
    """The text, where it is one; of data only how long they are."""
    try:
        octets = bytes.fromhex(value) if values.get("MT", "3") != "2" else b""
    except ValueError:
        return "not hexadecimal"
    if values.get("MT", "3") == "3":
        return f"“{alphabet.decode(octets)}”"
    services = xser.parse(values.get("XSer", ""))
    coding = xser.value_of(services, xser.DCS) if isinstance(services, list) else None
    if coding and xser.CODINGS[coding[0]].alphabet == "ucs2":
        return f"“{octets.decode('utf-16-be', 'replace')}”"
    return count(len(octets), "octet") if octets else ""


_READERS: Final[dict[str, Callable[[str, Values], str]]] = {
    "OT": _operation,
    "EC": _error,
    "NT": _kinds,
    "Rsn": _reason,
    "OAdC": _originator,
    "Msg": _message,
    "AMsg": _message,
    **dict.fromkeys(("SCTS", "DSCTS", "VP", "DDT", "MVP"), _date),
}
