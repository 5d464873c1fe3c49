"""Options that many commands share: contract, language, and what a command writes.

Paths that are somebody else's are refused before any work is done.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import cloup

from simbench.base.outputs import check_file, check_folder
from simbench.cli.pages import option_group


class _Output(click.Path):
    """An output path: a folder that is new, empty or simbench's own, or a new file."""

    def __init__(self, *, folder: bool) -> None:
        super().__init__(path_type=Path)
        self.folder = folder

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path. Raises BadInput."""
        path: Path = super().convert(value, param, ctx)  # type: ignore[assignment]  # as path_type says
        if self.folder:
            check_folder(path, param.opts[0] if param is not None else "-o")
        elif path.is_file():
            check_file(path)
        return path


CONTRACT: Final = cloup.option("--contract", "contract_name", help="Contract by name, or an overlay file.")
RULES: Final = option_group("Contract and rules", CONTRACT)
OUTPUT_FOLDER: Final = _Output(folder=True)
OUTPUT_FILE: Final = _Output(folder=False)


def language_option(text: str) -> Callable[[Any], Any]:
    """Return the option `--lang` of a text for readers, en or fr; its value is `language`."""
    choices = click.Choice(["en", "fr"])
    return cloup.option(
        "--lang", "language", type=choices, default="en", show_default=True, help=f"Language of the {text}."
    )
