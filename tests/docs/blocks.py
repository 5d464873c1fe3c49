"""The steps that a page of the documentation asks of its reader, in order. Runs nothing.

A page is Markdown. Blocks marked `sh` have a command a line, blocks marked `console` commands after `$ ` and, if shown,
the output below each; `...` in it stands for anything in a line, and alone in a line for any lines. "exit status N" in
a comment after a command says how it ends where that is not 0, "exit status N or M" where the machine decides. Comments
of HTML above a block say the rest:

    <!-- not run: REASON -->   the block is not run
    <!-- file: NAME -->        the block is what stands in the file NAME
    <!-- given: NAME ... -->   the reader has these files: those of tests/docs/given
    <!-- first: COMMAND -->    what somebody else did before
    <!-- stop the server -->   where the text says to press Ctrl-C
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

RUN = ("sh", "console")
_LINE = re.compile(r"^(?P<indent> *)(?:<!-- (?P<word>[a-z ]+?)(?:: (?P<rest>.*?))? -->|```(?P<language>[\w-]*).*)$")
_HEREDOC = re.compile(r"<<-?'?(\w+)'?")
_STATUS = re.compile(r"#.*\bexit status (\d)(?: or (\d))?\b")


@dataclass(frozen=True)
class Step:
    """One thing done: kind is run, file, given, stop or skip; `text` the command, the contents or the reason."""

    kind: str
    text: str
    line: int
    name: str = ""
    output: str = ""
    statuses: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Block:
    """A fenced block: its line, language, text, and the comments of HTML directly above it."""

    line: int
    language: str
    text: str
    options: dict[str, str]


def steps_of(page: str) -> Iterator[Step]:
    """The steps of a page. Raises ValueError for a comment it does not know or a quote that never ends."""
    for part in _parts(page):
        if isinstance(part, Step):
            yield part
        elif "not run" in part.options:
            yield Step("skip", part.options["not run"], part.line)
        elif "file" in part.options:
            yield Step("file", part.text, part.line, part.options["file"])
        elif part.language == "console":
            yield from _console(part)
        elif part.language == "sh":
            yield from (_step(command, part.line) for command in _commands(part.text.splitlines()))


def _parts(page: str) -> Iterator[Step | Block]:
    lines = iter(enumerate(page.splitlines(), start=1))
    options: dict[str, str] = {}
    for number, line in lines:
        met = _LINE.match(line)
        if met is None:
            options = options if not line.strip() else {}
        elif met["word"] in {"not run", "file"}:
            options[met["word"]] = met["rest"]
        elif met["word"] == "given":
            yield from (Step("given", name, number) for name in met["rest"].split())
        elif met["word"] == "first":
            yield Step("run", met["rest"], number)
        elif met["word"] == "stop the server":
            yield Step("stop", "", number)
        elif met["language"] is not None:
            body = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                body.append(inner.removeprefix(met["indent"]))
            yield Block(number, met["language"], "\n".join(body) + "\n", options)
            options = {}
        elif met["word"] not in {"end", "table"}:
            raise ValueError(f"line {number}: <!-- {met['word']} --> is not known")


def _console(block: Block) -> Iterator[Step]:
    """Each command with the lines below it, up to the next."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        command, *_ = _commands(lines)
        output = lines[command.count("\n") + 1 :]
        yield _step(command, block.line, "\n".join(output).strip("\n"))


def _step(command: str, line: int, output: str = "") -> Step:
    found = _STATUS.search(command)
    statuses = tuple(int(status) for status in found.groups() if status) if found else (0,)
    return Step("run", command, line, output=output, statuses=statuses)


def _commands(lines: list[str]) -> Iterator[str]:
    """Whole commands: with their continuation lines, here-documents and open quotes."""
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        text = "\n".join(kept)
        ending = _HEREDOC.search(kept[0])
        if ending is not None and (line != ending[1] or len(kept) == 1):
            continue
        if line.endswith("\\") or (ending is None and not _closed(text)):
            continue
        if text.strip() and not text.lstrip().startswith("#"):
            yield text
        kept = []
    if kept:
        raise ValueError(f"a command that does not end: {kept[0]}")


def _closed(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def agrees(shown: str, printed: str) -> bool:
    """Tell whether an output matches the page; blanks at the ends of lines do not count."""
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    pattern = ""
    for line in lines:
        if line.strip() in {"...", "…"}:
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += re.escape(line).replace(r"\.\.\.", r"[^\n]*").replace("…", r"[^\n]*") + r"\n"
    plain = "\n".join(line.rstrip() for line in printed.strip("\n").splitlines()) + "\n"
    return re.fullmatch(pattern, plain) is not None
