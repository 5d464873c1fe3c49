"""Captures we write, opened by Wireshark's own programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from simbench.capture.pcap import write_pcapng
from simbench.ledger import MemoryLedger
from simbench.ledger.rows import Row
from tests.capture.scenes import LOGIN, RESULTS, START, SUBMITS, WELCOME
from tests.real.conftest import require

pytestmark = pytest.mark.real

STRICT = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
RUN: list[Row] = [
    (START, 1, "open", b"('127.0.0.1', 40000)"),
    (START + 1_000, 1, "in", LOGIN),
    (START + 2_000, 1, "out", WELCOME),
    (START + 3_000, 2, "open", b"('127.0.0.1', 40001)"),
    (START + 4_000, 1, "in", b"".join(SUBMITS)),
    (START + 5_000, 1, "out", b"".join(RESULTS)),
    (START + 6_000, 1, "close", b"peer: closed"),
    (START + 7_000, 2, "close", b"server: reset"),
    (START + 8_000, 1, "open", b"('127.0.0.1', 40002)"),
    (START + 9_000, 1, "in", b"".join(SUBMITS) * 100),
    (START + 10_000, 1, "close", b"server: outage"),
]


def tshark(path: Path, *arguments: str) -> tuple[list[str], str]:
    command = [require("tshark", package="tshark"), "-n", "-r", str(path), *STRICT, "-d", "tcp.port==5000,ucp"]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=300, check=True)
    complaints = [line for line in ended.stderr.splitlines() if "Running as user" not in line and line]
    return ended.stdout.splitlines(), "\n".join(complaints)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    ledger, path = MemoryLedger(), tmp_path / "traffic.pcapng"
    ledger.wire.extend(RUN)
    write_pcapng(ledger.snapshot(), path)
    return path


def test_wireshark_opens_a_capture_of_ours_without_complaint(capture: Path) -> None:
    bad = "tcp.analysis.flags || !(tcp.checksum.status == 1) || !(ip.checksum.status == 1) || _ws.malformed"
    assert tshark(capture, "-Y", bad) == ([], "")


def test_wireshark_finds_every_frame_at_its_instant(capture: Path) -> None:
    lines, _ = tshark(capture, "-Y", "ucp", "-T", "fields", "-e", "frame.time_epoch", "-e", "ucp.hdr.OT")
    found = [(line.split("\t")[0], operation) for line in lines for operation in line.split("\t")[1].split(",")]
    assert len(found) == 2 + 2 * len(SUBMITS) + 100 * len(SUBMITS)
    assert {at for at, _ in found} == {f"{(START + ms * 1000) // 1_000_000}.{ms:03}000000" for ms in (1, 2, 4, 5, 9)}


def test_wireshark_sees_whole_conversations(capture: Path) -> None:
    lines, _ = tshark(capture, "-2", "-T", "fields", "-e", "tcp.stream", "-e", "tcp.completeness")
    complete = dict(line.split("\t") for line in lines)
    # Handshake (7), data (8), FIN (16), RST (32): what Wireshark calls complete, with and without data.
    assert complete == {"0": "31", "1": "39", "2": "31"}


def test_wireshark_shows_what_the_ledger_says_of_openings_and_ends(capture: Path) -> None:
    lines, _ = tshark(capture, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment")
    assert lines == [row[3].decode() for row in RUN if row[2] in {"open", "close"}]  # type: ignore[attr-defined]  # octets
