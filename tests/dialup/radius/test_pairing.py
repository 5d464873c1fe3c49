"""Which records bill a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.units import SECOND_US
from simbench.dialup.calls import SetAside
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.radius.pairing import Paired, pair
from simbench.dialup.radius.record import Heard, Record
from tests.dialup.radius.scenes import SENT, answered, kept, planned, some_calls
from tests.dialup.radius.scenes import START as START_US

NAS = "192.0.2.10"
LONGEST_S = load_netrevenu().terms.records.longest_s


def heard(*records: tuple[str, int, int] | tuple[str, int, int, str]) -> list[Heard]:
    """Records: status, second at which they happen, Acct-Session-Time (-1: none), session ("A")."""
    return [
        Heard(
            Record(status, NAS, "" if status.startswith("Acc") else (*rest, "A")[0], seconds=seconds),
            SENT + at * SECOND_US, line,
        )
        for line, (status, at, seconds, *rest) in enumerate(records, start=1)
    ]  # fmt: skip


def billed(found: Iterable[Heard | SetAside]) -> list[tuple[int, str]]:
    return [(call.seconds, call.basis) for call in pair(found).calls]


def aside(paired: Paired) -> list[tuple[int, str]]:
    return [(each.line, each.reason) for each in paired.aside]


START, STOP = ("Start", 0, -1), ("Stop", 100, 100)
INTERIM = ("Interim-Update", 60, 60)
BOOT = ("Accounting-On", 150, -1)


@pytest.mark.parametrize(
    ("records", "calls", "set_aside"),
    [
        ((START, STOP), [(100, "stop")], []),
        ((START, INTERIM, STOP), [(100, "stop")], []),
        ((STOP,), [(100, "stop-alone")], []),
        ((STOP, ("Start", 200, -1)), [(100, "stop")], []),
        ((START,), [], [(1, "open")]),
        ((START, ("Accounting-On", LONGEST_S + 1, -1)), [], [(1, "missing-stop")]),
        ((START, ("Start", LONGEST_S, -1, "B")), [], [(1, "open"), (2, "open")]),
        ((START, ("Start", LONGEST_S + 1, -1, "B")), [], [(1, "missing-stop"), (2, "open")]),
        ((START, STOP, ("Stop", 1_900, 100)), [(100, "stop")], [(3, "retransmission")]),
        ((START, STOP, BOOT, ("Start", 200, -1), ("Stop", 300, 100)), [(100, "stop"), (100, "stop")], []),
        ((START, STOP, BOOT, ("Stop", 300, 100)), [(100, "stop"), (100, "stop-alone")], []),
        ((STOP, BOOT, ("Start", 200, -1)), [(100, "stop-alone")], [(3, "open")]),
        ((INTERIM, BOOT, ("Stop", 300, 100)), [(60, "interim"), (100, "stop-alone")], []),
        ((INTERIM, BOOT, ("Interim-Update", 300, 40)), [(60, "interim"), (40, "interim")], []),
        ((START, BOOT, ("Stop", 150, 150)), [(150, "stop")], []),
        ((START, INTERIM), [(60, "interim")], []),
        ((INTERIM, ("Interim-Update", 90, 90)), [(90, "interim")], []),
        ((START, ("Stop", 130, -1)), [(130, "instants")], []),
        ((("Stop", 130, -1),), [], [(1, "missing-stop")]),
        ((START, STOP, STOP), [(100, "stop")], [(3, "retransmission")]),
        ((START, START, STOP), [(100, "stop")], [(2, "retransmission")]),
        ((START, ("Start", 5, -1), STOP), [(100, "stop")], [(2, "retransmission")]),
        ((START, ("Start", 5, -1), ("Start", 9, -1), INTERIM), [(60, "interim")],
         [(2, "retransmission"), (3, "retransmission")]),
        ((START, ("Start", 5, -1)), [], [(1, "open"), (2, "retransmission")]),
        ((START, ("Start", 50, -1), ("Start", 55, -1), ("Stop", 90, 40)), [(40, "stop")],
         [(1, "missing-stop"), (3, "retransmission")]),
        ((START, INTERIM, INTERIM), [(60, "interim")], [(3, "retransmission")]),
        ((START, STOP, ("Stop", 101, 90)), [(100, "stop")], [(3, "contradiction")]),
        ((START, STOP, ("Stop", 400, 200)), [(100, "stop"), (200, "stop-alone")], []),
        ((START, STOP, ("Start", 300, -1), ("Stop", 350, 50)), [(100, "stop"), (50, "stop")], []),
        ((START, ("Start", 50, -1), ("Stop", 90, 40)), [(40, "stop")], [(1, "missing-stop")]),
        ((START, INTERIM, ("Accounting-On", 80, -1)), [(60, "interim")], []),
        ((START, ("Accounting-On", 80, -1)), [], [(1, "missing-stop")]),
        ((START, ("Accounting-Off", 80, -1), ("Stop", 80, 80)), [(80, "stop")], []),
        ((START, INTERIM, ("Accounting-On", 80, -1), ("Stop", 200, 50)), [(60, "interim"), (50, "stop-alone")], []),
        ((START, ("Accounting-On", 80, -1), ("Start", 90, -1), ("Stop", 99, 9)), [(9, "stop")], [(1, "missing-stop")]),
        ((START, STOP, ("Interim-Update", 300, 60)), [(100, "stop"), (60, "interim")], []),
        ((START, ("Interim-Update", 60, -1), STOP), [(100, "stop")], [(2, "unreadable")]),
        ((START, ("Stop", 100, LONGEST_S + 1)), [], [(2, "huge")]),
    ],
)  # fmt: skip
def test_what_bills_and_what_does_not(
    records: tuple[tuple[str, int, int], ...], calls: list[tuple[int, str]], set_aside: list[tuple[int, str]]
) -> None:
    paired = pair(heard(*records))
    assert [(call.seconds, call.basis) for call in paired.calls] == calls
    assert aside(paired) == set_aside


def test_a_stop_before_its_start_has_no_length_of_its_own() -> None:
    start, stop = heard(("Start", 100, -1), ("Stop", 90, -1))
    paired = pair([start, stop])
    assert paired.calls == []
    assert [each.reason for each in paired.aside] == ["ends-before-start"]


def test_a_retransmission_is_known_by_its_delay() -> None:
    stop = Record("Stop", NAS, "A", seconds=100)
    again = Record("Stop", NAS, "A", seconds=100, delay_s=30)
    paired = pair([Heard(stop, SENT, 1), Heard(again, SENT + 30 * SECOND_US, 2)])
    assert len(paired.calls) == 1
    assert paired.duplicates == 1
    assert aside(paired) == [(2, "retransmission")]  # RFC 2866 section 4.1 wants it sent again


@pytest.mark.parametrize("other", [{"user": "v"}, {"output_octets": 8}, {"cause": 2}], ids=str)
def test_a_stop_of_the_same_call_with_other_contents_is_a_duplicate(other: dict[str, Any]) -> None:
    stop = Record("Stop", NAS, "A", user="u", seconds=100, output_octets=7, cause=1)
    changed = msgspec.structs.replace(stop, **other)
    for second, reason in ((stop, "retransmission"), (changed, "duplicate")):
        paired = pair([Heard(stop, SENT, 1), Heard(second, SENT + SECOND_US, 2)])
        assert len(paired.calls) == 1
        assert aside(paired) == [(2, reason)]


def test_access_servers_of_one_address_are_reported_by_their_names() -> None:
    paris, lyon = (Record("Start", NAS, "A", identifier=name) for name in ("paris", "lyon"))
    records = [
        (paris, 0), (lyon, 0), (Record("Accounting-On", NAS, identifier="lyon"), 50),
        (Record("Stop", NAS, "A", seconds=100, identifier="paris"), 100),
    ]  # fmt: skip
    paired = pair([Heard(record, SENT + at * SECOND_US, line) for line, (record, at) in enumerate(records, 1)])
    assert [(call.nas, call.seconds) for call in paired.calls] == [(f"{NAS} paris", 100)]
    assert aside(paired) == [(2, "missing-stop")]
    alone = pair(
        [Heard(record, SENT + at * SECOND_US, line) for line, (record, at) in enumerate(records, 1) if line in {1, 4}]
    )
    assert [call.nas for call in alone.calls] == [NAS]


def test_a_call_whose_port_another_call_took_has_no_stop() -> None:
    start, other = Record("Start", NAS, "A", port=7), Record("Start", NAS, "B", port=7)
    assert aside(pair([Heard(start, SENT, 1), Heard(other, SENT + SECOND_US, 2)])) == [(1, "missing-stop"), (2, "open")]


def test_time_set_aside_is_what_the_record_claims() -> None:
    paired = pair(heard(START, STOP, ("Stop", 101, 90)))
    assert [each.duration_us for each in paired.aside] == [90 * SECOND_US]
    assert [each.duration_us for each in pair(heard(START)).aside] == [0]


def test_the_clock_of_events_dates_or_sets_aside() -> None:
    dated, without = Record("Stop", NAS, "A", seconds=9, event_us=START_US), Record("Stop", NAS, "B", seconds=9)
    odd = Record("Stop", NAS, "C", seconds=9, more=(("Event-Timestamp", "Aug 20 2000 21:00:00 CST"),))
    paired = pair([Heard(each, SENT, line) for line, each in enumerate((dated, without, odd), 1)], "event")
    assert [call.session for call in paired.calls] == ["A"]
    assert [(each.line, each.reason, each.duration_us) for each in paired.aside] == [
        (2, "undated", 9 * SECOND_US), (3, "undated", 9 * SECOND_US),
    ]  # fmt: skip
    assert "CST" in paired.aside[1].text
    assert len(pair([Heard(odd, SENT, 1)]).calls) == 1  # the clock of reception does not need it


def test_a_delay_that_nobody_believes_dates_nothing_by_reception() -> None:
    stop = Heard(Record("Stop", NAS, "A", seconds=9, event_us=START_US, delay_s=-1), SENT, 1)
    assert aside(pair([stop])) == [(1, "undated")]
    assert len(pair([stop], "event").calls) == 1


def test_records_of_no_call_are_counted() -> None:
    found = heard(START, ("Tunnel-Start", 10, -1), ("Failed", 20, -1), ("Failed", 30, -1), STOP)
    paired = pair(found)
    assert (len(paired.calls), paired.aside, paired.records) == (1, [], 5)
    assert paired.passed_over == {"Tunnel-Start": 1, "Failed": 2}


def test_two_access_servers_may_use_the_same_session_name() -> None:
    one, other = Record("Stop", NAS, "A", seconds=100), Record("Stop", "192.0.2.11", "A", seconds=100)
    assert len(pair([Heard(one, SENT, 1), Heard(other, SENT, 2)]).calls) == 2


def test_a_reboot_ends_no_session_of_another_access_server() -> None:
    (start, stop) = heard(START, STOP)
    reboot = Heard(Record("Accounting-On", "192.0.2.11"), SENT + 50 * SECOND_US, 9)
    assert [call.ended for call in pair([start, reboot, stop]).calls] == ["Stop"]


def test_a_call_starts_by_the_clock_that_was_asked_for() -> None:
    stop = Record("Stop", NAS, "A", seconds=100, event_us=1_000 * SECOND_US, delay_s=5)
    found = [Heard(stop, SENT, 1)]
    assert pair(found).calls[0].start_us == SENT - 105 * SECOND_US
    assert pair(found, clock="event").calls[0].start_us == 900 * SECOND_US


@settings(max_examples=40)
@given(st.permutations(range(40)), st.sets(st.integers(0, 39)))
def test_no_order_and_no_copies_change_what_is_billed(order: list[int], twice: set[int]) -> None:
    records = kept(answered(planned(17)))[:40]
    expected = {call.session: call.seconds for call in pair(records, clock="event").calls}
    shuffled = [records[n] for n in order] + [records[n] for n in twice]
    assert {call.session: call.seconds for call in pair(shuffled, clock="event").calls} == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Start", "Stop", "Interim-Update", "Accounting-On"]), st.integers(0, 50),
            st.integers(-1, 60), st.sampled_from("AB"),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_every_session_bills_or_is_set_aside(records: list[tuple[str, int, int, str]]) -> None:
    found = heard(*records)
    paired = pair(found)
    sessions = {each.record.session for each in found if each.record.session}
    reported = {call.session for call in paired.calls}
    assert sessions == reported | {name for name in "AB" for each in paired.aside if f"session {name} " in each.text}
    assert len({call.line for call in paired.calls} | {each.line for each in paired.aside}) <= len(found)


def test_paired_calls_are_calls_like_any_others() -> None:
    calls = some_calls(20)
    paired = pair(kept(answered(planned(20))), clock="event")
    again = paired.columns()
    assert sorted(again.duration_us // SECOND_US) == sorted(calls.duration_us // SECOND_US)
    assert set(again.user_names) == set(calls.user_names)
    assert set(again.nas_names) == set(calls.nas_names)
