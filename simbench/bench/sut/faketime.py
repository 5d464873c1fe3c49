"""libfaketime around programs that know no other clock than the machine's. Starts nothing.

Only the civil clock is moved, by an offset that the library reads from a file again and again, so that it can be moved
while the program runs; intervals stay real. Whether it worked is for the calibration to prove, not for this module.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from simbench.base.errors import MissingTool
from simbench.bench.sut.protocol import ClockGiven

PACKAGE = "faketime"
PLACES = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib*/faketime/libfaketimeMT.so.1",
    "/usr/local/lib*/faketime/libfaketimeMT.so.1",
)
OFFSET_FILE = "clock.offset"
PYTHON = Path(__file__).parent / "faketime_shim"  # what Python programs need to sleep under it
CACHE_S = 1  # how long the library may go on with an offset it has read


def library() -> Path | None:
    """The library for programs with threads, None where it is not installed."""
    found = (path for pattern in PLACES for path in Path("/").glob(pattern.lstrip("/")))
    return next(found, None)


def environment(folder: Path, clock: ClockGiven) -> dict[str, str]:
    """Variables under which a program sees that clock. Raises MissingTool without the library."""
    path = library()
    if path is None:
        raise MissingTool(f"libfaketime is not installed; install the package {PACKAGE}")
    move(folder, clock)
    return {
        "LD_PRELOAD": str(path),
        "FAKETIME_TIMESTAMP_FILE": str(folder.resolve() / OFFSET_FILE),
        "FAKETIME_CACHE_DURATION": str(CACHE_S),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PYTHON), os.environ.get("PYTHONPATH")])),
    }


def move(folder: Path, clock: ClockGiven) -> None:
    """Let the programs of this folder see that clock, within CACHE_S. Its speed is 1."""
    shown_ns = clock.epoch_us * 1000 + time.monotonic_ns() - clock.start_ns
    offset_s = (shown_ns - time.time_ns()) / 1e9
    new = folder / f"{OFFSET_FILE}.new"
    new.write_text(f"{offset_s:+.6f}\n", "ascii")
    os.replace(new, folder / OFFSET_FILE)  # never half a number
