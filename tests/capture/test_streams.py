from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.capture import streams
from simbench.capture.layers import ACK, FIN, RST, SYN, Segment
from simbench.ledger.capture_events import BeganMidway, ConnectionCaptured, OctetsMissing
from tests.capture.scenes import BACK, KEY, LOGIN, MS, RESULTS, START, SUBMITS, WELCOME, Line, Read, without

CLIENT = LOGIN + b"".join(SUBMITS)
SMSC = WELCOME + b"".join(RESULTS)
MASK = 0xFFFFFFFF


def test_a_whole_connection_is_one_session_from_its_opening_to_its_end() -> None:
    read = Read(Line().open().talk().close().sent)
    assert read.marks == [(1, "open", b"192.0.2.10:40000"), (1, "close", b"peer: closed")]
    assert (read.octets(1, "in"), read.octets(1, "out")) == (CLIENT, SMSC)
    (quality,) = read.reported(ConnectionCaptured)
    assert (quality.client, quality.smsc) == ("192.0.2.10:40000", "198.51.100.1:5000")
    assert quality.directions == ("in", "out")
    assert (quality.holes, quality.missing_octets, quality.began_midway) == (0, 0, False)
    assert read.summary.connections == read.summary.sessions == 1


def test_rows_carry_the_instants_at_which_the_packets_were_seen() -> None:
    line = Line().open().talk()
    read = Read(line.sent)
    seen = [at for at, segment in line.sent if segment[4]]
    assert [row[0] for row in read.ledger.wire] == [START, *seen]


@st.composite
def segments(draw: st.DrawFn) -> tuple[list[Segment], bytes]:
    """One side's octets as a network may deliver them: cut anywhere, out of order, some twice or overlapping."""
    octets = CLIENT
    isn = draw(st.integers(0, MASK) | st.integers(MASK - len(octets), MASK))
    cuts = sorted(draw(st.sets(st.integers(1, len(octets) - 1), max_size=12)))
    bounds = list(zip([0, *cuts], [*cuts, len(octets)], strict=True))
    again = draw(st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(1, 200)), max_size=4))
    bounds += [(begin, min(begin + size, len(octets))) for begin, size in again]
    order = draw(st.permutations(range(len(bounds))))
    sent: list[Segment] = [(KEY, isn, 0, SYN, b"", 0), (BACK, 500, isn + 1 & MASK, SYN | ACK, b"", 0)]
    for index in order:
        begin, end = bounds[index]
        sent.append((KEY, isn + 1 + begin & MASK, 501, ACK, octets[begin:end], 0))
    return sent, octets


@given(segments())
def test_octets_come_out_in_order_and_once_however_they_travelled(sent_and_octets: tuple[list[Segment], bytes]) -> None:
    sent, octets = sent_and_octets
    read = Read([(START + n * MS, segment) for n, segment in enumerate(sent)])
    assert read.octets(1, "in") == octets
    assert read.summary.holes == 0


def test_octets_held_back_are_dated_when_the_last_of_them_can_be_read() -> None:
    line = Line().open()
    line.send("in", LOGIN)
    line.send("in", SUBMITS[0])
    (at_1, first), (at_2, second) = line.sent[-2:]
    read = Read([*line.sent[:-2], (at_1, second), (at_2, first)])
    assert [row[0] for row in read.ledger.wire if row[2] == "in"] == [at_2, at_2]


def test_what_came_first_counts_when_it_is_sent_again_differently() -> None:
    line = Line().open()
    line.send("in", LOGIN)
    at, (key, seq, ack, flags, _, _) = line.sent[-1]
    forged = (key, seq, ack, flags, b"X" * len(LOGIN) + SUBMITS[0], 0)
    assert Read([*line.sent, (at + MS, forged)]).octets(1, "in") == LOGIN + SUBMITS[0]


def test_a_packet_lost_by_the_capture_is_a_hole_and_what_follows_is_a_session_that_began_midway() -> None:
    sent = Line().open().talk().close().sent
    lost = next(index for index, (_, segment) in enumerate(sent) if segment[4] == SUBMITS[2])
    read = Read(without(sent, lost))
    assert read.octets(1, "in") == LOGIN + b"".join(SUBMITS[:2])
    assert read.octets(2, "in") == b"".join(SUBMITS[3:])
    assert read.octets(1, "out") + read.octets(2, "out") == SMSC
    assert read.marks == [
        (1, "open", b"192.0.2.10:40000"),
        (1, "close", b"capture: octets are missing"),
        (2, "close", b"peer: closed"),
    ]
    (hole,) = read.reported(OctetsMissing)
    assert hole == OctetsMissing(1, "in", len(SUBMITS[2]), 2)
    assert (read.summary.holes, read.summary.missing_octets) == (1, len(SUBMITS[2]))


def test_octets_that_are_sent_again_within_a_minute_leave_no_hole() -> None:
    line = Line().open()
    line.send("in", LOGIN)
    kept = len(line.sent)
    line.send("in", SUBMITS[0])
    line.send("in", SUBMITS[1])
    (_, lost), (at, after) = line.sent[kept:]
    again = [(at + ms * MS, after) for ms in (1, 500, 5_000, 30_000)]
    read = Read([*line.sent[:kept], (at, after), *again, (at + 59_000 * MS, lost)])
    assert read.octets(1, "in") == LOGIN + SUBMITS[0] + SUBMITS[1]
    assert read.summary.holes == 0


def test_octets_missing_at_the_end_are_a_hole_when_they_were_confirmed() -> None:
    line = Line().open().talk(1)
    line.send("in", SUBMITS[1])
    line.send("out")
    line.close()
    lost = next(index for index, (_, segment) in enumerate(line.sent) if segment[4] == SUBMITS[1])
    read = Read(without(line.sent, lost))
    assert read.reported(OctetsMissing) == [OctetsMissing(1, "in", len(SUBMITS[1]), None)]


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_capture_of_one_direction_has_a_note_of_it(direction: str) -> None:
    line = Line().open().talk()
    read = Read([(at, segment) for at, segment in line.sent if segment[0] == line.keys[direction]])
    assert read.octets(1, direction) == (CLIENT if direction == "in" else SMSC)
    (quality,) = read.reported(ConnectionCaptured)
    assert quality.directions == (direction,)
    assert quality.holes == 0
    assert read.summary.one_direction == 1


def test_a_capture_that_begins_in_mid_session_has_no_opening_and_a_note_of_it() -> None:
    sent = Line().open().talk().close().sent[7:]
    read = Read(sent)
    assert read.octets(1, "in") == b"".join(SUBMITS[1:])
    assert read.marks == [(1, "close", b"peer: closed")]
    assert len(read.reported(BeganMidway)) == read.summary.began_midway == 1


def test_an_smsc_that_connects_to_its_client_is_still_the_smsc() -> None:
    read = Read(Line().open(by="out").talk().close(by="out").sent)
    assert read.octets(1, "in") == CLIENT
    assert read.marks[0] == (1, "open", b"192.0.2.10:40000")
    assert read.marks[1] == (1, "close", b"server: closed")


def test_frames_either_side_may_send_leave_the_role_to_the_port_or_to_who_connected() -> None:
    from simbench.ucp.operations import build

    line = Line().open(by="out")
    alert = build("31", "O", 1, AdC="36010", PID="0539")
    line.send("out", alert)
    line.send("in", build("31", "R", 1, SM="0000"))
    assert Read(line.sent).octets(1, "in") == alert  # who connects is taken for the client
    assert Read(line.sent, port=5000).octets(1, "out") == alert


def test_a_connection_without_ucp_is_no_session_unless_the_port_says_so() -> None:
    line = Line().open()
    line.send("in", b"GET / HTTP/1.1\r\n\r\n")
    line.send("out", b"HTTP/1.1 400 Bad Request\r\n\r\n")
    line.close()
    assert Read(line.sent).ledger.wire == []
    assert Read(line.sent).summary.ignored == 1
    assert len(Read(line.sent, port=5000).marks) == 2
    assert Read(line.sent, port=5001).summary.ignored == 0


def test_a_connection_that_was_never_answered_is_no_session() -> None:
    line = Line()
    line.send("in", flags=SYN)
    line.send("out", flags=RST | ACK)
    assert Read(line.sent, port=5000).ledger.wire == []


def test_the_same_ports_used_again_are_another_connection() -> None:
    first = Line().open().talk(2)
    second = Line(isn=900_000, at=first.at).open().talk(3).close()
    read = Read([*first.sent, *second.sent])
    assert read.octets(1, "in") == LOGIN + b"".join(SUBMITS[:2])
    assert read.octets(2, "in") == LOGIN + b"".join(SUBMITS[:3])
    assert (1, "close", b"capture: its ports were used again") in read.marks
    assert read.summary.connections == 2


def test_ports_used_again_without_a_handshake_are_known_by_far_sequence_numbers() -> None:
    first = Line().open().talk(2)
    second = Line(isn=3_000_000_000, at=first.at).open().talk(3)
    read = Read([*first.sent, *second.sent[3:]])
    assert read.octets(2, "in") == LOGIN + b"".join(SUBMITS[:3])


def test_segments_that_come_after_the_end_open_nothing() -> None:
    line = Line().open().talk(2).close()
    late = [(line.at + MS, segment) for _, segment in line.sent if segment[4]]
    read = Read([*line.sent, *late])
    assert read.summary.connections == 1
    assert read.octets(1, "in") == LOGIN + b"".join(SUBMITS[:2])


def test_a_reset_ends_the_session_at_once() -> None:
    line = Line().open().talk(1)
    line.send("out", flags=RST | ACK)
    at = line.sent[-1][0]
    assert Read(line.sent).ledger.wire[-1] == (at, 1, "close", b"server: reset")


def test_octets_the_capture_cut_off_are_missing_and_its_packets_counted() -> None:
    sent = Line().open().talk(3).close().sent
    index = next(index for index, (_, segment) in enumerate(sent) if segment[4] == SUBMITS[1])
    at, (key, seq, ack, flags, payload, _) = sent[index]
    sent[index] = (at, (key, seq, ack, flags, payload[:10], len(payload) - 10))
    read = Read(sent)
    assert read.summary.cut_packets == 1
    assert read.summary.missing_octets == len(SUBMITS[1]) - 10


def test_what_is_held_behind_a_hole_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PENDING_OCTETS", 300)
    line = Line().open()
    line.send("in", LOGIN)
    for submit in SUBMITS:
        line.send("in", submit)
    read = Read(without(line.sent, 4))  # nobody confirms, so only the bound ends the wait
    assert read.octets(2, "in") == b"".join(SUBMITS[1:])


def test_silent_connections_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "UNDECIDED", 3)
    idle = [Line(KEY[:-4] + bytes([n, 0]) + KEY[-2:], BACK[:-2] + bytes([n, 0])).open() for n in range(1, 9)]
    talking = Line().open().talk(1)
    read = Read([*talking.sent, *(each for line in idle for each in line.sent)])
    assert read.octets(1, "in") == LOGIN + SUBMITS[0]
    assert read.summary.connections == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from([KEY, BACK, KEY[:-4] + KEY[-2:] * 2]),
            st.integers(0, 3_000) | st.integers(0, MASK),
            st.integers(0, 3_000) | st.integers(0, MASK),
            st.sampled_from([ACK, ACK, ACK, SYN, SYN | ACK, FIN | ACK, RST, 0]),
            st.sampled_from([b"", b"x", LOGIN, WELCOME, SUBMITS[0], LOGIN[:7], b"\x02"]),
            st.sampled_from([0, 0, 0, 5]),
        ),
        max_size=40,
    ),
    st.sampled_from([None, 5000]),
)
def test_no_segments_however_odd_are_beyond_it(sent: list[Segment], port: int | None) -> None:
    read = Read([(START + n * 40 * MS, segment) for n, segment in enumerate(sent)], port)
    sessions = {int(str(row[1])) for row in read.ledger.wire}
    assert sessions <= set(range(1, read.summary.sessions + 1))
    assert len(read.reported(ConnectionCaptured)) == read.summary.connections
    given_out = sum(len(read.octets(session, direction)) for session in sessions for direction in ("in", "out"))
    assert given_out <= sum(len(segment[4]) for segment in sent)
