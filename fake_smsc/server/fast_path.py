"""Loads the kernels while the server is already serving, in a thread, after a separate process has compiled them.

With SIMBENCH_FAST_PATH=off in the environment the core serves everything.
"""

from __future__ import annotations

import asyncio
import os

from fake_smsc.fast import compiled
from simbench.base.event_loop import quick_switches, run_beside
from simbench.kernels import jit

SWITCH = "SIMBENCH_FAST_PATH"
SWITCH_S = 0.0005  # longest wait of the loop for the loading thread; five milliseconds otherwise


async def load_beside() -> bool:
    """Load the kernels; False without a compiler. When cancelled, the compiling process is ended."""
    if compiled.kernels() is not None or not jit.is_installed() or os.environ.get(SWITCH) == "off":
        return compiled.kernels() is not None
    if not await asyncio.to_thread(compiled.AHEAD.is_cached):
        await run_beside(compiled.AHEAD.command())
        if not compiled.AHEAD.is_cached():
            return False
    with quick_switches(SWITCH_S):
        return await asyncio.to_thread(compiled.load)
