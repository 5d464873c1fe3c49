"""`simbench ledger`: commands on the folder of a finished run."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from simbench.base.text import count
from simbench.cli.late_lines import packing
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
            packed = pack_run(run, packing())
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
