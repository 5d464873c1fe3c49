"""Order and time of a capture follow TCP, for any order and clock of the file."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.units import HOUR_US, SECOND_US
from simbench.capture import order
from simbench.capture.layers import Segment
from simbench.capture.order import Packets
from simbench.capture.reader import read_packets
from simbench.ledger import MemoryLedger
from simbench.ledger.capture_events import CaptureRead, ConnectionAttempted
from simbench.ledger.rows import Row
from simbench.rules.capture_times import times_of
from simbench.trace.trace import Trace
from tests.capture.scenes import BACK, KEY, LOGIN, MS, RESULTS, START, SUBMITS, WELCOME, Line, ip_packet, pcap
from tests.capture.test_files import block, interface, packet, section

Sent = list[tuple[int, Segment]]
SENT = Line().open().talk().close().sent
CLIENT, SMSC = LOGIN + b"".join(SUBMITS), WELCOME + b"".join(RESULTS)


class Heard:
    """A capture file, read."""

    def __init__(self, octets: bytes, port: int | None = None) -> None:
        self.ledger = MemoryLedger()
        self.summary: CaptureRead = read_packets(BytesIO(octets), "x.pcap", self.ledger.wire, self.ledger.events, port)
        self.trace = Trace(self.ledger.snapshot())
        self.remarks = times_of(self.trace).remarks

    @property
    def rows(self) -> list[Row]:
        """The wire as rules read it: in order of its instants."""
        return [(row["at"], row["session"], row["direction"], row["octets"]) for row in self.trace.run.wire.to_pylist()]

    @property
    def talk(self) -> list[tuple[str, bytes]]:
        return [(str(row[2]), bytes(row[3])) for row in self.rows if row[2] in {"in", "out"}]  # type: ignore[call-overload]  # rows are tuples of objects


def file_of(sent: Sent) -> bytes:
    return pcap([(at, ip_packet(segment)) for at, segment in sent])


WHOLE = Heard(file_of(SENT))


def whole(heard: Heard) -> None:
    assert heard.talk == WHOLE.talk
    assert (heard.summary.sessions, heard.summary.holes, heard.summary.began_midway) == (1, 0, 0)


def test_a_capture_in_order_has_no_remarks() -> None:
    whole(WHOLE)
    assert WHOLE.remarks == ()
    assert WHOLE.talk[:3] == [("in", LOGIN), ("out", WELCOME), ("in", SUBMITS[0])]


def stamped(sent: Sent, ticks_per_s: int, gap_at: int, real_us: int, jump_us: int) -> bytes:
    """A capture with TCP timestamps: before a segment `real_us` pass, and its clock steps by `jump_us`."""
    from scapy.layers.inet import IP, TCP

    packets = []
    for number, (at, segment) in enumerate(sent):
        really = at + (real_us if number >= gap_at else 0)
        whole_packet = IP(ip_packet(segment))
        tick = (0xFFFFFF00 + (really - START) * ticks_per_s // SECOND_US) & 0xFFFFFFFF  # it wraps
        whole_packet[TCP].options = [("NOP", None), ("NOP", None), ("Timestamp", (tick, 0))]
        del whole_packet[IP].len, whole_packet[IP].chksum, whole_packet[TCP].dataofs, whole_packet[TCP].chksum
        packets.append((really + (jump_us if number >= gap_at else 0), bytes(whole_packet)))
    return pcap(packets)


SLOW: Sent = [(START + n * (SECOND_US + 7), segment) for n, (_, segment) in enumerate(SENT)]
MIDDLE = len(SLOW) // 2


@pytest.mark.parametrize("ticks_per_s", [10, 100, 1_000])
def test_a_clock_that_steps_forward_is_known_by_tcp_timestamps(ticks_per_s: int) -> None:
    heard = Heard(stamped(SLOW, ticks_per_s, MIDDLE, 0, HOUR_US))
    whole(heard)
    (remark,) = heard.remarks
    assert f"forward by at least 3600 s before packet {MIDDLE + 1}" in remark
    ((at, size),) = times_of(heard.trace).steps
    assert size == pytest.approx(HOUR_US, rel=0.01)
    assert at == SLOW[MIDDLE][0] + HOUR_US


@pytest.mark.parametrize("ticks_per_s", [10, 100, 1_000])
def test_a_silence_of_an_hour_is_no_step_of_the_clock(ticks_per_s: int) -> None:
    heard = Heard(stamped(SLOW, ticks_per_s, MIDDLE, HOUR_US, 0))
    whole(heard)
    assert heard.remarks == ()


def test_without_timestamps_of_tcp_a_gap_is_a_silence() -> None:
    heard = Heard(file_of([(at + HOUR_US * (n >= MIDDLE), segment) for n, (at, segment) in enumerate(SLOW)]))
    assert [remark for remark in heard.remarks if "forward" in remark] == []


def test_a_result_that_stands_before_its_submit_in_the_file_follows_it() -> None:
    places = [n for n, (_, segment) in enumerate(SENT) if segment[4] in SUBMITS]
    sent = list(SENT)
    for place in places:
        sent[place], sent[place + 1] = sent[place + 1], sent[place]
    whole(Heard(file_of(sent)))


def test_stamps_of_two_clocks_do_not_put_an_answer_before_its_question() -> None:
    """The SMSC's side is stamped 20 us early, so that answers that take 10 us seem to come first."""
    sent = [(START + n * 10 - 20 * (segment[4] in {WELCOME, *RESULTS}), segment) for n, (_, segment) in enumerate(SENT)]
    heard = Heard(file_of(sent))
    whole(heard)
    assert 0 < heard.summary.moved_us <= 20


@pytest.mark.parametrize("back_us", [SECOND_US, HOUR_US])
def test_a_clock_that_is_set_back_is_reported_and_changes_no_order(back_us: int) -> None:
    sent = [(at - (back_us if n > 12 else 0), segment) for n, (at, segment) in enumerate(SENT)]
    heard = Heard(file_of(sent))
    whole(heard)
    assert len(heard.remarks) == 1
    assert "steps back" in heard.remarks[0]
    assert "packet 14" in heard.remarks[0]
    instants = heard.trace.run.wire["at"].to_pylist()
    assert instants == sorted(instants)
    assert max(instants) - START < SECOND_US
    (step,) = times_of(heard.trace).steps
    assert heard.trace.largest_timing_error(step[0], step[0]) >= back_us - SECOND_US


def test_two_taps_one_behind_the_other_in_a_file_are_merged() -> None:
    sent = [
        each for direction in ("in", "out") for each in SENT if (each[1][0] == SENT[0][1][0]) == (direction == "in")
    ]
    late = [(at + n // 3 * SECOND_US, segment) for n, (at, segment) in enumerate(SENT)]
    taps = [[each for each in late if (each[1][0] == SENT[0][1][0]) == first] for first in (True, False)]
    heard = Heard(file_of([*taps[0], *taps[1]]))
    whole(heard)
    assert any("2 pieces" in remark for remark in heard.remarks)
    whole(Heard(file_of(sent)))


def test_sections_in_the_wrong_order_are_merged_by_their_times() -> None:
    late = [(at + n * SECOND_US, ip_packet(segment)) for n, (at, segment) in enumerate(SENT)]
    halves = [late[:9], late[9:]]
    octets = b"".join(
        section() + interface(101) + b"".join(packet(at, content) for at, content in half) for half in reversed(halves)
    )
    heard = Heard(octets)
    whole(heard)
    assert heard.summary.packets == len(SENT)


def test_packets_without_times_are_read_in_order_and_dated_by_it() -> None:
    blocks = [ip_packet(segment) for _, segment in SENT]
    simple = b"".join(block(3, struct.pack("<I", len(each)) + each + bytes(-len(each) % 4)) for each in blocks)
    heard = Heard(section() + interface(101) + simple)
    whole(heard)
    assert times_of(heard.trace).untimed
    instants = [int(str(row[0])) for row in heard.rows]
    assert instants == sorted(set(instants))
    assert instants[-1] <= len(SENT)


def test_stamps_in_whole_seconds_are_worth_a_second() -> None:
    sent = [((START // SECOND_US + n // 5) * SECOND_US, segment) for n, (_, segment) in enumerate(SENT)]
    heard = Heard(file_of(sent))
    whole(heard)
    assert heard.remarks == ("its times are multiples of 1 s",)
    assert heard.trace.largest_timing_error(START, START) == SECOND_US


@given(st.integers(0, 10_000))
def test_packets_that_change_places_nearby_come_out_in_order(seed: int) -> None:
    dice = Random(seed)
    places = sorted(range(len(SENT)), key=lambda n: n + dice.uniform(0, 3))
    if places[0] != 0:
        places.insert(0, places.pop(places.index(0)))
    whole(Heard(file_of([SENT[n] for n in places])))


def test_every_packet_twice_is_one_connection() -> None:
    whole(Heard(file_of([each for each in SENT for _ in range(2)])))


def test_a_keepalive_that_repeats_one_octet_is_no_octet() -> None:
    place = next(n for n, (_, segment) in enumerate(SENT) if segment[4] == SUBMITS[3])
    key, seq, ack, flags, payload, cut = SENT[place][1]
    probe = (key, seq + len(payload) - 1, ack, flags, payload[-1:], cut)
    sent = [*SENT[: place + 2], (SENT[place + 1][0] + 1, probe), *SENT[place + 2 :]]
    whole(Heard(file_of(sent)))


def test_the_numbers_of_a_connection_may_begin_again_at_zero() -> None:
    whole(Heard(file_of(Line(isn=0xFFFFFFF0).open().talk().close().sent)))


def test_a_file_of_very_many_pieces_is_read_in_its_own_order(tmp_path: Path) -> None:
    keys = [
        (KEY[:8] + struct.pack("!HH", 42_000 + n, 5_000), BACK[:8] + struct.pack("!HH", 5_000, 42_000 + n))
        for n in range(40)
    ]
    lines = [Line(*pair, at=START - n * SECOND_US).open().talk(1).close().sent for n, pair in enumerate(keys)]
    path = tmp_path / "many.pcap"
    path.write_bytes(file_of([each for line in lines for each in line]))
    with path.open("rb") as file:
        capture = Packets(file, "many")
        assert sum(1 for _ in capture) == sum(map(len, lines))
        assert (capture.clock.falls, capture.clock.pieces) == (39, 1)


def test_stamps_that_fall_all_the_time_are_reported_once_and_change_no_order() -> None:
    sent = [(at + SECOND_US * (n % 2), segment) for n, (at, segment) in enumerate(SENT)]
    back = [(at - n * SECOND_US, segment) for n, (at, segment) in enumerate(Line().open().talk().close().sent)]
    for each in (sent, back):
        heard = Heard(file_of(each))
        assert [octets for _, octets in heard.talk] == [octets for _, octets in WHOLE.talk]
        assert heard.summary.sessions == 1


def test_a_clock_that_cannot_be_followed_is_reported_by_how_often_its_times_fall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(order, "FALLS", 3)
    heard = Heard(file_of([(at + SECOND_US * (n % 2), segment) for n, (at, segment) in enumerate(SENT)]))
    assert [octets for _, octets in heard.talk] == [octets for _, octets in WHOLE.talk]
    falls = (len(SENT) - 1) // 2
    assert heard.remarks == (f"its times decrease {falls} times; its packets are taken in the order of the file",)


# Connection attempts ------------------------------------------------------------------------------------------------

SYN, RST, ACK = 2, 4, 16


def knocks(count: int, *, answered: bool) -> Sent:
    """Return SYNs of connections that are refused or never answered; each is sent twice."""
    sent: Sent = []
    for n in range(count):
        line = Line(
            KEY[:8] + struct.pack("!HH", 41_000 + n, 5_000),
            BACK[:8] + struct.pack("!HH", 5_000, 41_000 + n),
            isn=n * 1000, at=START + 5 * SECOND_US + n * 20 * MS,
        )  # fmt: skip
        line.send("in", flags=SYN)
        sent += [line.sent[0], (line.sent[0][0] + MS, line.sent[0][1])]
        if answered:
            line.send("out", flags=RST | ACK)
            sent.append(line.sent[-1])
    return sent


@pytest.mark.parametrize(("answered", "outcome"), [(True, "refused"), (False, "unanswered")])
def test_each_syn_that_became_no_session_is_an_attempt(answered: bool, outcome: str) -> None:
    heard = Heard(file_of([*SENT, *knocks(7, answered=answered)]))
    attempts = [(at, event) for at, event in heard.trace.events if isinstance(event, ConnectionAttempted)]
    assert [event.outcome for _, event in attempts] == [outcome] * 7
    assert (attempts[0][1].client, attempts[0][1].to) == ("192.0.2.10:41000", "198.51.100.1:5000")
    assert heard.summary.attempts == 7
    assert len({at for at, _ in attempts}) == 7


def test_knocks_at_other_doors_are_no_attempts() -> None:
    others = Line(KEY[:8] + b"\xa0\x28\x01\xbb", BACK[:8] + b"\x01\xbb\xa0\x28", at=START + SECOND_US)
    others.send("in", flags=SYN)
    others.send("out", flags=RST | ACK)
    sent = others.sent
    assert Heard(file_of([*SENT, *sent])).summary.attempts == 0
    assert Heard(file_of(knocks(3, answered=True)), port=5_000).summary.attempts == 3


def test_another_protocol_at_the_smscs_port_is_reported() -> None:
    line = Line(KEY[:8] + b"\xa0\x00\x13\x88", BACK[:8] + b"\x13\x88\xa0\x00", at=START + SECOND_US)
    line.open().send("in", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    line.close("out")
    heard = Heard(file_of([*SENT, *line.sent]))
    (attempt,) = [event for _, event in heard.trace.events if isinstance(event, ConnectionAttempted)]
    assert (attempt.outcome, attempt.protocol) == ("closed", "an HTTP request")
