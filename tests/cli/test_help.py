"""Facts about what the commands say of themselves: quickly, with an example, and as JSON where asked."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from simbench.cli import cli

HEAVY = {"numba", "scapy", "duckdb", "matplotlib", "pyarrow"}
HELP_OF_ALL = """
import sys
from click.testing import CliRunner
from simbench.cli import cli
for name in ["", *cli.commands]:
    assert CliRunner().invoke(cli, [name, "--help"] if name else ["--help"]).exit_code == 0
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def said(*arguments: str) -> str:
    """What a command prints that succeeds."""
    ended = CliRunner().invoke(cli, arguments)
    assert ended.exit_code == 0
    return ended.output


@pytest.mark.parametrize("name", ["", *cli.commands])
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    _, _, examples = said(*name.split(), "--help").partition("Example")
    assert f"simbench {name}".strip() in examples


def test_help_loads_nothing_heavy() -> None:
    ended = subprocess.run([sys.executable, "-c", HELP_OF_ALL], capture_output=True, text=True, timeout=30, check=True)
    loaded = set(ended.stdout.split())
    assert "simbench" in loaded
    assert not loaded & HEAVY


def test_the_list_parses_as_json_and_names_everything_that_can_be_asked_for() -> None:
    listing = json.loads(said("list", "--json"))
    assert set(listing) == {"exercises", "clients", "faults"}
    assert {"reference", "kannel"} <= set(listing["clients"])
    assert all(exercise["purposes"] and exercise["seconds"] > 0 for exercise in listing["exercises"])
    assert all(listing["faults"].values())


def test_the_plain_list_names_the_same_purposes() -> None:
    text = said("list")
    purposes = [p["purpose"] for e in json.loads(said("list", "--json"))["exercises"] for p in e["purposes"]]
    assert purposes
    assert all(purpose in text for purpose in purposes)


def test_an_explanation_parses_as_json_with_terms_and_tests() -> None:
    explained = json.loads(said("explain", "OPS-ENG-01", "--json"))
    assert explained["clause"] == "OPS-ENG-01"
    assert explained["gist"]
    assert explained["tests"]
    assert "session.reconnect_attempts_per_minute" in explained["terms"]


def test_a_clause_is_explained_in_words_with_its_figures_and_how_sure_they_are() -> None:
    text = said("explain", "OPS-ACH-04")
    assert "throughput.default_per_s" in text
    assert "10 messages/s" in text
    assert "[seed]" in text
    assert "tested by" in text


def test_every_option_says_what_it_is_for() -> None:
    for command in cli.commands.values():
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help


def test_no_command_is_missing() -> None:
    known = {
        "bill", "certificate", "completion", "conform", "decode", "dialup", "encode", "explain", "forecast", "judge",
        "list", "matrix", "probe", "roaming", "run", "serve",
    }  # fmt: skip
    assert known <= set(cli.commands)
