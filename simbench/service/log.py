"""Structured logs: one JSON object per line, with masked numbers by default, and ids shared with frames and findings.

Frames are never logged, so that passwords cannot appear.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from simbench.base.errors import BadInput
from simbench.base.outputs import owned
from simbench.ucp.masking import masked_number, masked_text

ADDRESSES = frozenset({"recipient", "sender", "subject"})
FLOODS: Final = {  # events that anybody can cause in any number, and the fields that describe those left out
    "login accepted": ("account",),
    "login refused": ("account", "why"),
    "session open": (),
    "session close": ("peer",),
    "refused": ("code", "ec"),
    "request refused": ("status",),
    "events": ("kind",),
}
BURST: Final = 1_000  # lines
LINES_PER_S: Final = 2
KINDS_LEFT_OUT: Final = 20  # kinds of omitted events that are counted separately
STEERING: Final = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # json escapes characters below a space


def frame_id(session: int, at: int, trn: str) -> str:
    """Return the id of a frame: connection, instant of the read or write that ended it (us), transaction number.

    It can be computed from the ledger; logs, messages and findings use it.
    """
    return f"{session}.{at}.{trn}"


class EventLog:
    """A file of events, or none. Raises BadInput for a file that cannot be written.

    Anybody can cause events of FLOODS. Of each kind, BURST lines and LINES_PER_S more per second are written; the
    others are counted, and a line "left out" with the counts precedes the next line of that kind.
    """

    def __init__(
        self, path: Path | None = None, *, unmasked: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.enabled = path is not None
        self._unmasked, self._clock = unmasked, clock
        self._file: IO[str] | None = _opened(path) if path is not None else None
        self._rooms: dict[tuple[str, object], Room] = {}

    def event(self, name: str, **fields: object) -> None:
        """Write one line: `ts` is the machine's clock (s), `event` the event's name, followed by `fields`."""
        if self._file is None:
            return
        if name in FLOODS:
            kind = name, fields["kind"] if name == "events" else ""  # no flood of one kind of event hides another
            room = self._rooms.get(kind) or self._rooms.setdefault(kind, Room(BURST, self._clock()))
            if not room.takes(self._clock()):
                what = " ".join(str(fields[key]) for key in FLOODS[name] if key in fields)
                room.leave_out(what if self._unmasked else masked_text(what))
                return
            self._write_left_out(name, room)
        self._write(name, fields)

    def settle(self) -> None:
        """Write the counts of events left out, if lines are allowed again; to be called at intervals."""
        for (name, _), room in self._rooms.items():
            if room.left_out and room.takes(self._clock()):
                self._write_left_out(name, room)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            for (name, _), room in self._rooms.items():
                self._write_left_out(name, room)
            self._file.close()
            self._file = None

    def _write_left_out(self, name: str, room: Room) -> None:
        if room.left_out:
            counts, room.left_out = room.left_out, Counter()
            self._write("left out", {"of": name, "count": counts.total(), "as": dict(counts.most_common())})

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        if self._file is None:
            return
        shown = fields if self._unmasked else {key: _masked(key, value) for key, value in fields.items()}
        line = json.dumps({"ts": round(time.time(), 3), "event": name, **shown}, ensure_ascii=False)
        self._file.write(harmless_json(line) + "\n")


class Room:
    """The number of lines of one kind that may still be written, and the events left out since the last one."""

    def __init__(self, lines: float, now: float) -> None:
        self._lines, self._at = lines, now
        self.left_out: Counter[str] = Counter()

    def takes(self, now: float) -> bool:
        """Return whether a line may be written, and count it."""
        self._lines, self._at = min(BURST, self._lines + (now - self._at) * LINES_PER_S), now
        if self._lines < 1:
            return False
        self._lines -= 1
        return True

    def leave_out(self, what: str) -> None:
        """Count an event that is not written."""
        self.left_out[what if what in self.left_out or len(self.left_out) < KINDS_LEFT_OUT else "other"] += 1


def harmless_json(line: str) -> str:
    """Return a line of JSON with escapes for characters that control terminals; its meaning is unchanged."""
    return STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def _opened(path: Path) -> IO[str]:
    try:
        if path.is_file() and path.open("rb").read(1) not in {b"", b"{"}:
            raise BadInput(f"--log {path}", "exists, and is not a log of simbench", "another name")
        return owned(path, "a", encoding="utf-8", buffering=1)
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
