"""Reassembles TCP: writes the octets of each side of each UCP connection, in order, as ledger rows.

Sequence numbers order each direction. Acknowledgements order the two directions against each other: a side that
acknowledges octets has received them before it sends its next ones, even if the file or its time stamps differ.
Repeated octets are used once (the first count); missing ones are awaited for a time and then recorded as a hole.
`simbench.capture.tcp_connection` finds the client. Source: RFC 9293 sections 3.4 and 3.10.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

import msgspec

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.capture.layers import ACK, FIN, RST, SYN, Segment, ports, sender
from simbench.capture.tcp_connection import ENOUGH_CHUNKS, ENOUGH_OCTETS, Evidence, Held, Side, Talk, quality_of
from simbench.ledger.capture_events import Attempted, BeganMidway, CaptureRead, ConnectionAttempted, OctetsMissing
from simbench.ledger.events import row_of
from simbench.ledger.rows import Rows
from simbench.ucp.foreign import LOOKED_AT, protocol_of

ACKED_US: Final = 100_000  # acknowledged octets are not sent again; packets are swapped within this time
LOST_US: Final = MINUTE_US  # unacknowledged octets may be sent again within this time
PENDING_OCTETS: Final = 1 << 20  # kept after a hole, per direction; windows are rarely larger
PENDING_SEGMENTS: Final = 5_000
REUSED_OCTETS: Final = 1 << 24  # sequence numbers further apart belong to different connections on the same ports
UNDECIDED: Final = 10_000  # connections not yet known to be UCP
CLOSED: Final = 1_000  # ended connections remembered for late segments
_FLAGS: Final = SYN | FIN | RST | ACK
_MASK, _HALF = (1 << 32) - 1, 1 << 31
ATTEMPTS: Final = 100_000  # failed connection attempts kept until the SMSC's address is known
_Attempt = tuple[int, str, str, Attempted, str, int]


class Streams:
    """Every connection of a capture. Takes segments in the order of the file; appends `wire` and event rows.

    If given, `port` is the SMSC's: connections without it are ignored, all others are sessions. Otherwise a connection
    is a session if UCP is found within its first 8 KiB.
    """

    def __init__(self, wire: Rows, events: Rows, port: int | None = None) -> None:
        self._wire, self._events, self._port = wire, events, port
        self._sides: dict[bytes, Side] = {}
        self._undecided: dict[Talk, None] = {}
        self._open: dict[Talk, None] = {}
        self._closed: deque[Talk] = deque()
        self._sessions = self._ignored = 0
        self._now = 0
        self._listening: set[str] = set()  # addresses to which sessions were opened
        # Instant, client, server, outcome, the protocol if it was not UCP, and the first sequence number.
        self._attempts: deque[_Attempt] = deque(maxlen=ATTEMPTS)
        self._summary = CaptureRead()

    @property
    def summary(self) -> CaptureRead:
        """The summary up to now; connections count when they end."""
        return msgspec.structs.replace(self._summary, sessions=self._sessions, ignored=self._ignored)

    def feed(self, at: int, segment: Segment) -> None:
        """Add a segment seen at that instant (us, UTC)."""
        key, seq, ack, flags, payload, cut = segment
        self._now = at
        side = self._sides.get(key)
        if side is None or seq != side.expected or flags & _FLAGS != ACK or cut or side.pending or side.other.pending:
            self._feed_unexpected(at, segment, side)
            return
        other = side.other
        if ack == other.expected:
            if other.trail:
                side.bound = max(side.bound, other.trail[-1][1])
                other.trail = ()
        elif (ack - other.expected) & _MASK < _HALF:
            self._feed_unexpected(at, segment, side)
            return
        elif other.trail:
            side.hear(other.place(ack))
        side.packets += 1  # next in order, the usual case
        other.confirmed = ack
        if payload:
            self._deliver(side, at, payload)

    def _feed_unexpected(self, at: int, segment: Segment, side: Side | None) -> None:
        key, seq, ack, flags, payload, cut = segment
        if flags & SYN:
            side = self._greeted(at, key, side, seq, flags)
            seq += 1
        elif side is None or side.talk.ended or abs(side.place(seq) - side.position) > REUSED_OCTETS:
            side = self._joined(key, side, seq, payload)
        if side is None:
            return
        side.packets += 1
        needs = -1
        if flags & ACK:
            needs = side.other.place(ack)
            side.other.confirmed = ack
        if payload or cut:
            side.talk.cut += cut > 0
            self._take(side, at, side.place(seq), payload, needs)
        self._give_up(at, side)
        self._give_up(at, side.other)
        if flags & (FIN | RST):
            self._parting(at, side, side.place(seq) + len(payload) + cut, flags)
        elif side.talk.closing and side.talk.is_over:
            self._end(side.talk)

    def finish(self) -> None:
        """Write, at the end of the capture, all held octets and the quality of every connection."""
        for talk in [*self._undecided, *self._open]:
            self._end(talk)
        counted = [one for one in _once(self._attempts) if one[2] in self._listening or self._port is not None]
        for at, client, server, outcome, protocol, _ in counted:
            self._events.append(row_of(at, ConnectionAttempted(client, server, outcome, protocol)))
        spoken = ", ".join(sorted({protocol for *_, protocol, _ in self._attempts} - {""}))
        self._summary = msgspec.structs.replace(self._summary, attempts=len(counted), protocols=spoken)

    # Starts and ends -------------------------------------------------------------------------------------------

    def _talk(self, key: bytes) -> Side | None:
        """Return a new connection, or None if its ports exclude it."""
        if self._port is not None and self._port not in ports(key):
            return None
        talk = Talk(key, Evidence(self._port))
        self._undecided[talk] = None
        for side in talk.sides:
            self._sides[side.key] = side
        if len(self._undecided) > UNDECIDED:
            self._end(next(iter(self._undecided)))
            self._forget(self._closed.pop())
        return talk.sides[0]

    def _greeted(self, at: int, key: bytes, side: Side | None, seq: int, flags: int) -> Side | None:
        """Handle a SYN: it begins a connection unless it answers one or is repeated."""
        answer = bool(flags & ACK)
        if side is not None and not side.talk.ended:
            talk = side.talk
            again = side.position >= 0 and side.place(seq + 1) in {side.position, side.began}
            awaited = answer and side.position < 0 and talk.opened_at >= 0
            if again or awaited:
                side.began = side.place(seq + 1)
                talk.evidence.established |= answer
                return side
            self._end(talk, "capture: its ports were used again")
        side = self._talk(key)
        if side is not None:
            side.began = side.place(seq + 1)
            side.talk.opened_at = side.dated = side.other.dated = at
            side.talk.evidence.initiator = side.other if answer else side
            side.talk.evidence.established = answer
        return side

    def _joined(self, key: bytes, side: Side | None, seq: int, payload: bytes) -> Side | None:
        """Handle a segment of an unknown connection, whose handshake was not captured."""
        if side is not None:
            if not payload or (side.talk.ended and abs(side.place(seq) - side.position) <= REUSED_OCTETS):
                return None  # late or repeated
            self._end(side.talk, "capture: its ports were used again")
        return self._talk(key) if payload else None

    def _parting(self, at: int, side: Side, end: int, flags: int) -> None:
        talk = side.talk
        _, first, how = talk.closing or (at, side, "reset" if flags & RST else "closed")
        talk.closing = (at, first, how)
        if flags & FIN:
            side.end = end
        if flags & RST or talk.is_over:
            self._end(talk)

    def _end(self, talk: Talk, reason: str = "") -> None:
        """Write, at the end of a connection, all held octets, the reason and its quality."""
        if talk.ended:
            return
        talk.ended = True
        for side in talk.sides:
            while side.pending:
                self._go_on(side)
        if not talk.session and talk.evidence.is_session(bool(talk.early)):
            self._decide(talk)
        self._undecided.pop(talk, None)
        self._open.pop(talk, None)
        was_heard = bool(talk.early)
        if not talk.session:
            self._count_attempt(talk)
        self._remember(talk)
        if not talk.session:
            self._ignored += talk.evidence.established or was_heard
            return
        for side in talk.sides:
            self._end_of(side)
        at = self._now
        if talk.closing and not reason:
            at, first, how = talk.closing
            reason = f"{'peer' if first.direction == 'in' else 'server'}: {how}"
        if reason:
            self._wire.append((max(at, talk.dated), talk.session, "close", reason.encode()))
        quality = quality_of(talk)
        self._summary = self._summary.plus(quality)
        self._events.append(row_of(self._now, quality))

    def _count_attempt(self, talk: Talk) -> None:
        """Record a connection attempt that became no session."""
        initiator = talk.evidence.initiator
        if talk.opened_at < 0 or initiator is None:
            return
        how = talk.closing[2] if talk.closing else ""
        outcome: Attempted = "unanswered"
        if talk.evidence.established:
            outcome = "closed"
        elif how == "reset":
            outcome = "refused"
        beginning = b"".join(octets for _, side, octets, _ in talk.early if side is initiator)
        client, server = sender(initiator.key), sender(initiator.other.key)
        protocol = protocol_of(beginning[:LOOKED_AT])
        self._attempts.append((talk.opened_at, client, server, outcome, protocol, initiator.began & _MASK))

    def _end_of(self, side: Side) -> None:
        """Record octets missing at the end, after which nothing was captured."""
        octets = (side.end if side.end >= 0 else side.acked) - side.position
        if side.packets and REUSED_OCTETS >= octets > (
            side.end < 0
        ):  # if FIN was not captured, the acknowledged octets may include it
            side.talk.holes += 1
            side.talk.missing += octets
            self._events.append(row_of(self._now, OctetsMissing(side.talk.session, side.direction, octets, None)))

    def _remember(self, talk: Talk) -> None:
        """Keep an ended connection for a while, and drop the oldest."""
        talk.early = []
        talk.evidence.forget()
        for side in talk.sides:
            side.expected, side.trail = -1, ()
        self._closed.append(talk)
        if len(self._closed) > CLOSED:
            self._forget(self._closed.popleft())

    def _forget(self, talk: Talk) -> None:
        for side in talk.sides:
            if self._sides.get(side.key) is side:
                del self._sides[side.key]
            del side.talk, side.other  # breaks the cycle, so that the memory is free at once

    # Octets ----------------------------------------------------------------------------------------------------

    def _take(self, side: Side, at: int, place: int, payload: bytes, needs: int) -> None:
        if place < side.position:
            side.talk.resent += 1
            payload, place = payload[side.position - place :], side.position
        if not payload:
            return
        if place > side.position or side.awaits(needs):
            self._hold(side, (place, at, payload, needs))
            return
        side.hear(needs)
        self._deliver(side, at, payload)
        self._release_all(side, at)

    def _hold(self, side: Side, held: Held) -> None:
        where = bisect_left(side.pending, (held[0],))
        known = side.pending[where : where + 1]
        if known and known[0][0] == held[0] and len(known[0][2]) >= len(held[2]):
            return
        if not side.pending:
            side.gap_since = held[1]
        side.pending.insert(where, held)
        side.pending_octets += len(held[2])

    def _release_all(self, side: Side, at: int) -> None:
        """Deliver all held octets of both sides that no longer wait for missing ones."""
        given = True
        while given:
            given = False
            for each in (side, side.other):
                while each.pending and each.pending[0][0] <= each.position and not each.awaits(each.pending[0][3]):
                    self._release(each, at)
                    given = True

    def _release(self, side: Side, at: int = -1) -> None:
        """Deliver the first held octets, which are next in order, at `at` or at their own instant if that is later."""
        place, seen_at, payload, needs = side.pending.pop(0)
        side.pending_octets -= len(payload)
        if side.pending:
            side.gap_since = max(side.gap_since, side.pending[0][1])
        side.hear(needs)
        if rest := payload[side.position - place :]:
            self._deliver(side, max(at, seen_at), rest)

    def _give_up(self, at: int, side: Side) -> None:
        """Skip missing octets after the maximum wait, or if too many octets are held after them."""
        while side.pending:
            place, _, _, needs = side.pending[0]
            confirmed = side.acked >= place if place > side.position else side.awaits(needs)
            patience = ACKED_US if confirmed else LOST_US
            held_too_much = side.pending_octets > PENDING_OCTETS or len(side.pending) > PENDING_SEGMENTS
            if at - side.gap_since <= patience and not held_too_much:
                return
            self._go_on(side)

    def _go_on(self, side: Side) -> None:
        """Deliver the first held octets although octets are missing, after a hole or before the other side's octets."""
        place, _, _, needs = side.pending[0]
        if place > side.position:
            self._hole(side)
        else:
            side.other.waived = max(side.other.waived, needs)
            self._release(side)
        self._release_all(side, -1)

    def _hole(self, side: Side) -> None:
        """Skip the missing octets."""
        place, seen_at = side.pending[0][:2]
        talk, octets = side.talk, place - side.position
        talk.holes += 1
        talk.missing += octets
        side.move(place)
        if talk.session:
            self._split(side, seen_at, octets)
        else:
            talk.early.append((max(seen_at, talk.dated), side, b"", octets))

    def _split(self, side: Side, at: int, octets: int) -> None:
        """Start a new session after a hole, so that neither side is blamed for uncaptured octets."""
        talk, before = side.talk, side.talk.session
        self._wire.append((max(self._now, talk.dated), before, "close", b"capture: octets are missing"))
        self._sessions += 1
        talk.session = self._sessions
        self._events.append(row_of(at, OctetsMissing(before, side.direction, octets, talk.session)))

    def _deliver(self, side: Side, at: int, payload: bytes) -> None:
        side.digest = crc32(payload, side.digest if side.digest >= 0 else side.position & _MASK)
        side.move(side.position + len(payload))
        at = side.date(at, side.position)
        talk = side.talk
        if talk.session:
            self._wire.append((at, talk.session, side.direction, payload))
            return
        talk.early.append((at, side, payload, 0))
        evidence = talk.evidence
        evidence.look(side, payload)
        enough = evidence.octets > ENOUGH_OCTETS or len(talk.early) > ENOUGH_CHUNKS
        if evidence.is_ucp and (evidence.client or enough):
            self._decide(talk)
        elif enough:
            self._end(talk)

    def _decide(self, talk: Talk) -> None:
        """Number a connection whose client is now known, and write the octets kept of it."""
        client = talk.evidence.settle(talk.sides)
        client.direction, client.other.direction = "in", "out"
        self._listening.add(sender((talk.evidence.initiator or client).other.key))
        self._sessions += 1
        talk.session = talk.first = self._sessions
        self._undecided.pop(talk, None)
        if not talk.ended:
            self._open[talk] = None
        if talk.opened_at >= 0:
            self._wire.append((talk.opened_at, talk.session, "open", sender(client.key).encode()))
        else:
            self._events.append(row_of(talk.early[0][0], BeganMidway(talk.session)))
        early, talk.early = talk.early, []
        talk.evidence.forget()
        for at, side, payload, octets in early:
            if octets:
                self._split(side, at, octets)
            else:
                self._wire.append((at, talk.session, side.direction, payload))


def _once(attempts: Iterable[_Attempt]) -> Iterator[_Attempt]:
    """Leave out the attempts that a capture shows again after an address translation: their numbers are the same."""
    seen: dict[int, tuple[int, str]] = {}
    for one in attempts:
        at, client, server, *_, number = one
        hosts = f"{client.rpartition(':')[0]} {server.rpartition(':')[0]}"
        before, other = seen.pop(number, (at, hosts))
        if hosts == other or abs(at - before) > SECOND_US:
            seen[number] = at, hosts
            yield one
