"""The cost of reading a TOML file: linear in its size, for every kind of error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.base.toml_files import MAX_DEPTH, table_of
from simbench.bench.sut.description import read_description
from simbench.contract import load_contract
from tests.steps import steps_of

OVERLAY = 'extends = "orange_ops_2016"\n'


def refused(read: Callable[[Path], object], path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput) as problem:
        read(path)
    return str(problem.value)


@pytest.mark.parametrize("text", ["{}a = 1", "[{}a]", "[[{}a]]", "x = {{{}a = 1}}", '"b" = {{"c".{}a = 1}}'])
@pytest.mark.parametrize("word", ["a.", "a . ", '"a".', "'a' .\t"])
def test_a_key_of_too_many_words_is_refused_before_it_is_parsed(text: str, word: str) -> None:
    with pytest.raises(BadInput, match="nested too deeply; expected at most 32 levels"):
        table_of(text.format(word * 20_000), "x.toml", BadInput)


def test_words_with_points_in_texts_are_no_keys() -> None:
    text = ". ".join(f"word{number}" for number in range(3 * MAX_DEPTH)) + "."
    assert table_of(f'a = "{text}"', "x.toml", BadInput) == {"a": text}


ENTRIES: dict[str, tuple[Callable[[Path], object], Callable[[int], str], str]] = {
    "names of an open table": (
        read_description,
        lambda n: 'kind = "external"\n[environment]\n' + "".join(f"K{i} = 'x'\n" for i in range(n)) + "LAST = 1\n",
        "environment.LAST: is 1",
    ),
    "keys that stand twice": (load_contract, lambda n: OVERLAY + "a = 1\n" * n, "a: is defined twice"),
    "tables that stand twice": (load_contract, lambda n: OVERLAY + "[a]\nb = 1\n" * n, "a: is defined twice"),
    "unknown keys": (load_contract, lambda n: OVERLAY + "".join(f"a{i} = 1\n" for i in range(n)), "unknown key"),
    "unknown clauses": (
        load_contract, lambda n: OVERLAY + "".join(f"[clauses.X-{i}]\ntext = 'x'\n" for i in range(n)), "unknown key",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_the_work_grows_with_the_number_of_wrong_entries(name: str, tmp_path: Path) -> None:
    read, text, problem = ENTRIES[name]
    path = tmp_path / "mine.toml"
    assert problem in refused(read, path, text(300))  # whatever is loaded once is loaded
    few, many = (steps_of(lambda n=n: refused(read, path, text(n))) for n in (300, 2_400))  # type: ignore[misc]
    assert many < 9 * few
