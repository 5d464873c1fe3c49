"""Help that reads like a page of a manual: purpose, description, options in groups, examples, exit status, files.

Runs nothing and loads nothing but click; what the pages say beside their docstrings stands in `manual_pages.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import click

from simbench.cli.manual_pages import GROUPS, PAGES, About

LAST_GROUP: Final = "Other options"
_KEPT: Final = (
    "name", "context_settings", "callback", "params", "help", "epilog", "short_help", "options_metavar",
    "add_help_option", "no_args_is_help", "hidden", "deprecated",
)  # fmt: skip


class Page(click.Command):
    """A command whose help has all parts of a manual page."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Purpose and description: the docstring up to its examples, then the page's own words."""
        _write_text(self, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under the headings of GROUPS."""
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, exit status, files written, see also."""
        _write_end(self, ctx, formatter)


class Pages(click.Group):
    """A group of such commands. What is added becomes a Page."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; a plain one is made a Page that does the same."""
        super().add_command(cmd if isinstance(cmd, Page | Pages) else page_of(cmd), name)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As of a Page."""
        _write_text(self, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands first, then the options."""
        self.format_commands(ctx, formatter)
        _write_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its whole purpose."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose(self.commands[name])) for name in self.list_commands(ctx)])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As of a Page."""
        _write_end(self, ctx, formatter)


def page_of(command: click.Command) -> Page:
    """The same command with the help of a manual page."""
    kept: dict[str, Any] = {name: getattr(command, name) for name in _KEPT}
    return Page(**kept)


def about(ctx: click.Context) -> About:
    """What the manual says of a command beside its docstring; nothing of a command it does not know."""
    return PAGES.get(ctx.command_path.partition(" ")[2], About())


def texts_of(command: click.Command) -> tuple[str, str]:
    """A docstring's text, and the lines of its examples."""
    text, _, examples = inspect.cleandoc(command.help or "").partition("\b\nExample")
    if not examples and command.epilog:
        _, _, examples = inspect.cleandoc(command.epilog).partition("\b\nExample")
    return text.strip(), "\n".join(examples.splitlines()[1:])


def purpose(command: click.Command) -> str:
    """What a command is for: the first paragraph of its docstring, as one line."""
    return " ".join(texts_of(command)[0].partition("\n\n")[0].split())


def grouped(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, list[click.Option]]]:
    """The options of a command under their headings, in the order of GROUPS."""
    heading_of = {name: heading for heading, names in GROUPS.items() for name in names}
    options = [each for each in command.get_params(ctx) if isinstance(each, click.Option)]
    for heading in (*GROUPS, LAST_GROUP):
        if members := [each for each in options if heading_of.get(_name(each), LAST_GROUP) == heading]:
            yield heading, members


def _name(option: click.Option) -> str:
    return "help" if "--help" in option.opts else option.name or ""  # click has a name of its own for that one


def _write_text(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    text, more = texts_of(command)[0], about(ctx).more
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text("\n\n".join(part for part in (text, more) if part))


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    for heading, members in grouped(command, ctx):
        records = [record for member in members if (record := member.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(heading):
                formatter.write_dl(records, col_max=24)


def _write_end(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    known = about(ctx)
    with formatter.section("Examples"):
        formatter.write_text("\b\n" + inspect.cleandoc(texts_of(command)[1]))
    with formatter.section("Exit status"):
        formatter.write_dl([(str(status), words) for status, words in known.exits.items()])
    with formatter.section("Files"):
        formatter.write_text(known.files)
    with formatter.section("See also"):
        formatter.write_text(", ".join(known.see))
