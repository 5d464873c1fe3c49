"""Compiling during serving: the compiling process never outlives the server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fake_smsc.fast import compiled
from fake_smsc.server import fast_path

pytest.importorskip("numba")

LOADING = "import asyncio\nfrom fake_smsc.server.fast_path import load_beside\nasyncio.run(load_beside())\n"


STOPPED = """
import asyncio, atexit, gc, os, signal, sys
from fake_smsc.server import fast_path
async def never_loaded():
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(600)
fast_path.load_beside = never_loaded
atexit.register(lambda: print(gc.get_freeze_count()))
from simbench.cli.main import main
sys.argv = ["simbench", "serve", "--port", "0", "-o", sys.argv[1]]
main()
"""


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_process_that_compiles_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), fast_path.SWITCH: "on"}
    server = subprocess.Popen([sys.executable, "-c", LOADING], env=environment, start_new_session=True)
    try:
        while not (compiling := children(server.pid)):
            assert server.poll() is None
            time.sleep(0.01)
        server.kill()
        server.wait()
        while any(map(lives, compiling)):  # the test's time limit names it where this never ends
            time.sleep(0.01)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def test_a_server_that_stops_while_it_loads_leaves_every_object_to_the_collector(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STOPPED, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"


def test_the_environment_can_prevent_loading_of_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_loaded", [])
    monkeypatch.setenv(fast_path.SWITCH, "off")
    assert asyncio.run(fast_path.load_beside()) is False
    assert compiled.kernels() is None
