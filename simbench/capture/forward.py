"""Finds where the clock of a capture steps forward: the time stamps of TCP go on while those of the file jump.

A silence of every connection has the same look in the time stamps of the file; TCP timestamps count the time that
really passed. Source: RFC 7323, section 5.4 (a timestamp clock ticks between once a millisecond and once a second).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.capture.files import UNTIMED, Packet
from simbench.capture.layers import TCP
from simbench.capture.links import ip_at

GAP_US: Final = MINUTE_US  # shorter gaps are not examined
GAPS: Final = 1_000  # gaps that are remembered
_KNOWN: Final = 10_000  # directions of connections that are remembered
_TICKS: Final = 10  # ticks needed to know the rate of a timestamp clock
_MASK, _HALF = (1 << 32) - 1, 1 << 31
Gap = tuple[int, int, int]  # the packet after it, the time stamps before and after it (us)


class _Direction:
    """The timestamp clock of one direction since the gap `epoch`: its first and last value, and when they were sent."""

    __slots__ = ("epoch", "first", "first_at", "last", "last_at")

    def __init__(self, epoch: int, at: int, value: int) -> None:
        self.epoch, self.first, self.last, self.first_at, self.last_at = epoch, value, value, at, at

    def passed_us(self, value: int) -> tuple[int, bool]:
        """Return how much time passed since the last value, and whether that is measured; otherwise it is the most."""
        ticks, counted = (value - self.last) & _MASK, (self.last - self.first) & _MASK
        span = self.last_at - self.first_at
        if span >= SECOND_US and _TICKS <= counted < _HALF:
            return ticks * span // counted, True
        return ticks * SECOND_US, False


def forward_steps(packets: Iterable[Packet], gaps: list[Gap]) -> list[tuple[Gap, int]]:
    """Return the gaps in which the clock stepped forward, with at least how much (us).

    Each direction that has timestamps before and after a gap must show that most of it did not pass.
    """
    known: dict[bytes, _Direction] = {}
    excess: dict[int, list[int]] = {}
    epoch = 0
    for number, at, link, octets, _ in packets:
        while epoch < len(gaps) and gaps[epoch][0] <= number:
            epoch += 1
        found = _timestamp(link, octets) if at != UNTIMED else None
        if found is None:
            continue
        key, value = found
        one = known.get(key)
        if one is not None and one.epoch == epoch:
            one.last, one.last_at = value, at
            continue
        if one is not None and one.epoch == epoch - 1 and (value - one.last) & _MASK < _HALF:
            passed, measured = one.passed_us(value)
            more = at - one.last_at - passed
            if measured or more > 0:
                excess.setdefault(epoch - 1, []).append(more)
        if one is not None or len(known) < _KNOWN:
            known[key] = _Direction(epoch, at, value)
    least = {place: min(found) for place, found in excess.items()}
    return [
        (gap, least[place])
        for place, gap in enumerate(gaps)
        if 2 * least.get(place, 0) > gap[2] - gap[1]
    ]  # fmt: skip


def _timestamp(link: int, octets: bytes) -> tuple[bytes, int] | None:
    """Return the direction of a segment (addresses and ports) and its TSval; None without the option."""
    ip = ip_at(link, octets)
    if ip < 0 or len(octets) < ip + 40:
        return None
    if octets[ip] >> 4 == 4:
        tcp, protocol, addresses = ip + 4 * (octets[ip] & 15), octets[ip + 9], octets[ip + 12 : ip + 20]
    else:
        tcp, protocol, addresses = ip + 40, octets[ip + 6], octets[ip + 8 : ip + 40]
    if protocol != TCP or len(octets) < tcp + 20:
        return None
    at, end = tcp + 20, min(len(octets), tcp + (octets[tcp + 12] >> 4) * 4)
    while at + 1 < end and octets[at]:
        if octets[at] == 1:  # padding
            at += 1
        elif octets[at] == 8 and at + 10 <= end:
            return addresses + octets[tcp : tcp + 4], int.from_bytes(octets[at + 2 : at + 6], "big")
        else:
            at += max(2, octets[at + 1])
    return None
