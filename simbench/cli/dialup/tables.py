"""Input and output shared by the commands of dial-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.table import Table

from simbench.base.errors import BadInput
from simbench.cli.console import console, progress_bar
from simbench.cli.findings import findings_table
from simbench.dialup.offer import Offer, load_netrevenu
from simbench.finding import Finding


def read_offer(contract: str, readings: tuple[str, ...]) -> Offer:
    """Return the offer by name or file, with readings selected as NAME=KEY. Raises BadInput."""
    chosen = {}
    for text in readings:
        name, sign, reading = text.partition("=")
        if not sign:
            raise BadInput(f"--reading {text}", "names no reading", "such as --reading minute-count=minute")
        chosen[name] = reading
    return load_netrevenu(contract).with_readings(chosen)


def print_table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows under a title; the first column is text, the others are figures."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    console(140).print(table)


def print_findings(findings: tuple[Finding, ...]) -> None:
    """Print findings as a table."""
    table = findings_table(findings)
    table.title, table.title_justify, table.title_style = "Findings", "left", "bold"
    console(180).print(table)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a progress bar on standard error, removed at the end; without a terminal one line per step."""
    if not console(stderr=True).is_terminal:
        last: list[str] = []

        def say(what: str, _done: int, _whole: int) -> None:
            if last != [what]:
                last[:] = [what]
                click.echo(what, err=True)

        yield say
        return
    with progress_bar() as bar:
        task = bar.add_task("", total=1)
        yield lambda what, done, whole: bar.update(task, description=what, completed=done, total=max(whole, 1))
