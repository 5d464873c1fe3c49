"""Splits reads and writes of many sessions into frames at once: submissions (51) and their results, as columns.

It works on whole batches, as splitting one frame in Python costs more than the message cost the server; numpy and Arrow
release the interpreter lock meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from simbench.ucp import alphabet, content
from simbench.ucp.fields import At

Ints = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

HEADER: Final = 14  # from STX to the slash before the data: STX, TRN, LEN, O/R, OT
LONGEST_REST: Final = 8_192  # octets kept of an unfinished frame
_FIELDS: Final = 4  # header fields before the data
_STX, _ETX, _SLASH = 2, 3, ord("/")
_NO_CODE: Final = 256
_CODES: Final = np.full(1 << 16, _NO_CODE, "<u2")  # code of two hexadecimal digits read as one number; none for escapes
for _code in set(range(256)) - {alphabet.ESCAPE}:
    for _digits in {f"{_code:02X}", f"{_code:02x}"}:
        _CODES[int.from_bytes(_digits.encode(), "little")] = _code
_UTF8: Final = np.array([len(alphabet.decode(bytes([code])).encode()) for code in range(256)], np.int32)


class Frames(msgspec.Struct, frozen=True):
    """Whole frames of one direction in `data`: start (STX) and end (ETX) of each, and the row that ended it."""

    data: Octets
    starts: Ints
    ends: Ints
    rows: Ints

    def are(self, kind: bytes) -> Frames:
        """Return the frames of one kind, e.g. b"O/51"."""
        wanted = np.frombuffer(b"/" + kind + b"/", np.uint8)
        fits = self.ends - self.starts > HEADER
        chosen = Frames(self.data, self.starts[fits], self.ends[fits], self.rows[fits])
        header = chosen.data[chosen.starts[:, None] + np.arange(HEADER - len(wanted) + 1, HEADER + 1)]
        return chosen.only((header == wanted).all(axis=1))

    def only(self, mask: npt.NDArray[np.bool_]) -> Frames:
        """Return the frames where the mask is true."""
        return Frames(self.data, self.starts[mask], self.ends[mask], self.rows[mask])

    def trns(self) -> Ints:
        """Return both characters of each transaction number as one integer."""
        return self.data[self.starts + 1].astype(np.int64) << 8 | self.data[self.starts + 2]

    def fields(self, most: int) -> Fields:
        """Return the frames with at least `most` data fields."""
        slashes = np.flatnonzero(self.data == _SLASH)
        first = np.searchsorted(slashes, self.starts + HEADER)
        enough = np.searchsorted(slashes, self.ends) - first > most
        return Fields(self.only(enough), slashes, first[enough])


class Fields(msgspec.Struct, frozen=True):
    """Frames and the positions of their data fields: each starts after its slash."""

    frames: Frames
    slashes: Ints
    first: Ints

    def only(self, mask: npt.NDArray[np.bool_]) -> Fields:
        """Return the frames where the mask is true."""
        return Fields(self.frames.only(mask), self.slashes, self.first[mask])

    def begin(self, place: int) -> Ints:
        """Return the start of a field in each frame."""
        return self.slashes[self.first + place] + 1

    def end(self, place: int) -> Ints:
        """Return the end of a field in each frame: its closing slash."""
        return self.slashes[self.first + place + 1]

    def column(self, place: int) -> pa.StringArray:
        """One field of each frame."""
        return words(pieces(self.frames.data, self.begin(place), self.end(place)))


class Cutter:
    """Splits one direction into frames, keeping unfinished ones until their end arrives."""

    def __init__(self) -> None:
        self._rests: dict[int, bytes] = {}

    def cut(self, octets: pa.BinaryArray, sessions: Ints, rows: Ints) -> Frames:
        """Return every frame that ends in these reads, which are in order; `rows` are their numbers."""
        held = [(session, rest) for session, rest in self._rests.items()]
        if held:
            octets = pa.concat_arrays([pa.array([rest for _, rest in held], pa.binary()), octets])
            sessions = np.concatenate([np.array([session for session, _ in held]), sessions])
            rows = np.concatenate([np.full(len(held), -1), rows])
        order = np.argsort(sessions, kind="stable")
        data, offsets = buffers(octets.take(pa.array(order)))
        sessions, rows = sessions[order], rows[order]
        heads = np.flatnonzero(np.diff(sessions, prepend=-1))  # the first read of each session
        frames = _whole(data, offsets, offsets[heads], rows)
        self._keep(frames, sessions[heads], np.append(offsets[heads], offsets[-1]))
        return frames

    def _keep(self, frames: Frames, sessions: Ints, edges: Ints) -> None:
        etx = np.flatnonzero(frames.data == _ETX)
        last = np.append(-1, etx)[np.searchsorted(etx, edges[1:])]
        begins = np.maximum(last + 1, edges[:-1])
        self._rests = {
            session: frames.data[max(begin, end - LONGEST_REST) : end].tobytes()
            for session, begin, end in zip(sessions.tolist(), begins.tolist(), edges[1:].tolist(), strict=True)
            if begin < end
        }

    def forget(self, sessions: Sequence[int]) -> None:
        """Drop unfinished frames of sessions that have ended."""
        for session in sessions:
            self._rests.pop(session, None)


def _whole(data: Octets, offsets: Ints, heads: Ints, rows: Ints) -> Frames:
    ends = np.flatnonzero(data == _ETX)
    begins = np.append(-1, np.flatnonzero(data == _STX))
    starts = begins[np.searchsorted(begins, ends) - 1]
    # Not before the frame before, nor in another session's octets.
    floor = np.maximum(np.append(-1, ends[:-1])[: len(ends)] + 1, heads[np.searchsorted(heads, ends, "right") - 1])
    reads = np.searchsorted(offsets, ends, "right") - 1
    return Frames(data, starts, ends, rows[reads]).only(starts >= floor)


def buffers(column: pa.Array) -> tuple[Octets, Ints]:
    """Return octets and offsets of an array of strings that is not a slice."""
    if not len(column):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, np.int32)[: len(column) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8)[: places[-1]] if data is not None else np.zeros(0, np.uint8), places


def pieces(data: Octets, starts: Ints, ends: Ints) -> pa.BinaryArray:
    """Return data[start:end] of each; they must be in order and not overlap."""
    edges = np.empty(2 * len(starts) + 1, np.int32)
    edges[0:-1:2], edges[1::2] = starts, ends
    edges[-1] = ends[-1] if len(ends) else 0
    whole = pa.Array.from_buffers(pa.binary(), 2 * len(starts), [None, pa.py_buffer(edges), pa.py_buffer(data)])
    return whole.take(pa.array(np.arange(0, 2 * len(starts), 2)))


def words(column: pa.BinaryArray) -> pa.StringArray:
    """Return the column as text; each octet above 7F becomes one character."""
    data, _ = buffers(column)
    if not (data > 127).any():
        return column.cast(pa.string())
    return pa.array([each.decode("latin-1") for each in column.to_pylist()], pa.string())


def numbers(column: pa.StringArray) -> Ints:
    """Return digits as integers; -1 for anything else."""
    plain = pc.and_(pc.utf8_is_digit(column), pc.less_equal(pc.binary_length(column), 18))
    found: Ints = pc.if_else(plain, column, "-1").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def texts(fields: Fields) -> pa.StringArray:
    """Return the text of each 51; "" if it has none."""
    data, begin, end, kind = fields.frames.data, fields.begin(At.MSG), fields.end(At.MSG), fields.begin(At.MT)
    plain = (fields.end(At.MT) == kind + 1) & (data[kind] == ord("3"))
    plain &= (fields.end(At.XSER) == fields.begin(At.XSER)) & ((end - begin) % 2 == 0)
    digits, offsets = buffers(pieces(data, begin, np.where(plain, end, begin)))
    codes = _CODES.take(digits.view("<u2"))
    odd = np.flatnonzero(codes == _NO_CODE)
    if len(odd):
        plain[np.searchsorted(offsets, 2 * odd, "right") - 1] = False
        codes[odd] = ord(" ")
    octets = codes.astype(np.uint8)
    width = _UTF8.take(octets)
    edges = offsets // 2 if width.max(initial=1) == 1 else np.append(0, np.cumsum(width))[offsets // 2]
    spelt = pa.py_buffer(alphabet.decode(octets.tobytes()).encode())
    found = pa.Array.from_buffers(pa.string(), len(plain), [None, pa.py_buffer(edges.astype(np.int32)), spelt])
    if plain.all():
        return found
    others = fields.frames.only(~plain)
    slow = [text_of(data[s : e + 1].tobytes()) for s, e in zip(others.starts, others.ends, strict=True)]
    return pc.replace_with_mask(found, pa.array(~plain), pa.array(slow, pa.string()))


def text_of(frame: bytes) -> str:
    """Return the text of one 51, from STX to ETX; "" if it has none."""
    data = frame[1:-1].split(b"/")[_FIELDS:]
    try:
        if data[At.MT] == b"3" and not data[At.XSER]:
            return alphabet.decode(bytes.fromhex(data[At.MSG].decode("ascii")))
        read: Any = content.read([field.decode("latin-1") for field in data[:-1]])
        return str(read.text or "")
    except (ValueError, IndexError):
        return ""
