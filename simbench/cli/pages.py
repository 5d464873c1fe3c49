"""Commands with help in the form of a manual page: purpose, options in groups, examples, exit status, files.

cloup provides groups of options and sections of commands; this module adds the parts below them, which are stated at
the definition of each command.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import click
import cloup

from simbench.base.errors import Trouble

DONE: Final = {0: "done", 2: "wrong usage or input", 3: "the machine lacks a resource that is needed"}
JUDGED: Final = {
    0: "nothing failed",
    1: "a finding failed",
    2: "wrong usage or input",
    3: "an error, an inconclusive finding, or nothing judged; or the machine lacks a resource",
}
NOTHING: Final = "None; the output goes to standard output."
_EXAMPLES: Final = "\b\nExample"
_LAYOUT: Final = cloup.HelpFormatter.settings(max_width=110, col1_max_width=26)


class _Manual(cloup.Command):
    """Additional parts of a page: meaning of each exit status, files written, related pages."""

    def __init__(
        self, *args: Any, exits: Mapping[int, str] = DONE, files: str = NOTHING, see: tuple[str, ...] = (), **more: Any
    ) -> None:
        settings = {"help_option_names": ["-h", "--help"], **more.pop("context_settings", {})}
        super().__init__(*args, formatter_settings=_LAYOUT, context_settings=settings, **more)
        self.exits, self.files, self.see = dict(exits), files, see

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a number that it gives is the exit status."""
        status = super().invoke(ctx)
        if isinstance(status, int):
            ctx.exit(status)
        return status

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Return both names in any context: click keeps the option of the first context."""
        del ctx
        return ["-h", "--help"]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring up to its examples."""
        del ctx
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(texts_of(self)[0])

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the complete first paragraph."""
        del limit
        return purpose(self)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, exit status, files and see also."""
        del ctx
        with formatter.section("Examples"):
            formatter.write_text("\b\n" + inspect.cleandoc(texts_of(self)[1]))
        with formatter.section("Exit status"):
            formatter.write_dl([(str(status), words) for status, words in self.exits.items()])
        with formatter.section("Files"):
            formatter.write_text(self.files)
        with formatter.section("See also"):
            formatter.write_text(", ".join(self.see))


class Page(_Manual):
    """A command with a manual page."""


class Pages(_Manual, cloup.Group):
    """A group of commands with its own manual page."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises Trouble when interrupted: the status that click gives says "a finding failed"."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Trouble("interrupted") from None


def command(name: str | None = None, **parts: Any) -> Callable[[Callable[..., Any]], Page]:
    """Decorate a function as a command. `parts`: `exits`, `files` and `see` of its page."""
    return cloup.command(name, cls=Page, **parts)


def group(name: str | None = None, *, cls: type[Pages] = Pages, **parts: Any) -> Callable[[Callable[..., Any]], Pages]:
    """Decorate a function as a group of commands. `parts`: see `command`."""
    return cloup.group(name, cls=cls, **parts)


def option_group(title: str, *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return options under a heading, which several commands may share: each gets its own group."""

    def decorate(function: Any) -> Any:
        return cloup.option_group(title, *options)(function)

    return decorate


def texts_of(command: click.Command) -> tuple[str, str]:
    """Return a docstring's text, and the lines of its examples."""
    text, _, examples = inspect.cleandoc(command.help or "").partition(_EXAMPLES)
    return text.strip(), "\n".join(examples.splitlines()[1:])


def purpose(command: click.Command) -> str:
    """Return the purpose of a command: the first paragraph of its docstring in one line."""
    return " ".join(texts_of(command)[0].partition("\n\n")[0].split())
