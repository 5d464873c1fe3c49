"""Lines of tables, keys and items of a TOML text, against lines written into the text itself."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.base.toml_files import Keys, table_of
from simbench.base.toml_places import line_of, places, without_repeats

TEXT = '''
title = "[no.table] # no comment"
[a.b]
k = { value = [1, 2,
  3], unit = "h" }  # [ {
[[tiers]]
value = 1
[[tiers]]
value = 2
[clauses."X 1"]
g = """
[no]
x = 1
"""
h = [
  { a = 1, b = "}" },
  { a = 2 },
]
c.d = 'it''' + "'"  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("title",), 2),
        (("a", "b"), 3),
        (("a", "b", "k", "value", 1), 4),
        (("a", "b", "k", "value", 2), 5),
        (("a", "b", "k", "unit"), 5),
        (("tiers", 1, "value"), 9),
        (("clauses", "X 1", "h", 1, "a"), 17),
        (("clauses", "X 1", "c", "d"), 19),
        (("clauses", "X 1", "missing"), 10),
        (("missing",), 0),
    ],
)
def test_a_value_is_found_on_its_line_else_its_table(keys: Keys, line: int) -> None:
    assert line_of(TEXT, keys) == line


def test_what_stands_twice_is_left_out_and_reported_with_its_line() -> None:
    text = "[a]\nk = 1\nk = [\n 2 ]\nm = 3\n[b]\nk = 1\n[a]\nz = 1\n[c]\nk = 2\n"
    once, repeats = without_repeats(text)
    assert [(one.keys, one.line) for one in repeats] == [(("a", "k"), 3), (("a",), 8)]
    assert tomllib.loads(once) == {"a": {"k": 1, "m": 3}, "b": {"k": 1}, "c": {"k": 2}}


def test_a_sound_text_stays_as_it_is() -> None:
    assert without_repeats(TEXT) == (TEXT, [])


PIECES = st.sampled_from(
    ["[a]", "[[a]]", "[a.b]", "k = 1", "k = [", "]", "{ x = 1,", "}", '"""', "'", "# x", "k.m = '''"]
)


@given(st.lists(PIECES | st.text(max_size=6), max_size=12).map("\n".join))
def test_any_text_has_places_in_order_and_within_it(text: str) -> None:
    lines = [place.line for place in places(text)]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
    once, _ = without_repeats(text)
    assert once.count("\n") == text.count("\n")


@given(st.text(max_size=80))
def test_every_key_of_a_sound_text_has_a_line(text: str) -> None:
    try:
        table = table_of(text, "x", BadInput)
    except BadInput:
        return
    assert all(line_of(text, (key,)) for key in table)


def test_lists_deeper_than_anything_meant_end_the_search() -> None:
    assert len(list(places("x = " + "[" * 100_000))) < 100
