"""The kind of a file of calls, by its first octets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input

Kind = Literal["capture", "parquet", "detail", "csv"]

_LOOKED_AT: Final = 4_096  # octets
_INDENTED: Final = re.compile(rb"(?:\t|[ \t]+\S+ [:+]?=)")  # an attribute; editors make spaces of a tab
_CAPTURES: Final = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
)


def kind_of(path: Path) -> Kind:
    """The kind of a file: a detail file's second line is indented. Raises BadInput: it cannot be read."""
    try:
        with open_input(path) as file:
            head = file.read(_LOOKED_AT)
    except OSError as problem:
        raise BadInput(
            str(path), problem.strerror or str(problem), "calls: records, a detail file, a capture"
        ) from None
    if head[:4] in _CAPTURES:
        return "capture"
    if head[:4] == b"PAR1":
        return "parquet"
    lines = head.lstrip(b"\r\n").split(b"\n")
    return "detail" if len(lines) > 1 and _INDENTED.match(lines[1]) else "csv"
