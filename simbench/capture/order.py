"""Yields the packets of a capture in the order in which they were seen, even if the file or its clock is out of order.

If a file's time stamps decrease, it was merged from pieces, or its clock was set back. TCP shows which: if sequence
numbers continue after the decrease it was the clock, if they restart lower it is another piece. Pieces are merged by
their time stamps; after a clock was set back, the time stamps continue from the last one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import pairwise
from math import gcd
from typing import BinaryIO, Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.units import DAY_US, SECOND_US
from simbench.capture.esp import esp_of
from simbench.capture.files import UNTIMED, CaptureFile, Packet
from simbench.capture.forward import GAP_US, GAPS, Gap, forward_steps
from simbench.capture.layers import ACK, FIN, SYN, reverse
from simbench.capture.network import Network
from simbench.capture.packed import Cursor, unpacked
from simbench.ledger.capture_events import ClockDoubted

FALL_US: Final = 100_000  # smaller decreases are packets swapped in the file
PIECES: Final = 16  # a file with more pieces is read in its own order
FALLS: Final = 1_000  # a file whose time stamps decrease more often is also read in its own order
CONNECTIONS: Final = 10_000  # connections whose position is remembered per run of packets
COARSE_US: Final = 10_000  # a coarser clock is reported
ENOUGH: Final = 20  # packets needed to determine a clock's resolution
_MASK, _HALF = (1 << 32) - 1, 1 << 31
Place = tuple[int, int]  # sequence numbers of both directions, -1 while unknown


class Step(msgspec.Struct, frozen=True):
    """A clock set back before this packet: the instant it continues from, and by how much."""

    packet: int
    at: int
    back_us: int


class Clock(msgspec.Struct, frozen=True):
    """Quality of a capture's time stamps: packets without one, steps, pieces, and resolution (us).

    `falls` counts the decreases of a file that is read in its own order because of them, else it is 0. `leaps` are the
    steps forward that TCP timestamps show, each with the least that the clock gained.
    """

    packets: int = 0
    untimed: int = 0
    steps: tuple[Step, ...] = ()
    pieces: int = 1
    fine_us: int = 1
    falls: int = 0
    leaps: tuple[tuple[Gap, int], ...] = ()


def clock_defects(clock: Clock) -> list[tuple[int | None, ClockDoubted]]:
    """Return the defects of the time stamps as events, each with the instant it belongs to, None for the whole file.

    `off_us` is 0 if the time stamps themselves are right.
    """
    defects: list[tuple[int | None, ClockDoubted]] = []
    if clock.untimed:
        some = "no packet carries" if clock.untimed == clock.packets else f"{clock.untimed} packets do not carry"
        defects.append((None, ClockDoubted("untimed", f"{some} a time", DAY_US)))
    for step in clock.steps:
        sentence = f"the clock steps back by at least {step.back_us / SECOND_US:.6g} s at packet {step.packet}"
        defects.append((step.at, ClockDoubted("step", sentence, step.back_us)))
    for (packet, _, at), least_us in clock.leaps:
        gained = f"at least {least_us / SECOND_US:.6g} s"
        sentence = f"the clock steps forward by {gained} before packet {packet}, as TCP timestamps show"
        defects.append((at, ClockDoubted("step", sentence, least_us)))
    if clock.pieces > 1:
        sentence = f"the file consists of {clock.pieces} pieces that overlap or are unordered, merged by their times"
        defects.append((None, ClockDoubted("pieces", sentence, 0)))
    if clock.falls:
        sentence = f"its times decrease {clock.falls} times; its packets are taken in the order of the file"
        defects.append((None, ClockDoubted("disorder", sentence, 0)))
    if clock.fine_us > 1:
        sentence = f"its times are multiples of {clock.fine_us / SECOND_US:g} s"
        defects.append((None, ClockDoubted("coarse", sentence, clock.fine_us)))
    return defects


class _Run:
    """Consecutive packets whose time stamps do not decrease, and where their connections started and ended."""

    __slots__ = ("begins", "ends", "first", "first_at", "last_at", "offset")

    def __init__(self, first: int, at: int) -> None:
        self.first, self.first_at, self.last_at = first, at, at
        self.offset = 0
        self.begins: dict[bytes, Place] = {}
        self.ends: dict[bytes, Place] = {}


class Packets:
    """The packets of an open file, to be iterated once; `clock` and `cut_short` are set afterwards.

    Raises BadInput like `CaptureFile`; the packets before the damage are returned first.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name = file, name
        self.cut_short = False
        self._runs, self.clock = self._survey()

    def __iter__(self) -> Iterator[Packet]:
        if len(self._runs) == 1 and not self.clock.untimed:  # the usual case
            capture = self._open()
            yield from capture
            self.cut_short = capture.cut_short
            return
        chains = self._chains()
        if len(chains) == 1:
            yield from self._chain(chains[0])
            return
        yield from heapq.merge(*map(self._chain, chains), key=lambda packet: packet[1])

    def _open(self) -> CaptureFile:
        return CaptureFile(unpacked(Cursor(self._file)), self.name)

    def _survey(self) -> tuple[list[_Run], Clock]:
        """Read every time stamp once."""
        runs: list[_Run] = []
        gaps: list[Gap] = []
        number = untimed = fine = last = falls = 0
        try:
            for number, at, *_ in self._open():
                if at == UNTIMED:
                    untimed += 1
                    continue
                if not runs or at < last - FALL_US:
                    falls += bool(runs)
                    if falls <= FALLS:
                        runs.append(_Run(number, at))
                    last = at
                elif at > last:
                    if at - last > GAP_US and len(gaps) < GAPS:
                        gaps.append((number, last, at))
                    last = at
                runs[-1].last_at = last
                if fine != 1 and at % COARSE_US:
                    fine = 1  # too fine to report
                elif fine != 1:
                    fine = gcd(fine, at % SECOND_US or SECOND_US)
        except BadInput:
            if not number:
                raise
        known = fine if number - untimed >= ENOUGH and fine > COARSE_US else 1
        if falls > FALLS:
            return runs[:1], Clock(number, untimed, fine_us=known, falls=falls)
        leaps = tuple(self._leaps(gaps)) if gaps and len(runs) == 1 else ()
        return runs or [_Run(1, 0)], Clock(number, untimed, fine_us=known, leaps=leaps)

    def _leaps(self, gaps: list[Gap]) -> list[tuple[Gap, int]]:
        """Return the steps forward among gaps of the time stamps."""
        try:
            return forward_steps(self._open(), gaps)
        except BadInput:
            return []  # the iteration reports the damage

    def _chains(self) -> list[list[_Run]]:
        """Return the sequences of runs recorded by one clock each."""
        runs = self._runs
        if len(runs) == 1:
            return [runs]
        self._look_for_connections()
        chains, steps = [[runs[0]]], []
        for before, run in pairwise(runs):
            if _goes_on(before, run):
                run.offset = before.last_at + before.offset - run.first_at
                steps.append(Step(run.first, before.last_at + before.offset, run.offset - before.offset))
                chains[-1].append(run)
            else:
                chains.append([run])
        if len(chains) > PIECES:
            for run in runs:
                run.offset = 0
            self.clock = msgspec.structs.replace(self.clock, falls=len(runs) - 1)
            return [runs]
        self.clock = msgspec.structs.replace(self.clock, steps=tuple(steps), pieces=len(chains))
        return chains

    def _look_for_connections(self) -> None:
        place, runs, network = -1, self._runs, Network()
        try:
            for number, _, link, octets, _ in self._open():
                while place + 1 < len(runs) and runs[place + 1].first <= number:
                    place += 1
                run = runs[max(place, 0)]
                segment = network.segment(link, octets)
                if segment is not None:
                    _remember(run, *_place(*segment[:4], len(segment[4])))
                elif (
                    found := esp_of(link, octets)
                ) is not None:  # the content is encrypted, the sequence number is not
                    number_of = int.from_bytes(found[1][4:8], "big"), -1
                    _remember(run, found[1][:4], number_of, number_of)
        except BadInput:
            pass  # the iteration reports the damage

    def _chain(self, chain: list[_Run]) -> Iterator[Packet]:
        """Yield the packets of some runs; one without a time stamp gets the previous one plus a microsecond."""
        capture = self._open()
        ends = {
            one.first: (other.first if other else 0)
            for one, other in zip(self._runs, [*self._runs[1:], None], strict=True)
        }
        spans = iter([(run.first, ends[run.first], run.offset) for run in chain])
        first, end, offset = next(spans)
        if chain[0] is self._runs[0]:
            first = 1
        last = chain[0].first_at
        for number, at, link, octets, wire in capture:
            while end and number >= end:
                following = next(spans, None)
                if following is None:
                    return
                first, end, offset = following
            if number < first:
                continue
            if at == UNTIMED:
                last = at = last + 1  # noqa: PLW2901 - a packet dated
            else:
                last = at = at + offset  # noqa: PLW2901 - as above
            yield number, at, link, octets, wire
        self.cut_short |= capture.cut_short


def _place(key: bytes, seq: int, ack: int, flags: int, size: int) -> tuple[bytes, Place, Place]:
    """Return the connection of a segment, and the positions of both directions before and after it."""
    other = ack if flags & ACK else -1
    after = (seq + size + bool(flags & (SYN | FIN))) & _MASK
    back = reverse(key)
    if key <= back:
        return key, (seq, other), (after, other)
    return back, (other, seq), (other, after)


def _remember(run: _Run, key: bytes, before: Place, after: Place) -> None:
    if key not in run.begins and len(run.begins) >= CONNECTIONS:
        return
    begun, ended = run.begins.get(key, (-1, -1)), run.ends.get(key, (-1, -1))
    run.begins[key] = _filled(begun, before)
    run.ends[key] = _filled(after, ended)


def _filled(one: Place, other: Place) -> Place:
    """Return the first, with its unknown parts taken from the second."""
    return (one[0] if one[0] >= 0 else other[0], one[1] if one[1] >= 0 else other[1])


def _goes_on(before: _Run, run: _Run) -> bool:
    """Return whether most connections present in both runs continue in the second where they were in the first."""
    votes = 0
    for key, begins in run.begins.items():
        ends = before.ends.get(key)
        if ends is None:
            continue
        ahead = [
            ((here - there + _HALF) & _MASK) - _HALF
            for here, there in zip(begins, ends, strict=True)
            if here >= 0 and there >= 0
        ]
        if ahead:
            votes += 1 if min(ahead) >= -1 else -1  # a keepalive repeats one octet
    return votes > 0
