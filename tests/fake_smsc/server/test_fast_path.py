"""Compiling for a server: one process at a time, which ends with the server."""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
import sys

import pytest

from fake_smsc.fast import compiled
from fake_smsc.server import fast_path, kernel_compiler
from simbench.kernels import jit

PATIENCE_S = 60.0


def test_a_process_that_waits_for_another_to_compile_ends_with_its_server() -> None:
    if not jit.compiles():
        pytest.skip("numba is not installed")
    with (jit.cache_folder() / kernel_compiler.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([sys.executable, "-m", kernel_compiler.__name__], stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 1


def test_nothing_is_loaded_where_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_loaded", [])
    monkeypatch.setenv(fast_path.SWITCH, "off")
    assert asyncio.run(fast_path.load_beside()) is False
    assert compiled.kernels() is None
