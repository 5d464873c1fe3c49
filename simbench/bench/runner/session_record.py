"""`session.json`: the record of a session that allows judging its ledgers again without a client.

The client's own statements are kept unchanged.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from simbench.base.errors import LedgerError
from simbench.base.json_files import read_json, write_json
from simbench.bench.sut.protocol import WITHIN_REACH, Capabilities, Reach
from simbench.finding import Blame

NAME = "session.json"
FORMAT = 1


class Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The trouble with which one exercise ended, and whether it ran at all."""

    trouble: str = ""
    blame: Blame = ""
    ran: bool = True


class SessionRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Client, contract, seed and selection of a session. `exercises`: each selected exercise with its purposes.

    `attempts`: why earlier attempts of an exercise were inconclusive. `soak`: the duration of an endurance run.
    """

    system: str
    system_version: str = ""
    capabilities: Capabilities = Capabilities()
    reach: Reach = WITHIN_REACH
    contract: str = ""
    contract_digest: str = ""
    contract_given: str = ""
    seed: int = 1
    started_at: int = 0
    duration_s: float = 0.0
    versions: dict[str, str] = {}
    exercises: dict[str, tuple[str, ...]] = {}
    ended: dict[str, Ended] = {}
    attempts: dict[str, tuple[str, ...]] = {}
    soak: str = ""
    format: int = FORMAT


def write_record(folder: Path, record: SessionRecord) -> None:
    """Write `session.json` atomically. Passwords given in advance are left out."""
    reach = record.reach
    if reach.accounts is not None:
        hidden = tuple(msgspec.structs.replace(account, password="") for account in reach.accounts)
        record = msgspec.structs.replace(record, reach=msgspec.structs.replace(reach, accounts=hidden))
    write_json(folder / NAME, record)


def read_record(folder: Path) -> SessionRecord:
    """Read `session.json`. Raises LedgerError if it is missing, in another format, or of another version."""
    path = folder / NAME
    output = "the output of `simbench conform`"
    record = read_json(path, SessionRecord, output, "the session.json that `simbench conform` writes", LedgerError)
    if record.format != FORMAT:
        raise LedgerError(str(path), f"format {record.format}", f"format {FORMAT}")
    return record
