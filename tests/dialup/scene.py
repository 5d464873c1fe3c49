"""A small provider: two points of presence for a month, and its records in files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from simbench.dialup.carrying import with_ports
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.records import write_records
from simbench.dialup.run import DialupRun, run_dialup
from simbench.dialup.scenario import DialupScenario, Pool, PoolOutage, RedialConfig

OFFER = load_netrevenu()
MONTH = "2000-09"


def small(**changes: object) -> DialupScenario:
    """60,000 minutes, three thousand calls, and a pool too small for the evening."""
    settings: dict[str, object] = {
        "name": "small",
        "title": "A small provider",
        "months": MONTH,
        "minutes": 60_000,
        "pools": (Pool("lyon", 6), Pool("paris", 4, weight=0.5)),
        "session_limit_h": 2,
        "redial": RedialConfig(),
        "outages": (PoolOutage("lyon", "2000-09-12T20:00", 45),),
    }
    return DialupScenario(**{**settings, **changes})  # type: ignore[arg-type]  # a test names what it changes


@cache
def small_run() -> DialupRun:
    """Run it."""
    return run_dialup(small())


def written(path: Path) -> Path:
    """Write its records, ports included."""
    path.unlink(missing_ok=True)
    write_records(path, with_ports(small_run().last), small_run().offer.calendar)
    return path
