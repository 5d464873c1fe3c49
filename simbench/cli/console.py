"""Tables and progress bars on a terminal: texts of files and wires are printed as they are, and no word is markup."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text


def console(width: int | None = None, *, stderr: bool = False) -> Console:
    """A console; `width` columns wide where the output is no terminal."""
    found = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if width is not None and not found.is_terminal:
        found.width = width
    return found


def styled(word: str, style: str) -> Text:
    """A word in a style of rich's, such as "bold red"."""
    return Text(word, style)


def progress_bar(*, spins: bool = False) -> Progress:
    """Progress on standard error, gone when it is over. `spins`: how much there is to do is unknown."""
    named = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), named) if spins else (named, BarColumn(), TaskProgressColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console(stderr=True), transient=True)
