"""With an empty cache a server compiles no kernel itself: it starts a process that does, and loads the result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simbench.kernels import jit

JUDGE = """
import asyncio
from simbench.service.judge_kernels import AHEAD, Preparation
from tests.service.test_judge_kernels import kernels
asyncio.run(Preparation().before(10**6))
assert AHEAD.is_cached()
AHEAD.load()
print(sum(sum(each.stats.cache_misses.values()) for each in kernels()))
"""
SEARCH = """
import threading
from simbench.service.search_kernels import KERNELS
while not KERNELS.ready(600):
    assert any(thread.name == "kernels" for thread in threading.enumerate())
from simbench.kernels import frame_fields, frames
from simbench.kernels.jit import Kernel
kernels = [each for module in (frames, frame_fields) for each in vars(module).values() if isinstance(each, Kernel)]
print(sum(sum(each.compiled.stats.cache_misses.values()) for each in kernels))
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", [JUDGE, SEARCH], ids=["judge", "search"])
def test_a_server_with_an_empty_cache_lets_another_process_compile(script: str, tmp_path: Path) -> None:
    if not jit.compiles():
        pytest.skip("nothing is compiled here")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
