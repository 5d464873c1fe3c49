"""Checks the fields of an operation or result: by the field table, and by the rules that relate fields.

Sources: EMI-UCP 4.0 sections 4 to 6; the lenient checks accept what live clients are known to send.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterator
from typing import Final

import msgspec

from simbench.ucp import content, xser
from simbench.ucp.alphabet import is_seven_bit
from simbench.ucp.fields import LAYOUTS, At, Field, Layout, layout_of
from simbench.ucp.forms import FORMS, digits, hexadecimal
from simbench.ucp.frame import WIRE_ERRORS, Frame, WireError
from simbench.ucp.operations import Values, present
from simbench.ucp.relations import RULES, services_of

_SIGNS: Final = (["A"], ["N"])


class FieldError(msgspec.Struct, frozen=True):
    """An error in one field ("" for the frame): a key of PROBLEMS, and the EC that answers it, if any."""

    field: str
    problem: str
    value: str
    ec: str | None


class Problem(msgspec.Struct, frozen=True):
    """A kind of field error; `strict_only` if live clients commit it and a lenient server accepts it.

    A `noted` problem is reported, but accepted by every server.
    """

    meaning: str
    strict_only: bool = False
    noted: bool = False


PROBLEMS: Final[dict[str, Problem]] = {
    "unknown-operation": Problem("no such operation in the document"),
    "missing-fields": Problem("fewer fields than the layout has"),
    "surplus-fields": Problem("more fields than the layout has", strict_only=True),
    "missing": Problem("mandatory here, and empty"),
    "must-be-empty": Problem("filled, but not used by this operation", strict_only=True),
    "refused": Problem("requests a service that is not offered"),
    "not-digits": Problem("characters other than decimal digits"),
    "odd-hex": Problem("an odd number of hexadecimal digits"),
    "not-hex": Problem("characters other than hexadecimal digits"),
    "not-printable": Problem("characters other than visible ASCII"),
    "not-a-date": Problem("not an existing date and time"),
    "too-long": Problem("longer than allowed"),
    "too-short": Problem("shorter than allowed"),
    "too-many": Problem("more items than allowed"),
    "unknown-value": Problem("not one of the allowed values"),
    "not-after": Problem("not later than the time that must come before it"),
    "bad-originator": Problem("the length octet of an alphanumeric originator does not fit it"),
    "no-class": Problem("transparent data without a message class or a coding scheme"),
    "no-bits": Problem("transparent data without its number of bits", strict_only=True),
    "wrong-bits": Problem("a number of bits that differs from that of the data", strict_only=True),
    "bad-xser": Problem("extra services that are not a sequence of type, length and value"),
    "bad-service": Problem("an extra service of a length that is not allowed", strict_only=True),
    "bad-header": Problem("a user data header whose lengths disagree", strict_only=True),
    "wrong-type": Problem("an originator that is not of the type in OTOA", strict_only=True, noted=True),
    "bits-beside-text": Problem("a number of bits for a message that is not data", strict_only=True, noted=True),
    "byte-order-mark": Problem("UCS-2 that begins with a byte-order mark", strict_only=True, noted=True),
    "little-endian": Problem("UCS-2 in little-endian byte order", strict_only=True, noted=True),
    "not-gsm": Problem(
        "a text of MT 3 with octets above 7F, which GSM 03.38 does not define", strict_only=True, noted=True
    ),
}


def answer_to(error: WireError | FieldError) -> str | None:
    """Return the EC of the NACK for `error`, None for no answer: results and unreadable headers are not answered."""
    if isinstance(error, FieldError):
        return error.ec
    return WIRE_ERRORS[error.name].ec if error.kind == "O" and error.trn and error.ot else None


def is_plain(operation: Frame) -> bool:
    """Return whether an operation has the common form that is certainly correct; False means unknown."""
    plain = PLAIN.get(operation.ot)
    octets = operation.octets
    return (
        plain is not None
        and plain.fullmatch(octets, 15, len(octets) - 3) is not None
        and is_seven_bit(operation.data[At.MSG])
    )


def check(frame: Frame, strict: bool = True, long_messages: bool = False) -> list[FieldError]:
    """Return the errors of a frame's fields, the one to answer first; [] if there are none.

    Lenient (`strict` false) omits the problems marked `strict_only`. `long_messages` is the SMSC's option to accept
    640 characters. The errors of a result carry no EC, as results are not answered.
    """
    if frame.kind == "O" and is_plain(frame):
        return []
    found = [
        error
        for error in _errors(frame, content.LONG_MESSAGE if long_messages else content.SEPTETS)
        if strict or not PROBLEMS[error.problem].strict_only
    ]
    if frame.kind == "R":
        return [FieldError(error.field, error.problem, error.value, None) for error in found]
    return found


def _errors(frame: Frame, longest_text: int) -> Iterator[FieldError]:
    data = frame.data
    layout = layout_of(frame.kind, frame.ot, data)
    if layout is None:
        if frame.kind == "R" and data[:1] in _SIGNS:
            return  # a result of an unknown operation, which the other end must have requested
        if ("O", frame.ot, "") in LAYOUTS or frame.kind == "R":
            yield FieldError("ACK", "unknown-value", data[0] if data else "", None)
        else:
            yield FieldError("OT", "unknown-operation", frame.ot, "03")
        return
    count = layout.count(data)
    if len(data) != count:
        problem = "missing-fields" if len(data) < count else "surplus-fields"
        yield FieldError("", problem, f"{len(data)} for {count}", "02")
        if len(data) < count:
            return
    values = present(layout, data)
    for name in layout.mandatory:
        if name not in values:
            yield FieldError(name, "missing", "", "02")
    for name, value in values.items():
        yield from _field_errors(layout.by_name[name], value, values)
    for rule in RULES.get(frame.ot, ()) if frame.kind == "O" else ():
        if values.get(rule.when) and rule.broken(values):
            yield FieldError(rule.field, rule.problem, str(values.get(rule.field, "")), rule.ec)
    if frame.kind == "O":
        yield from _content_errors(frame.ot, values, longest_text)


def _field_errors(field: Field, value: str | list[str], values: Values) -> Iterator[FieldError]:
    if field.presence in "-X":
        refused = field.presence == "X"
        yield FieldError(
            field.name, "refused" if refused else "must-be-empty", str(value), field.ec if refused else "02"
        )
        return
    for item in [value] if isinstance(value, str) else [item.split(",")[0] for item in value]:
        problem = ""
        if field.longest and len(item) > field.longest:
            problem = "too-long"
        elif len(item) < field.shortest:
            problem = "too-short"
        elif field.values and item not in field.values:
            problem = "unknown-value"
        elif not field.values:
            problem = FORMS[_form(field, values)](item)
        if problem:
            yield FieldError(field.name, problem, item, field.ec)


def _form(field: Field, values: Values) -> str:
    if field.form == "message":
        return "digits" if values.get("MT") == "2" else "hex" if values.get("MT", "3") in "34" else "text"
    if field.form == "originator":
        return "hex" if values.get("OTOA") == "5039" else "digits"
    return field.form


# Patterns of values that are valid regardless of the calendar, of other fields and of the length.
_DATE10: Final = "(?:0[1-9]|1[0-9]|2[0-8])(?:0[1-9]|1[0-2])[0-9]{2}(?:[01][0-9]|2[0-3])[0-5][0-9]"
_LOOKS: Final = {
    "digits": "[0-9]",
    "originator": "[0-9]",
    "message": "(?:[0-9A-Fa-f]{32}){0,9}(?:[0-9A-Fa-f]{2}){0,15}",
    "date10": _DATE10,
    "date12": _DATE10 + "[0-5][0-9]",
}


def _plain(layout: Layout) -> re.Pattern[bytes]:
    """Return a pattern for data that is certainly valid: text in MT=3, and no field that a rule depends on.

    It saves common frames the walk through the table; frames that do not match are checked field by field.
    """
    ruled = {rule.when for rule in RULES[layout.ot]} | {"XSer", "NB"}
    pattern = ""
    for field in layout.fields:
        look = _LOOKS.get(field.form, "")
        if field.name == "MT":
            pattern += "3/"
        elif field.name in ruled or field.presence in "-X" or not look:
            pattern += "/"
        else:
            if field.values:
                look = f"(?:{'|'.join(sorted(field.values))})"
            elif field.longest and look == "[0-9]":
                look += f"{{{max(field.shortest, 1)},{field.longest}}}"
            pattern += f"{look}/" if field.presence == "M" else f"(?:{look})?/"
    return re.compile(pattern.encode())


PLAIN: Final = {ot: _plain(LAYOUTS["O", ot, ""][0]) for ot in ("51", "52", "53")}


def _content_errors(ot: str, values: Values, longest_text: int) -> Iterator[FieldError]:
    """Check text, bits, class and extra services together (sections 5.1, 5.1.2 and 5.3)."""
    if "XSer" in values and not hexadecimal(values["XSer"]):
        yield from _service_errors(values["XSer"])
    services = services_of(values)
    mt = values.get("MT", "3")
    msg = values.get("Msg") or values.get("AMsg") or ""
    udh = len(xser.value_of(services, xser.UDH) or b"")
    if mt == "4":
        octets = len(msg) // 2
        nb: str = values.get("NB", "")
        if msg and not nb:
            yield FieldError("NB", "no-bits", "", "02")
        elif nb and not digits(nb) and (-(-int(nb) // 8) != octets or (int(nb) % 16 and _is_ucs2(services))):
            yield FieldError("NB", "wrong-bits", nb, "02")
        yield from _order_errors(msg, services)
        if ot in {"51", "54"} and "MCLs" not in values and xser.value_of(services, xser.DCS) is None:
            yield FieldError("MCLs", "no-class", "", "02")
        if octets > content.room_for_octets(udh):
            yield FieldError("Msg", "too-long", msg, "24")
    elif mt in {"2", "3"}:
        if "NB" in values:
            yield FieldError("NB", "bits-beside-text", values["NB"], "02")
        name = "AMsg" if ot == "30" else "Msg"
        if mt == "3" and not is_seven_bit(msg) and not hexadecimal(msg):
            yield FieldError(name, "not-gsm", msg, "02")
        characters = len(msg) if mt == "2" else len(msg) // 2
        if characters > content.room_for_septets(udh) + longest_text - content.SEPTETS:
            yield FieldError(name, "too-long", msg, "24")


def _is_ucs2(services: list[xser.Tlv]) -> bool:
    dcs = xser.value_of(services, xser.DCS)
    return xser.CODINGS[dcs[0]].alphabet == "ucs2" if dcs else False


def _order_errors(msg: str, services: list[xser.Tlv]) -> Iterator[FieldError]:
    if hexadecimal(msg) or not _is_ucs2(services):
        return
    order = content.order_of(unhexlify(msg))
    if order:
        yield FieldError("Msg", "byte-order-mark" if order == "mark" else "little-endian", msg, "02")


def _service_errors(text: str) -> Iterator[FieldError]:
    services = xser.parse(text)
    if isinstance(services, xser.XserError):
        yield FieldError("XSer", "bad-xser", text, "02")
        return
    for tlv in services:
        known = xser.TLV_TYPES.get(tlv.type)
        if known and not known.shortest <= len(tlv.value) <= known.longest:
            yield FieldError("XSer", "bad-service", text, "02")
        elif tlv.type == xser.UDH and isinstance(xser.header(tlv.value), xser.XserError):
            yield FieldError("XSer", "bad-header", text, "02")
