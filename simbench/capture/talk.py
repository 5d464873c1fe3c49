"""One TCP connection while it is read from a capture: two sides and what is known of them. Decides nothing.

Positions are sequence numbers that do not wrap around (RFC 9293 section 3.4).
"""

from __future__ import annotations

from simbench.capture.layers import reverse, sender
from simbench.capture.quality import Quality
from simbench.capture.roles import Evidence

_MASK, _HALF = (1 << 32) - 1, 1 << 31


class Side:
    """What one end sent. `position` is that of its next octet, -1 while unknown; `end` that of its FIN."""

    __slots__ = (
        "confirmed", "direction", "end", "expected", "gap_since", "key", "other", "packets", "pending",
        "pending_octets", "position", "talk",
    )  # fmt: skip

    def __init__(self, key: bytes, talk: Talk) -> None:
        self.key, self.talk = key, talk
        self.other = self  # its peer, as soon as there is one
        self.position = self.end = -1
        self.expected = -1  # `position` as a sequence number; -1 when nothing is expected
        self.confirmed = -1  # the sequence number its peer acknowledged last
        self.pending: list[tuple[int, int, bytes]] = []  # (position, instant, octets), sorted
        self.pending_octets = self.gap_since = self.packets = 0
        self.direction = ""

    def place(self, seq: int) -> int:
        """A sequence number as a position, the one nearest to where we are; the first one says where that is."""
        if self.position < 0:
            self.move(seq + (1 << 32))  # so that nothing earlier is negative
        return self.position + ((seq - self.position + _HALF) & _MASK) - _HALF

    def move(self, position: int) -> None:
        """The next octet stands at `position`."""
        self.position = position
        self.expected = position & _MASK

    @property
    def acked(self) -> int:
        """Up to which position its peer has confirmed, -1 while unknown."""
        return self.place(self.confirmed) if self.confirmed >= 0 else -1


class Talk:
    """One connection: both sides, and what is known of it. `session` is 0 until it is known to be UCP and whose."""

    __slots__ = ("closing", "cut", "early", "ended", "evidence", "first", "holes", "missing", "opened_at", "resent",
                 "session", "sides")  # fmt: skip

    def __init__(self, key: bytes, evidence: Evidence) -> None:
        self.sides = (Side(key, self), Side(reverse(key), self))
        self.sides[0].other, self.sides[1].other = self.sides[1], self.sides[0]
        self.evidence = evidence
        self.session = self.first = self.holes = self.missing = self.cut = self.resent = 0
        self.opened_at = -1  # when the handshake began, -1 when it was not seen
        self.closing: tuple[int, Side, str] | None = None  # last FIN or RST, who sent the first, and which that was
        self.ended = False
        # (instant, side, octets, octets missing before them), until session and roles are known
        self.early: list[tuple[int, Side, bytes, int]] = []


def quality_of(talk: Talk) -> Quality:
    """How a connection that was a session was captured."""
    client = next(side for side in talk.sides if side.direction == "in")
    return Quality(
        session=talk.first,
        client=sender(client.key),
        smsc=sender(client.other.key),
        directions=tuple(side.direction for side in (client, client.other) if side.packets),
        began_midway=talk.opened_at < 0,
        holes=talk.holes,
        missing_octets=talk.missing,
        cut_packets=talk.cut,
        resent_segments=talk.resent,
    )
