from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.utils import RawPcapNgReader

from simbench.base.errors import BadInput, LedgerError
from simbench.capture.files import CaptureFile
from simbench.capture.layers import segment_of
from simbench.capture.pcap import MSS, write_pcapng
from simbench.ledger import MemoryLedger, RunInfo
from simbench.ledger.rows import Row
from tests.capture.reading import to_ledger
from tests.capture.scenes import LOGIN, START, SUBMITS, WELCOME, octets_of

IN_FILES = settings(max_examples=60)
LONG = b"".join(SUBMITS) * 4
DAY: list[Row] = [
    (START, 1, "open", b"('127.0.0.1', 40000)"),
    (START + 1, 1, "in", LOGIN),
    (START + 2, 1, "out", WELCOME),
    (START + 3, 2, "in", LOGIN),  # as from a capture that began later
    (START + 4, 1, "in", LONG),
    (START + 5, 1, "close", b"server: outage"),
    (START + 6, 1, "open", b"('127.0.0.1', 40001)"),
    (START + 7, 1, "in", LOGIN),
    (START + 8, 1, "close", b"peer: [Errno 104] Connection reset by peer"),
]


def ledger_of(wire: list[Row], **info: object) -> MemoryLedger:
    ledger = MemoryLedger(RunInfo(run="here", **info))  # type: ignore[arg-type]  # fields of RunInfo
    ledger.wire.extend(wire)
    return ledger


def test_the_wire_comes_back_as_it_was(tmp_path: Path) -> None:
    path, back = tmp_path / "traffic.pcapng", MemoryLedger()
    packets = write_pcapng(ledger_of(DAY).snapshot(), path)
    summary = to_ledger(path, back)
    assert (summary.packets, summary.connections, summary.holes) == (packets, 3, 0)
    assert [row[1:3] for row in back.wire if row[2] in {"open", "close"}] == [
        (1, "open"), (1, "close"), (3, "open"), (3, "close"),
    ]  # fmt: skip
    assert [row[3] for row in back.wire if row[2] == "close"] == [b"server: closed", b"peer: reset"]
    assert octets_of(back.wire, 1, "in") == LOGIN + LONG
    assert octets_of(back.wire, 1, "out") == WELCOME
    assert {row[0] for row in back.wire} == {row[0] for row in DAY}


CONTENTS = {
    "open": [b"192.0.2.1:4000", b""],
    "close": [b"peer: closed", b"server: reset", b"capture: it ended"],
    "in": [LOGIN, LONG, b"", b"\r\n"],
    "out": [WELCOME, b"", b"\x02"],
}
CHUNKS = st.tuples(st.integers(-3, 3), st.sampled_from(["open", "close", "in", "in", "out", "out"])).flatmap(
    lambda chunk: st.tuples(*map(st.just, chunk), st.sampled_from(CONTENTS[chunk[1]]))
)


@IN_FILES
@given(rows=st.lists(CHUNKS, max_size=20))
def test_every_octet_of_any_ledger_comes_back(tmp_path: Path, rows: list[tuple[int, str, bytes]]) -> None:
    wire: list[Row] = [(START + n, *row) for n, row in enumerate(rows)]
    path, back = tmp_path / "traffic.pcapng", MemoryLedger()
    path.unlink(missing_ok=True)
    write_pcapng(ledger_of(wire).snapshot(), path)
    to_ledger(path, back, port=5000)
    for direction in ("in", "out"):
        sent = sorted(row[2] for row in rows if row[1] == direction)
        octets = b"".join(sorted(octets_of(back.wire, n, direction) for n in range(1, len(rows) + 1)))
        assert len(octets) == sum(map(len, sent))
        assert sorted(octets) == sorted(b"".join(sent))


def test_checksums_are_those_scapy_computes(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    write_pcapng(ledger_of(DAY).snapshot(), path)
    with RawPcapNgReader(str(path)) as reader:
        packets = [octets for octets, _ in reader]
    assert packets
    for octets in packets:
        anew = IP(octets)
        del anew.chksum, anew[TCP].chksum, anew.len
        assert bytes(anew) == octets


def test_sequence_numbers_follow_each_other_and_acknowledge_what_was_sent(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    write_pcapng(ledger_of(DAY[:3] + DAY[4:6]).snapshot(), path)
    following: dict[bytes, int] = {}
    with path.open("rb") as file:
        for _, _, link, octets, _ in CaptureFile(file, "it"):
            segment = segment_of(link, octets)
            assert segment is not None
            key, seq, ack, flags, payload, _ = segment
            assert len(payload) <= MSS
            assert following.get(key, seq) == seq
            following[key] = seq + len(payload) + bool(flags & 3) & 0xFFFFFFFF
            others = [seq for other, seq in following.items() if other != key]
            assert not others or others == [ack]


def test_what_the_ledger_says_of_openings_and_ends_stands_in_comments(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    write_pcapng(ledger_of(DAY).snapshot(), path)
    octets = path.read_bytes()
    assert b"('127.0.0.1', 40001)" in octets
    assert b"server: outage" in octets


@pytest.mark.parametrize("keep", ["text", "digest"])
def test_a_run_that_kept_no_octets_has_no_capture(tmp_path: Path, keep: str) -> None:
    with pytest.raises(LedgerError, match=f"keeps the {keep} only"):
        write_pcapng(ledger_of([], keep=keep).snapshot(), tmp_path / "traffic.pcapng")


@pytest.mark.parametrize("row", [(-1, 1, "in", b"x"), (START, 1, "up", b"x")])
def test_rows_no_capture_can_hold_are_refused(tmp_path: Path, row: Row) -> None:
    with pytest.raises(LedgerError, match="here: a row"):
        write_pcapng(ledger_of([row]).snapshot(), tmp_path / "traffic.pcapng")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        write_pcapng(ledger_of([]).snapshot(), tmp_path / "nowhere" / "traffic.pcapng")
