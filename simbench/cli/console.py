"""Tables and progress bars on a terminal: texts of files and wires are printed unchanged, without markup."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


def console(width: int | None = None, *, stderr: bool = False) -> Console:
    """Return a console; `width` columns wide if the output is not a terminal."""
    found = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if width is not None and not found.is_terminal:
        found.width = width
    return found


def styled(word: str, style: str) -> Text:
    """Return a word in a style of rich, such as "bold red"."""
    return Text(word, style)


def progress_bar(*, spins: bool = False) -> Progress:
    """Return a progress bar on standard error, removed at the end. `spins`: the total is unknown."""
    named = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), named) if spins else (named, BarColumn(), TaskProgressColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console(stderr=True), transient=True)
