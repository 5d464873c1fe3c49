"""Loads the kernels beside a server that is already serving.

Compiling takes some ten seconds of the interpreter, so a process of its own does it, once for a version and machine;
this process then only reads the result from the cache, in a thread. The other one ends with this one, however that
happens: it holds the end of a pipe. SIMBENCH_FAST_PATH=off in the environment leaves everything to the core.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress

from fake_smsc.fast import compiled
from simbench.kernels import jit

SWITCH = "SIMBENCH_FAST_PATH"
SWITCH_S = 0.0005  # how long the loop waits for the loading thread at most; five milliseconds otherwise


async def load_beside() -> bool:
    """Load the kernels; False without a compiler. When cancelled, the compiling process is ended."""
    if compiled.kernels() is not None or not jit.is_installed() or os.environ.get(SWITCH) == "off":
        return compiled.kernels() is not None
    if not await asyncio.to_thread(compiled.is_cached):
        await _compile()
        if not compiled.is_cached():
            return False
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        return await asyncio.to_thread(compiled.load)
    finally:
        sys.setswitchinterval(before)


async def _compile() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", compiled.__name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
