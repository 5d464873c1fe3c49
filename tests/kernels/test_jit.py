"""Compiled kernels say what their plain forms say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.kernels import chance, jit
from simbench.kernels.jit import compiled, kernel
from simbench.kernels.meter import LONG_AGO, bucket_after, conforming, conforming_bucket, conforming_tumbling

WORDS = st.integers(min_value=0, max_value=2**64 - 1)


@kernel
def _paced(arrivals: np.ndarray, rate_per_s: int) -> np.ndarray:
    ring = np.full(rate_per_s, LONG_AGO)
    due = np.empty_like(arrivals)
    for n in range(len(arrivals)):
        due[n] = ring[n % rate_per_s] = conforming(arrivals[n], ring[n % rate_per_s])
    return due


@given(WORDS, WORDS)
def test_a_compiled_draw_is_the_plain_draw(key: int, entity: int) -> None:
    assert int(compiled(chance.draw_with)(np.uint64(key), np.uint64(entity))) == chance.draw_with(key, entity)


@given(WORDS)
def test_a_compiled_quantile_is_the_plain_quantile(drawn: int) -> None:
    table = chance.lognormal_table(4_000_000, 0.6)
    assert compiled(chance.quantile)(np.array(table), np.uint64(drawn)) == chance.quantile(table, drawn)


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=60).map(sorted), st.integers(1, 20))
def test_a_kernel_calls_the_scalar_function_of_the_live_centre(arrivals: list[int], rate_per_s: int) -> None:
    given_ = np.array(arrivals)
    due = _paced(given_, rate_per_s)
    assert due.tolist() == _paced.plain(given_, rate_per_s).tolist()
    assert all(late - early >= 1_000_000 for early, late in zip(due, due[rate_per_s:], strict=False))


@given(st.integers(0, 2**51), st.integers(-(2**51), 2**51), st.sampled_from((1, 10, 150)))
def test_compiled_meters_are_the_plain_ones(arrival: int, before: int, rate: int) -> None:
    assert compiled(conforming_tumbling)(arrival, before) == conforming_tumbling(arrival, before)
    full_at = before * rate
    assert compiled(conforming_bucket)(arrival, full_at, rate) == conforming_bucket(arrival, full_at, rate)
    assert compiled(bucket_after)(arrival, full_at, rate) == bucket_after(arrival, full_at, rate)


@pytest.mark.parametrize("disabled", ["0", "1"])
def test_kernels_run_where_nothing_may_be_written_and_without_the_compiler(tmp_path: Path, disabled: str) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    program = (
        "import sys, numpy as np\n"
        "from simbench.kernels import jit, meter\n"
        "assert 'numba' not in sys.modules\n"
        "print(jit.compiled(meter.conforming)(5, 7))\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(locked / "deeper"), "NUMBA_DISABLE_JIT": disabled}
    environment["TMPDIR"] = str(tmp_path)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1000007\n"), done.stderr


def test_the_compiler_may_be_called_again_after_its_pages_were_given_back(tmp_path: Path) -> None:
    program = (
        "import re\n"
        "from pathlib import Path\n"
        "from simbench.kernels import jit, meter\n"
        "def resident():\n"
        "    parts = re.split(r'\\n(?=[0-9a-f]+-)', Path('/proc/self/smaps').read_text())\n"
        "    return sum(int(re.search(r'Rss: +([0-9]+)', part)[1]) for part in parts if jit.COMPILER in part)\n"
        "first = jit.compiled(meter.conforming)\n"
        "assert first(5, 7) == 1000007\n"
        "before = resident()\n"
        "jit.release_compiler()\n"
        "assert resident() < before / 2, (before, resident())\n"
        "assert jit.compiled(meter.conforming_within)(5, 7, 3) == 10\n"
        "assert first(5, 8) == 1000008\n"
        "print('served')\n"
    )
    if not jit.is_installed() or not Path("/proc/self/smaps").exists():
        pytest.skip("no compiler here, or nothing says what is resident")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "served\n"), done.stderr
