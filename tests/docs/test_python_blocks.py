"""The Python of the README and of the tutorial's first page is ten lines, and is run as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import agrees

ROOT = Path(__file__).parents[2]
README = "1 total, unplanned outage, the longest S1 with 6 h 00\n['Bonjour']\n"


def python_of(page: str) -> str:
    blocks: list[str] = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    return blocks[0]


def run(block: str, folder: Path) -> str:
    command = [sys.executable, "-c", block]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_s_python_runs_in_an_empty_folder(tmp_path: Path) -> None:
    assert run(python_of("README.md"), tmp_path) == README


@pytest.mark.slow
def test_the_tutorial_s_python_prints_what_it_shows_and_leaves_the_report(tmp_path: Path) -> None:
    page = "docs/tutorial/first-session.md"
    shown = re.findall(r"prints\n\n```text\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)[0]
    output = run(python_of(page), tmp_path)
    assert agrees(shown, output), output
    assert (tmp_path / "reports" / "days" / "report.html").is_file()


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-session.md"])
def test_it_is_ten_lines(page: str) -> None:
    assert len([line for line in python_of(page).splitlines() if line]) <= 10


@pytest.mark.slow
def test_the_guide_s_test_of_a_client_passes_in_an_empty_folder(tmp_path: Path) -> None:
    text = (ROOT / "docs/guides/test-your-client.md").read_text("utf-8")
    for name, block in re.findall(r"<!-- file: (\w+\.py) -->\n```python\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(block)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, cwd=tmp_path)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
