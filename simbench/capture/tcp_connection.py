"""One TCP connection of a capture: two sides, the state of each, and which one is the client.

Positions are sequence numbers without wrap-around (RFC 9293 section 3.4). Operations only one side may send identify
the client. Ports and the initiator count only if the frames leave it open, because an SMSC may also connect to its
client (EMI-UCP 4.0 section 1).
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from simbench.capture.layers import ports, reverse, sender
from simbench.ledger.capture_events import ConnectionCaptured
from simbench.ucp.codes import OPERATIONS

_MASK, _HALF = (1 << 32) - 1, 1 << 31
TRAIL: Final = 1_000  # deliveries of one side not yet acknowledged by the other
ENOUGH_OCTETS: Final = 8192  # twice the longest frame: without a header by then it is not UCP
ENOUGH_CHUNKS: Final = 100
_HEADER: Final = re.compile(rb"\x02[0-9]{2}/[0-9]{5}/([OR])/([0-9]{2})/")
_HEADER_OCTETS: Final = 15
# (position, instant, octets, position of the other side received before them; -1: unknown)
Held = tuple[int, int, bytes, int]


class Side:
    """The octets of one end. `position` is that of its next octet, -1 while unknown; `end` that of its FIN.

    `dated` is the instant of its last octets, `bound` that of the other side's last octets received before them.
    `began` is its position after SYN; `digest` is of its octets and the sequence number of the first, -1 without any.
    """

    __slots__ = (
        "began", "bound", "confirmed", "dated", "digest", "direction", "end", "expected", "gap_since", "key", "other",
        "packets", "pending", "pending_octets", "position", "talk", "trail", "waived",
    )  # fmt: skip

    def __init__(self, key: bytes, talk: Talk) -> None:
        self.key, self.talk = key, talk
        self.other = self  # replaced by its peer
        self.position = self.end = self.began = self.digest = -1
        self.expected = -1  # `position` as a sequence number; -1 if nothing is expected
        self.confirmed = -1  # the sequence number last acknowledged by its peer
        self.pending: list[Held] = []  # sorted
        self.trail: deque[tuple[int, int]] | tuple[()] = ()  # (end, instant) of octets the other has not acknowledged
        self.dated = self.bound = self.waived = -1  # `waived`: the other side does not wait up to this position
        self.pending_octets = self.gap_since = self.packets = 0
        self.direction = ""

    def place(self, seq: int) -> int:
        """Return a sequence number as a position, the nearest to the present one; the first sets the origin."""
        if self.position < 0:
            self.move(seq + (1 << 32))  # so that no earlier position is negative
        return self.position + ((seq - self.position + _HALF) & _MASK) - _HALF

    def move(self, position: int) -> None:
        """Set the position of the next octet."""
        self.position = position
        self.expected = position & _MASK

    def awaits(self, needs: int) -> bool:
        """Return whether octets sent after receiving the other side's up to `needs` appear too early in the capture."""
        other = self.other
        return other.packets > 0 and needs > other.position > -1 and needs > other.waived

    def hear(self, position: int) -> None:
        """Record that this side has received the other's octets up to a position; its later octets follow them."""
        trail = self.other.trail
        while isinstance(trail, deque) and trail and trail[0][0] <= position:
            self.bound = max(self.bound, trail.popleft()[1])

    def date(self, at: int, end: int) -> int:
        """Return the instant of octets with time stamp `at` that end at a position, not before octets they follow."""
        dated = max(at, self.dated, self.bound)
        self.talk.moved_us = max(self.talk.moved_us, dated - at)
        self.dated = dated
        if not isinstance(self.trail, deque):
            self.trail = deque(maxlen=TRAIL)
        self.trail.append((end, dated))
        return dated

    @property
    def acked(self) -> int:
        """The position up to which its peer has acknowledged, -1 while unknown."""
        return self.place(self.confirmed) if self.confirmed >= 0 else -1


class Evidence:
    """The evidence on a connection before it is a session. `client` is None until a frame shows it."""

    __slots__ = ("_first", "_port", "_tails", "client", "established", "initiator", "is_ucp", "octets")

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._tails: dict[Side, bytes] = {}
        self._first: Side | None = None  # the sender of the first operation that either side may send
        self.client: Side | None = None
        self.initiator: Side | None = None  # the sender of SYN
        self.established = False
        self.is_ucp = port is not None
        self.octets = 0

    def look(self, side: Side, payload: bytes) -> None:
        """Examine the headers in the next octets of a side."""
        self.octets += len(payload)
        octets = self._tails.get(side, b"") + payload
        self._tails[side] = octets[1 - _HEADER_OCTETS :]
        for header in _HEADER.finditer(octets):
            self.is_ucp = True
            asks = header[1] == b"O"
            operation = OPERATIONS.get(header[2].decode())
            if operation is None:
                continue
            if operation.from_client != operation.from_smsc:
                self.client = side if operation.from_client == asks else side.other
                return
            self._first = self._first or (side if asks else side.other)

    def forget(self) -> None:
        """Release the octets kept for the search for headers."""
        self._tails = {}

    def is_session(self, has_octets: bool) -> bool:
        """Return whether an ended connection was a session: its handshake was answered, or octets were sent."""
        return self.is_ucp and (self.established or has_octets)

    def settle(self, sides: tuple[Side, Side]) -> Side:
        """Return the client: the sender of a client's operation, the side not at the SMSC's port, or the initiator."""
        if self.client is None and self._port is not None:
            here, there = ports(sides[0].key)
            if here != there:
                self.client = sides[0] if there == self._port else sides[1]
        self.client = self.client or self.initiator or self._first or sides[0]
        return self.client


class Talk:
    """One connection: both sides, and its state. `session` is 0 until the connection is known to be UCP."""

    __slots__ = ("closing", "cut", "early", "ended", "evidence", "first", "holes", "missing", "moved_us", "opened_at",
                 "resent", "session", "sides")  # fmt: skip

    def __init__(self, key: bytes, evidence: Evidence) -> None:
        self.sides = (Side(key, self), Side(reverse(key), self))
        self.sides[0].other, self.sides[1].other = self.sides[1], self.sides[0]
        self.evidence = evidence
        self.session = self.first = self.holes = self.missing = self.cut = self.resent = 0
        self.moved_us = 0  # the largest correction of a time stamp by the order that TCP proves
        self.opened_at = -1  # start of the handshake, -1 if not seen
        self.closing: tuple[int, Side, str] | None = None  # instant of the last FIN or RST, first sender, and its kind
        self.ended = False
        # (instant, side, octets, octets missing before them), until session and client are known
        self.early: list[tuple[int, Side, bytes, int]] = []

    @property
    def dated(self) -> int:
        """The instant of the last octets of either side."""
        return max(side.dated for side in self.sides)

    @property
    def is_over(self) -> bool:
        """Whether both ends have sent FIN and everything before it was captured."""
        return all(0 <= each.end <= each.position for each in self.sides)


def quality_of(talk: Talk) -> ConnectionCaptured:
    """Return the record of how completely a session was captured."""
    client = next(side for side in talk.sides if side.direction == "in")
    return ConnectionCaptured(
        session=talk.first,
        client=sender(client.key),
        smsc=sender(client.other.key),
        directions=tuple(side.direction for side in (client, client.other) if side.packets),
        began_midway=talk.opened_at < 0,
        holes=talk.holes,
        missing_octets=talk.missing,
        cut_packets=talk.cut,
        resent_segments=talk.resent,
        moved_us=talk.moved_us,
        digest=_digest(client) if not talk.holes else "",
    )


def _digest(client: Side) -> str:
    """Return a digest of the octets of both sides and of their sequence numbers, "" if one side sent none."""
    sides = client.digest, client.other.digest
    return "".join(f"{one:08x}" for one in sides) if min(sides) >= 0 else ""
