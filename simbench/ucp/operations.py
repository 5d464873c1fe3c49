"""Operations and results by field name: decode, check, build.

The field table is extended by rules that relate fields to each other.
Sources: EMI-UCP 4.0 sections 4 to 6; the lenient checks accept what live clients are known to send.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from simbench.ucp import content, xser
from simbench.ucp.fields import LAYOUTS, OPERATIONS_5X, Field, Layout, layout_of
from simbench.ucp.frame import WIRE_ERRORS, Frame, WireError, encode_fields

_RESULT_WITH_MVP: Final = 3  # fields: ACK, MVP and SM, or NACK, EC and SM
Values = dict[str, Any]  # text by field name; a list of texts for RAds and GAs


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


INTERNATIONAL: Final = "1139"  # OTOA
SHORTEST_NUMBER, LONGEST_NUMBER = 7, 15  # digits of an international number (E.164), including the country code

PROBLEMS: Final[dict[str, Problem]] = {
    "unknown-operation": Problem("no such operation in the document"),
    "missing-fields": Problem("fewer fields than the layout has"),
    "surplus-fields": Problem("more fields than the layout has", strict_only=True),
    "missing": Problem("mandatory here, and empty"),
    "must-be-empty": Problem("not of this operation, and filled", strict_only=True),
    "refused": Problem("a service that is not offered"),
    "not-digits": Problem("something else than decimal digits"),
    "odd-hex": Problem("an odd number of hexadecimal digits"),
    "not-hex": Problem("something else than hexadecimal digits"),
    "not-printable": Problem("something else than visible ASCII"),
    "not-a-date": Problem("no date and time of the calendar"),
    "too-long": Problem("longer than allowed"),
    "too-short": Problem("shorter than allowed"),
    "too-many": Problem("more items than allowed"),
    "unknown-value": Problem("none of the values allowed"),
    "not-after": Problem("not later than what must come before"),
    "bad-originator": Problem("the length octet of an alphanumeric originator does not fit it"),
    "no-class": Problem("transparent data with neither a message class nor a coding scheme"),
    "no-bits": Problem("transparent data without its number of bits", strict_only=True),
    "wrong-bits": Problem("a number of bits that is not that of the data", strict_only=True),
    "bad-xser": Problem("extra services that are no sequence of type, length and value"),
    "bad-service": Problem("an extra service of a length it cannot have", strict_only=True),
    "bad-header": Problem("a user data header whose lengths disagree", strict_only=True),
    "wrong-type": Problem("an originator that is not of the type OTOA gives it", strict_only=True, noted=True),
    "bits-beside-text": Problem("a number of bits beside a message that is no data", strict_only=True, noted=True),
    "byte-order-mark": Problem("UCS-2 that begins with a byte-order mark", strict_only=True, noted=True),
    "little-endian": Problem("UCS-2 whose octets have changed places", strict_only=True, noted=True),
}


def decode(frame: Frame) -> Values:
    """Return TRN, O/R, OT and the non-empty fields, by name; the lists RAds and GAs as lists.

    The layout is the one with the frame's number of fields, else the standard one as far as it goes. An unknown
    operation with the field count of the 5x series, and any unknown result, are decoded with those layouts; fields of
    other unknown operations are named by number. Never raises; `check` reports errors.
    """
    layout = layout_of(frame.kind, frame.ot, frame.data) or _likely_layout(frame)
    values: Values = {"TRN": frame.trn, "O/R": frame.kind, "OT": frame.ot}
    if layout is None:
        return values | {str(at): cell for at, cell in enumerate(frame.data, start=1) if cell}
    return values | _present(layout, frame.data)


def _likely_layout(frame: Frame) -> Layout | None:
    """Return the most likely layout of an unknown operation."""
    data = frame.data
    if frame.kind == "R":
        layouts = LAYOUTS.get(("R", "51" if len(data) == _RESULT_WITH_MVP else "31", data[0] if data else ""), ())
        return layouts[0] if layouts else None
    layout = LAYOUTS["O", "51", ""][0]
    return layout if len(data) == len(layout.fields) else None


def _present(layout: Layout, data: list[str]) -> Values:
    cells: list[Any] = data
    if layout.counted:
        at, size = layout.counted[1], layout.list_length(data)
        cells = [*data[:at], data[at : at + size], *data[at + size :]]
    return {field.name: cell for field, cell in zip(layout.fields, cells, strict=False) if cell}


def build(ot: str, kind: str, trn: int | str, variant: str = "", **fields: str | list[str]) -> bytes:
    """Return the frame of an operation or result from its fields by name; fields not given are empty.

    The sign of a result follows from its fields (NACK or EC: negative), as does the number before a list. Values are
    not checked, so that faulty frames can be built too. Raises ValueError for an OT or variant without a layout, an
    unknown field name, a value with a slash or a control character, and like `encode`.
    """
    sign = "" if kind == "O" else "N" if fields.keys() & {"NACK", "EC"} else "A"
    layout = next((found for found in LAYOUTS.get((kind, ot, sign), ()) if found.variant == variant), None)
    if layout is None:
        raise ValueError(f"no layout for {kind}/{ot}" + (f" in the variant {variant!r}" if variant else ""))
    unknown = fields.keys() - layout.by_name.keys()
    if unknown:
        raise ValueError(f"{kind}/{ot} has no field {', '.join(sorted(unknown))}")
    if sign:
        fields.setdefault("ACK" if sign == "A" else "NACK", sign)
    if layout.counted:
        number, items = (layout.fields[at].name for at in layout.counted)
        fields.setdefault(number, str(len(fields.setdefault(items, []))))
    values: list[str] = []
    for field in layout.fields:
        cell = fields.get(field.name, "")
        values.extend([cell] if isinstance(cell, str) else cell)
    return encode_fields(trn, kind, ot, values)


def answer_to(error: WireError | FieldError) -> str | None:
    """Return the EC of the NACK for `error`, None for no answer: results and unreadable headers are not answered."""
    if isinstance(error, FieldError):
        return error.ec
    return WIRE_ERRORS[error.name].ec if error.kind == "O" and error.trn and error.ot else None


def is_plain(operation: Frame) -> bool:
    """Whether an operation has the common form that is certainly correct; False means unknown."""
    plain = PLAIN.get(operation.ot)
    octets = operation.octets
    return plain is not None and plain.fullmatch(octets, 15, len(octets) - 3) is not None


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
    values = _present(layout, data)
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


def _digits(value: str) -> str:
    return "" if value.isascii() and value.isdigit() else "not-digits"


def _hex(value: str) -> str:
    try:
        unhexlify(value)
    except ValueError:
        return "odd-hex" if len(value) % 2 else "not-hex"
    return ""


def _printable(value: str) -> str:
    return "" if value.isascii() and value.isprintable() else "not-printable"


def moment(value: str) -> tuple[int, ...] | None:
    """(year, month, day, hour, minute, second) of DDMMYYHHmm or DDMMYYHHmmss, None if there is no such time.

    The SMSC's civil time; two-digit years below 90 belong to this century.
    """
    if len(value) not in {10, 12} or _digits(value):
        return None
    day, month, year, hour, minute, second = (int(value[at : at + 2] or 0) for at in range(0, 12, 2))
    try:
        return datetime(year + (2000 if year < 90 else 1900), month, day, hour, minute, second).timetuple()[:6]
    except ValueError:
        return None


def _date(length: int) -> Callable[[str], str]:
    return lambda value: "" if len(value) == length and moment(value) else "not-a-date"


FORMS: Final[dict[str, Callable[[str], str]]] = {
    "digits": _digits,
    "list": _digits,
    "hex": _hex,
    "chars": _printable,
    "text": _printable,
    "date10": _date(10),
    "date12": _date(12),
}


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
    return not _digits(rpid) and not (int(rpid) <= 71 or int(rpid) in {95, 127} or 192 <= int(rpid) <= 255)


def _odd_download(values: Values) -> bool:
    """SIM data download (RPID 127) is sent as class 2 data only."""
    if values["RPID"].lstrip("0") != "127":
        return False
    coded = xser.value_of(_services(values), xser.DCS) == b"\xf6"
    return bool(values.get("MT") != "4" or not (coded or values.get("MCLs") == "2"))


def _odd_originator(values: Values) -> bool:
    if values["OTOA"] != "5039" or "OAdC" not in values or _hex(values["OAdC"]):
        return False
    octets = unhexlify(values["OAdC"])
    return not 0 < octets[0] <= 2 * (len(octets) - 1)


def _wrong_type(values: Values) -> bool:
    """An international number (E.164) has no prefix and is longer than any short code."""
    oadc = values.get("OAdC", "")
    if values["OTOA"] != INTERNATIONAL or not oadc or _digits(oadc):
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


# Patterns of forms that are certainly valid, whatever the calendar, other fields or the length say.
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


def _services(values: Values) -> list[xser.Tlv]:
    services = xser.parse(values.get("XSer", ""))
    return services if isinstance(services, list) else []


def _content_errors(ot: str, values: Values, longest_text: int) -> Iterator[FieldError]:
    """Check text, bits, class and extra services together (sections 5.1, 5.1.2 and 5.3)."""
    if "XSer" in values and not _hex(values["XSer"]):
        yield from _service_errors(values["XSer"])
    services = _services(values)
    mt = values.get("MT", "3")
    msg = values.get("Msg") or values.get("AMsg") or ""
    udh = len(xser.value_of(services, xser.UDH) or b"")
    if mt == "4":
        octets = len(msg) // 2
        nb: str = values.get("NB", "")
        if msg and not nb:
            yield FieldError("NB", "no-bits", "", "02")
        elif nb and not _digits(nb) and (-(-int(nb) // 8) != octets or (int(nb) % 16 and _is_ucs2(services))):
            yield FieldError("NB", "wrong-bits", nb, "02")
        yield from _order_errors(msg, services)
        if ot in {"51", "54"} and "MCLs" not in values and xser.value_of(services, xser.DCS) is None:
            yield FieldError("MCLs", "no-class", "", "02")
        if octets > content.room_for_octets(udh):
            yield FieldError("Msg", "too-long", msg, "24")
    elif mt in {"2", "3"}:
        if "NB" in values:
            yield FieldError("NB", "bits-beside-text", values["NB"], "02")
        characters = len(msg) if mt == "2" else len(msg) // 2
        if characters > content.room_for_septets(udh) + longest_text - content.SEPTETS:
            yield FieldError("AMsg" if ot == "30" else "Msg", "too-long", msg, "24")


def _is_ucs2(services: list[xser.Tlv]) -> bool:
    dcs = xser.value_of(services, xser.DCS)
    return xser.CODINGS[dcs[0]].alphabet == "ucs2" if dcs else False


def _order_errors(msg: str, services: list[xser.Tlv]) -> Iterator[FieldError]:
    if _hex(msg) or not _is_ucs2(services):
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
