"""The shares of one turn: how many odd frames each connection and all of them have served, and what is left over."""

from __future__ import annotations

from fake_smsc.ucp_gateway.line import Line

Reads = list[tuple[Line, bytes]]
EVERYTHING = 1 << 62


class Shares:
    """At most `most` frames of a connection that are not plain, and twice as many of all, in one turn.

    A turn serves at most as many connections as frames of all. The connections that got no share come first in the next
    turn, in the order in which they waited.
    """

    def __init__(self, most: int = EVERYTHING) -> None:
        self._most, self._all = most, 2 * most
        self._spent: dict[int, int] = {}  # by connection
        self._left: dict[int, tuple[Line, list[bytes]]] = {}  # by connection
        self._later: dict[int, tuple[Line, list[bytes]]] = {}  # of connections that the turn does not serve

    def begin(self, reads: Reads) -> Reads:
        """Return the reads of the first connections; the others' wait for the next turn."""
        if len(reads) <= self._all:
            return reads
        served = set[int]()
        now: Reads = []
        for line, octets in reads:
            if line.number in served or len(served) < self._all:
                served.add(line.number)
                now.append((line, octets))
            else:
                self._later.setdefault(line.number, (line, []))[1].append(octets)
        return now

    def room(self, line: Line) -> int:
        """Return how many more frames of the connection this turn serves; below 1: none."""
        return min(self._most - self._spent.get(line.number, 0), self._all)

    def spend(self, line: Line, count: int) -> None:
        """Count frames that were served."""
        if count:
            self._spent[line.number] = self._spent.get(line.number, 0) + count
            self._all -= count

    def keep(self, line: Line, octets: bytes) -> None:
        """Leave octets of the connection for the next turn."""
        self._left[line.number] = line, [octets]

    def keeps(self, line: Line, octets: bytes) -> bool:
        """Tell whether octets of the connection are left; if so, append these to them."""
        left = self._left.get(line.number)
        if left is not None:
            left[1].append(octets)
        return left is not None

    def left(self) -> Reads:
        """Return what the next turn serves, in its order."""
        if not self._left and not self._later:
            return []
        waiting = [*self._left.values(), *self._later.values()]
        left = [(line, b"".join(pieces)) for line, pieces in waiting]
        return sorted(left, key=lambda each: each[0].number in self._spent)  # a stable sort
