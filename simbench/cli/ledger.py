"""`simbench ledger`: commands on the folder of a finished run."""

from __future__ import annotations

import time
from pathlib import Path

import click
import cloup

from simbench.base.progress import QUIET_S
from simbench.base.text import count
from simbench.cli.pages import command, group


@command(
    files="RUN: TABLE-NUMBER.parquet instead of TABLE-NUMBER.arrows.",
    see=("simbench serve", "docs/reference/ledger.md"),
)
@cloup.argument("run", type=click.Path(path_type=Path))
def pack(run: Path) -> None:
    """Convert the segments of a run that was killed, or could not be packed, to Parquet.

    A run that ends normally is packed already. Every reader accepts both forms. Memory is limited to a part of a
    segment. A segment is removed when its Parquet file is complete and on disk.

    \b
    Example:
      simbench ledger pack reports/first
    """
    from simbench.ledger.lock import take_lock
    from simbench.ledger.packing import pack as pack_run
    from simbench.ledger.reader import open_run
    from simbench.ledger.writer import not_writable

    open_run(run)
    try:
        lock = take_lock(run)
        try:
            packed = pack_run(run, PackProgress().show)
        finally:
            lock.release()
    except OSError as problem:
        raise not_writable(run, problem) from None
    click.echo(f"{count(packed, 'segment')} packed: {run}" if packed else f"packed already: {run}")


@group(see=("simbench ledger pack", "docs/guides/service.md"), sections=[cloup.Section("Forms of a ledger", [pack])])
def ledger() -> None:
    """Work on the ledger of a finished run.

    Every reader accepts a ledger in any form; these commands change the form.

    \b
    Example:
      simbench ledger pack reports/first
    """


class PackProgress:
    """Progress of packing on standard error, after the first two seconds."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def show(self, done: int, of: int) -> None:
        """Count a packed segment."""
        if time.monotonic() - self._began > QUIET_S:
            click.echo(f"  packing the ledger: {done} of {of} segments done", err=True)
