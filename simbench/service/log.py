"""Structured logs: one JSON object per line, with masked numbers by default, and ids shared with frames and findings.

Frames are never logged, so that passwords cannot appear.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import IO

from simbench.base.errors import BadInput
from simbench.ucp.masking import masked_number, masked_text

ADDRESSES = frozenset({"recipient", "sender", "subject"})


def frame_id(session: int, at: int, trn: str) -> str:
    """Return the id of a frame: connection, instant of the read or write that ended it (us), transaction number.

    It can be computed from the ledger; logs, messages and findings use it.
    """
    return f"{session}.{at}.{trn}"


class EventLog:
    """A file of events, or none. Raises BadInput for a file that cannot be written."""

    def __init__(self, path: Path | None = None, *, unmasked: bool = False) -> None:
        self.enabled = path is not None
        self._unmasked = unmasked
        self._file: IO[str] | None = _opened(path) if path is not None else None

    def event(self, name: str, **fields: object) -> None:
        """Write one line: `ts` is the machine's clock (s), `event` the event's name, followed by `fields`."""
        if self._file is None:
            return
        shown = fields if self._unmasked else {key: _masked(key, value) for key, value in fields.items()}
        self._file.write(json.dumps({"ts": round(time.time(), 3), "event": name, **shown}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _opened(path: Path) -> IO[str]:
    try:
        if path.is_file() and path.open("rb").read(1) not in {b"", b"{"}:
            raise BadInput(f"--log {path}", "exists, and is no log of simbench", "another name")
        return path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise BadInput(f"--log {path}", error.strerror or str(error), "a file that can be written") from None


def _masked(key: str, value: object) -> object:
    if isinstance(value, dict):
        return {inner: _masked(str(inner), each) for inner, each in value.items()}
    if isinstance(value, list):
        return [_masked(key, each) for each in value]
    if not isinstance(value, str) or key == "id":
        return value
    return masked_number(value) if key in ADDRESSES else masked_text(value)
