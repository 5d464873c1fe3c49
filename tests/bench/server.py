"""The server that is measured: ten short codes, window 100, the meter monitoring, a ledger on disk."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from pathlib import Path

import uvloop

from fake_smsc.live import LiveSmsc, spare_collector
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo
from simbench.scenario import CodeConfig, Scenario, ServerConfig


async def serve(folder: Path) -> None:
    """Until terminated; then say what it cost."""
    codes = tuple(
        CodeConfig(code=f"3601{n}", rate_per_s=150, window=100, limit="monitor", request_id="bench") for n in range(10)
    )
    scenario = Scenario(name="bench", codes=codes, server=ServerConfig(port=0))
    ledger = Ledger.create(folder / "run", RunInfo(run="bench"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with LiveSmsc(scenario, load_contract(), ledger) as smsc:
        spare_collector()
        print("ready", smsc.server.port, flush=True)
        await stop.wait()
    ledger.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"  server: {used.ru_utime + used.ru_stime:.1f} s of processor, {used.ru_maxrss / 1024:.0f} MB at most")


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
