"""A segment of somebody else may fill the memory from a few kilobytes, by compression or with a hole: it is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import LedgerError
from simbench.ledger import Ledger, Run, RunInfo, open_run
from simbench.ledger.columns import schema
from simbench.ledger.packing import pack
from simbench.ledger.pieces import pieces_of
from simbench.ledger.rows import TABLES
from simbench.ledger.scan import field, scan
from simbench.ledger.segments import (
    MOST_METADATA,
    SEGMENT_OCTETS,
    is_packed,
    read_segment,
    stream_head,
    stream_segment,
)
from tests.ledger.samples import BASE, wire

WIRE = TABLES["wire"]
LARGE = 30_000_000  # octets of the one value


def segment(path: Path, compression: str | None, octets: bytes = bytes(LARGE)) -> Path:
    row = {"at": BASE, "session": 1, "direction": "in", "octets": octets, "n": 0}
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema(WIRE), options=options) as stream:
        stream.write(pa.RecordBatch.from_pylist([row], schema=schema(WIRE)))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run whose wire is a bomb."""
    with Ledger.create(tmp_path / "run", RunInfo(run="bomb")) as ledger:
        ledger.wire.append(wire(BASE))
    (found,) = (tmp_path / "run").glob("wire-*.parquet")
    found.unlink()
    assert segment(found.with_suffix(".arrows"), "zstd").stat().st_size < LARGE / 1_000
    return tmp_path / "run"


READS: dict[str, Callable[[Run], object]] = {
    "as a whole": lambda run: run.wire,
    "in pieces": lambda run: list(pieces_of(run, "wire", ["at"])),
    "by a scan": lambda run: list(scan(run, "wire", field("at"))),
}


@pytest.mark.parametrize("how", READS)
def test_a_compressed_batch_is_refused_before_it_is_unpacked(how: str, run: Path) -> None:
    before = pa.total_allocated_bytes()
    with pytest.raises(LedgerError, match="holds a packed record batch; expected batches as this version writes them"):
        READS[how](open_run(run))
    assert pa.total_allocated_bytes() < before + LARGE / 10


def test_nothing_of_it_is_packed(run: Path) -> None:
    with pytest.raises(LedgerError, match="holds a packed record batch"):
        pack(run)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_every_codec_is_known_as_one(compression: str, tmp_path: Path) -> None:
    for read in (read_segment, lambda path, table: list(stream_segment(path, table))):
        with pytest.raises(LedgerError, match="holds a packed record batch"):
            read(segment(tmp_path / "wire-0001.arrows", compression), WIRE)


def test_a_plain_segment_is_read_whole_and_to_its_cut(tmp_path: Path) -> None:
    path = segment(tmp_path / "wire-0001.arrows", None, b"x")
    whole = read_segment(path, WIRE)
    assert whole.rows == 1
    octets = path.read_bytes()
    for size in range(len(octets)):
        path.write_bytes(octets[:size])
        found = read_segment(path, WIRE)
        assert (found.rows, found.whole + found.torn) == (int(size >= whole.whole), size)


@given(st.binary(max_size=100))
def test_metadata_of_any_octets_is_looked_at_or_refused(octets: bytes) -> None:
    try:
        assert is_packed(octets) in {True, False}
    except pa.ArrowInvalid as refused:
        assert str(refused)  # noqa: PT017


def hollow(path: Path, claimed: int) -> Path:
    """A segment whose batch claims so many octets, which are a hole in the file."""
    octets = segment(path, None, b"value").read_bytes()
    begin = len(stream_head(WIRE))
    length = int.from_bytes(octets[begin + 4 : begin + 8], "little")
    with path.open("rb") as file:
        file.seek(begin)
        body = pa.ipc.read_message(file).body.size
    header = octets[begin : begin + 8 + length]
    assert header.count(body.to_bytes(8, "little")) == 1
    header = header.replace(body.to_bytes(8, "little"), claimed.to_bytes(8, "little"))
    path.write_bytes(octets[:begin] + header + octets[begin + 8 + length :])
    os.truncate(path, begin + len(header) + claimed)
    return path


@pytest.mark.parametrize("read", [read_segment, lambda path, table: list(stream_segment(path, table))])
def test_a_batch_of_more_octets_than_a_segment_has_is_not_read(tmp_path: Path, read: Callable[..., object]) -> None:
    found = hollow(tmp_path / "wire-0001.arrows", SEGMENT_OCTETS + 8)
    before = pa.total_allocated_bytes()
    with pytest.raises(LedgerError, match="holds a message of 1,200,000,008 octets; expected at most 1,200,000,000"):
        read(found, WIRE)
    assert pa.total_allocated_bytes() < before + LARGE / 10


@pytest.mark.parametrize("at", ["head", "batch"])
def test_a_header_of_a_megabyte_is_none(tmp_path: Path, at: str) -> None:
    path = segment(tmp_path / "wire-0001.arrows", None, b"value")
    octets, begin = path.read_bytes(), 0 if at == "head" else len(stream_head(WIRE))
    claimed = (MOST_METADATA + 8).to_bytes(4, "little")
    path.write_bytes(octets[: begin + 4] + claimed + octets[begin + 8 :])
    os.truncate(path, 8 * MOST_METADATA)
    if at == "head":
        with pytest.raises(LedgerError, match="is not an Arrow stream"):
            read_segment(path, WIRE)
    else:
        assert read_segment(path, WIRE).whole == begin
