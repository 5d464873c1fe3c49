"""The examples in the docstrings of everything public, run as they stand there."""

from __future__ import annotations

import doctest
import inspect
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

import simbench
from tests.api.test_names import public

ROOT = Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
LONG = {
    "simbench.Plan", "simbench.Session", "simbench.Sweep", "simbench.conform", "simbench.plan", "simbench.read_session",
    "simbench.sweep", "simbench.what_if",
}  # fmt: skip


def examples() -> Iterator[doctest.DocTest]:
    """One test for each docstring with an example; names are those of `from simbench import *`."""
    finder = doctest.DocTestFinder(recurse=False)
    names = {name: getattr(simbench, name) for name in simbench.__all__} | {"Decimal": Decimal}
    for place, thing in sorted(public().items()):
        if not (inspect.isfunction(thing) or inspect.isclass(thing)):
            continue
        module = inspect.getmodule(thing)
        own = {} if module is None else vars(module)
        for test in finder.find(thing, place, globs={**names, **own}):
            if test.examples:
                yield test


FOUND = {test.name: test for test in examples()}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in FOUND]
)
def test_the_example_runs_and_gives_what_it_shows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    failed = runner.run(FOUND[name], out=text.append).failed
    assert not failed, "".join(text)
    assert os.getcwd() == str(ROOT)


def test_every_function_and_class_of_the_front_door_has_an_example() -> None:
    assert {name for name, thing in public().items() if callable(thing)} == set(FOUND)
