"""A table is a dictionary, however many are looked up at a time and however their hashes meet."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simbench.kernels.chance import GAMMA, MASK
from simbench.kernels.table import Table

INVERSE = pow(GAMMA, -1, 1 << 64)
# Keys whose hashes begin with the same bits, the highest too, look for one another's cells.
CROWDED = st.tuples(st.sampled_from([0, 1, 0xFFFF]), st.integers(1, 300)).map(
    lambda drawn: (drawn[0] << 48 | drawn[1]) * INVERSE & MASK
)
KEYS = st.integers(1, MASK) | CROWDED
STEPS = st.lists(st.lists(KEYS, min_size=1, max_size=40) | KEYS | st.just(None), max_size=20)


@given(STEPS)
def test_a_table_finds_what_a_dictionary_finds(steps: list[list[int] | int | None]) -> None:
    table, known = Table(), dict[int, int]()
    for count, step in enumerate(steps, 1):
        if isinstance(step, list):
            places = table.places(np.array(step, np.uint64))
            assert table.values[places].tolist() == [known.get(key, 0) for key in step]
            table.values[places] = count
            known.update(dict.fromkeys(step, count))
        elif step is not None:
            place = table.place(step)
            assert table.values[place] == known.get(step, 0)
            table.values[place] = known[step] = count
        else:
            table.keep(count // 2)
            known = {key: value for key, value in known.items() if value >= count // 2}
        assert table.count == len(known)


def test_keys_that_all_meet_in_the_last_cells_are_found_again() -> None:
    keys = np.array([(MASK - number) * INVERSE & MASK for number in range(600)], np.uint64)
    table = Table()
    for start in range(0, 600, 50):
        places = table.places(keys[start : start + 50])
        table.values[places] = np.arange(start, start + 50)
    places = table.places(keys)
    assert table.values[places].tolist() == list(range(600))
    assert table.count == 600
