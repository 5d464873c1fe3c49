"""Call records: valid rows are read, others are set aside with line and reason."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput, NothingRead
from simbench.dialup.calls import COLUMNS, REASONS, UNKNOWN_CAUSE
from simbench.dialup.carrying import with_ports
from simbench.dialup.records import Records, read_records
from simbench.dialup.rules import Case, judge
from simbench.finding import exit_status
from tests.dialup.scene import MONTH, OFFER, small_run, written
from tests.paris import instant

HEADER = "start,end,duration_s,nas,port,user,session,cause"
GOOD = "2000-09-05T20:00:00,2000-09-05T20:10:00,600,lyon,1,u1@isp.example,A1,User-Request"
BAD = [
    ("2000-09-05T20:00:00,2000-09-05T19:00:00,,lyon,2,u,B1,1", "ends-before-start"),
    ("2000-09-05T20:00:00,,-5,lyon,2,u,B2,1", "negative"),
    ("2000-09-05T20:00:00,,90000,lyon,2,u,B3,1", "huge"),
    ("2000-09-05T20:00:00,,99999999999999999999999,lyon,2,u,B4,1", "unreadable"),
    ("2000-09-05T20:00:00,,,lyon,2,u,B5,1", "missing-stop"),
    (",2000-09-05T20:00:00,60,lyon,2,u,B6,1", "no-start"),
    ("2000-08-05T20:00:00,,60,lyon,2,u,B7,1", "outside-month"),
    ("2000-10-01T00:00:00,,60,lyon,2,u,B8,1", "outside-month"),
    ("2000-09-05T20:05:00,,60,lyon,1,u,B9,1", "overlap"),
    ("2000-09-06T20:05:00,,60,lyon,1,u,A1,1", "duplicate"),
    ("2000-09-31T20:05:00,,60,lyon,1,u,B10,1", "unreadable"),
    ("2000-09-06T20:05:00,2000-09-06T20:06:00,75,lyon,1,u,B11,1", "contradiction"),
    ("2000-09-06T20:05:00,,60,lyon", "columns"),
    ('2000-09-06T20:05:00,,60,"ly"on,1,u,B12,1', "unreadable"),
    ("2000-09-06T20:05:00,,60,lyon,many,u,B13,1", "unreadable"),
    ("2000-09-06T20:05:00,,60,lyon,1,\udce9l\udce8ve,B15,1", "encoding"),
]


def read(tmp_path: Path, *lines: str, months: str = MONTH) -> Records:
    path = tmp_path / "calls.csv"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    return read_records(path, OFFER, months)


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[f"{reason}-{place}" for place, (_, reason) in enumerate(BAD)])
def test_a_bad_row_is_set_aside_with_its_line_and_reason(line: str, reason: str, tmp_path: Path) -> None:
    records = read(tmp_path, HEADER, GOOD, line)
    assert [(row.line, row.reason) for row in records.aside.rows] == [(3, reason)]
    assert reason in REASONS
    assert records.calls.line.tolist() == [2]
    assert records.calls.duration_us.tolist() == [600_000_000]


def test_all_bad_rows_together_leave_the_good_one_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    records = read(tmp_path, HEADER, GOOD, *(line for line, _ in BAD))
    assert len(records.calls) == 1
    assert records.rows == len(records.calls) + records.aside.total == 1 + len(BAD)


def test_what_a_bad_row_claims_is_summed(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER, GOOD, BAD[9][0]).aside.claimed_us == 60_000_000


def test_a_row_reads_as_it_is_written(tmp_path: Path) -> None:
    row = read(tmp_path, HEADER, GOOD).calls.row(0)
    assert (row.start_us, row.nas, row.port, row.user) == (instant(2000, 9, 5, 20), "lyon", 1, "u1@isp.example")
    assert (row.session, row.cause, row.line) == ("A1", 1, 2)


def test_a_call_across_the_month_is_kept_and_the_month_may_be_reported_from_the_calls(tmp_path: Path) -> None:
    lines = ("start;duration_s", "2000-08-31 23:50;1200", "2000-09-30T23:50;1200,5", "2000-09-02T00:00:00+02:00;0")
    records = read(tmp_path, *lines, months="")
    assert records.grid.months == ("2000-09",)
    assert records.calls.duration_us.tolist() == [1_200_000_000, 0, 1_200_500_000]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (("",), "is empty; expected a line of column names"),
        (("port",), "no column `start`"),
        (("start,port",), "no column for the end of a call"),
        (("start,start,end",), '2 columns are called "start"'),
        (("start,duration_s", "x,1"), "has no valid call"),
    ],
)
def test_a_file_without_calls_to_read_is_refused(lines: tuple[str, ...], problem: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=problem):
        read(tmp_path, *lines, months="")


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nstart;end;nas;port;user;session\r\n2000-09-05 20:00:00;2000-09-05 20:10:00;lyon;1,0;u;A1;;\r\n",
        "Start,End,NAS,Port,User,Session,Note,Note\n968176800,968177400,lyon,1.0,u,A1,x,y\n",
        'start,duration_s,nas,port,user,session\n2000-09-05T18:00:00Z,"600,0",lyon,1,u,A1\n',
        "start\tduration_us\tnas\tport\tuser\tsession\n2000-09-05 20:00 CEST\t600000000\tlyon\t1\tu\tA1\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_one_call_is_read_alike_however_its_table_is_written(text: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(text.encode(encoding))
    records = read_records(path, OFFER, MONTH)
    assert records.aside.rows == []
    row = records.calls.row(0)
    assert (row.start_us, row.duration_us, row.nas, row.port) == (instant(2000, 9, 5, 20), 600_000_000, "lyon", 1)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_written_records_read_back_as_they_were_and_none_is_set_aside(suffix: str, tmp_path: Path) -> None:
    calls = with_ports(small_run().last)
    records = read_records(written(tmp_path / f"calls.{suffix}"), OFFER, MONTH)
    assert records.aside.total == 0
    assert len(calls) > 2000
    assert (calls.port >= 0).all()
    for name in COLUMNS:
        if name not in {"line", "user", "nas"}:
            assert np.array_equal(getattr(records.calls, name), getattr(calls, name)), name
    assert [records.calls.nas_of(n) for n in range(99)] == [calls.nas_of(n) for n in range(99)]


def test_bad_rows_of_a_table_are_set_aside_as_those_of_a_text(tmp_path: Path) -> None:
    start = instant(2000, 9, 5, 20)
    rows: list[tuple[int | None, int | None, int | None, bytes, int, str]] = [
        (start, 60, 1, b"A", 1, ""),
        (None, 60, 2, b"B", 1, "no-start"),
        (start, None, 2, b"C", 1, "missing-stop"),
        (start, -1, 2, b"D", 1, "negative"),
        (start, 1 << 62, 2, b"E", 1, "huge"),
        (start, 90_000, 2, b"F", 1, "huge"),
        (start + 1, 60, 1, b"G", 1, "overlap"),
        (start, 60, 1 << 33, b"H", 1, "unreadable"),
        (start, 60, 3, b"A", 1, "duplicate"),
        (start, 60, 3, b"\xe9", 1, "encoding"),
        (start, 60, 3, b"I", 99, ""),
    ]
    start_us, duration_s, port, session, cause, _ = zip(*rows, strict=True)
    table = {"start_us": start_us, "duration_s": duration_s, "port": port, "session": session, "cause": cause}
    pq.write_table(pa.table(table), tmp_path / "calls.parquet")
    records = read_records(tmp_path / "calls.parquet", OFFER, MONTH)
    assert {row.line: row.reason for row in records.aside.rows} == {
        place: row[-1] for place, row in enumerate(rows, 1) if row[-1]
    }
    assert [(row.line, row.cause) for row in records.calls.rows()] == [(1, 1), (11, UNKNOWN_CAUSE)]


@pytest.mark.parametrize(
    ("column", "causes"),
    [
        (pa.array(["User-Request", "port-preempted", "Boredom", None, ""]), [1, 13, UNKNOWN_CAUSE, 0, 0]),
        (pa.array([b"10", b"\xe9", b"0", b"23", b"24"]), [10, UNKNOWN_CAUSE, UNKNOWN_CAUSE, 23, UNKNOWN_CAUSE]),
        (pa.array([1, None, 255, -3, 23], pa.int64()), [1, 0, UNKNOWN_CAUSE, UNKNOWN_CAUSE, 23]),
        (pa.array([0, 1, 2, 3, 18], pa.uint8()), [0, 1, 2, 3, 18]),
        (pa.array([1.5] * 5), [UNKNOWN_CAUSE] * 5),
    ],
)
def test_causes_of_a_table_are_names_or_numbers_and_cost_no_row(
    column: pa.Array, causes: list[int], tmp_path: Path
) -> None:
    start = [instant(2000, 9, 5, hour) for hour in range(5)]
    pq.write_table(pa.table({"start_us": start, "duration_s": [60] * 5, "cause": column}), tmp_path / "calls.parquet")
    assert read_records(tmp_path / "calls.parquet", OFFER, MONTH).calls.cause.tolist() == causes


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("", 0), ("User-Request", 1), ("1", 1), ("NAS-ERROR", 9), ("Port-Preempted", 13), ("Preempted", 13),
        ("Supplicant-Restart", 19), ("23", 23), ("24", UNKNOWN_CAUSE), ("0", UNKNOWN_CAUSE), ("Boredom", UNKNOWN_CAUSE),
        ("-1", UNKNOWN_CAUSE), ("100001", UNKNOWN_CAUSE),
    ],
)  # fmt: skip
def test_a_cause_nobody_knows_costs_no_call(written: str, cause: int, tmp_path: Path) -> None:
    records = read(tmp_path, HEADER, f"2000-09-05T20:00:00,,600,lyon,1,u,A1,{written}")
    assert (records.calls.cause.tolist(), records.aside.total) == ([cause], 0)


@pytest.mark.parametrize(
    ("start", "end", "seconds", "found"),
    [
        ("2000-10-29T02:50:00", "2000-10-29T02:10:00", "", 1_200),  # from the first into the second: one reading
        ("2000-10-29T01:50:00", "2000-10-29T02:10:00", "1200", 1_200),
        ("2000-10-29T01:50:00", "2000-10-29T02:10:00", "4800", 4_800),
        ("2000-10-29T01:50:00+02:00", "2000-10-29T02:10:00+01:00", "", 4_800),
        ("2000-10-29T02:30:00", "2000-10-29T03:30:00", "", None),
        ("2000-10-29T02:10:00", "2000-10-29T02:30:00", "", None),
        ("2000-10-29T02:30:00", "", "600", 600),
        ("2000-10-29T01:30:00", "2000-10-29T03:30:00", "", 10_800),
        ("2000-03-26T01:30:00", "2000-03-26T03:30:00", "", 3_600),
    ],
)
def test_an_hour_that_exists_twice_has_the_reading_that_fits(
    start: str, end: str, seconds: str, found: int | None, tmp_path: Path
) -> None:
    records = read(tmp_path, HEADER, f"{start},{end},{seconds},lyon,1,u,A1,1", months="2000")
    if found is None:
        assert [row.reason for row in records.aside.rows] == ["ambiguous"]
        assert " or " in records.aside.rows[0].text
    else:
        assert records.calls.duration_us.tolist() == [found * 1_000_000]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("15/09/2000 10:00:00", "15/09/2000 10:10:00", 600),
        ("15/09/2000 10:00", "15/09/2000 10:10", 600),
        ("05/09/2000 10:00:00", "05/09/2000 10:10:00", 600),  # the fifth of September
        ("15/09/2000 10:00:00", "2000-09-15T10:10:00", 600),
        ("09/15/2000 10:00:00", "09/15/2000 10:10:00", None),
        ("31/09/2000 10:00:00", "31/09/2000 10:10:00", None),
    ],
)
def test_times_may_be_written_as_the_french_write_them(start: str, end: str, found: int | None, tmp_path: Path) -> None:
    records = read(tmp_path, "start;end;nas;port;user;session", f"{start};{end};n1;3;carol;S3")
    assert records.calls.duration_us.tolist() == ([] if found is None else [found * 1_000_000])
    assert records.aside.counts["unreadable"] == (found is None)


@pytest.mark.parametrize(
    ("second", "overlaps"), [("20:10:00", 0), ("20:09:59.500", 0), ("20:09:59.000001", 0), ("20:09:59", 1)]
)
def test_calls_in_a_row_may_overlap_by_what_a_duration_in_whole_seconds_rounds(
    second: str, overlaps: int, tmp_path: Path
) -> None:
    records = read(tmp_path, HEADER, GOOD, f"2000-09-05T{second},,60,lyon,1,u,A2,1")
    assert records.aside.counts["overlap"] == overlaps
    (ports,) = (one for one in judge(Case(OFFER, "F1", records, ports={"": 1})) if one.purpose == "ports.ports")
    assert ports.outcome == "pass"


def test_rows_set_aside_give_their_times_in_words(tmp_path: Path) -> None:
    texts = [row.text for row in read(tmp_path, HEADER, *(line for line, _ in BAD)).aside.rows]
    assert any("start 2000-09-05 20:00:00+02:00" in text for text in texts)
    assert not any(" us" in text for text in texts)


def test_a_source_with_no_row_passes_nothing(tmp_path: Path) -> None:
    findings = judge(Case(OFFER, "F1", read(tmp_path, HEADER)))
    assert {one.outcome for one in findings if one.clause.startswith("NRV-CDR")} == {"inconclusive"}
    assert exit_status(findings) == 3
    with pytest.raises(NothingRead, match="nothing was read"):
        read(tmp_path, HEADER, months="")


def test_a_torn_table_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "calls.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadInput, match="not a valid Parquet file"):
        read_records(path, OFFER, MONTH)


@given(octets=st.binary(max_size=300))
def test_no_octets_break_the_reader_and_no_line_is_lost(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n".encode() + octets)
    records = read_records(path, OFFER, MONTH)
    lines = re.split(rb"\r\n|\r|\n", octets)
    assert records.rows == len(records.calls) + records.aside.total <= 1 + len(lines)
    if b'"' not in octets:  # between quotes a row may go on over several lines
        assert records.rows > sum(any(chr(octet).isalnum() for octet in line if octet < 128) for line in lines)
