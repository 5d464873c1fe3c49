"""The worked frames in `vectors.jsonl`: valid ones with their fields, broken ones with the answer they deserve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec


class Vector(msgspec.Struct, frozen=True):
    name: str
    octets: bytes
    fields: dict[str, Any]
    valid: bool
    expect: str


def _read() -> list[Vector]:
    rows = map(json.loads, (Path(__file__).with_name("vectors.jsonl")).read_text().splitlines())
    return [
        Vector(row["name"], bytes.fromhex(row["hex"]), row["fields"], row["valid"], row.get("expect", ""))
        for row in rows
    ]


VECTORS: Final = _read()
VALID: Final = [vector for vector in VECTORS if vector.valid]
BROKEN: Final = [vector for vector in VECTORS if not vector.valid]


def name_of(vector: Vector) -> str:
    return vector.name
