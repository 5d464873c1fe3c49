"""Connections to capture: segments, packets built by scapy, and files of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from simbench.capture.layers import ACK, FIN, SYN, Segment
from simbench.capture.streams import Streams
from simbench.ledger import MemoryLedger
from simbench.ledger.capture_events import CaptureRead
from simbench.ledger.events import Event, EventRow, events_of
from simbench.ledger.recorded import Recorded
from simbench.ledger.rows import Row
from simbench.ucp.operations import build

START = 1_772_442_000_000_000  # 2026-03-02 09:00 UTC
MS = 1_000
LOGIN = build("60", "O", 0, OAdC="36010", OTON="6", ONPI="5", STYP="1", PWD="736563726574", VERS="0100")
WELCOME = build("60", "R", 0)
SUBMITS = [build("51", "O", n, AdC=f"3363998{n:04d}", OAdC="36010", MT="3", Msg="41" * n) for n in range(1, 9)]
RESULTS = [build("51", "R", n, SM=f"3363998{n:04d}:0203261000{n:02d}") for n in range(1, 9)]
KEY = bytes([192, 0, 2, 10, 198, 51, 100, 1]) + struct.pack("!HH", 40_000, 5_000)  # client to SMSC
BACK = bytes([198, 51, 100, 1, 192, 0, 2, 10]) + struct.pack("!HH", 5_000, 40_000)
_MASK = 0xFFFFFFFF


class Line:
    """One connection: its segments in the order in which they are sent, ten milliseconds apart."""

    def __init__(self, key: bytes = KEY, back: bytes = BACK, isn: int = 1_000, at: int = START) -> None:
        self.keys = {"in": key, "out": back}
        self.next = {"in": isn & _MASK, "out": (isn + 7_777) & _MASK}
        self.at = at
        self.sent: list[tuple[int, Segment]] = []

    def send(self, direction: str, octets: bytes = b"", flags: int = ACK) -> None:
        other = "out" if direction == "in" else "in"
        ack = self.next[other] if flags & ACK else 0
        self.sent.append((self.at, (self.keys[direction], self.next[direction], ack, flags, octets, 0)))
        self.next[direction] = (self.next[direction] + len(octets) + bool(flags & (SYN | FIN))) & _MASK
        self.at += 10 * MS

    def open(self, by: str = "in") -> Line:
        other = "out" if by == "in" else "in"
        self.send(by, flags=SYN)
        self.send(other, flags=SYN | ACK)
        self.send(by)
        return self

    def talk(self, count: int = len(SUBMITS)) -> Line:
        """A login, then that many submits with their results."""
        for ask, answer in [(LOGIN, WELCOME), *zip(SUBMITS[:count], RESULTS[:count], strict=True)]:
            self.send("in", ask)
            self.send("out", answer)
        return self

    def close(self, by: str = "in") -> Line:
        other = "out" if by == "in" else "in"
        self.send(by, flags=FIN | ACK)
        self.send(other, flags=FIN | ACK)
        self.send(by)
        return self


class Read:
    """The result of segments: rows by session, events, summary."""

    def __init__(self, sent: Iterable[tuple[int, Segment]], port: int | None = None) -> None:
        self.ledger = MemoryLedger()
        streams = Streams(self.ledger.wire, self.ledger.events, port)
        for at, segment in sent:
            streams.feed(at, segment)
        streams.finish()
        self.summary: CaptureRead = streams.summary

    def octets(self, session: int, direction: str) -> bytes:
        return octets_of(self.ledger.wire, session, direction)

    @property
    def marks(self) -> list[tuple[int, str, bytes]]:
        """Openings and ends: (session, direction, text)."""
        return [(row[1], row[2], row[3]) for row in self.ledger.wire if row[2] in {"open", "close"}]  # type: ignore[misc]  # rows are tuples of objects

    def reported(self, kind: type[Recorded]) -> list[Any]:
        """The events of that kind."""
        return [event for event in recorded(self.ledger.events) if isinstance(event, kind)]


def octets_of(wire: Iterable[Row], session: int, direction: str) -> bytes:
    return b"".join(row[3] for row in wire if row[1:3] == (session, direction))  # type: ignore[misc]  # as above


def recorded(events: Iterable[Row]) -> list[Event]:
    """The events a capture leaves."""
    return [event for _, event in events_of(cast(Iterable[EventRow], events))]


def without(sent: list[tuple[int, Segment]], *indices: int) -> list[tuple[int, Segment]]:
    """The same capture with some packets lost."""
    return [each for index, each in enumerate(sent) if index not in indices]


def pcap(packets: Iterable[tuple[int, bytes]], link: int = 101, *, longest: int = 65535, order: str = "<") -> bytes:
    """A pcap file of (instant, octets), each cut to `longest`."""
    parts = [struct.pack(order + "IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, longest, link)]
    for at, octets in packets:
        kept = octets[:longest]
        parts.append(struct.pack(order + "IIII", at // 1_000_000, at % 1_000_000, len(kept), len(octets)) + kept)
    return b"".join(parts)


def ip_packet(segment: Segment) -> bytes:
    """A segment as a packet of IPv4 or IPv6, built by scapy."""
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6

    key, seq, ack, flags, payload, _ = segment
    half = (len(key) - 4) // 2
    network = (IP if half == 4 else IPv6)(src=_text(key[:half]), dst=_text(key[half : 2 * half]))
    sport, dport = struct.unpack("!HH", key[-4:])
    return bytes(network / TCP(sport=sport, dport=dport, seq=seq, ack=ack, flags=flags) / payload)


def _text(address: bytes) -> str:
    from ipaddress import ip_address

    return str(ip_address(address))


def write(folder: Path, octets: bytes, name: str = "traffic.pcap") -> Path:
    path = folder / name
    path.write_bytes(octets)
    return path
