"""Outages, traffic and probes from tables: rows read, rows rejected, and files rejected."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.contract import load_contract
from simbench.sla.imports.outages import COLUMNS, Outages, read_outages
from simbench.sla.imports.probed import read_probes
from simbench.sla.imports.traffic import read_traffic
from simbench.tables.columns import Columns, MappingFile, read_mapping
from simbench.tables.rows import Remark
from tests.paris import instant

CONTRACT = load_contract()
PARIS = ZoneInfo("Europe/Paris")
HEAD = "start,end,scope,planned,announced_at\n"
KNOWN = {"outages": COLUMNS, "traffic": ("code",), "probes": ("at", "ok")}


def read(folder: Path, text: str | bytes, mapping: Columns | None = None, zone: ZoneInfo | None = None) -> Outages:
    path = folder / "outages.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_outages(path, CONTRACT, mapping or Columns(), zone)


def test_a_table_of_outages_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEAD + "2025-03-01T02:00:00+01:00,2025-03-01T08:00:00+01:00,total,false,\n"
        "2025-02-01T02:00:00Z,2025-02-01T03:00:00Z,partial,true,2025-01-20T00:00:00Z\n"
        "2025-04-01T02:00:00Z,,total,false,\n",
    )
    second, first, third = found.incidents
    assert (first.start, first.end) == (instant(2025, 3, 1, 2), instant(2025, 3, 1, 8))
    assert (first.scope, first.planned, first.announced_at, first.subject) == ("total", False, None, "platform")
    assert (second.scope, second.planned, second.announced_at) == ("partial", True, instant(2025, 1, 20, 1))
    assert third.end is None
    assert (found.rows, found.notes) == (3, ())


def test_the_word_operator_is_whoever_the_contract_s_operator_is(tmp_path: Path) -> None:
    for name in ("orange_ops_2016", "demo_telecom"):
        contract, path = load_contract(name), tmp_path / "outages.csv"
        head = "start,end,scope,planned,attributed_to\n2025-03-01T02:00Z,2025-03-01T08:00Z,total,false,"
        parties = []
        for word in ("Operator", "", "client"):
            path.write_text(f"{head}{word}\n", "utf-8")
            parties.append(read_outages(path, contract, Columns()).incidents[0].attributed_to)
        assert parties == [contract.operator, contract.operator, "client"]


def test_a_time_without_zone_is_refused_unless_the_zone_is_given(tmp_path: Path) -> None:
    text = HEAD + "2025-07-01T02:00:00,2025-07-01T08:00:00,total,false,\n"
    with pytest.raises(BadInput, match=r"line 2: .* has no time zone; expected .*--tz"):
        read(tmp_path, text)
    assert read(tmp_path, text, zone=PARIS).incidents[0].start == instant(2025, 7, 1, 2)


GOOD = "2025-03-01T02:00:00Z,2025-03-01T08:00:00Z,total,false,\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2025-05-01T08:00:00Z,2025-05-01T02:00:00Z,total,false,", "end: is before the start"),
        ("2025-05-01T08:00:00Z,2025-05-01T09:00:00Z,all,false,", 'scope: is "all"; expected total or partial'),
        ("2025-05-01T08:00:00Z,2025-05-01T09:00:00Z,total,perhaps,", 'planned: is "perhaps"'),
        ("yesterday,2025-05-01T09:00:00Z,total,false,", 'start: "yesterday" is not a time'),
        ("2025-02-30T08:00:00Z,2025-05-01T09:00:00Z,total,false,", "is not a time"),
        ("0099-02-03T08:00:00Z,2025-05-01T09:00:00Z,total,false,", "is not a plausible time"),
        (",2025-05-01T09:00:00Z,total,false,", "start: is empty"),
        ("2025-05-01T08:00:00Z,2025-05-01T09:00:00Z,total,false,,,5", "7 cells under 5 columns"),
        ("2025-03-01T02:00:00Z,2025-03-01T08:00:00Z,total,false,", "repeats line 2"),
    ],
)
def test_a_row_that_cannot_be_is_set_aside_with_its_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    found = read(tmp_path, HEAD + GOOD + row + "\n")
    assert len(found.incidents) == 1
    ((line, reported),) = [(one.line, one.reason) for one in found.notes]
    assert line == 3
    assert reason in reported
    assert "\n" not in reported


@pytest.mark.parametrize("scope", ["total,false", "partial,false"])
def test_a_row_that_lasts_no_time_counts_as_nothing_with_a_remark(tmp_path: Path, scope: str) -> None:
    found = read(tmp_path, HEAD + GOOD + f"2025-05-01T08:00:00Z,2025-05-01T08:00:00Z,{scope},\n")
    assert len(found.incidents) == 1
    assert [(one.line, one.reason, isinstance(one, Remark)) for one in found.notes] == [
        (3, "ends when it starts; it counts as nothing", True)
    ]


@pytest.mark.parametrize(
    ("scope", "subject", "refused"),
    [("total", "36010", True), ("total", "platform:north", True), ("total", "", False), ("total", "total", False),
     ("total", "platform", False), ("partial", "36010", False), ("partial", "platform:north", False)],
)  # fmt: skip
def test_a_part_of_the_platform_cannot_be_totally_down(tmp_path: Path, scope: str, subject: str, refused: bool) -> None:
    """Total means that no platform accepts traffic (AMB-14); a code or one platform of several is a part."""
    head = "start,end,scope,planned,subject\n"
    times = "2025-05-01T02:00:00Z,2025-05-01T08:00:00Z"
    found = read(tmp_path, f"{head}{GOOD}{times},{scope},false,{subject}\n")
    assert len(found.incidents) == 2 - refused
    reasons = [one.reason for one in found.notes if not isinstance(one, Remark)]
    assert reasons == [f'subject: is "{subject}", a part of the platform, and scope is total; expected scope partial '
                       "with its share, or no subject where the whole platform was down"] * refused  # fmt: skip


def test_an_overlapping_row_is_kept_and_remarked_on(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + GOOD + "2025-03-01T07:00:00Z,2025-03-01T09:00:00Z,total,false,\n")
    assert len(found.incidents) == 2
    assert [(one.line, isinstance(one, Remark)) for one in found.notes] == [(3, True)]


def test_unknown_codes_and_malformed_shares_are_set_aside(tmp_path: Path) -> None:
    head = "start,end,scope,planned,subject,share\n"
    times = "2025-03-01T02:00:00Z,2025-03-01T08:00:00Z"
    rows = [f"{times},partial,false,36010,0.1", f"{times},partial,false,99999,0.1", f"{times},partial,false,36020,2"]
    found = read(tmp_path, head + "\n".join(rows))
    assert [one.subject for one in found.incidents] == ["36010"]
    assert ["not a short code" in one.reason or "share" in one.reason for one in found.notes] == [True, True]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", "is empty"),
        ("start,end,scope\n", 'no column "planned"'),
        ("start,start,end,scope,planned\n", '2 columns are called "start"'),
        (HEAD + "x,y,z,a,b\n", "no usable row among 1: line 2"),
    ],
)
def test_a_table_of_no_use_is_refused_in_one_line(tmp_path: Path, text: str, reported: str) -> None:
    with pytest.raises(BadInput, match=reported) as refused:
        read(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_planned_work_without_a_column_of_announcements_is_refused_unless_a_map_gives_a_default(
    tmp_path: Path,
) -> None:
    head, row = (
        "start,end,scope,planned,announced\n",
        "2025-03-01T02:00Z,2025-03-01T08:00Z,total,{},2025-01-20T00:00Z\n",
    )
    with pytest.raises(BadInput, match="csv:3: is planned, and there is no column announced_at; expected announced_at"):
        read(tmp_path, head + row.format("false") + row.format("true"))
    assert len(read(tmp_path, head + row.format("false")).incidents) == 1
    (named,) = read(tmp_path, head + row.format("true"), Columns({"announced_at": "announced"})).incidents
    assert named.announced_at == instant(2025, 1, 20, 1)
    (none,) = read(tmp_path, head + row.format("true"), Columns(defaults={"announced_at": ""})).incidents
    assert none.planned
    assert none.announced_at is None


def test_a_mapping_reads_another_s_columns_words_and_times(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        """
        [outages]
        time = "%d/%m/%Y %H:%M"
        tz = "Europe/Paris"
        encoding = "latin-1"
        columns = { start = "Début", end = "Fin", scope = "Portée", ticket = "N°" }
        values = { scope = { "totale" = "total", "partielle" = "partial" } }
        defaults = { planned = "non" }
        """,
        encoding="utf-8",
    )
    mapping = read_mapping(tmp_path / "map.toml", KNOWN).outages
    text = "N°;Début;Fin;Portée\nA7;01/07/2025 02:00;01/07/2025 08:30;totale\n".encode("latin-1")
    (found,) = read(tmp_path, text, mapping, PARIS).incidents
    assert (found.ticket, found.scope, found.planned) == ("A7", "total", False)
    assert (found.start, found.end) == (instant(2025, 7, 1, 2), instant(2025, 7, 1, 8, 30))


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("[outages.columns]\nstrat = 'x'", "outages.columns.strat: no such column; expected perhaps `start`"),
        ("[outages]\ndelimiter = ';;'", "outages.delimiter"),
        ("[outage]\n", "unknown key"),
        ("[outages]\nencoding = 'klingon'", "encoding"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, reported: str) -> None:
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=reported) as refused:
        read_mapping(tmp_path / "map.toml", KNOWN)
    assert "\n" not in str(refused.value)
    assert read_mapping(None, KNOWN) == MappingFile()


def test_parquet_gives_the_same_as_csv(tmp_path: Path) -> None:
    start, end = datetime(2025, 3, 1, 2, tzinfo=PARIS), datetime(2025, 3, 1, 8, tzinfo=PARIS)
    table = pa.table({"start": [start], "end": [end], "scope": ["total"], "planned": [False], "announced_at": [None]})
    pq.write_table(table, tmp_path / "o.parquet")
    found = read_outages(tmp_path / "o.parquet", CONTRACT, Columns())
    assert [(one.start, one.end) for one in found.incidents] == [(instant(2025, 3, 1, 2), instant(2025, 3, 1, 8))]
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "o.parquet").read_bytes()[:100])
    with pytest.raises(BadInput, match="cannot be read as Parquet"):
        read_outages(tmp_path / "torn.parquet", CONTRACT, Columns())


def test_traffic_becomes_rows_of_the_centre(tmp_path: Path) -> None:
    path = tmp_path / "traffic.csv"
    path.write_text(
        "code,recipient,submitted_at,answered_at,result,segments\n"
        "36010,+33639980001,2025-03-01T10:00:00Z,2025-03-01T10:00:01Z,accepted,2\n"
        "36010,33639980002,2025-03-01T10:00:00Z,2025-03-01T10:00:00Z,refused,\n"
        "99,33639980002,2025-03-01T10:00:00Z,2025-03-01T10:00:00Z,accepted,\n"
        "36010,abc,2025-03-01T10:00:00Z,2025-03-01T10:00:00Z,accepted,\n"
        "36010,33639980002,2025-03-01T10:00:00Z,2025-03-01T10:00:00Z,accepted,many\n"
        "36010,33639980002,2025-03-01T10:00:05Z,2025-03-01T10:00:00Z,accepted,\n",
        encoding="utf-8",
    )
    found = read_traffic(path, CONTRACT, Columns())
    assert [(row[1], row[3], row[9]) for row in found.centre] == [
        ("held", "36010", 2), ("refused", "36010", 1), ("accepted", "36010", 2),
    ]  # fmt: skip
    assert [one.line for one in found.notes] == [4, 5, 6, 7]


def test_probes_are_read_in_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "probes.csv"
    path.write_text("at,ok\n2025-03-01T10:01:00Z,no\n2025-03-01T10:00:00Z,yes\n2025-03-01T10:02:00Z,maybe\n", "utf-8")
    found = read_probes(path, Columns())
    assert [ok for _, ok in found.probes] == [True, False]
    assert [one.line for one in found.notes] == [4]


CELLS = st.sampled_from(["2025-03-01T02:00:00Z", "2025-03-01T08:00:00+01:00", "total", "partial", "true", "", '"', "é"])


@settings(max_examples=150)
@given(st.binary(max_size=300) | st.lists(st.lists(CELLS, max_size=7), max_size=8))
def test_no_file_makes_the_reader_stumble(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    octets = content if isinstance(content, bytes) else (HEAD + "\n".join(map(",".join, content))).encode()
    found, expected = Outages(()), ""
    try:
        found = read(folder, octets, zone=PARIS)
    except BadInput as refused:
        expected = str(refused)
    assert "\n" not in expected
    assert len(found.incidents) + sum(not isinstance(one, Remark) for one in found.notes) == found.rows


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_no_mapping_makes_the_reader_stumble(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "map.toml"
    path.write_text("[outages]\n" + text, encoding="utf-8", errors="replace", newline="")
    output = ""
    try:
        read_mapping(path, KNOWN)
    except BadInput as refused:
        output = str(refused)
    assert "\n" not in output


TICKETS = "ticket,start,end,scope,planned,subject\n"


def test_an_open_row_that_another_row_of_its_ticket_ends_does_not_count(tmp_path: Path) -> None:
    began = "T1,2025-03-01T02:00:00Z"
    rows = f"{began},,total,false,\n{began},2025-03-01T05:00:00Z,total,false,\nT2,2025-04-01T02:00:00Z,,total,false,\n"
    found = read(tmp_path, TICKETS + rows)
    assert [(one.ticket, one.end is None) for one in found.incidents] == [("T1", False), ("T2", True)]
    assert found.notes == (Remark(2, "line 3 ends this outage"),)
    assert found.least == found.most == found.incidents


def test_an_open_row_before_a_later_total_outage_has_no_known_end(tmp_path: Path) -> None:
    rows = "T1,2025-03-01T02:00:00Z,,total,false,\nT2,2025-04-01T02:00:00Z,2025-04-01T03:00:00Z,total,false,\n"
    found = read(tmp_path, TICKETS + rows)
    assert (found.incidents[0].end, found.most[0].end) == (None, None)
    assert found.least[0].end == found.least[0].start + 1
    assert found.notes[0] == Remark(2, "the end is missing, as line 3 is a later outage")


@pytest.mark.parametrize("other", ["partial,false,36010", "total,true,", "partial,false,platform:north"])
def test_an_open_row_may_go_on_during_other_kinds_of_incidents(tmp_path: Path, other: str) -> None:
    rows = f"T1,2025-03-01T02:00:00Z,,total,false,,\nT2,2025-04-01T02:00:00Z,2025-04-01T03:00:00Z,{other},\n"
    found = read(tmp_path, TICKETS.replace("\n", ",announced_at\n") + rows)
    assert found.least == found.most == found.incidents


@pytest.mark.parametrize(
    ("contract", "words", "party"),
    [
        ("orange_ops_2016", ("Orange", "OPÉRATEUR", "operator"), "orange"),
        ("demo_telecom", ("Demo Telecom", "demo", "operator"), "demo"),
        ("orange_ops_2016", ("Cocontractant", "client"), "client"),
        ("demo_telecom", ("Customer", "Client"), "client"),
    ],
)
def test_a_party_is_known_by_its_role_key_or_name(
    tmp_path: Path, contract: str, words: tuple[str, ...], party: str
) -> None:
    rows = [f"2025-0{n}-01T02:00Z,2025-0{n}-01T08:00Z,total,false,{word}" for n, word in enumerate(words, 1)]
    path = tmp_path / "outages.csv"
    path.write_text("start,end,scope,planned,attributed_to\n" + "\n".join(rows), "utf-8")
    found = read_outages(path, load_contract(contract), Columns())
    assert {one.attributed_to for one in found.incidents} == {party}
    assert found.notes == ()


def test_a_name_that_is_no_party_is_remarked_on_once(tmp_path: Path) -> None:
    rows = [f"2025-0{n}-01T02:00Z,2025-0{n}-01T08:00Z,total,false,The Weather" for n in (1, 2)]
    found = read(tmp_path, "start,end,scope,planned,attributed_to\n" + "\n".join(rows))
    assert [one.attributed_to for one in found.incidents] == ["the weather"] * 2
    assert found.notes == (Remark(2, '"the weather" is no party of the contract: its outages do not count'),)
