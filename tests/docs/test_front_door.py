"""Files for new developers name existing things: recipes, hooks, workflow, metadata."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import simbench
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.selection import select

ROOT = Path(__file__).parents[2]
READ = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
MADE = ("reports/", "build/", ".venv", ".simbench")  # by running something
PATH = re.compile(r"(?<![\w/.-])((?:\.?[\w-]+/)+[\w.*-]*|[A-Za-z][\w-]*\.(?:md|toml|yaml|cfg))(?![\w/])")


def paths(text: str) -> set[str]:
    """Yield paths of the repository in the code spans of a page."""
    spans = re.findall(r"`([^`\n]+)`", text)
    return {found for span in spans for found in PATH.findall(span) if not found.startswith(MADE)}


def test_the_search_for_paths_finds_them() -> None:
    text = "`simbench/base/outputs.py` and `tests/ucp/`, `stories_*.py`; `.ci/run`, `pip install x`, `reports/x/y.html`"
    assert paths(text) == {"simbench/base/outputs.py", "tests/ucp/", ".ci/run"}


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_file_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    missing = {name for name in paths(text) if not list(ROOT.glob(name.rstrip("/"))) and name != "mine.toml"}
    assert missing == set()
    assert len(paths(text)) >= {"CONTRIBUTING.md": 25, "SECURITY.md": 1}[page]


@pytest.mark.parametrize("page", READ)
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / page).read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_recipes_of_contributing_name_tests_targets_and_exercises_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    select()
    assert set(re.findall(r"--only ([a-z-]+)", text)) <= set(EXERCISES)


def test_the_hooks_are_the_commands_of_make_check() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    check = makefile[makefile.index("\ncheck:") :].split("\n\n")[0]
    commands = {line.strip().removeprefix("$(BIN)/").removesuffix(" .") for line in check.splitlines()[2:]}
    assert {hook["entry"].removeprefix(".venv/bin/") for hook in hooks} == commands


def test_the_workflow_runs_ci_on_3_11_to_3_13_and_on_every_python_the_classifiers_name() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    (job,) = workflow["jobs"].values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {line.rpartition(" ")[2] for line in project["classifiers"] if "Python :: 3." in line}
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert named
    assert named <= set(job["strategy"]["matrix"]["python"])
    assert any("bash .ci/run" in step.get("run", "") for step in job["steps"])


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "simbench/base/version.py"
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1] == simbench.__version__


@pytest.mark.parametrize("package", ["simbench", "fake_smsc"])
def test_both_packages_say_that_they_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_a_changelog_entry_stands_in_a_section_that_keep_a_changelog_knows() -> None:
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= known
    assert not re.search(r"^## .*\n+- ", text, re.MULTILINE)


def test_decisions_are_parted_and_stand_under_a_room_of_the_index() -> None:
    text = (ROOT / "docs" / "design.md").read_text("utf-8")
    decisions = text[text.index("\n## Decisions") : text.index("\n## Not built yet")]
    index, *rooms = re.split(r"^### ", decisions, flags=re.MULTILINE)
    assert re.findall(r"^\* \[(.+?)\]", index, re.MULTILINE) == [room.partition("\n")[0] for room in rooms]
    assert "**20" not in index
    glued = re.findall(r"[^\n]\n(\*\*20\d\d-[^*]*)", decisions)
    assert glued == []
    for room in rooms:
        dates = re.findall(r"^\*\*(20\d\d-\d\d-\d\d) · ", room, re.MULTILINE)
        assert dates, room.partition("\n")[0]
        assert dates == sorted(dates, reverse=True), room.partition("\n")[0]
