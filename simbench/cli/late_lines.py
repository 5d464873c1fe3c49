"""Lines of progress on standard error that short work does not print."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from simbench.base.progress import QUIET_S


def after_a_while(every_s: float = 0.0) -> Callable[[str], None]:
    """Return a function that prints lines from the third second on, one in `every_s` seconds."""
    until = time.monotonic() + QUIET_S

    def say(line: str) -> None:
        nonlocal until
        if time.monotonic() > until:
            until = time.monotonic() + every_s
            click.echo(line, err=True)

    return say


def steps_done() -> Callable[[str, int, int], None]:
    """Return a function that prints a step, the number of steps done, and the number of all."""
    say = after_a_while()
    return lambda step, done, steps: say(f"  {step}: {done} of {steps} done")


def packing() -> Callable[[int, int], None]:
    """Return a function that prints how many segments of a ledger are packed."""
    show = steps_done()
    return lambda done, of: show("packing the ledger", done, of)
