"""The frames in `vectors.jsonl`, one a line as `simbench decode` reads them: valid ones with their fields, broken ones
with the answer that a strict and, where it differs, a tolerant SMSC gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec


class Vector(msgspec.Struct, frozen=True):
    name: str
    octets: bytes
    fields: dict[str, Any]
    answer: str | None  # to a broken frame by a strict SMSC: an error code, "A" for acceptance, "" for silence
    tolerant: str | None  # the same by a tolerant SMSC


def _read() -> list[Vector]:
    rows = map(json.loads, (Path(__file__).with_name("vectors.jsonl")).read_text().splitlines())
    return [Vector(row["name"], _octets(row["frame"]), row.get("fields", {}), *_answers(row)) for row in rows]


def _answers(row: dict[str, Any]) -> tuple[str | None, str | None]:
    return row.get("answer"), row.get("tolerant", row.get("answer"))


def _octets(frame: str) -> bytes:
    return frame.replace("<STX>", "\x02").replace("<ETX>", "\x03").encode("latin-1")


VECTORS: Final = _read()
VALID: Final = [vector for vector in VECTORS if vector.answer is None]
BROKEN: Final = [vector for vector in VECTORS if vector.answer is not None]


def name_of(vector: Vector) -> str:
    return vector.name
