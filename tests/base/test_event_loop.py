"""The event loop of a command and the collector around it."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest

from simbench.base.event_loop import quick_switches, run, sparing_collector

# A library that counts its objects when the process ends, as those bound with nanobind do, must be collectable then.
FROZEN = """
import gc, sys
from simbench.base.event_loop import sparing_collector
with sparing_collector():
    frozen = gc.get_freeze_count()
print(frozen > 1000, gc.get_freeze_count())
"""


def test_the_result_and_the_error_of_a_coroutine_come_through() -> None:
    async def double(value: int) -> int:
        await asyncio.sleep(0)
        return value * 2 if value else 1 // value

    assert run(double(21)) == 42
    with pytest.raises(ZeroDivisionError):
        run(double(0))


def test_the_collector_is_as_before_after_the_block_whatever_ends_it() -> None:
    before = gc.get_threshold()
    changed = []

    def fails() -> None:
        with sparing_collector():
            changed.append(gc.get_threshold())
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert changed[0][0] > before[0]
    assert gc.get_threshold() == before


def test_no_object_stays_out_of_the_collectors_reach() -> None:
    done = subprocess.run([sys.executable, "-c", FROZEN], capture_output=True, text=True, check=True)
    assert done.stdout == "True 0\n"


def test_the_shortest_interval_of_threads_counts_and_the_last_block_restores_the_first() -> None:
    before_s, seen_s = sys.getswitchinterval(), []
    first, second = quick_switches(0.001), quick_switches(0.0005)
    for change in (first.__enter__, second.__enter__):
        change()
        seen_s.append(sys.getswitchinterval())
    for block in (first, second):  # the first one ends first
        block.__exit__(None, None, None)
        seen_s.append(sys.getswitchinterval())
    assert seen_s == pytest.approx([0.001, 0.0005, 0.0005, before_s])
