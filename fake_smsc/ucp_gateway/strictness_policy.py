"""Applies the strictness switches: decides which broken frames are answered, repaired or ignored.

Every violation is counted, tolerated or not. The switches are those of `fake_smsc.strictness`.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from fake_smsc.strictness import Strictness
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.output import Output
from simbench.ucp.checks import PROBLEMS, FieldError, answer_to, check
from simbench.ucp.fields import OPERATIONS_5X, At, layout_of
from simbench.ucp.frame import Frame, WireError, checksum

_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{2})/([0-9]{5})/([OR])/([0-9]{2})/")
_DIGITS: Final = re.compile(rb"[0-9A-Fa-f]{1,2}")
ALPHANUMERIC: Final = "5039"  # OTOA
_NAME: Final = re.compile(r"[0-9A-Za-z]{2}")

# Fields of each operation that hold hexadecimal, as indices of its data.
_5X: Final = (At.OADC, At.MSG, At.XSER)
HEX_FIELDS: Final[dict[str, tuple[int, ...]]] = {
    "01": (-1,), "02": (-1,), "03": (-1,), "30": (-1,), "51": _5X, "54": _5X, "56": (At.MSG,), "60": (4, 5),
}  # fmt: skip

Mend = Callable[[str, list[str], FieldError], bool]


class StrictnessPolicy:
    """Applies one set of switches to protocol violations."""

    def __init__(self, strictness: Strictness, out: Output) -> None:
        s = self.switches = strictness.settled()
        self.out = out
        self._long = s.long_text == "accept"
        self._mends: dict[str, Mend] = {}
        self._passed = {name for name, problem in PROBLEMS.items() if problem.noted}
        if s.odd_hex == "pad":
            self._mends["odd-hex"] = _pad
        if s.bits == "infer":
            self._mends |= {"no-bits": _count_bits, "wrong-bits": _count_bits}
        if s.untyped_originator == "alphanumeric":
            self._mends["not-digits"] = _type_originator
        if s.extra_fields == "ignore":
            self._mends["surplus-fields"] = _cut
            self._passed.add("must-be-empty")
        if s.odd_services == "ignore":
            self._passed |= {"bad-service", "bad-header"}
        self._forgiven = {"hex-trn"} if s.hex_trn == "echo" else set()
        if s.ragged_end == "mend":
            self._forgiven |= {"short-checksum", "missing-slash"}

    # Frames ----------------------------------------------------------------------------------------------------

    def skips(self, error: WireError) -> bool:
        """Tell whether the frame after a tolerated error is dropped as well."""
        return error.name == "lower-case-checksum" and self.switches.lower_case == "refuse"

    def met(self, line: Line, error: WireError, now: int) -> Frame | None:
        """Handle octets that are not a valid frame: return the repaired frame, or answer if required."""
        if error.name == "line-ends" and self.switches.line_ends == "ignore":
            return None
        meant = self._meant(error)
        if meant is not None:
            frame, protocol_violations = meant
            for name in protocol_violations:
                self.out.violation(line, name, now)
            return frame
        self.out.violation(line, error.name, now)
        if error.name == "too-long":
            self.out.close(line, "frame too long")
            return None
        ec = self._answer(error)
        if ec is not None:
            trn, ot = error.trn, error.ot
            if error.name == "header":
                trn, ot = _raw(error)
            if trn and ot:
                self.out.nack(line, Frame(trn, "O", ot, [], b""), ec, error.name)
        return None

    def _answer(self, error: WireError) -> str | None:
        if error.kind != "O":
            return None
        if error.name == "header":
            return "02" if self.switches.header_errors == "nack02" else None
        if error.name == "length":
            return "02" if self.switches.wrong_length == "nack02" else None
        return "01" if self.skips(error) else answer_to(error)

    def _meant(self, error: WireError) -> tuple[Frame, list[str]] | None:
        """Return the repaired frame if every defect of these octets is tolerated, else None."""
        if not self._forgiven or error.name not in {"header", "length", "checksum"}:
            return None
        body = error.octets[1:-1]
        head = _HEAD.match(body)
        if head is None or not body.isascii():
            return None
        data, _, digits = body[head.end() :].rpartition(b"/")
        protocol_violations = [] if head[1].isdigit() else ["hex-trn"]
        if len(digits) > 2:
            data, digits = (data + b"/" if data else b"") + digits[:-2], digits[-2:]
            protocol_violations.append("missing-slash")
        elif len(digits) == 1:
            protocol_violations.append("short-checksum")
        if (
            not protocol_violations
            or not self._forgiven.issuperset(protocol_violations)
            or not _DIGITS.fullmatch(digits)
        ):
            return None
        if int(head[2]) not in {len(body), len(body) + 2 - len(digits)}:
            return None
        if int(digits, 16) != checksum(body[: -len(digits)]):
            return None
        trn, kind, ot = (head[group].decode() for group in (1, 3, 4))
        return Frame(trn, kind, ot, data.decode("ascii").split("/"), error.octets), protocol_violations

    # Fields ----------------------------------------------------------------------------------------------------

    def sound(self, line: Line, frame: Frame, now: int) -> Frame | None:
        """Return the operation, repaired where tolerated; None after answering its first error."""
        if _has_lower_case(frame):
            self.out.violation(line, "lower-case-hex", now)
            if self.switches.lower_case == "refuse":
                self.out.nack(line, frame, "02", "lower-case-hex")
                return None
        while True:
            errors = check(frame, long_messages=self._long)
            mended = self._mended(frame, errors) if errors and self._mends else None
            if mended is None:
                break
            self.out.violation(line, mended[1], now)
            frame = mended[0]
        for error in errors:
            self.out.violation(line, error.problem, now)
            if error.problem not in self._passed:
                self.out.nack(line, frame, error.ec or "02", _said(error))
                return None
        return frame

    def _mended(self, frame: Frame, errors: list[FieldError]) -> tuple[Frame, str] | None:
        """Return the frame with its first repairable error repaired, and that error."""
        for error in errors:
            mend = self._mends.get(error.problem)
            data = list(frame.data)
            if mend is not None and mend(frame.ot, data, error) and data != list(frame.data):  # avoids an endless loop
                return replace(frame, data=data), error.problem
        return None


def _raw(error: WireError) -> tuple[str, str]:
    """Return TRN and OT of a malformed header unchanged, "" if no result could carry them."""
    parts = error.octets[1:-1].decode("latin-1").split("/")
    trn, ot = parts[0], parts[3] if len(parts) > 3 else ""
    return trn if _NAME.fullmatch(trn) else "", ot if len(ot) == 2 and ot.isdecimal() and ot.isascii() else ""


def _said(error: FieldError) -> str:
    return "too many addresses" if error.problem == "too-many" else error.field


def _has_lower_case(frame: Frame) -> bool:
    data = frame.data
    return any(
        data[at] != data[at].upper() for at in HEX_FIELDS.get(frame.ot, ()) if -len(data) <= at < len(data)
    )  # fmt: skip


# Repairs: each changes a copy of an operation's data and returns whether that repairs the error ---------------------


def _pad(ot: str, data: list[str], error: FieldError) -> bool:
    layout = layout_of("O", ot, data)
    if layout is None:
        return False
    at = list(layout.by_name).index(error.field)
    if layout.counted and at > layout.counted[1]:
        at += layout.list_length(data) - 1
    if at >= len(data):  # after a list that is shorter than announced
        return False
    try:
        unhexlify(data[at] + "0")
    except ValueError:
        return False
    data[at] += "0"
    return True


def _count_bits(ot: str, data: list[str], _error: FieldError) -> bool:
    if ot not in OPERATIONS_5X:  # the older operations have neither transparent data nor NB
        return False
    data[At.NB] = f"{len(data[At.MSG]) // 2 * 8:04d}"
    return True


def _type_originator(ot: str, data: list[str], error: FieldError) -> bool:
    if ot != "51" or error.field != "OAdC" or data[At.OTOA]:
        return False
    data[At.OTOA] = ALPHANUMERIC
    try:
        return unhexlify(data[At.OADC])[0] > 0
    except (ValueError, IndexError):
        return False


def _cut(ot: str, data: list[str], _error: FieldError) -> bool:
    layout = layout_of("O", ot, data)
    if layout is None:
        return False
    del data[layout.count(data) :]
    return True
