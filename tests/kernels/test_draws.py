"""Many draws at once are the draws one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simbench.kernels import chance
from simbench.kernels.draws import draws, mixed, quantile_table, quantiles

WORDS = st.integers(0, chance.MASK)
MANY = st.lists(WORDS, max_size=50)


@given(WORDS, MANY)
def test_draws_are_those_of_chance(key: int, entities: list[int]) -> None:
    found = draws(key, np.array(entities, np.uint64)).tolist()
    assert found == [chance.draw_with(key, entity) for entity in entities]
    assert mixed(np.array(entities, np.uint64)).tolist() == [chance.mixed(entity) for entity in entities]


@given(st.lists(st.integers(0, 1 << 45), min_size=1, max_size=40).map(sorted), MANY)
def test_quantiles_are_those_of_chance(table: list[int], drawn: list[int]) -> None:
    drawn = [*drawn, 0, chance.MASK]
    found = quantiles(quantile_table(table), np.array(drawn, np.uint64)).tolist()
    assert found == [chance.quantile(table, each) for each in drawn]
