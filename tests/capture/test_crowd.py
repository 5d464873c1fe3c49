"""Captures of crowds of connections: memory and work grow with the file, and small things stay small."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest

from simbench.capture.layers import ACK, FIN, SYN
from simbench.capture.reader import read_packets
from simbench.ledger import MemoryLedger
from simbench.trace.trace import Trace
from simbench.trace.wire import _widened
from simbench.ucp.frame import Framer
from tests.capture.scenes import LOGIN, START, ip_packet, pcap
from tests.steps import steps_of

A_CONNECTION = 4_000  # octets in memory, where one is open; it was 72,000


class Counted:
    """Takes rows and keeps none."""

    def __init__(self) -> None:
        self.rows = 0

    def append(self, _: object) -> None:
        self.rows += 1

    def __len__(self) -> int:
        return self.rows


def crowd(count: int, kind: str) -> bytes:
    return pcap(packets(count, kind))


def packets(count: int, kind: str) -> Iterator[tuple[int, bytes]]:
    smsc = bytes([198, 51, 100, 1])
    for number in range(count):
        client, ports = struct.pack("!I", 0x0A000001 + number // 50_000), (10_000 + number % 50_000, 5_000)
        key, back = client + smsc + struct.pack("!HH", *ports), smsc + client + struct.pack("!HH", *ports[::-1])
        at, end = START + 1_000 * number, 2 + len(LOGIN)
        sent = [(key, 1, 0, SYN, b"", 0)]
        if kind != "attempts":
            sent += [(back, 1, 2, SYN | ACK, b"", 0), (key, 2, 2, ACK, LOGIN if kind != "strangers" else b"GET /", 0)]
        if kind == "closed":
            sent += [(key, end, 2, FIN | ACK, b"", 0), (back, 2, end + 1, FIN | ACK, b"", 0)]
        yield from ((at, ip_packet(segment)) for segment in sent)


@pytest.mark.parametrize("kind", ["attempts", "strangers", "open", "closed"])
def test_a_connection_takes_little_memory_and_one_that_ended_next_to_none(kind: str) -> None:
    peaks = []
    for count in (200, 1_200):
        octets, wire, events = crowd(count, kind), Counted(), Counted()
        tracemalloc.start()
        read_packets(BytesIO(octets), "crowd", wire, events)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 1_000 < (A_CONNECTION if kind != "closed" else A_CONNECTION // 2)


@pytest.mark.parametrize("kind", ["attempts", "strangers", "open", "closed"])
def test_the_work_grows_with_the_number_of_connections(kind: str) -> None:
    few, many = (crowd(count, kind) for count in (50, 400))
    work = [steps_of(lambda o=octets: read_packets(BytesIO(o), "x", Counted(), Counted())) for octets in (few, many)]  # type: ignore[misc]
    assert work[1] < 8.5 * work[0]


def test_the_work_of_reading_their_octets_grows_with_the_number_of_connections() -> None:
    works = []
    for count in (60, 480):
        ledger = MemoryLedger()
        read_packets(BytesIO(crowd(count, "open")), "crowd", ledger.wire, ledger.events)
        run = ledger.snapshot()
        assert run.wire.num_rows == 2 * count
        works.append(steps_of(lambda run=run: len(Trace(run).sessions)))  # type: ignore[misc]
    assert works[1] < 8.5 * works[0]


@pytest.mark.parametrize("where", [slice(0, 0), slice(0, 1), slice(3, 60), slice(0, 100)])
def test_more_lines_find_what_waited_on_the_first(where: slice) -> None:
    waiting = np.zeros((100, 16, 3), np.int64)
    waiting[where, 5] = (51, 7, START)
    wider = _widened(waiting)
    assert wider.shape == (100, 32, 3)
    assert np.array_equal(wider[:, :16], waiting)
    assert not wider[:, 16:].any()


def test_framers_share_their_tables() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [Framer() for _ in range(100)]
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert taken / len(kept) < 500
