"""Typed stimuli: each comes back from its row as it was, and what is none is refused in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import LedgerError
from simbench.ledger import MemoryLedger, open_run
from simbench.ledger.rows import TABLES
from simbench.ledger.stimuli import (
    REPORT_KINDS,
    Announced,
    Probe,
    Reported,
    Request,
    Stimulus,
    Unrequested,
    stimuli_in,
    stimuli_of,
    stimulus_row,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INSTANT = st.integers(-(1 << 62), 1 << 62)
MESSAGE = (
    INSTANT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.booleans(), TEXT, st.integers(0, 1 << 31),
    st.lists(TEXT, max_size=3).map(tuple), TEXT, st.lists(st.integers(0, 1 << 31), max_size=3).map(tuple),
)  # fmt: skip
ANY = (
    st.builds(Request, *MESSAGE)
    | st.builds(Unrequested, *MESSAGE)
    | st.builds(Reported, INSTANT, st.sampled_from(REPORT_KINDS), TEXT, TEXT, TEXT, TEXT)
    | st.builds(Announced, INSTANT, INSTANT, INSTANT)
    | st.builds(Probe, INSTANT, st.booleans())
)


@given(ANY)
def test_a_stimulus_comes_back_from_its_row_as_it_was(stimulus: Stimulus) -> None:
    row = stimulus_row(stimulus)
    assert len(row) == len(TABLES["stimuli"].columns)
    assert list(stimuli_of([row])) == [stimulus]


def test_what_has_a_column_of_its_own_is_not_in_the_json() -> None:
    request = Request(5, "#00001", "36010", "33639980001", "Bonjour", "marketing", "MARQUE", True, oadc="MARQUE")
    row = stimulus_row(request)
    assert row[:9] == (5, "send", "#00001", "36010", "33639980001", "Bonjour", "marketing", "MARQUE", True)
    assert json.loads(row[9]) == {"oadc": "MARQUE"}
    assert stimulus_row(Reported(6, "withheld", "#00001"))[1:3] == ("withheld", "#00001")


def test_stimuli_are_read_out_of_a_ledger_in_order_of_time() -> None:
    ledger = MemoryLedger()
    ledger.stimuli.extend(stimulus_row(one) for one in (Probe(7, answered=True), Announced(3, 10, 20)))
    assert stimuli_in(open_run(ledger).stimuli) == [Announced(3, 10, 20), Probe(7, answered=True)]


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("send", "{"),
        ("send", '{"oadc":1}'),
        ("seen", '{"more":1}'),
        ("announcement", "{}"),
        ("unheard-of", "{}"),
        ("mo", "[]"),
    ],
)
def test_what_is_no_stimulus_is_refused_in_one_line(kind: str, detail: str) -> None:
    with pytest.raises(LedgerError) as refused:
        list(stimuli_of([(1, kind, "#00001", "", "", "", "", "", False, detail)]))
    assert f"stimuli: {kind} #00001" in str(refused.value)
    assert "\n" not in str(refused.value)
