"""`run.json`: the description of a run in its folder, written when the run starts and again when it is closed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from simbench.base.errors import LedgerError
from simbench.base.json_files import indented, read_json
from simbench.base.outputs import replacing

FORMAT = 5  # incremented when a table or column changes its meaning
NAME = "run.json"

Keep = Literal["octets", "text", "digest"]


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a run was made: all of `run.json` that differs between two runs of the same scenario and seed.

    `wall_started` and `wall_ended` are instants (microseconds, UTC) of the machine's clock, 0 if unknown.
    """

    created_at: str = ""
    wall_started: int = 0
    wall_ended: int = 0


class RunInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data needed to repeat a run: scenario, seed, contract and versions.

    `rows` counts the rows of each table and is complete only when `closed`.
    """

    run: str
    times: Times = Times()
    scenario: str = ""
    seed: int = 0
    contract: str = ""
    contract_digest: str = ""
    versions: dict[str, str] = {}
    keep: Keep = "octets"
    note: str = ""
    closed: bool = False
    rows: dict[str, int] = {}
    format: int = FORMAT


class _Former(RunInfo, frozen=True, forbid_unknown_fields=True):
    """With the times as older versions wrote them: beside the other keys."""

    created_at: str = ""
    wall_started: int = 0
    wall_ended: int = 0


def write_info(folder: Path, info: RunInfo) -> None:
    """Replace `run.json` atomically. Raises like `outputs.replacing`."""
    with replacing(folder / NAME) as part, part.open("wb") as file:
        file.write(indented(info) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_info(folder: Path) -> RunInfo:
    """Read `run.json`. Raises LedgerError if it is missing, is not a run description, or has another version."""
    path = folder / NAME
    read = read_json(path, _Former, "the folder of a run", "what the bench writes into every run folder", LedgerError)
    kept = {name: getattr(read, name) for name in RunInfo.__struct_fields__}
    former = Times(read.created_at, read.wall_started, read.wall_ended)
    info = RunInfo(**kept | ({} if former == Times() else {"times": former}))
    if 0 < info.format < FORMAT:
        raise LedgerError(
            str(folder),
            f"a ledger of an older form ({info.format}), written by simbench {info.versions.get('simbench', '?')}",
            f"form {FORMAT}; read it with that version, or run again with this one",
        )
    if info.format != FORMAT:
        raise LedgerError(str(path), f"format {info.format}", f"format {FORMAT}")
    return info
