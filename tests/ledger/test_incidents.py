"""Incidents and the events that record them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import ScenarioError
from simbench.ledger.events import At, EventRow, OutageBegan, Restored, events_of
from simbench.ledger.incidents import (
    Incident,
    Period,
    check_incidents,
    incident_rows,
    incidents_of,
    period_of,
    period_row,
)

INSTANTS = st.integers(0, 2**50)
WORDS = st.text(max_size=20)

INCIDENTS = st.builds(
    Incident,
    ticket=st.text(min_size=1, max_size=8),
    start=INSTANTS,
    end=st.none() | st.integers(2**50 + 1, 2**51),
    scope=st.sampled_from(["total", "partial"]),
    share=st.floats(0.01, 1),
    subject=st.sampled_from(["platform", "platform:north", "36010"]),
    planned=st.booleans(),
    announced_at=st.none() | INSTANTS,
    noticed_at=st.none() | INSTANTS,
    attributed_to=WORDS,
    cause=WORDS,
)


@given(st.lists(INCIDENTS, max_size=6, unique_by=lambda one: one.ticket))
def test_incidents_come_back_from_their_events(incidents: list[Incident]) -> None:
    rows = sorted((row for one in incidents for row in incident_rows(one)), key=lambda row: row[0])
    assert incidents_of(events_of(rows)) == tuple(sorted(incidents, key=lambda one: (one.start, one.ticket)))


def test_rows_of_the_live_server_are_understood() -> None:
    mode = json.dumps({"mode": "cut"})
    rows: list[EventRow] = [
        (1, "limit", "36010", None, '{"rate_per_s": 10, "mode": "delay"}'),
        (10, "outage", "total", None, mode),
        (20, "restored", "total", None, mode),
        (30, "maintenance", "36010", 50, mode),
        (45, "restored", "36010", None, mode),
        (60, "outage", "total", None, mode),
    ]
    first, second, third = incidents_of(events_of(rows))
    assert (first.start, first.end, first.scope, first.subject, first.planned) == (10, 20, "total", "platform", False)
    assert (second.start, second.end, second.scope, second.subject, second.planned) == (
        30,
        45,
        "partial",
        "36010",
        True,
    )
    assert (third.start, third.end) == (60, None)
    assert len({first.ticket, second.ticket, third.ticket}) == 3


def test_an_end_without_a_beginning_and_a_second_beginning_are_left_out() -> None:
    total: list[tuple[int, OutageBegan | Restored]] = [
        (5, Restored()),
        (10, OutageBegan()),
        (12, OutageBegan()),
        (20, Restored()),
    ]
    found = incidents_of(At(at, event) for at, event in total)
    assert [(one.start, one.end) for one in found] == [(10, 20)]


def test_events_hold_the_period_they_cover() -> None:
    period = Period(100, 200, 50)
    assert period_of([At(0, Restored()), *events_of([period_row(period)])]) == period
    assert period_of([]) is None


@pytest.mark.parametrize(
    ("incidents", "reported"),
    [
        ([Incident("A", 10, 10)], "ends as it starts"),
        ([Incident("A", 10, 5)], "ends before it starts"),
        ([Incident("A", 10, 20, share=0)], "share of 0"),
        ([Incident("A", 10, 20), Incident("B", 19, 30)], "B: begins while A lasts"),
        ([Incident("A", 10), Incident("B", 19, 30)], "B: begins while A lasts"),
        ([Incident("A", 10, 20), Incident("B", 15, 17, "partial", 0.5, "36010")], "B: begins while A lasts"),
        ([Incident("A", 10, 20, "partial", 0.5, "36010"), Incident("B", 15, 17)], "B: begins while A lasts"),
    ],
)
def test_incidents_that_cannot_be_are_refused_in_one_line(incidents: list[Incident], reported: str) -> None:
    with pytest.raises(ScenarioError, match=reported) as refused:
        check_incidents(incidents, "year.toml", ScenarioError)
    assert "\n" not in str(refused.value)


def test_parts_may_be_out_together_and_one_incident_may_follow_another_at_once() -> None:
    parts = [Incident("A", 10, 20, "partial", 0.5, "36010"), Incident("B", 15, 17, "partial", 0.5, "36020")]
    check_incidents([*parts, Incident("C", 20, 30), Incident("D", 30, 40)], "here")
