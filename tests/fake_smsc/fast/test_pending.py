"""Rows on their way come out in the order of (due, number), whenever they went in and are asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_smsc.fast import pending
from fake_smsc.fast.pending import ROW, Pending
from simbench.base.units import NEVER

ENTER = st.lists(st.integers(0, 200_000), min_size=1, max_size=12)
TAKE = st.tuples(st.integers(0, 150_000), st.integers(0, 100))
STEPS = st.lists(ENTER | TAKE | st.integers(0, 4), max_size=25)


@settings(max_examples=200)
@given(STEPS)
def test_rows_are_given_by_instant_then_number(steps: list[list[int] | tuple[int, int] | int]) -> None:
    held, model, number = Pending(), list[tuple[int, int]](), 0
    for step in steps:
        if isinstance(step, list):
            rows = held.room(len(step))
            rows["due"], rows["number"] = step, np.arange(number, number + len(step))
            held.enter(len(step), min(step))
            model += zip(step, range(number, number + len(step)), strict=True)
            number += len(step)
        elif isinstance(step, tuple):
            while len(rows := held.upto(*step)):
                given_rows = rows[["due", "number"]].tolist()
                model.sort()
                assert given_rows == model[: len(rows)]
                dropped = max(1, len(rows) // 2)
                held.drop(dropped)
                del model[:dropped]
            assert not [pair for pair in model if pair < step]
        else:
            taken = held.take_out(lambda rows, step=step: rows["number"] % 5 == step)  # type: ignore[misc] # bound now
            assert sorted(taken["number"].tolist()) == sorted(n for _, n in model if n % 5 == step)
            model = [pair for pair in model if pair[1] % 5 != step]
        assert held.head == min((due for due, _ in model), default=NEVER)


def test_more_rows_than_are_kept_unsorted_come_out_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "YOUNG_ROWS", 64)
    held, dues = Pending(), np.random.default_rng(1).integers(0, 10**7, 5_000)
    for start in (*range(0, 4_900, 7), 4_900):
        rows = held.room(len(dues[start : start + 7]) if start < 4_900 else 100)
        rows["due"], rows["number"] = dues[start : start + len(rows)], np.arange(start, start + len(rows))
        held.enter(len(rows), int(rows["due"].min()))
    out = []
    while len(rows := held.upto(NEVER - 1, 0)):
        out += rows["number"].tolist()
        held.drop(len(rows))
    assert out == np.argsort(dues, kind="stable").tolist()
    assert rows.dtype == ROW
