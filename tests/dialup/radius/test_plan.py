"""The records that are planned for calls, and their changes by faults."""

from __future__ import annotations

import msgspec
import pytest

from simbench.base.errors import BadInput
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.dialup.calls import calls_of
from simbench.dialup.radius.faults import FAULTS, faults_of
from simbench.dialup.radius.plan import schedule
from simbench.dialup.radius.record import BOOTS
from tests.dialup.radius.scenes import NASES, planned, some_calls


def test_records_come_in_the_order_in_which_they_are_due() -> None:
    plan = planned(100, interim_s=60)
    assert [each.due_us for each in plan] == sorted(each.due_us for each in plan)
    assert {each.record.nas for each in plan} == set(NASES)


def test_a_call_states_its_start_its_length_so_far_and_its_stop() -> None:
    calls = some_calls(30)
    for call in calls.rows():
        own = [each.record for each in planned(30, interim_s=60) if each.record.session == call.session]
        assert [record.status for record in own] == [
            "Start",
            *["Interim-Update"] * ((call.duration_us - 1) // MINUTE_US),
            "Stop",
        ]
        assert [record.seconds for record in own[1:-1]] == [60 * n for n in range(1, len(own) - 1)]
        assert own[-1].seconds == call.duration_us // SECOND_US
        assert own[-1].cause == call.cause
        assert own[-1].event_us == call.start_us + call.duration_us


def test_access_servers_are_up_before_their_first_call_and_go_down_after_their_last() -> None:
    plan = planned(30)
    for nas in NASES:
        own = [each.record for each in plan if each.record.nas == nas]
        assert own[0].status == "Accounting-On"
        assert own[-1].status == "Accounting-Off"
        assert not any(record.status in BOOTS for record in own[1:-1])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_strikes_the_same_records_every_time_and_names_them(name: str) -> None:
    plan = planned(200, name, interim_s=60)
    assert plan == planned(200, name, interim_s=60)
    struck = {each.faults for each in plan if each.faults}
    assert struck == {(name,)}
    assert plan != list(schedule(some_calls(200), 60, faults_of([name]), seed=2))


def test_a_reboot_leaves_no_stop_and_no_sign_of_life_of_the_sessions_it_ends() -> None:
    plan = planned(200, "nas-reboot", interim_s=60)
    boots = {each.record.nas: each.at_us for each in plan if each.faults and each.record.status == "Accounting-On"}
    cut = {each.record.session: each for each in plan if each.withheld}
    assert set(boots) == set(NASES)
    assert cut
    for each in plan:
        stop = cut.get(each.record.session)
        if stop is not None and each is not stop:
            assert each.at_us < boots[each.record.nas] == stop.at_us


def test_an_unknown_fault_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="lost-stop"):
        faults_of(["lost-stops"])


def test_names_no_attribute_can_hold_are_refused_by_call() -> None:
    (call,) = some_calls(1).rows()
    with pytest.raises(BadInput, match="call 1: a name of 300 octets"):
        list(schedule(calls_of([msgspec.structs.replace(call, user="x" * 300)])))


def test_calls_of_an_unnamed_access_server_have_one_all_the_same() -> None:
    (call,) = some_calls(1).rows()
    plan = list(schedule(calls_of([msgspec.structs.replace(call, nas="")]), faults=faults_of(FAULTS)))
    assert {each.record.nas for each in plan} == {"192.0.2.1"}


def test_faults_add_up_and_a_withheld_record_names_its_fault() -> None:
    plan = planned(200, "lost-stop", "clock-skew", "duplicates")
    withheld = [each for each in plan if each.withheld]
    assert {each.withheld for each in withheld} == {"lost-stop"}
    assert ("lost-stop", "clock-skew") in {each.faults for each in withheld}
    assert not any(each.copy for each in withheld)


def test_a_repeated_session_name_gets_a_number() -> None:
    rows = [msgspec.structs.replace(call, nas="192.0.2.10", session="A") for call in some_calls(3).rows()]
    plan = list(schedule(calls_of(rows)))
    assert {each.record.session for each in plan} == {"", "A", "A-2", "A-3"}
