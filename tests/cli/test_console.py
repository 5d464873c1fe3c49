"""Output of rich: texts of files and wires are never markup, and one module makes consoles."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from rich.table import Table

from simbench.cli.console import console, progress_bar, styled
from simbench.cli.findings import print_findings
from simbench.finding import Evidence, Finding
from tests.cli.child import simbench

ROOT = Path(__file__).parents[2]
WORDS = ("[/]", "[bold]x", "[red]x[/red]", ":lock:", "[link=http://x]x[/link]", "\\[x]")


@pytest.mark.parametrize("word", WORDS)
def test_words_are_printed_as_they_are(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(word, title=word)
    table.add_row(word)
    table.add_row(styled(word, "bold red"))
    out = console(100)
    out.print(table)
    out.print(word)
    assert capsys.readouterr().out.count(word) == 5
    with progress_bar() as bar:
        bar.add_task(word, total=1)


@pytest.mark.parametrize("word", WORDS)
def test_findings_are_printed_as_they_are(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_findings([Finding(word, word, "fail", word, evidence=(Evidence(word, 0, 0),))])
    assert capsys.readouterr().out.count(word) == 4


def test_only_one_place_makes_consoles_and_nothing_writes_markup() -> None:
    for path in (ROOT / "simbench").rglob("*.py"):
        imported = {
            node.module for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
        }
        assert path.name == "console.py" or not imported & {"rich.console", "rich.markup"}, path


def test_a_ticket_that_looks_like_markup_is_a_ticket(tmp_path: Path) -> None:
    outages = "ticket,start,end,scope,planned\n[/],2026-03-02T01:00:00+01:00,2026-03-02T05:00:00+01:00,total,no\n"
    (tmp_path / "outages.csv").write_text(outages)
    probes = "".join(f"2026-03-02T{hour:02}:00:00+01:00,{'no' if hour in (2, 3) else 'yes'}\n" for hour in range(8))
    (tmp_path / "probes.csv").write_text(f"at,ok\n{probes}")
    ended = simbench(
        "judge", "outages", tmp_path / "outages.csv", "--probes", tmp_path / "probes.csv",
        "--from", "2026-03-01", "--to", "2026-04-01", "--tz", "Europe/Paris", "-o", tmp_path / "out[/]",
    )  # fmt: skip
    assert ended.returncode in {0, 1, 3}, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "[/]" in ended.stdout
    assert re.search(r"out\[/\]", ended.stdout.replace("\n", ""))
