"""Detail files, written here as FreeRADIUS writes them."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.dialup.calls import REASONS, SetAside
from simbench.dialup.radius.detail import LONGEST_LINE, read_detail, records, unquoted
from simbench.dialup.radius.record import Heard, Record, record_of
from tests.dialup.radius.scenes import detail_text, quoted
from tests.dialup.radius.test_packets import MODEM, RECORDS

REAL = """Sun Nov 22 05:43:35 2026
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "0000A1B2"
\tUser-Name = "dupont@isp.example"
\tNAS-IP-Address = 192.0.2.10
\tNAS-Port-Type = Async
\tCalled-Station-Id = "0860123456"
\tAcct-Session-Time = 1337
\tAcct-Output-Octets = 3145728
\tAcct-Delay-Time = 5
\tAcct-Terminate-Cause = User-Request
\tTimestamp = 1795326215

"""
LINES = REAL.count("\n")


def parsed(text: str | bytes) -> list[Heard | SetAside]:
    octets = text.encode() if isinstance(text, str) else text
    return list(records(io.BytesIO(octets), "detail"))


def only(text: str | bytes) -> Heard | SetAside:
    (found,) = parsed(text)
    return found


def aside(text: str | bytes) -> SetAside:
    found = only(text)
    assert isinstance(found, SetAside)
    return found


def test_a_record_is_read_with_its_types() -> None:
    heard = only(REAL)
    assert isinstance(heard, Heard)
    assert heard.record == Record(
        "Stop", "192.0.2.10", "0000A1B2", "dupont@isp.example", called="0860123456", seconds=1337,
        output_octets=3_145_728, cause=1, delay_s=5, more=(("NAS-Port-Type", "Async"),),
    )  # fmt: skip
    assert (heard.line, heard.source) == (1, "detail")


def test_the_header_is_not_believed_but_timestamp_less_delay() -> None:
    heard = only(REAL.replace("Sun Nov 22 05:43:35 2026", "Thu Jan  1 00:00:00 1970"))
    assert isinstance(heard, Heard)
    assert heard.at_us == (1_795_326_215 - 5) * SECOND_US


@given(st.lists(st.tuples(RECORDS, st.integers(0, 2**32 - 1)), max_size=4))
def test_what_freeradius_writes_is_read_as_it_was(written: list[tuple[Record, int]]) -> None:
    heards = [
        Heard(msgspec.structs.replace(record, more=(("X-Unknown", f'é {n} \\ "q"\n'),)), second * SECOND_US, 0)
        for n, (record, second) in enumerate(written)
    ]
    found = parsed("".join(detail_text(heard) for heard in heards))
    assert all(isinstance(each, Heard) for each in found)
    for each, heard in zip(found, heards, strict=True):
        assert isinstance(each, Heard)
        assert each.received_us == heard.received_us
        assert each.record == msgspec.structs.replace(heard.record, more=(*MODEM, *heard.record.more))


@given(st.binary(max_size=300))
def test_any_octets_come_to_records_and_reasons(octets: bytes) -> None:
    for found in (parsed(octets), parsed(REAL.encode() + octets + REAL.encode())):
        for each in found:
            assert each.line >= 1
            assert isinstance(each, Heard) or each.reason in REASONS


@given(st.integers(0, len(REAL) - 1), st.binary(min_size=1, max_size=8))
def test_damage_never_touches_the_next_record(at: int, noise: bytes) -> None:
    whole = REAL.encode()
    found = parsed(b"\n" + whole[:at] + noise + whole[at:] + b"\n\n" + whole)
    last = found[-1]
    assert isinstance(last, Heard)
    assert last.record.seconds == 1337


@given(st.integers(1, len(REAL) - 2))
def test_a_file_that_ends_within_a_record_loses_that_one_only(at: int) -> None:
    first, *rest = parsed(REAL + REAL[:at])
    assert isinstance(first, Heard)
    assert [(each.line, each.reason) for each in rest if isinstance(each, SetAside)] == [(LINES + 1, "truncated")]


def test_a_record_whose_last_line_is_its_time_needs_no_empty_line() -> None:
    for text in (REAL[:-1], REAL[:-1] + REAL):
        assert [each.record.seconds for each in parsed(text) if isinstance(each, Heard)] == [1337] * text.count("Sun")
    last_digit_may_be_missing = only(REAL[:-2])
    assert isinstance(last_digit_may_be_missing, SetAside)


def test_a_record_without_its_empty_line_does_not_swallow_the_next() -> None:
    torn, whole = parsed(REAL[:120] + "\n" + REAL)
    assert isinstance(torn, SetAside)
    assert (torn.line, torn.reason) == (1, "truncated")
    assert isinstance(whole, Heard)


def test_a_record_without_its_beginning_is_set_aside() -> None:
    found = aside(REAL.partition("\n")[2])
    assert (found.line, found.reason) == (1, "truncated")
    assert found.duration_us == 1337 * SECOND_US


@pytest.mark.parametrize(
    ("was", "now", "reason", "reported"),
    [
        ("= 1337", "= -1337", "negative", "Acct-Session-Time = -1337"),
        ("= 1337", "= 4294967296", "unreadable", "Acct-Session-Time"),
        ("= 1337", "= soon", "unreadable", "Acct-Session-Time = soon"),
        ("= Stop", "= Halt", "unreadable", "Acct-Status-Type = Halt"),
        ("Acct-Status-Type = Stop", "Class = 0x00", "unreadable", "no Acct-Status-Type"),
        ("\tNAS-IP-Address = 192.0.2.10\n", "", "unreadable", "no access server"),
        ('\tAcct-Session-Id = "0000A1B2"\n', "", "unreadable", "Stop without Acct-Session-Id"),
        ("\tTimestamp = 1795326215\n", "", "unreadable", "Timestamp missing"),
        ("Timestamp = 1795326215", "Timestamp = today", "unreadable", "Timestamp today"),
        ('"dupont@isp.example"', '"dupont', "unreadable", f"line {LINES + 4}"),
        ('"dupont@isp.example"', '"du"pont"', "unreadable", f"line {LINES + 4}"),
        ("= Async", "", "unreadable", f"line {LINES + 6}"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_set_aside_with_its_line_and_reason(
    was: str, now: str, reason: str, reported: str
) -> None:
    assert was in REAL
    first, found = parsed(REAL.encode() + REAL.replace(was, now).encode("latin-1"))
    assert isinstance(first, Heard)
    assert isinstance(found, SetAside)
    assert (found.line, found.reason) == (LINES + 1, reason)
    assert reported in found.text


def test_lines_that_do_not_end_are_not_gathered() -> None:
    endless = f'\tUser-Name = "{"x" * (3 * LONGEST_LINE)}"\n'
    found = list(records(_pieces(REAL.replace("\tNAS-Port-Type = Async\n", endless) + REAL)))
    assert isinstance(found[0], SetAside)
    assert (found[0].reason, found[0].line) == ("unreadable", 1)
    assert isinstance(found[1], Heard)
    assert found[1].line == LINES + 1


def _pieces(text: str) -> list[bytes]:
    file = io.BytesIO(text.encode())
    return list(iter(lambda: file.readline(LONGEST_LINE), b""))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"a\\"b"', 'a"b'), ('"a\\\\"', "a\\"), ('"\\303\\251"', "é"), ('"\\351"', "\\xe9"), ('"a\\nb"', "a\nb"),
        ("Async", "Async"), ("192.0.2.1", "192.0.2.1"), ('""', ""), ('"', None), ('"a\\"', None), ("a\"b", None),
    ],
)  # fmt: skip
def test_values_stand_in_quotes_with_escapes_or_bare(written: str, value: str | None) -> None:
    assert unquoted(written) == value


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_any_text_survives_its_quotes(text: str) -> None:
    assert unquoted(quoted(text)) == text


@pytest.mark.parametrize(
    ("written", "second"),
    [
        ("Jun  5 2000 14:00:00 UTC", 960_213_600), ("Jun  5 2000 16:00:00 CEST", 960_213_600),
        ("960213600", 960_213_600),
        ("Jun  5 2000 16:00:00", None), ("Jun  5 2000 16:00:00 IST", None), ("Jun 31 2000 16:00:00 UTC", None),
    ],
)  # fmt: skip
def test_an_event_is_dated_only_where_its_zone_is_certain(written: str, second: int | None) -> None:
    named = {"Acct-Status-Type": "Accounting-On", "NAS-Identifier": "pop", "Event-Timestamp": written}
    assert record_of(named.items()).event_us == (-1 if second is None else second * SECOND_US)


def test_old_names_and_numbers_mean_the_same() -> None:
    for name in ("Interim-Update", "Alive", "3"):
        named = {"Acct-Status-Type": name, "NAS-Identifier": "pop", "Acct-Session-Id": "1"}
        assert record_of(named.items()).status == "Interim-Update"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        list(read_detail(tmp_path / "detail"))
