"""A package of somebody else's ships a client, a rule, a contract and a report, and each is found.

Programs run in processes of their own: rules that are entered stay entered.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ACME = ROOT / "tests" / "packages" / "acme"
GROUPS = ("suts", "rules", "contracts", "reports")


def site_of(folder: Path, **changed: str) -> Path:
    """A folder of installed packages with Acme's, its entry points changed by group."""
    points = tomllib.loads((ACME / "pyproject.toml").read_text())["project"]["entry-points"]
    about = folder / "site" / "acme_bench-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bench\nVersion: 1.0\n")
    lines = [
        f"[{group}]\nacme = {changed.get(group.rpartition('.')[2], table['acme'])}\n" for group, table in points.items()
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))
    return about.parent


def run(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{site}:{ACME}:{ROOT}"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip


def test_the_guide_shows_the_files_of_the_package() -> None:
    guide = (ROOT / "docs" / "guides" / "extend.md").read_text("utf-8")
    blocks = re.findall(r"```(?:toml|python)\n(.*?)```", guide, re.DOTALL)
    files = [
        "\n".join(path.read_text("utf-8").splitlines())
        for path in sorted(ACME.rglob("*.*"))
        if path.suffix in {".py", ".toml"}
    ]
    shown = [block for block in blocks if "class AcmeClient" not in block]  # which is shown without its inside
    assert len(shown) == 4
    for block in shown:
        parts = [part for part in re.split(r"\n{2,}", block.strip()) if part]
        assert any(all(part in text for part in parts) for text in files), block


def test_all_four_are_listed(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    listed = json.loads(run(site, tmp_path, "simbench", "list", "--contract", "acme", "--json").stdout)
    assert listed["contract"] == "acme"
    assert listed["clients"]["acme"] == {
        "description": "The client of Acme, which shouts. (package acme-bench)", "installed": True,
    }  # fmt: skip
    assert listed["reports"] == ["acme"]
    first = listed["exercises"][0]["purposes"]
    assert {"purpose": "acme.no-shouting", "sentence": "The client sends no text in capitals alone.",
            "clauses": ["A.1"]} in first  # fmt: skip
    checked = run(site, tmp_path, "simbench", "contract", "check", "acme")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
def test_the_client_is_driven_the_rule_judges_it_and_the_report_is_written(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    conform = ("conform", "--sut", "acme", "--contract", "acme", "--only", "texts", "-o", "out")
    done = run(site, tmp_path, "simbench", *conform)
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads((tmp_path / "out" / "findings.json").read_text())["findings"]
    assert ("acme.no-shouting", "A.1", "fail", "client") in {
        (one["purpose"], one["clause"], one["outcome"], one["blame"]) for one in found
    }
    assert (tmp_path / "out" / "evidence" / "acme.no-shouting" / "finding.json").exists()
    done = run(site, tmp_path, "simbench", "report", "out", "--form", "acme", "-o", "page")
    assert (done.returncode, done.stdout) == (0, "Written: page/report.html\n"), done.stderr
    assert "Session of acme" in (tmp_path / "page" / "report.html").read_text()


BROKEN = {
    "suts": ("conform", "--sut", "acme", "-o", "out"),
    "rules": ("conform", "--sut", "reference", "-o", "out"),
    "contracts": ("list", "--contract", "acme"),
    "reports": ("report", "out", "--form", "acme"),
}


@pytest.mark.parametrize("group", GROUPS)
def test_a_broken_entry_point_is_one_line_that_names_its_package(group: str, tmp_path: Path) -> None:
    site = site_of(tmp_path, **{group: "no_such_module:thing"})
    done = run(site, tmp_path, "simbench", *BROKEN[group])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "package acme-bench: its entry point acme = no_such_module:thing of" in done.stderr
    assert f"simbench.{group} cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'" in done.stderr


@pytest.mark.parametrize(
    ("group", "value", "problem"),
    [
        ("suts", "acme_bench:CONTRACT", "package acme-bench: simbench.suts acme: is a PosixPath"),
        ("suts", "acme_bench.report:one_line", "package acme-bench: simbench.suts acme: cannot be called without"),
        (
            "rules",
            "acme_bench.report",
            "package acme-bench: its entry point acme_bench.report of simbench.rules",
        ),
        ("contracts", "acme_bench.report:one_line", "package acme-bench: its entry point acme ="),
        ("reports", "acme_bench:CONTRACT", "package acme-bench: its report acme is a PosixPath"),
    ],
)
def test_what_is_not_what_it_should_be_names_its_package(group: str, value: str, problem: str, tmp_path: Path) -> None:
    site = site_of(tmp_path, **{group: value})
    if group == "reports":
        done = run(site, tmp_path, "simbench", "run", str(ROOT / "scenarios/year/01_quiet_day.toml"), "-o", "out")
        assert done.returncode == 0, done.stderr
    done = run(site, tmp_path, "simbench", *BROKEN[group])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert problem in done.stderr


def test_two_packages_with_one_name_are_refused(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    about = site / "other-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[simbench.suts]\nacme = other:Client\n")
    done = run(site, tmp_path, "simbench", "conform", "--sut", "acme", "-o", "out")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "simbench.suts 'acme' is also one of package" in done.stderr


@pytest.mark.package
def test_the_package_is_found_once_it_is_installed(tmp_path: Path) -> None:
    where = ("--no-deps", "--target", str(tmp_path / "site"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", *where, str(ACME)]
    subprocess.run(command, check=True)
    done = run(tmp_path / "site", tmp_path, "simbench", "list", "--json")
    assert "package acme-bench" in json.loads(done.stdout)["clients"]["acme"]["description"]
