"""A table is a dictionary, however its hashes meet, and the same one for compiled code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.kernels import table as module
from simbench.kernels.chance import MASK
from simbench.kernels.jit import compiled
from simbench.kernels.table import HEAD, PROBES, Table
from simbench.kernels.table_cells import cell_of

KEYS = st.integers(1, MASK) | st.integers(1, 300)
STEPS = st.lists(st.lists(KEYS, min_size=1, max_size=40) | st.just(None), max_size=20)


def colliding(table: Table, count: int) -> list[int]:
    """Return keys with hashes of the last cell of a table."""
    inverse = pow(int(table.cells[1]), -1, 1 << 64)
    return [(MASK - number) * inverse & MASK for number in range(count)]


@given(STEPS)
def test_a_table_finds_what_a_dictionary_finds(steps: list[list[int] | None]) -> None:
    table, known = Table(), dict[int, int]()
    for count, step in enumerate(steps, 1):
        if step is None:
            table.keep(count // 2)
            known = {key: value for key, value in known.items() if value >= count // 2}
        for key in step or ():
            place = table.place(key)
            assert table.values[place] == known.get(key, 0)
            table.put(key, count)
            known[key] = count
        assert table.count == len(known)


def test_keys_chosen_to_meet_are_laid_elsewhere_before_they_are_far_from_their_hashes() -> None:
    table, keys = Table(), colliding(Table(), 0)
    keys = colliding(table, 2 * PROBES)
    for value, key in enumerate(keys, 1):
        table.put(key, value)
    assert [table.values[table.place(key)] for key in keys] == list(range(1, len(keys) + 1))
    assert table.count == len(keys)


def test_every_table_hashes_by_a_multiplier_of_its_own() -> None:
    assert len({int(Table().cells[1]) for _ in range(20)}) == 20


def test_looking_a_key_up_takes_no_more_steps_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROBES", 4)
    table = Table()
    for key in colliding(table, 50):
        table.put(key, key & 0xFF)
        cells, size = table.cells, (len(table.cells) - HEAD) // 2
        for held in cells[HEAD::2][cells[HEAD::2] != 0].tolist():
            home = (held * int(cells[1]) & MASK) >> int(cells[2])
            assert (table.place(held) - home) % size < 4


@given(st.lists(KEYS, min_size=1, max_size=60, unique=True))
def test_compiled_code_finds_the_cells_of_plain_code(keys: list[int]) -> None:
    table, find = Table(), compiled(cell_of)
    for key in keys:
        before = find(table.cells, np.uint64(key))
        place = table.place(key)
        assert before == -(HEAD + 2 * place)
        assert find(table.cells, np.uint64(key)) == HEAD + 2 * place
