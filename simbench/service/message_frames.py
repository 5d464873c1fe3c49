"""Reads submissions (51) and their results as columns: with kernels, or one by one for frames that are not plain."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from simbench.kernels import frame_fields
from simbench.kernels.frame_fields import NO_CODE, TRNS, hash_of
from simbench.kernels.frames import RESULT, Odd, Plain
from simbench.service.message_rows import Ints, Octets, lower, text_of
from simbench.ucp import alphabet
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

SUBMIT: Final = 51
NO_STAMP: Final = -1
STAMP: Final = 12  # digits of DDMMYYHHmmss, which ends a message id, after a colon
_EC, _ID = 1, 2  # fields of a result: its error code, or the id of the accepted message
_WANTED: Final = np.array([At.ADC, At.OADC, At.MT, At.MSG, At.XSER])
_CODES: Final = np.full(1 << 16, NO_CODE, np.uint16)  # code for two hexadecimal digits read as one number
_LETTERS: Final = np.zeros((256, 3), np.uint8)  # lower case, UTF-8
_WIDTHS: Final = np.zeros(256, np.uint8)
for _code in set(range(256)) - {alphabet.ESCAPE}:
    for _digits in {f"{_code:02X}", f"{_code:02x}"}:
        _CODES[int.from_bytes(_digits.encode(), "little")] = _code
    _spelt = lower(alphabet.decode(bytes([_code]))).encode()
    _LETTERS[_code, : len(_spelt)], _WIDTHS[_code] = list(_spelt), len(_spelt)


class Submits(msgspec.Struct, frozen=True):
    """Submissions in order: rows in which they ended, hashes of their addresses, octets and lower-case texts."""

    rows: Ints
    recipients: npt.NDArray[np.uint64]
    codes: npt.NDArray[np.uint64]
    frames: bytes | Octets
    sizes: Ints
    texts: bytes
    letters: Ints


class Answers(msgspec.Struct, frozen=True):
    """Results, by the number of their submission: EC (-1: accepted), and recipient and time stamp (-1: none).

    The time stamp is DDMMYYHHmmss as one number.
    """

    numbers: Ints
    ecs: Ints
    recipients: Ints
    stamps: Ints


class Waiting:
    """Submissions without a result. A result answers the latest submission of its connection and TRN."""

    def __init__(self) -> None:
        self.numbers = np.full((16, TRNS), -1, np.int64)  # by slot of the connection
        self._slots: dict[int, int] = {}
        self._free: list[int] = []

    def slot(self, session: int) -> int:
        """Return the slot of a connection."""
        slot = self._slots.get(session)
        if slot is None:
            slot = self._slots[session] = self._free.pop() if self._free else len(self._slots)
            if slot == len(self.numbers):
                self.numbers = np.concatenate([self.numbers, np.full_like(self.numbers, -1)])
        return slot

    def forget(self, session: int) -> int | None:
        """Free the slot of a connection that has ended, and return it."""
        slot = self._slots.pop(session, None)
        if slot is not None:
            self.numbers[slot] = -1
            self._free.append(slot)
        return slot


def read_plain(block: Plain, lanes: Ints, waiting: Waiting, first: int) -> tuple[Submits, Answers]:
    """Return the submissions of a block, numbered from `first`, and the results in it."""
    lane = lanes[block.rows]
    own, results = (lane % 2 == 0) & (block.kinds == SUBMIT), (lane % 2 == 1) & (block.kinds == SUBMIT + RESULT)
    kinds = np.where(own | results, block.kinds, -1)
    octets, edges, starts, ends = _fields(block, np.flatnonzero(own), _WANTED)
    whole = ends[:, -1] >= 0
    kinds[np.flatnonzero(own)[~whole]] = -1
    answered, *result = _fields(block, np.flatnonzero(results), np.arange(_ID + 1))
    has_code = result[2][:, _EC] >= 0
    kinds[np.flatnonzero(results)[~has_code]] = -1
    numbers = np.empty(len(kinds), np.int64)
    frame_fields.answers(kinds, lane // 2, block.trns, SUBMIT, waiting.numbers, first, numbers)
    submits = _submits(block.rows[own], octets, edges, starts, ends, whole)
    return submits, _answers(numbers[results], answered, result[1], result[2])


def _fields(block: Plain, chosen: Ints, wanted: Ints) -> tuple[Octets, Ints, Ints, Ints]:
    """Return the octets of the chosen frames, their edges, and start and end of the wanted fields."""
    sizes = block.sizes[chosen]
    octets, edges = np.empty(int(sizes.sum()), np.uint8), np.empty(len(chosen) + 1, np.int64)
    frame_fields.gather(block.octets, block.joined, block.places[chosen], sizes, octets, edges)
    starts, ends = np.empty((2, len(chosen), len(wanted)), np.int64)
    frame_fields.locate(octets, edges, wanted, starts, ends)
    return octets, edges, starts, ends


def _submits(
    rows: Ints, octets: Octets, edges: Ints, starts: Ints, ends: Ints, whole: npt.NDArray[np.bool_]
) -> Submits:
    sizes = np.diff(edges)
    if not whole.all():
        kept = np.repeat(whole, sizes)
        shift = (np.cumsum(np.append(0, sizes * ~whole))[:-1])[whole]
        rows, sizes, octets = rows[whole], sizes[whole], octets[kept]
        starts, ends = starts[whole] - shift[:, None], ends[whole] - shift[:, None]
    words = np.empty((2, len(rows)), np.uint64)
    for place in (0, 1):
        frame_fields.hashes(octets, starts[:, place].copy(), ends[:, place].copy(), words[place])
    texts, letters = _texts(octets, np.append(0, np.cumsum(sizes)), starts, ends)
    return Submits(rows, words[0], words[1], octets, sizes, texts, letters)


def _texts(octets: Octets, edges: Ints, starts: Ints, ends: Ints) -> tuple[bytes, Ints]:
    """Return the concatenated lower-case texts of the submissions, and their sizes."""
    begin, end = starts[:, 3].copy(), ends[:, 3].copy()
    plain = (ends[:, 2] - starts[:, 2] == 1) & (octets[starts[:, 2]] == ord("3")) & (ends[:, 4] == starts[:, 4])
    spelt, places = np.empty(int((end - begin).sum()) * 3 // 2 + 3, np.uint8), np.empty(len(begin) + 1, np.int64)
    end[~plain] = begin[~plain]
    frame_fields.spell(octets, begin, end, _CODES, _LETTERS, _WIDTHS, spelt, places)
    plain &= places[1:] >= 0
    places = np.where(places < 0, -1 - places, places)
    if plain.all():
        return spelt[: places[-1]].tobytes(), np.diff(places)
    pieces = [spelt[begin:end].tobytes() for begin, end in pairwise(places.tolist())]
    for number in np.flatnonzero(~plain).tolist():
        pieces[number] = lower(text_of(octets[edges[number] : edges[number + 1]].tobytes())).encode("utf-8", "replace")
    return b"".join(pieces), np.array([len(piece) for piece in pieces], np.int64)


def _answers(numbers: Ints, octets: Octets, starts: Ints, ends: Ints) -> Answers:
    kept = numbers >= 0
    numbers, starts, ends = numbers[kept], starts[kept], ends[kept]
    positive = octets[starts[:, 0]] == ord("A") if len(numbers) else np.zeros(0, np.bool_)
    ecs, recipients, stamps = np.empty((3, len(numbers)), np.int64)
    frame_fields.digits(octets, starts[:, _EC].copy(), ends[:, _EC].copy(), ecs)
    last = ends[:, _ID]
    cut = np.maximum(last - STAMP, starts[:, _ID])
    frame_fields.digits(octets, cut, last.copy(), stamps)
    frame_fields.digits(octets, starts[:, _ID].copy(), np.maximum(cut - 1, starts[:, _ID]), recipients)
    stamps[last - cut < STAMP] = NO_STAMP
    ecs = np.where(positive, -1, np.where((ecs >= 0) & (ecs < 100), ecs, 0))
    named = ~positive | (last >= 0)
    return Answers(numbers[named], ecs[named], recipients[named], stamps[named])


def read_odd(block: Odd, lane: int, waiting: Waiting, first: int) -> tuple[Submits, Answers]:
    """Return the same for a row that is not plain; a submission may be malformed, because that is answered too."""
    frames: list[tuple[bytes, list[bytes]]] = []
    answers: list[tuple[int, int, int, int]] = []
    for item in block.items:
        data = item.octets[:-1].split(b"/")[4:-1]  # without the checksum
        if item.ot != str(SUBMIT) or not item.trn:
            continue
        of = waiting.numbers[lane // 2]
        if lane % 2 == 0 and item.kind == "O" and len(data) > At.XSER:
            of[int(item.trn)] = first + len(frames)
            frames.append((item.octets, data))
        elif lane % 2 == 1 and isinstance(item, Frame) and item.kind == "R" and len(data) > _EC:
            number, of[int(item.trn)] = int(of[int(item.trn)]), -1
            if number >= 0 and (data[0][:1] != b"A" or len(data) > _ID):
                answers.append((number, *_answer(data)))
    texts = [lower(text_of(octets)).encode("utf-8", "replace") for octets, _ in frames]
    words = np.array([[hash_of(data[at]) for _, data in frames] for at in (At.ADC, At.OADC)], np.uint64)
    submits = Submits(
        np.full(len(frames), block.row), words[0], words[1], b"".join(octets for octets, _ in frames),
        np.array([len(octets) for octets, _ in frames], np.int64), b"".join(texts),
        np.array([len(text) for text in texts], np.int64),
    )  # fmt: skip
    return submits, Answers(*np.array(answers, np.int64).reshape(-1, 4).T)


def _answer(data: list[bytes]) -> tuple[int, int, int]:
    """Return EC, recipient and time stamp of a result."""
    if data[0][:1] != b"A":
        ec = _number(data[_EC])
        return ec if 0 <= ec < 100 else 0, -1, NO_STAMP
    stamp = data[_ID][-STAMP:]
    return -1, _number(data[_ID][: -STAMP - 1]), _number(stamp) if len(stamp) == STAMP else NO_STAMP


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) <= 18 else -1
