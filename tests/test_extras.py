"""The features of each extra, and equal results of the core without any."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from simbench.base import extras
from simbench.base.errors import BadInput
from simbench.base.extras import EXTRAS, PACKAGE, missing, need
from simbench.ledger import open_run
from simbench.ledger.rows import TABLES

ROOT = Path(__file__).parents[1]
# Arrow itself looks for pandas, and takes a module that is None for a broken one; no command uses either of these.
OWN = sorted({name for names in EXTRAS.values() for name in names} - {"pandas", "polars"})
BARE = f"import sys; sys.modules.update(dict.fromkeys({OWN!r}));from simbench.cli.main import main; main()"


def bare(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """A command of simbench where no extra can be imported."""
    command = [sys.executable, "-c", BARE, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_missing_extra_is_reported_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(extras.EXTRAS, "plan", ("scipy", "json"))
    assert missing("plan") == ("scipy",)
    with pytest.raises(BadInput) as refused:
        need("plan", "simbench plan")
    expected = "simbench plan: needs the extra `plan`, of which scipy is not installed; expected pip install"
    assert str(refused.value) == f"{expected} '{PACKAGE}[plan]'"


def test_every_extra_is_one_of_the_package_and_all_has_them_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    offered = project["optional-dependencies"]
    assert set(EXTRAS) | {"docs", "all", "dev"} == set(offered)
    (everything,) = offered["all"]
    named = re.fullmatch(rf"{PACKAGE}\[(.*)\]", everything)
    assert named is not None
    assert set(named[1].split(",")) == set(offered) - {"all", "dev"}
    assert project["name"] == PACKAGE


def test_no_requirement_of_the_base_belongs_to_an_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    base = {re.split("[<>=]", each)[0] for each in project["dependencies"]}
    assert not base & {name.replace("_", "-") for names in EXTRAS.values() for name in names}


def test_a_world_has_the_same_ledger_without_a_compiler(tmp_path: Path) -> None:
    scenario = ROOT / "scenarios" / "year" / "01_quiet_day.toml"
    done = bare("run", scenario, "--detail", "rows", "-o", tmp_path / "bare")
    assert done.returncode == 0, done.stderr
    assert "events way" in done.stdout
    command = [sys.executable, "-m", "simbench", "run", str(scenario), "--detail", "rows", "-o", str(tmp_path / "all")]
    subprocess.run([*command, "--way", "bulk"], check=True, capture_output=True)
    left, right = open_run(tmp_path / "bare"), open_run(tmp_path / "all")
    for name in TABLES:
        assert rows(left, name) == rows(right, name), name
    assert left.table("centre").num_rows > 3_000


def rows(run: object, name: str) -> list[tuple[object, ...]]:
    table = run.table(name).drop_columns(["n"])  # type: ignore[attr-defined]
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("plan", ("plan", "any.toml")), ("plan", ("sweep", "any.toml")), ("fast", ("dialup", "run", "any.toml")),
        ("fast", ("dialup", "replay", "any.csv")), ("fast", ("roaming", "run", "any.toml", "-o", "out")),
        ("http", ("conform", "--sut", "kannel", "--only", "originators")),
        ("console", ("serve", "--port", "0", "--api", "0")), ("console", ("serve", "--port", "0", "--console")),
    ],
)  # fmt: skip
def test_a_command_without_its_extra_is_refused_in_one_line(extra: str, words: tuple[str, ...]) -> None:
    done = bare(*words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.endswith(f"; expected pip install '{PACKAGE}[{extra}]'\n")


def test_without_uvloop_the_loop_is_the_interpreters_own() -> None:
    source = """import sys; sys.modules["uvloop"] = None
import asyncio
from simbench.base.event_loop import run
async def loop(): return type(asyncio.get_running_loop()).__module__
print(run(loop()))"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("asyncio.")


@pytest.mark.parametrize(
    "words",
    [
        ("roaming", "envelope", "--price", "20", "--date", "2017-06-15"),
        ("dialup", "settle", "--minutes", "50000000"),
        ("list",),
    ],
)
def test_what_needs_no_extra_works_without_any(words: tuple[str, ...]) -> None:
    assert (
        bare(*words).stdout
        == subprocess.run([sys.executable, "-m", "simbench", *words], capture_output=True, text=True, check=True).stdout
    )
