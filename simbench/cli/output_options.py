"""Options on output: paths, rejected before any work if they contain other files, and the language."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import cloup

from simbench.base.outputs import check_file, check_folder


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


OUTPUT_FOLDER: Final = _Output(folder=True)
OUTPUT_FILE: Final = _Output(folder=False)


def language_option(text: str) -> Callable[[Any], Any]:
    """Return the option `--lang` of a text for readers, en or fr; its value is `language`."""
    choices = click.Choice(["en", "fr"])
    return cloup.option(
        "--lang", "language", type=choices, default="en", show_default=True, help=f"Language of the {text}."
    )
