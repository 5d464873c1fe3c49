"""libfaketime for programs that use the machine's clock.

It moves only the civil clock, by an offset that the library rereads from a file, so that the bench can move it while
the program runs; intervals are not changed. The calibration exercise tests that it works.
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
PYTHON = Path(__file__).parent / "faketime_shim"  # Python programs need this to sleep under it
CACHE_S = 1  # time for which the library may use a previous offset
# The library rereads the offset when the whole second differs from that of its last look by more than this duration.
CACHE_DURATION = CACHE_S - 1


def library() -> Path | None:
    """Return the path of the library for threaded programs, None if it is not installed."""
    found = (path for pattern in PLACES for path in Path("/").glob(pattern.lstrip("/")))
    return next(found, None)


def environment(folder: Path, clock: ClockGiven) -> dict[str, str]:
    """Return environment variables that give a program that clock. Raises MissingTool without the library."""
    path = library()
    if path is None:
        raise MissingTool(f"libfaketime is not installed; install the package {PACKAGE}")
    move(folder, clock)
    return {
        "LD_PRELOAD": str(path),
        "FAKETIME_TIMESTAMP_FILE": str(folder.resolve() / OFFSET_FILE),
        "FAKETIME_CACHE_DURATION": str(CACHE_DURATION),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PYTHON), os.environ.get("PYTHONPATH")])),
    }


def move(folder: Path, clock: ClockGiven) -> None:
    """Give the programs of this folder that clock within CACHE_S, at speed 1."""
    shown_ns = clock.epoch_us * 1000 + time.monotonic_ns() - clock.start_ns
    offset_s = (shown_ns - time.time_ns()) / 1e9
    new = folder / f"{OFFSET_FILE}.new"
    new.write_text(f"{offset_s:+.6f}\n", "ascii")
    os.replace(new, folder / OFFSET_FILE)  # atomic
