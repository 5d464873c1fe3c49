from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simbench.bench.sut import faketime
from simbench.bench.sut.protocol import ClockGiven
from tests.paris import instant
from tests.real.conftest import require

pytestmark = pytest.mark.real

PRINTS_TIME = "import sys, time\nfor _ in sys.stdin: print(time.time(), flush=True)"


def test_a_program_sees_the_clock_it_is_given_and_follows_when_it_is_moved(tmp_path: Path) -> None:
    require("faketime", package="faketime")
    first, second = instant(2016, 10, 3, 7, 59, 50), instant(2027, 12, 25, 21, 59, 50)
    given = ClockGiven(first, time.monotonic_ns())
    environment = {**os.environ, **faketime.environment(tmp_path, given)}
    with subprocess.Popen(
        [sys.executable, "-c", PRINTS_TIME], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def seen() -> float:
            program.stdin.write("\n")  # type: ignore[union-attr]  # asserted above
            program.stdin.flush()  # type: ignore[union-attr]
            return float(program.stdout.readline())  # type: ignore[union-attr]

        shown, since_s = seen(), time.monotonic() - given.start_ns / 1e9
        assert first / 1e6 - 1 <= shown <= first / 1e6 + since_s + 1
        moved = ClockGiven(second, time.monotonic_ns())
        faketime.move(tmp_path, moved)
        while (shown := seen()) < second / 1e6 - 5:
            pass
        since_s = time.monotonic() - moved.start_ns / 1e9
        assert second / 1e6 - 1 <= shown <= second / 1e6 + since_s + 1
        program.stdin.close()


def test_no_program_is_on_its_previous_clock_once_the_bench_has_waited(tmp_path: Path) -> None:
    require("faketime", package="faketime")
    day_us = 86_400_000_000
    first = instant(2027, 3, 27, 12)
    environment = {**os.environ, **faketime.environment(tmp_path, ClockGiven(first, time.monotonic_ns()))}
    with subprocess.Popen(
        [sys.executable, "-c", PRINTS_TIME], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for days in range(1, 5):
            print(file=program.stdin, flush=True)
            program.stdout.readline()  # the library has just looked
            faketime.move(tmp_path, ClockGiven(first + days * day_us, time.monotonic_ns()))
            time.sleep(faketime.CACHE_S)  # as the bench does
            print(file=program.stdin, flush=True)
            assert float(program.stdout.readline()) * 1e6 >= first + days * day_us
        program.stdin.close()


def test_a_python_program_sleeps_and_is_still_customised_by_its_surroundings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("faketime", package="faketime")
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.customised = True")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    given = ClockGiven(instant(2027, 12, 25), time.monotonic_ns())
    done = subprocess.run(
        [sys.executable, "-c", "import time; time.sleep(0.01); print(customised, time.gmtime().tm_year)"],
        env={**os.environ, **faketime.environment(tmp_path, given)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "True 2027\n", "")
