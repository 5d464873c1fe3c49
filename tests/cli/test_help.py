"""Help of the commands: it appears quickly and contains an example; `--json` prints JSON."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import simbench
from simbench.cli.main import cli
from simbench.cli.pages import Page, Pages, command, purpose

ROOT = Path(__file__).parents[2]
HEAVY = {"numba", "scapy", "duckdb", "matplotlib", "pyarrow"}
HELP_OF_ALL = """
import sys
from click.testing import CliRunner
from simbench.cli.main import cli
for name in ["", *cli.commands, "judge run", "judge any", "dialup run", "roaming run"]:
    assert CliRunner().invoke(cli, [*name.split(), "--help"]).exit_code == 0
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def output_of(*arguments: str) -> str:
    """Return the output of a successful command."""
    ended = CliRunner().invoke(cli, arguments, prog_name="simbench")
    assert ended.exit_code == 0
    return ended.output


def tree(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command there is with its name, groups too."""
    yield name, command
    for below, each in command.commands.items() if isinstance(command, click.Group) else ():
        yield from tree(each, f"{name} {below}".strip())


EVERY = dict(tree(cli))


def sections(name: str) -> dict[str, str]:
    """The parts of a help page by heading; "" is what stands before the first."""
    parts = re.split(r"^(\S[^\n]*):\n", output_of(*name.split(), "--help"), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def test_the_command_is_also_a_module() -> None:
    ended = subprocess.run([sys.executable, "-m", "simbench", "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout == output_of("--version")


@pytest.mark.parametrize("name", EVERY)
def test_every_help_page_has_all_parts_of_a_manual_page(name: str) -> None:
    page = sections(name)
    paragraphs = [part for part in page[""].split("\n\n") if not part.startswith("Usage")]
    assert len(paragraphs) >= 2, "a purpose, and a description"
    assert len(purpose(EVERY[name])) <= 120, "the purpose is one line"
    assert f"simbench {name}".strip() in page["Examples"]
    assert re.search(r"^  0 +\w+.*^  2 +wrong usage or input$", page["Exit status"], re.MULTILINE | re.DOTALL)
    assert len(page["Files"].split()) >= 4
    assert page["See also"].strip()


@pytest.mark.parametrize("name", EVERY)
def test_options_stand_under_headings_and_each_says_what_it_is_for(name: str) -> None:
    command = EVERY[name]
    assert isinstance(command, Page | Pages)
    ungrouped = command.get_ungrouped_options(command.context_class(command, info_name=name))
    loose = {option.opts[-1] for option in ungrouped}
    assert loose <= {"--help", "--version"}, "these options stand under no heading"
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(option.help for option in options)
    assert len(options) <= 6 or len(command.option_groups) >= 3


def test_every_command_stands_in_a_section() -> None:
    for group in (each for each in EVERY.values() if isinstance(each, Pages)):
        sections = group.list_sections(group.context_class(group))
        assert {name for section in sections for name in section.commands} == set(group.commands)
        assert all(section.title != "Other commands" for section in sections)


def test_what_a_page_refers_to_exists() -> None:
    for place in {each for page in EVERY.values() if isinstance(page, Page | Pages) for each in page.see}:
        if place.startswith("simbench "):
            assert place.removeprefix("simbench ") in EVERY
        else:
            assert (ROOT / place).is_file(), place


def test_help_loads_nothing_heavy() -> None:
    ended = subprocess.run([sys.executable, "-c", HELP_OF_ALL], capture_output=True, text=True, timeout=300, check=True)
    loaded = set(ended.stdout.split())
    assert "simbench" in loaded
    assert not loaded & HEAVY


def test_the_list_parses_as_json_and_names_everything_that_can_be_asked_for() -> None:
    listing = json.loads(output_of("list", "--json"))
    assert set(listing) == {"exercises", "elsewhere", "clients", "faults", "reports", "contract"}
    assert {"reference", "kannel"} <= set(listing["clients"])
    assert all(exercise["purposes"] and exercise["seconds"] > 0 for exercise in listing["exercises"])
    assert all(listing["faults"].values())


def test_the_plain_list_names_the_same_purposes() -> None:
    text = output_of("list")
    purposes = [p["purpose"] for e in json.loads(output_of("list", "--json"))["exercises"] for p in e["purposes"]]
    assert purposes
    assert all(purpose in text for purpose in purposes)


def test_an_explanation_parses_as_json_with_terms_and_tests() -> None:
    explained = json.loads(output_of("explain", "OPS-ENG-01", "--json"))
    assert explained["clause"] == "OPS-ENG-01"
    assert explained["gist"]
    assert explained["tests"]
    assert "session.reconnect_attempts_per_minute" in explained["terms"]


def test_a_clause_is_explained_in_words_with_its_figures_and_how_sure_they_are() -> None:
    text = output_of("explain", "OPS-ACH-04")
    assert "throughput.default_per_s" in text
    assert "10 messages/s" in text
    assert "[seed]" in text
    assert "tested by" in text


def test_no_command_is_missing() -> None:
    known = {
        "bill", "certificate", "completion", "conform", "decode", "dialup", "encode", "explain", "forecast", "judge",
        "list", "matrix", "probe", "roaming", "run", "serve",
    }  # fmt: skip
    assert known <= set(cli.commands)


def test_help_has_both_names_whichever_context_asks_first() -> None:
    @command()
    def once() -> None:
        """Do it once."""

    click.Context(once).command.get_params(click.Context(once))  # as a tool that walks the commands does
    assert "-h, --help" in once.get_help(once.make_context("once", []))


@pytest.mark.parametrize(
    ("words", "function"),
    [
        ("conform", simbench.conform), ("judge any", simbench.judge), ("report", simbench.report),
        ("plan", simbench.plan),
        ("dialup replay", simbench.dialup.judge), ("dialup settle", simbench.dialup.settle),
        ("roaming run", simbench.roaming.simulate), ("roaming envelope", simbench.roaming.allowance),
    ],
)  # fmt: skip
def test_an_option_has_the_default_of_the_argument_of_its_name(words: str, function: Callable[..., object]) -> None:
    found: click.Command = cli
    for word in words.split():
        assert isinstance(found, click.Group)
        found = found.commands[word]
    options = {str(one.name): one.default for one in found.params if isinstance(one.default, str | int | float)}
    arguments = inspect.signature(function).parameters
    same = {name for name in options if name in arguments and options[name] not in {None, ""}}
    assert same, "no option of the command is an argument of the function"
    assert {name: options[name] for name in same} == {name: arguments[name].default for name in same}
