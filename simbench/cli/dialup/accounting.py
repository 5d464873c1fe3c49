"""Output shared by the commands of RADIUS accounting."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import click
from rich.progress import Progress

from simbench.cli.console import progress_bar
from simbench.dialup.calls import SetAside

SHOWN: Final = 20  # shown differences and rows set aside; JSON has all


@contextlib.contextmanager
def spinning(what: str) -> Iterator[Progress]:
    """Progress on standard error while it lasts."""
    with progress_bar(spins=True) as progress:
        progress.add_task(what, total=None)
        yield progress


def say_aside(aside: Sequence[SetAside], counted: Counter[str]) -> None:
    """Print the number of rows set aside by reason, and the first of them."""
    if aside:
        click.echo("set aside: " + ", ".join(f"{count:,} {reason}" for reason, count in counted.most_common()))
        for each in aside[:SHOWN]:
            click.echo(f"  line {each.line}: {each.reason}: {each.text}")
        if counted.total() > SHOWN:
            click.echo(f"  ... and {counted.total() - SHOWN:,} more; --json has the first of each reason")
