"""Hides telephone numbers and passwords in shared text, fields and frames, without changing lengths.

Numbers from ranges reserved for fiction or not assigned belong to nobody and stay visible.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from typing import Final

from simbench.ucp.fields import layout_of
from simbench.ucp.forms import moment
from simbench.ucp.frame import Frame

KEPT: Final = 2  # digits left visible at the end
HIDDEN: Final = "*"
ADDRESSES: Final = frozenset({"AdC", "OAdC", "NAdC", "NAd", "LRAd", "LAdC", "RAd", "RAds", "GAs"})
SECRETS: Final = frozenset({"PWD", "NPWD", "AC"})
TEXTS: Final = frozenset({"Msg", "AMsg"})
SHORTEST: Final = 9  # digits; anything shorter is a short code, a TRN or a count

# 06 39 98 xx xx and 01 99 00 xx xx (fiction), 07 10 to 07 29 (unassigned), national or international.
_FICTIONAL: Final = re.compile(r"(?:(?:\+|00)?33|0)?(?:63998\d{4}|19900\d{4}|7[12]\d{7})")
# Possible numbers in a sentence: international with or without sign, or national in French notation, in one piece or
# in pairs: 06 12 34 56 78, +33 (0)6.12.34.56.78.
_PAIRS: Final = r"(?:(?:\+|00)33[ .-]?(?:\(0\)[ .-]?)?|0)[1-9](?:[ .-]?\d\d){4}"
_NUMBER: Final = re.compile(rf"(?<!\d)(?:\+?\d{{11,15}}|{_PAIRS})(?!\d)")
_BETWEEN: Final = re.compile(r"\(0\)|[ .-]")
_RUN: Final = re.compile(rf"\d{{{SHORTEST},}}")


def masked_number(value: str) -> str:
    """Hide all but the last two digits of an address; short codes and fictional numbers stay."""
    digits = sum(char.isdigit() for char in value)
    if digits < SHORTEST or _FICTIONAL.fullmatch(_BETWEEN.sub("", value)):
        return value
    return HIDDEN * (len(value) - KEPT) + value[-KEPT:]


def masked_text(text: str) -> str:
    """Hide the telephone numbers in a sentence; time stamps and other numbers stay visible."""
    return _NUMBER.sub(lambda found: _unless_a_date(found.group()), text)


def _unless_a_date(digits: str) -> str:
    return digits if len(digits) == 12 and moment(digits) else masked_number(digits)


def masked_runs(octets: bytes) -> bytes:
    """Hide every long run of digits in octets of unknown form."""
    return _blind(octets.decode("latin-1")).encode("latin-1")


def masked_message(octets: bytes, addresses: list[str]) -> bytes:
    """Hide telephone numbers in the octets of a message, one or two octets a character, and these addresses."""
    for coding in ("latin-1", "utf-16-be"):
        try:
            text = octets.decode(coding)
        except UnicodeDecodeError:
            continue
        for address in addresses:
            text = text.replace(address, masked_number(address))
        octets = masked_text(text).encode(coding)
    return octets


def masked_frame(frame: Frame) -> Frame:
    """Return the frame with its addresses and passwords hidden; LEN and checksum stay as received."""
    layout = layout_of(frame.kind, frame.ot, frame.data)
    if layout is None:
        return Frame(frame.trn, frame.kind, frame.ot, [_blind(cell) for cell in frame.data], masked_runs(frame.octets))
    names = [field.name for field in layout.fields]
    if layout.counted:
        at, size = layout.counted[1], layout.list_length(frame.data)
        names[at : at + 1] = [names[at]] * size
    names += ["" for _ in frame.data[len(names) :]]
    cells = list(zip(names, frame.data, strict=False))
    addresses = [cell for name, cell in cells if name in ADDRESSES and len(cell) >= SHORTEST and cell.isdigit()]
    data = [_masked_cell(name, cell, addresses) for name, cell in cells]
    # STX, header of fourteen, data, two of checksum, ETX.
    body = "".join(f"{cell}/" for cell in data).encode()
    return Frame(frame.trn, frame.kind, frame.ot, data, frame.octets[:15] + body + frame.octets[-3:])


def without_secrets(frame: Frame) -> Frame:
    """Return the frame with its passwords and authentication codes hidden; addresses and texts stay visible."""
    layout = layout_of(frame.kind, frame.ot, frame.data)
    names = [field.name for field in layout.fields] if layout is not None and not layout.counted else []
    hidden = {at for at, name in enumerate(names[: len(frame.data)]) if name in SECRETS and frame.data[at]}
    if not hidden:
        return frame
    data = [HIDDEN * len(cell) if at in hidden else cell for at, cell in enumerate(frame.data)]
    body = "".join(f"{cell}/" for cell in data).encode()
    return Frame(frame.trn, frame.kind, frame.ot, data, frame.octets[:15] + body + frame.octets[-3:])


def _masked_cell(name: str, cell: str, addresses: list[str]) -> str:
    if name in SECRETS:
        return HIDDEN * len(cell)
    if name in TEXTS:
        try:
            return masked_message(unhexlify(cell), addresses).hex().upper()
        except ValueError:
            return _blind(cell)
    if name in ADDRESSES:
        return ",".join(masked_number(part) for part in cell.split(","))
    # SM of a result repeats the recipient: "33612345678:010203040506".
    return ":".join(map(_unless_a_date, cell.split(":"))) if name == "SM" else cell if name else _blind(cell)


def _blind(cell: str) -> str:
    return _RUN.sub(lambda found: masked_number(found.group()), cell)
