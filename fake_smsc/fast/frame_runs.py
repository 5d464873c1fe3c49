"""Splits a read into runs: plain submits that differ only in TRN, recipient and text.

Everything else is returned as octets. Two readers find the same runs: frames of equal length are read as a matrix of
octets, others by one regular expression over all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby, repeat
from typing import Final, cast
from zlib import adler32

import msgspec
import numpy as np
from numpy.typing import NDArray

from fake_smsc.ucp_gateway.submission import COMMON_FIELDS, DEFAULT_NOTIFICATION
from fake_smsc.ucp_gateway.times import minute
from simbench.numbering.addresses import Texts
from simbench.ucp.fields import At
from simbench.ucp.frame import ASCII_AT_ONCE, ETX, encode

Octets = NDArray[np.uint8]

WORTH_FRAMES: Final = 8  # fewer frames are not worth a matrix or a batch
HEXADECIMAL: Final = np.frombuffer(b"".join(b"%02X" % octet for octet in range(256)), np.uint8).reshape(256, 2)

# A whole frame up to its ETX: a submit in groups, or anything in the last group. It is looser than COMMON_FIELDS where
# exactness costs time; the rest is checked once per run (`_asked`) or in columns.
_LOOSE: Final = {At.ADC: "([0-9]{1,16})/(", At.VP: "[0-9]{0,10}", At.MT: "3", At.MSG: "([0-9A-F]{0,318})"}
_SHAPE: Final = "".join(
    _LOOSE.get(at, COMMON_FIELDS.get(at, "")) + ("" if at == At.ADC else "/)" if at == At.MT else "/")
    for at in range(At.RES5 + 1)
)
_SUBMIT: Final = "\x02([0-9]{2})/([0-9]{5})/O/51/" + _SHAPE + "([0-9A-F]{2})\x03"
_TOKENS: Final = re.compile(_SUBMIT + "|([^\x03]*)\x03")
_FIRST: Final = re.compile(_SUBMIT.encode())
_ASKED: Final = re.compile("".join(f"({COMMON_FIELDS.get(at, '')})/" for at in range(At.OADC, At.MT + 1)))
_LENGTHS: Final = [f"{max(size - 1, 0):05d}" for size in range(ASCII_AT_ONCE + 1)]  # LEN, by octets without ETX
# Sum of a frame's octets without ETX, modulo 256, for each checksum.
_SUMS: Final = {f"{total:02X}": (total + sum(b"\x02%02X" % total)) & 0xFF for total in range(256)}
_ZEROS: Final = repeat(0)
_BARE: Final = {encode(trn, "R", "53", "A///")[:-1]: f"{trn:02d}" for trn in range(100)}  # their TRN by their octets
_ACKS: Final = re.compile(rb"(?:\x02[0-9]{2}/[0-9]{5}/R/53/A///[0-9A-F]{2}\x03)+")


class Asked(msgspec.Struct, frozen=True, gc=False):
    """The fields common to the submits of a run."""

    oadc: str
    notify: int
    expires_at: int


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive valid submits with recipients of equal length; `texts` holds one text for all, or one each."""

    asked: Asked
    frames: list[bytes] | bytes  # without ETX each, or all of them with
    trns: Texts
    recipients: Texts
    texts: list[str]

    def octets(self, start: int, end: int) -> bytes:
        """Return frames `start` to `end` as received."""
        if isinstance(self.frames, bytes):
            size = len(self.frames) // len(self.trns)
            return self.frames[start * size : end * size]
        return ETX.join([*self.frames[start:end], b""])


class Acks(msgspec.Struct, frozen=True, gc=False):
    """Consecutive results that acknowledge a 53 with a bare "A"."""

    trns: list[str]
    octets: bytes


def runs_of(octets: bytes) -> Iterator[Run | Acks | bytes]:
    """Iterate over the runs in whole frames, and the octets between them to be served frame by frame."""
    at, end = 0, len(octets)
    while at < end:
        found = _acks(octets, at) if octets.startswith(b"/R/53/", at + 9) else _matrix(octets, at)
        if found is None:
            yield from _by_pattern(octets[at:] if at else octets)
            return
        yield found
        at += len(cast(bytes, found.frames if isinstance(found, Run) else found.octets))


def _acks(octets: bytes, at: int) -> Acks | None:
    found = _ACKS.match(octets, at)
    if found is None:
        return None
    trns = [*map(_BARE.get, found[0].split(ETX)[:-1])]
    return None if None in trns else Acks(cast(list[str], trns), found[0])


# As a matrix -----------------------------------------------------------------------------------------------------


def _matrix(octets: bytes, at: int) -> Run | None:
    """Return the valid frames of equal length from `at` on; None if they are too few."""
    size = octets.index(ETX, at) + 1 - at
    count = (len(octets) - at) // size
    first = _FIRST.match(octets, at) if count >= WORTH_FRAMES and size <= ASCII_AT_ONCE else None
    if first is None or int(first[2]) != size - 2 or len(first[5]) & 1:
        return None
    asked = _asked(first[4].decode())
    frames = np.frombuffer(octets, np.uint8, count * size, at).reshape(count, size)
    recipient, text = ((first.start(group) - at, first.end(group) - at) for group in (3, 5))
    same = frames == frames[0]
    same[:, 1:3] = frames[:, 1:3] - 48 < 10
    same[:, slice(*recipient)] = frames[:, slice(*recipient)] - 48 < 10
    one_text = bool(same[:, slice(*text)].all())
    if not one_text:
        same[:, slice(*text)] = _IS_HEXADECIMAL[frames[:, slice(*text)]]
    sums = frames[:, 1:-3].sum(axis=1, dtype=np.uint8)
    same[:, -3:-1] = frames[:, -3:-1] == HEXADECIMAL[sums]
    if not same.all():
        count = int(same.all(axis=1).argmin())
        frames = frames[:count]
    if asked is None or count < WORTH_FRAMES:
        return None
    texts = _texts(frames[:1] if one_text else frames, *text)
    return Run(
        asked, octets[at : at + count * size], _texts(frames, 1, 3), _texts(frames, *recipient),
        [each.decode() for each in texts.tolist()],
    )  # fmt: skip


_IS_HEXADECIMAL: Final = np.isin(np.arange(256), np.frombuffer(b"0123456789ABCDEF", np.uint8))


def _texts(frames: Octets, start: int, end: int) -> Texts:
    if start == end:
        return np.zeros(len(frames), "S1")
    texts: Texts = np.ascontiguousarray(frames[:, start:end]).view(f"S{end - start}").reshape(len(frames))
    return texts


# By a pattern ----------------------------------------------------------------------------------------------------


class _Columns(msgspec.Struct, frozen=True, gc=False):
    """The frames of a read in columns; columns other than `pieces` are empty for anything but plain submits."""

    pieces: list[bytes]  # without ETX
    trns: tuple[str, ...]
    lengths: tuple[str, ...]
    recipients: tuple[str, ...]
    shared: tuple[str, ...]  # OAdC to MT, undecoded
    texts: tuple[str, ...]
    checks: tuple[str, ...]

    def are_sound(self, run: slice) -> bool:
        """Return whether LEN and checksum are right and the texts are whole octets, for a run of plain submits."""
        pieces = self.pieces[run]
        return (
            tuple(map(_LENGTHS.__getitem__, map(len, pieces))) == self.lengths[run]
            and [total & 0xFF for total in map(adler32, pieces, _ZEROS)] == [*map(_SUMS.get, self.checks[run])]
            and not any(size & 1 for size in map(len, self.texts[run]))
        )

    def runs(self, start: int, end: int) -> Iterator[Run | Acks | bytes]:
        """Iterate over the runs within frames that agree in `shared`."""
        pieces, asked = self.pieces[start:end], _asked(self.shared[start])
        trns = [*map(_BARE.get, pieces)] if not self.shared[start] else [None]
        if None not in trns:
            yield Acks(cast(list[str], trns), ETX.join([*pieces, b""]))
        elif asked is None or end - start < WORTH_FRAMES or not self.are_sound(slice(start, end)):
            yield ETX.join([*pieces, b""])
        else:
            for first, last in _alike([*map(len, self.recipients[start:end])]):
                part = slice(start + first, start + last)
                if last - first < WORTH_FRAMES:
                    yield ETX.join([*self.pieces[part], b""])
                    continue
                trns_, recipients = (np.array(each[part], np.bytes_) for each in (self.trns, self.recipients))
                yield Run(asked, self.pieces[part], trns_, recipients, list(self.texts[part]))


def _by_pattern(octets: bytes) -> Iterator[Run | Acks | bytes]:
    tokens = _TOKENS.findall(octets.decode("latin-1"))
    columns = _Columns(octets.split(ETX)[:-1], *list(zip(*tokens, strict=True))[:-1])
    single: list[bytes] = []  # octets between two runs are served together
    for start, end in _alike(columns.shared):
        for found in columns.runs(start, end):
            if isinstance(found, bytes):
                single.append(found)
                continue
            if single:
                yield b"".join(single)
                single = []
            yield found
    if single:
        yield b"".join(single)


def _alike(values: tuple[str, ...] | list[int]) -> Iterator[tuple[int, int]]:
    """Iterate over the (start, end) of stretches of equal values."""
    start = 0
    if values.count(values[0]) == len(values):  # type: ignore[arg-type] # one of its own
        yield 0, len(values)
        return
    for _, run in groupby(values):
        end = start + sum(1 for _ in run)
        yield start, end
        start = end


@lru_cache(maxsize=4096)
def _asked(shared: str) -> Asked | None:
    """Return the common fields of a run, None if they do not have the common form."""
    found = _ASKED.fullmatch(shared)
    if found is None:
        return None
    oadc, asks, kinds, validity = (found[at - At.OADC + 1] for at in (At.OADC, At.NRQ, At.NT, At.VP))
    notify = int(kinds or "0") or DEFAULT_NOTIFICATION if asks == "1" else 0
    return Asked(oadc, notify, minute(validity) if validity else 0)
