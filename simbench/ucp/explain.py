"""Explains one frame: the name, value and meaning of each field. Never raises, whatever the frame contains.

Meanings come from the tables of `simbench.ucp` and of `simbench.ucp.explain_words`.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from simbench.base.text import count, is_number
from simbench.ucp import alphabet, codes, content, xser
from simbench.ucp.explain_words import ENCODINGS, SESSION_TYPES, VALUE_WORDS, words_for
from simbench.ucp.fields import OPERATIONS_5X
from simbench.ucp.forms import moment
from simbench.ucp.frame import Frame
from simbench.ucp.masking import HIDDEN
from simbench.ucp.national import LANGUAGES
from simbench.ucp.operations import Values, decode

HEADER: Final = ("TRN", "O/R", "OT")
_TCP_PID: Final = "0539"


class Explained(msgspec.Struct, frozen=True):
    """One non-empty field: its value as received, its purpose, and the meaning of the value ("" if obvious)."""

    name: str
    value: str
    what: str
    meaning: str


def heading(frame: Frame) -> str:
    """Return the kind of frame in one line."""
    operation = codes.OPERATIONS.get(frame.ot)
    name = operation.name if operation else "unknown operation"
    kind = "operation" if frame.kind == "O" else "result"
    return f"{frame.ot} {name}, {kind}, TRN {frame.trn}"


def explain(frame: Frame) -> list[Explained]:
    """Return every non-empty field, in wire order; the fields of an unknown operation are numbered."""
    values = decode(frame)
    named = {name: value for name, value in values.items() if name not in HEADER}
    return [
        Explained(
            name, _shown(value), words_for(frame.ot if frame.kind == "O" else "", name), _meaning(name, frame, values)
        )
        for name, value in named.items()
    ]


def _shown(value: str | list[str]) -> str:
    return value if isinstance(value, str) else " ".join(value)


def _meaning(name: str, frame: Frame, values: Values) -> str:
    value = values[name]
    if not isinstance(value, str):
        return ""
    reader = _READERS.get(name)
    if reader is not None:
        return reader(value, frame, values)
    known = SESSION_TYPES.get(frame.ot) if name == "STYP" else VALUE_WORDS.get(name)
    return known.get(value, "unknown value") if known else ""


def _date(value: str, _frame: Frame, _values: Values) -> str:
    found = moment(value)
    if found is None:
        return "not an existing date and time"
    year, month, day, hour, minute, second = found
    seconds = f":{second:02d}" if len(value) == 12 else ""
    return f"{year}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}{seconds}, in the SMSC's time"


def _notifications(value: str, _frame: Frame, _values: Values) -> str:
    bits = int(value) if value in set("01234567") else 0
    chosen = [word for bit, word in codes.NOTIFICATION_TYPES.items() if bits & bit]
    return "when " + " or ".join(chosen) if chosen else "the SMSC's default"


def _reason(value: str, _frame: Frame, values: Values) -> str:
    if values.get("Dst") == "0":
        return "no meaning: the message was delivered"
    return (codes.reason(value) if len(value) < 4 else "") or "unknown reason"


def _error(value: str, _frame: Frame, _values: Values) -> str:
    known = codes.ERROR_CODES.get(value)
    return known.meaning if known else "unknown error code"


def _originator(value: str, _frame: Frame, values: Values) -> str:
    if values.get("OTOA") != "5039":
        return _address(value, values, "")
    try:
        return repr(alphabet.decode_oadc(value))
    except ValueError:
        return "not an alphanumeric originator"


def _address(value: str, values: Values, pid: str) -> str:
    """A TCP/IP address, if its PID says so: four groups of three digits, then the port."""
    if values.get(pid) != _TCP_PID or not (is_number(value, len(value)) and len(value) > 12):
        return ""
    return f"{'.'.join(str(int(value[at : at + 3])) for at in (0, 3, 6, 9))} port {value[12:]}"


def _bits(value: str, _frame: Frame, _values: Values) -> str:
    return f"{-(-int(value) // 8)} octets" if is_number(value, 18) else "not a number"


def _password(value: str, _frame: Frame, _values: Values) -> str:
    if value and not value.strip(HIDDEN):
        return f"hidden, {len(value) // 2} characters"
    try:
        return count(len(unhexlify(value)), "character")
    except ValueError:
        return "not hexadecimal"


def _message(value: str, frame: Frame, values: Values) -> str:
    if frame.ot in OPERATIONS_5X or frame.ot not in codes.OPERATIONS:
        return _content(content.read(frame.data), value)
    if values.get("MT") == "2":
        return count(len(value), "digit")
    try:
        text = alphabet.decode(unhexlify(value))
    except ValueError:
        return "not hexadecimal"
    return f"{text!r}: GSM 7-bit, {count(len(value) // 2, 'septet')}"


def _content(read: content.Content, value: str) -> str:
    if value and not read.octets:
        return "not hexadecimal"
    unit = {"gsm7": "septet", "numeric": "digit"}.get(read.encoding, "octet")
    text = f"{ENCODINGS[read.encoding]}, {count(len(read.octets), unit)}, {count(read.segments, 'segment')}"
    if read.text is not None and read.encoding != "numeric":
        text = f"{read.text!r}: {text}"
    if read.order:
        text += f"; {_ORDERS[read.order]}"
    place = read.concatenation
    return text + (f"; part {place.sequence} of {place.total} of message {place.ref}" if place else "")


_ORDERS: Final = {
    "mark": "begins with a byte-order mark",
    "little": "little-endian, so phones show other characters",
}


def _services(value: str, _frame: Frame, _values: Values) -> str:
    services = xser.parse(value)
    if isinstance(services, xser.XserError):
        return f"{services.problem}, at octet {services.at}"
    return "; ".join(f"{_service_name(tlv)} {tlv.value.hex().upper()}{_service(tlv)}" for tlv in services)


def _service_name(tlv: xser.Tlv) -> str:
    known = xser.TLV_TYPES.get(tlv.type)
    return known.name if known else f"unknown service {tlv.type:02X}"


def _service(tlv: xser.Tlv) -> str:
    """The meaning of one extra service's value, in brackets."""
    parts = []
    if tlv.type == xser.DCS and len(tlv.value) == 1:
        coding = xser.CODINGS[tlv.value[0]]
        parts.append(ENCODINGS[coding.alphabet])
        parts += [f"class {coding.message_class}"] if coding.message_class is not None else []
        parts += [f"message waiting, {coding.waiting}"] if coding.waiting else []
    elif tlv.type == xser.UDH:
        parts.extend(_header(tlv.value))
    elif tlv.type == xser.BILLING:
        parts.append(repr(tlv.value.decode("ascii", "replace")))
    return f" ({', '.join(parts)})" if parts else ""


def _header(octets: bytes) -> Iterator[str]:
    elements = xser.header(octets)
    if isinstance(elements, xser.XserError):
        yield elements.problem
        return
    place, ports = xser.concatenation(elements), xser.ports(elements)
    for kind, language in zip(("locking", "single"), xser.languages(elements), strict=True):
        if language:
            yield f"{LANGUAGES[language]} {kind} shift table"
    if place:
        yield f"part {place.sequence} of {place.total}, reference {place.ref}"
    if ports:
        yield f"to port {ports.destination} from port {ports.source}"


def _system(value: str, frame: Frame, values: Values) -> str:
    """The content of SM in a positive result: the number of waiting messages, or the message's identification."""
    if frame.ot == "31" and "ACK" in values:
        return f"{int(value)} messages wait" if is_number(value, 18) else ""
    items = [item.rpartition(":") for item in value.split(",")]
    if "ACK" not in values or not any(colon and moment(stamp) for _, colon, stamp in items):
        return ""
    return "; ".join(
        f"for {address}, stamped {_date(stamp, frame, values)}" if colon else f"for {stamp}: refused"
        for address, colon, stamp in items
    )


_READERS: Final[dict[str, Callable[[str, Frame, Values], str]]] = {
    **dict.fromkeys(("DDT", "VP", "SCTS", "DSCTS", "MVP"), _date),
    "NT": _notifications,
    "Rsn": _reason,
    "EC": _error,
    "OAdC": _originator,
    "NAdC": lambda value, _, values: _address(value, values, "NPID"),
    "NAd": lambda value, _, values: _address(value, values, "NPID"),
    "LRAd": lambda value, _, values: _address(value, values, "LPID"),
    "AdC": lambda value, _, values: _address(value, values, "PID"),
    "NB": _bits,
    "Msg": _message,
    "AMsg": _message,
    "PWD": _password,
    "NPWD": _password,
    "XSer": _services,
    "SM": _system,
}
