"""Progress of a session on standard error, exercise by exercise."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from simbench.bench.exercises.exercise import Exercise
    from simbench.bench.runner.run_exercise import Phase
    from simbench.bench.runner.session import Judgements

TICK_S: Final = 0.5
SILENCE_S: Final = 15.0


class Ticker:
    """Progress on standard error: one line per change, and on a terminal the elapsed seconds."""

    def __init__(self, judgements: Judgements) -> None:
        self._lock = threading.Lock()
        self._judgements = judgements
        self._running: dict[str, tuple[float, float]] = {}
        self._waits: dict[str, str] = {}
        self._said_at = time.monotonic()
        self._total = len(judgements.plan.chosen)
        self._done = 0
        self._live = sys.stderr.isatty()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def progress(self, exercise: Exercise, phase: Phase, trouble: str) -> None:
        """Report that an exercise started, is repeated, or finished."""
        with self._lock:
            self._waits[exercise.name] = trouble if phase == "waits" else ""
            if phase == "waits":
                return
            self._said_at = time.monotonic()
            expected_s = exercise.expected_s(self._judgements.capabilities)
            if phase == "started":
                self._running[exercise.name] = (time.monotonic(), expected_s)
                line = f"{exercise.name}: {exercise.title} (about {expected_s:.0f} s)"
            elif phase == "again":
                self._running[exercise.name] = (time.monotonic(), expected_s)
                line = f"{exercise.name}: repeated, because {trouble}"
            else:
                began, _ = self._running.pop(exercise.name)
                self._done += 1
                took = time.monotonic() - began
                seen = "; ".join(filter(None, (self._judgements.verdicts(exercise.name), trouble)))
                line = f"[{self._done}/{self._total}] {exercise.name} finished in {took:.0f} s"
                line += f": {seen}" if seen else ""
        click.echo(("\r\033[K" if self._live else "") + line, err=True)

    def stop(self) -> None:
        """End the progress line; nothing is printed later."""
        self._stopped.set()
        self._thread.join()

    def _tick(self) -> None:
        """Show the seconds of each exercise on a terminal; otherwise print a line after a time without output."""
        while not self._stopped.wait(TICK_S):
            with self._lock:
                now = time.monotonic()
                running = [
                    f"{name} {now - began:.0f}/{expected:.0f} s" + (f", waits for {what}" if what else "")
                    for name, (began, expected) in self._running.items()
                    for what in [self._waits.get(name, "")]
                ]
                silent = now - self._said_at >= SILENCE_S
                if running and silent and not self._live:
                    self._said_at = now
            if running and self._live:
                width = shutil.get_terminal_size().columns - 1
                click.echo("\r\033[K" + " | ".join(running)[:width], err=True, nl=False)
            elif running and silent:
                click.echo(f"still running: {'; '.join(running)}", err=True)
