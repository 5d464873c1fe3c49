from __future__ import annotations

import tracemalloc
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.capture.pcap import write_pcapng
from simbench.ledger import Ledger, MemoryLedger, RunInfo, open_run
from simbench.ledger.capture_events import BeganMidway, CaptureRead, ConnectionCaptured
from simbench.ledger.rows import Row
from simbench.trace.trace import Trace
from tests.capture.reading import read_capture, to_ledger
from tests.capture.scenes import (
    BACK,
    KEY,
    LOGIN,
    RESULTS,
    START,
    SUBMITS,
    WELCOME,
    Line,
    ip_packet,
    octets_of,
    pcap,
    recorded,
    write,
)  # fmt: skip
from tests.harness import Peer, gateway_of

IN_FILES = settings(max_examples=60)
KEY_6 = bytes.fromhex("20010db800000000000000000000000a20010db8000000000000000000000001") + KEY[-4:]
BACK_6 = KEY_6[16:32] + KEY_6[:16] + BACK[-4:]
WHOLE = [(at, ip_packet(segment)) for at, segment in Line().open().talk().close().sent]


@pytest.mark.parametrize(("key", "back"), [(KEY, BACK), (KEY_6, BACK_6)], ids=["IPv4", "IPv6"])
def test_a_capture_becomes_rows_of_the_wire(tmp_path: Path, key: bytes, back: bytes) -> None:
    packets = [(at, ip_packet(segment)) for at, segment in Line(key, back).open().talk().close().sent]
    ledger = MemoryLedger()
    summary = to_ledger(write(tmp_path, pcap(packets)), ledger)
    assert octets_of(ledger.wire, 1, "in") == LOGIN + b"".join(SUBMITS)
    assert octets_of(ledger.wire, 1, "out") == WELCOME + b"".join(RESULTS)
    assert (summary.packets, summary.unread, summary.connections, summary.cut_short) == (len(packets), 0, 1, False)


def test_events_say_how_each_connection_and_the_file_were_captured(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    to_ledger(write(tmp_path, pcap(WHOLE[8:])), ledger)
    midway, connection, file = recorded(ledger.events)
    assert midway == BeganMidway(1)
    assert isinstance(connection, ConnectionCaptured)
    assert isinstance(file, CaptureRead)
    assert (connection.session, connection.began_midway) == (1, True)
    assert file.packets == len(WHOLE) - 8


def test_packets_cut_to_a_length_are_counted_and_leave_holes(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    summary = to_ledger(write(tmp_path, pcap(WHOLE, longest=100)), ledger)
    longer = [octets for _, octets in WHOLE if len(octets) > 100]
    assert summary.cut_packets == len(longer) > 0
    assert summary.missing_octets == sum(len(octets) - 100 for octets in longer)


def test_a_file_that_ends_within_a_packet_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    summary = to_ledger(write(tmp_path, pcap(WHOLE)[:-5]), ledger)
    assert summary.cut_short
    assert summary.packets == len(WHOLE) - 1


def test_rows_before_the_damage_are_kept(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    damaged = pcap(WHOLE[:7]) + b"\xff" * 40
    with pytest.raises(BadInput, match=r"offset .* packet 8"):
        to_ledger(write(tmp_path, damaged), ledger)
    assert octets_of(ledger.wire, 1, "in") == LOGIN + SUBMITS[0]


def test_a_capture_of_an_unknown_link_is_refused_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="link type 105 only; expected Ethernet"):
        to_ledger(write(tmp_path, pcap(WHOLE, link=105)), MemoryLedger())


def test_the_judge_reads_from_a_capture_what_it_reads_from_the_run(tmp_path: Path) -> None:
    gateway, _ = gateway_of()
    lived = MemoryLedger()
    peer = _Recorded(gateway, lived)
    peer.login()
    for trn in range(5):
        peer.submit(trn, Msg="42" * trn)
    peer.wait(SECOND_US)
    for notice in [frame for frame in peer.received if frame.ot == "53"]:
        peer.acknowledge(notice)
    lived.wire.append((peer.now, 1, "close", b"peer: closed"))

    path, audited = tmp_path / "traffic.pcapng", MemoryLedger()
    write_pcapng(lived.snapshot(), path)
    to_ledger(path, audited)
    one, other = Trace(lived.snapshot()), Trace(audited.snapshot())
    assert len(one.submits) == 5
    for name in ("submits", "notifications", "mo", "alerts", "frames"):
        assert list(getattr(one, name).rows()) == list(getattr(other, name).rows())
    (session,) = other.sessions.rows()
    assert (session.account, session.login_ack, session.closed_by) == ("36010", "A", "peer")


class _Recorded(Peer):
    """A peer with every octet written to a ledger, as in the live server."""

    def __init__(self, gateway: object, ledger: MemoryLedger) -> None:
        super().__init__(gateway)  # type: ignore[arg-type]  # a gateway of the harness
        self._ledger = ledger
        ledger.wire.append((self.now, 1, "open", b"('127.0.0.1', 40000)"))

    def send(self, octets: bytes) -> list:  # type: ignore[type-arg]  # of frames
        self.now += 1_000
        self._ledger.wire.append((self.now, 1, "in", octets))
        return self._written(super().send(octets))

    def wait(self, us: int) -> list:  # type: ignore[type-arg]  # of frames
        return self._written(super().wait(us))

    def _written(self, frames: list) -> list:  # type: ignore[type-arg]  # of frames
        self._ledger.wire.append((self.now, 1, "out", b"".join(frame.octets for frame in frames)))
        return frames


def test_a_capture_is_read_into_a_ledger_on_disk(tmp_path: Path) -> None:
    path = write(tmp_path, pcap(WHOLE))
    with Ledger.create(tmp_path / "audit", RunInfo(run="audit")) as ledger:
        to_ledger(path, ledger)
    trace = Trace(open_run(tmp_path / "audit"))
    assert len(trace.submits) == len(SUBMITS)
    assert set(trace.submits.ack.tolist()) == {"A"}


@IN_FILES
@given(data=st.data())
def test_no_damaged_capture_is_beyond_it(tmp_path: Path, data: st.DataObject) -> None:
    octets = bytearray(pcap(WHOLE))
    for _ in range(data.draw(st.integers(1, 30))):
        octets[data.draw(st.integers(24, len(octets) - 1))] = data.draw(st.integers(0, 255))
    ledger, path = MemoryLedger(), write(tmp_path, bytes(octets[: data.draw(st.integers(24, len(octets)))]))
    port = data.draw(st.sampled_from([None, 5000]))
    try:
        summary = to_ledger(path, ledger, port)
    except BadInput:
        return
    assert summary.packets <= len(WHOLE)
    assert ledger.snapshot().wire.num_rows == len(ledger.wire)


def test_the_memory_it_takes_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    ledger, path = MemoryLedger(), tmp_path / "long.pcapng"
    ledger.wire.append((START, 1, "open", b""))
    ledger.wire.extend((START + n, 1, "in" if n % 2 else "out", SUBMITS[n % 8]) for n in range(24_000))
    write_pcapng(ledger.snapshot(), path)
    forgotten: deque[Row] = deque(maxlen=0)
    tracemalloc.start()
    try:
        read_capture(path, forgotten, forgotten)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000 < path.stat().st_size
