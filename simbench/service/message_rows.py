"""A table of messages and queries on it: fixed columns in memory, octets and texts in unnamed temporary files."""

from __future__ import annotations

import mmap
import os
import weakref
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.kernels.frame_fields import hash_of, having
from simbench.numbering.plan import NumberingPlan
from simbench.ucp import alphabet, content
from simbench.ucp.fields import BEFORE_DATA, At

Ints = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]
Records = npt.NDArray[Any]

OUTCOMES: Final = ("pending", "accepted", "refused", "buffered", "delivered", "undelivered", "deleted")
# Instant (us), hashes of recipient and code, offsets of octets and lower-case text, and outcome; `scts` is in seconds
# since the epoch, 0 for none.
MESSAGE: Final = np.dtype(
    [("at", "i8"), ("session", "i4"), ("recipient", "u8"), ("code", "u8"), ("frame", "i8"), ("size", "i4"),
     ("text", "i8"), ("letters", "i4"), ("outcome", "u1"), ("ec", "u1"), ("scts", "u4")]
)  # fmt: skip
BLOCK: Final = 65_536  # messages in a block, which is searched at once


class Query(msgspec.Struct, frozen=True):
    """A search; "" matches anything. `text` may occur anywhere in the message, in either case.

    `below` excludes messages with this number or higher, that is, those after an earlier search.
    """

    recipient: str = ""
    code: str = ""
    text: str = ""
    outcome: str = ""
    limit: int = 50
    offset: int = 0
    below: int = 1 << 62


class Spill:
    """Octets appended to a temporary file and read again; the file has no name and ends with the process."""

    def __init__(self, folder: Path | None) -> None:
        self._file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by `close`
        self.close = weakref.finalize(self, self._file.close)  # closes the file, at the latest with this object
        self._view = np.zeros(0, np.uint8)
        self.size = 0

    def append(self, octets: bytes | Octets) -> int:
        """Append octets; return their offset. Raises OSError if the disk is full."""
        place, left = self.size, memoryview(octets if isinstance(octets, bytes) else octets.data)
        while left:
            left = left[self._file.write(left) :]
        self.size = self._file.tell()
        return place

    def read(self, place: int, size: int) -> bytes:
        """Return the octets at an offset."""
        return os.pread(self._file.fileno(), size, place)

    def view(self) -> Octets:
        """Return everything, mapped from the file."""
        if len(self._view) < self.size:
            self._view = np.frombuffer(mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ), np.uint8)
        return self._view


class Messages:
    """Messages in order of arrival, numbered from 0. The caller holds a lock."""

    def __init__(self, folder: Path | None, times: UcpTimes, plan: NumberingPlan) -> None:
        self._times, self._plan = times, plan
        self.frames, self.texts = Spill(folder), Spill(folder)
        self._blocks: list[Records] = []
        self.count = 0
        self.compiled = False  # whether kernels may be called

    def close(self) -> None:
        """Close the files."""
        self.frames.close()
        self.texts.close()

    def add(self, records: Records) -> None:
        """Append messages whose octets and texts are already in `frames` and `texts`."""
        while len(records):
            room = self.count % BLOCK
            if not room:
                self._blocks.append(np.zeros(BLOCK, MESSAGE))
            fitting = records[: BLOCK - room]
            self._blocks[-1][room : room + len(fitting)] = fitting
            self.count += len(fitting)
            records = records[len(fitting) :]

    def note(self, numbers: Ints, **values: Ints | int) -> None:
        """Record values for messages; if a message occurs twice, the last value counts."""
        blocks = numbers // BLOCK
        for number in np.unique(blocks).tolist():
            chosen, block = blocks == number, self._blocks[number]
            for name, value in values.items():
                block[name][numbers[chosen] % BLOCK] = value if isinstance(value, int) else value[chosen]

    def search(self, query: Query) -> list[dict[str, Any]]:
        """Return the matching messages, latest first."""
        found: list[dict[str, Any]] = []
        skipped = 0
        for first in range((len(self._blocks) - 1) * BLOCK, -1, -BLOCK):
            block = self._blocks[first // BLOCK][: max(0, min(self.count, query.below) - first)]
            places = self._matching(query, block)[::-1]
            left = query.offset - skipped
            skipped += min(left, len(places))
            shown = places[left : left + query.limit - len(found)].tolist()
            found += [self._record(block[place], first + place) for place in shown]
            if len(found) >= query.limit:
                break
        return found

    def _matching(self, query: Query, block: Records) -> Ints:
        """Return the positions of the matching messages of a block, ascending; cheap comparisons come first."""
        mask = np.ones(len(block), np.bool_)
        if query.outcome:
            mask &= block["outcome"] == OUTCOMES.index(query.outcome)
        if query.code:
            mask &= block["code"] == np.uint64(hash_of(query.code.encode()))
        if query.recipient:
            wanted = {query.recipient, *self._plan.spellings(self._plan.classify(query.recipient))}
            mask &= np.isin(block["recipient"], np.array([hash_of(each.encode()) for each in wanted], np.uint64))
        places = np.flatnonzero(mask)
        if not query.text or not len(places):
            return places
        starts, sizes = block["text"][places], block["letters"][places].astype(np.int64)
        return places[self.having(lower(query.text).encode(), starts, sizes)]

    def having(self, wanted: bytes, starts: Ints, sizes: Ints) -> npt.NDArray[np.bool_]:
        """Return which of these texts contain `wanted`."""
        texts, found = self.texts.view(), np.zeros(len(starts), np.bool_)
        if self.compiled:
            having(texts, starts, sizes, np.frombuffer(wanted, np.uint8), found)
            return found
        for number, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
            found[number] = wanted in texts[start : start + size].tobytes()
        return found

    def _record(self, message: Any, number: int) -> dict[str, Any]:
        frame = self.frames.read(int(message["frame"]), int(message["size"]))
        fields = frame[1:-1].split(b"/")
        outcome = OUTCOMES[message["outcome"]]
        return {
            "at": int(message["at"]),
            "session": int(message["session"]),
            "number": number,
            "trn": fields[0].decode("latin-1"),
            "code": fields[BEFORE_DATA + At.OADC].decode("latin-1"),
            "recipient": fields[BEFORE_DATA + At.ADC].decode("latin-1"),
            "text": text_of(frame),
            "outcome": outcome,
            "ec": f"{message['ec']:02}" if outcome == "refused" else "",
            "scts": self._times.stamp(int(message["scts"])) if message["scts"] else "",
        }

    def octets(self, session: int, at: int) -> list[bytes]:
        """Return the submissions that ended in one read."""
        for block in reversed(self._blocks):
            here = block[(block["at"] == at) & (block["session"] == session) & (block["size"] > 0)]
            if len(here):
                return [self.frames.read(int(each["frame"]), int(each["size"])) for each in here]
        return []


def lower(text: str) -> str:
    """Return a text in lower case, for comparison. Arrow's lower case does not depend on a letter's position."""
    found: str = pc.utf8_lower(pa.scalar(text)).as_py()
    return found


def text_of(frame: bytes) -> str:
    """Return the text of one submission, from STX to ETX; "" if it has none."""
    data = frame[1:-1].split(b"/")[BEFORE_DATA:]
    try:
        if data[At.MT] == b"3" and not data[At.XSER]:
            return alphabet.decode(bytes.fromhex(data[At.MSG].decode("ascii")))
        return content.read([field.decode("latin-1") for field in data[:-1]]).text or ""
    except (ValueError, IndexError):
        return ""
