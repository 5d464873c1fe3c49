"""Typed events: each comes back from its row as it was, and what is none is refused in one line."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import LedgerError
from simbench.ledger import MemoryLedger, open_run
from simbench.ledger.events import (
    KINDS,
    At,
    Event,
    FaultActed,
    LimitSet,
    OutageBegan,
    OutageScheduled,
    RunEnded,
    SubscriberSet,
    event_of,
    events_in,
    events_of,
    row_of,
)
from simbench.ledger.rows import TABLES


def test_a_row_of_an_older_ledger_is_read_with_the_names_that_its_fields_have_now() -> None:
    stored = json.dumps({"fate": "ported-out", "operator": "rival", "attached": False})
    event = event_of("subscriber", "33639980001", None, stored)
    assert event == SubscriberSet("33639980001", "ported-out", "rival", False)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Events of one kind, their fields drawn from their types; those with a default may be left out."""
    needed: dict[str, st.SearchStrategy[Any]] = {}
    free: dict[str, st.SearchStrategy[Any]] = {}
    for field in msgspec.structs.fields(kind):
        drawn = PLAIN.get(field.type, st.from_type(field.type))
        (needed if field.required else free)[field.name] = drawn
    return st.fixed_dictionaries(needed, optional=free).map(lambda fields: kind(**fields))


PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(1 << 62), 1 << 62),
    float: st.floats(allow_nan=False, allow_infinity=False),
    float | None: st.none() | st.floats(allow_nan=False, allow_infinity=False),
    int | None: st.none() | st.integers(-(1 << 62), 1 << 62),
    str | None: st.none() | TEXT,
    str | bool: TEXT | st.booleans(),
    float | msgspec.UnsetType: st.floats(allow_nan=False, allow_infinity=False),
    str | msgspec.UnsetType: TEXT,
    bool | msgspec.UnsetType: st.booleans(),
    dict[str, str | int | bool] | None: st.none()
    | st.dictionaries(TEXT, TEXT | st.booleans() | st.integers(0, 1 << 40)),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@given(data=st.data())
def test_an_event_comes_back_from_its_row_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    event: Event = data.draw(any_of(kind))
    row = row_of(7, event)
    assert len(row) == len(TABLES["events"].columns)
    assert row[0] == 7
    assert list(events_of([row])) == [At(7, event)]


def test_kind_and_whom_it_is_about_are_columns_and_the_rest_is_json() -> None:
    assert row_of(1, LimitSet("36010", 150, "nack"))[:4] == (1, "limit", "36010", None)
    assert json.loads(row_of(1, LimitSet("36010", 150, "nack"))[4]) == {"rate_per_s": 150, "mode": "nack"}
    assert row_of(2, OutageBegan("total", 9, "cut")) == (2, "outage", "total", 9, '{"mode":"cut"}')
    assert row_of(3, FaultActed("nack", 8, "begins", 0.5))[3] == 8
    assert row_of(4, OutageScheduled("36010", 1, 5, 6, "cut", planned=False))[3] is None
    assert row_of(5, RunEnded()) == (5, "ended", "", None, "{}")


def test_events_are_read_out_of_a_ledger() -> None:
    ledger = MemoryLedger()
    ledger.events.append(row_of(5, RunEnded()))
    ledger.events.append(row_of(2, LimitSet("36010", 150, "nack")))
    assert [event for _, event in events_in(open_run(ledger).events)] == [LimitSet("36010", 150, "nack"), RunEnded()]


def test_a_kind_that_is_none_of_the_union_is_refused_in_one_line() -> None:
    with pytest.raises(LedgerError, match="events: unheard-of 1: is of an unknown kind"):
        event_of("unheard-of", "1", None, "{}")


@pytest.mark.parametrize(
    "detail",
    [
        "{",
        "[]",
        '{"rate_per_s":"many","mode":"nack"}',
        "{}",
        '{"rate_per_s":1,"mode":"n","x":1}',
        '{"mode":' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"mode":"' + "x" * 1_000_000,
        '{"rate_per_s":' + "9" * 5_000 + "}",
    ],
    ids=lambda detail: detail[:12],
)
def test_what_is_no_such_event_is_refused_in_one_line(detail: str) -> None:
    with pytest.raises(LedgerError) as refused:
        event_of("limit", "36010", None, detail)
    assert "\n" not in str(refused.value)
    assert "limit 36010" in str(refused.value)
    assert len(str(refused.value)) < 1_000


@given(
    detail=TEXT | st.recursive(st.none() | st.integers() | TEXT, st.lists).map(json.dumps),
    kind=st.sampled_from(sorted(KINDS)),
)
def test_no_stored_text_is_more_than_one_line_of_trouble(detail: str, kind: str) -> None:
    try:
        assert event_of(kind, "x", None, detail) is not None
    except LedgerError as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - both outcomes are right
