"""Fuzzing: `python -m tools.fuzz --seconds N --frames N --seed S`. No input from the wire may raise an exception.

Runs consist of batches, each a connection of a few hundred mutated frames that depends only on seed and number. An
exception of a target is saved to a file with the seed and octets of the batch. `tools.fuzz.guided` feeds the same
targets from libFuzzer, if atheris is installed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from pathlib import Path
from random import Random

import msgspec

from tools.fuzz.mutate import mutated
from tools.fuzz.targets import TARGETS, Chunks

BATCH = 200  # frames
FOLDER = Path("reports/fuzz")
PROGRESS_S = 5.0
SETTLED = 0.1  # share of the run after which memory is looked at first


class Crash(msgspec.Struct, frozen=True):
    """A failure, and how to reproduce it."""

    target: str
    seed: int
    batch: int
    raised: str
    chunks: list[str]  # hexadecimal


class Report(msgspec.Struct):
    """The result of a run. `grown_mib` is the growth of the process after its first tenth."""

    frames: int = 0
    seconds: float = 0.0
    rss_mib: float = 0.0
    grown_mib: float = 0.0
    crashes: list[str] = []


def batch_of(seed: int, number: int) -> Chunks:
    """The chunks of one batch: its frames, or the same octets split elsewhere."""
    dice = Random(f"{seed}/{number}")
    frames = [mutated(dice) for _ in range(BATCH)]
    if dice.random() < 0.5:
        return frames
    octets, chunks = b"".join(frames), []
    while octets:
        size = dice.choice((1, 7, 100, 300, 1460))
        chunks.append(octets[:size])
        octets = octets[size:]
    return chunks


def play(chunks: Chunks, seed: int, number: int, folder: Path) -> list[str]:
    """Feed every target; return the files of those that raised an exception."""
    crashes = []
    for name, target in TARGETS.items():
        try:
            target(chunks, Random(f"{seed}/{number}/{name}"))
        except Exception:  # any exception is a failure
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"crash-{name}-{seed}-{number}.json"
            crash = Crash(name, seed, number, traceback.format_exc(), [chunk.hex() for chunk in chunks])
            path.write_bytes(msgspec.json.format(msgspec.json.encode(crash)))
            crashes.append(str(path))
    return crashes


def run(seconds: float, frames: int, seed: int, folder: Path = FOLDER) -> Report:
    """Feed batches until the number of frames or the time is reached."""
    report, began, printed, first = Report(), time.monotonic(), 0.0, 0.0
    number = 0
    while report.frames < frames and report.seconds < seconds:
        report.crashes += play(batch_of(seed, number), seed, number, folder)
        number += 1
        report.frames += BATCH
        report.seconds = time.monotonic() - began
        if not first and (report.frames >= SETTLED * frames or report.seconds >= SETTLED * seconds):
            first = rss_mib()
        if report.seconds - printed > PROGRESS_S:
            printed = report.seconds
            rate = report.frames / report.seconds
            print(f"{report.frames} frames, {rate:.0f}/s, {rss_mib():.0f} MiB", file=sys.stderr)
    report.rss_mib = rss_mib()
    report.grown_mib = report.rss_mib - first
    return report


def rss_mib() -> float:
    """Current memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=900, help="time budget")
    parser.add_argument("--frames", type=int, default=2_000_000, help="mutated frames, each fed to every target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", type=Path, help="play one saved crash again, and let it be raised")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    if given.again:
        crash = msgspec.json.decode(given.again.read_bytes(), type=Crash)
        chunks = [bytes.fromhex(chunk) for chunk in crash.chunks]
        TARGETS[crash.target](chunks, Random(f"{crash.seed}/{crash.batch}/{crash.target}"))
        return 0
    report = run(given.seconds, given.frames, given.seed, given.folder)
    print(json.dumps(msgspec.to_builtins(report) | {"per_s": round(report.frames / report.seconds)}))
    return 1 if report.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
