"""`simbench contract new`."""

from __future__ import annotations

from pathlib import Path

import click
import cloup

from simbench.cli.options import OUTPUT_FILE
from simbench.cli.pages import command


@command(
    files="NAME.toml in the current folder, or the file of -o.",
    see=("docs/guides/contract.md", "simbench contract check"),
)
@cloup.argument("name", help="Name of the contract: letters, digits, - and _.")
@cloup.option_group(
    "Output",
    cloup.option("-o", "--output", type=OUTPUT_FILE, help="File to write instead of NAME.toml."),
)
def new(name: str, output: Path | None) -> None:
    """Write a commented contract file to fill in.

    The file is a valid contract: its figures are examples, marked as assumptions. Replace each by the figure of your
    contract, with its clause and status = "contract".

    \b
    Example:
      simbench contract new my-operator
    """
    import re

    from simbench.base.errors import BadInput
    from simbench.contract.layers import HOME, builtin_names

    if not re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name):
        raise BadInput(f"name {name!r:.80}", "is not a valid name of a contract", "letters, digits, - and _")
    if name in builtin_names():
        raise BadInput(f"name {name}", "is the name of a built-in contract", "another name")
    path = output or Path(f"{name}.toml")
    text = (HOME / "templates" / "sms.toml").read_text("utf-8").replace("NAME OF THE CONTRACT", name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BadInput(str(path), "the file exists already", "another name, or -o FILE") from None
    except OSError as problem:
        raise BadInput(str(path), f"cannot be written: {problem.strerror}") from None
    click.echo(f"{path} written; fill it in, then: simbench contract check {path}")
