"""Shells can complete what simbench takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simbench.cli.main import cli

SIMBENCH = str(Path(sys.executable).parent / "simbench")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_program_and_asks_it(shell: str) -> None:
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0
    assert f"_SIMBENCH_COMPLETE={shell}_complete" in done.stdout


def test_commands_and_options_are_completed() -> None:
    def completed(words: str, place: int) -> set[str]:
        request = {"_SIMBENCH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(place)}
        done = subprocess.run([SIMBENCH], env={**os.environ, **request}, capture_output=True, text=True, check=True)
        return {line.partition(",")[2] for line in done.stdout.splitlines()}

    assert {"serve", "conform", "decode"} <= completed("simbench ", 1)
    assert "--limit" in completed("simbench serve --l", 2)
