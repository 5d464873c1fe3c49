"""The server under measurement: ten short codes, window 100, rate monitored, ledger on disk."""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvloop

from fake_smsc.scenario import CodeConfig, LimitMode, OutageConfig, Scenario, ServerConfig
from fake_smsc.server.live import LiveSmsc
from simbench.base.event_loop import sparing_collector
from simbench.contract import load_contract
from simbench.ledger import Ledger, RunInfo

# A submit beyond the rate is only counted, or refused at once: both answer it. A delayed one is answered at the rate,
# a discarded one never, and "close" ends its connection; these three have rates that a full window does not reach.
MODES: dict[LimitMode, int] = {
    "monitor": 10_000, "nack": 10_000, "delay": 200_000, "discard": 200_000, "close": 200_000,
}  # fmt: skip


async def serve(folder: Path, kind: str = "") -> None:
    """Serve until terminated, then print the cost."""
    codes = tuple(
        CodeConfig(code=f"3601{n}", rate_per_s=150, window=100, limit="monitor", request_id="bench") for n in range(10)
    )
    if kind == "crowd":  # forty sessions for each answer of a meter
        codes = tuple(
            CodeConfig(code=f"3601{n}", rate_per_s=rate, window=10, sessions=40, limit=mode, request_id="bench")
            for n, (mode, rate) in enumerate(MODES.items())
        )
    if kind == "within":
        codes = tuple(msgspec.structs.replace(code, rate_per_s=1_000_000) for code in codes)
    outages = tuple(OutageConfig(at_s=at, for_s=2, mode="reset") for at in (10, 40)) if kind == "beyond" else ()
    scenario = Scenario(name="bench", codes=codes, outages=outages, server=ServerConfig(port=0))
    ledger = Ledger.create(folder / "run", RunInfo(run="bench"))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with LiveSmsc(scenario, load_contract(), ledger) as smsc, _beside(smsc, kind) as url:
        await smsc.load_fast_path()
        with sparing_collector():
            print("ready", smsc.server.port, url, flush=True)
            await stop.wait()
    ledger.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent, most_mb = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print(f"  server: {spent:.1f} s of processor, {most_mb:.0f} MB at most, its ledger packed")


@asynccontextmanager
async def _beside(smsc: LiveSmsc, kind: str) -> AsyncIterator[str]:
    """The service, for its own benchmarks."""
    if kind != "api":
        yield ""
        return
    from simbench.service.serving import served
    from simbench.service.settings import ServiceSettings

    async with served(smsc, ServiceSettings(console=True)) as (_, port):
        yield f"http://127.0.0.1:{port}"


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), *sys.argv[2:3]))
