"""The French report of a record that has something of everything says nothing in English."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from simbench.cli.main import cli
from simbench.sla.report.translations import texts
from tests.reporting.markup import Markup

pytestmark = pytest.mark.slow

LEAST = 9  # letters of a piece of text that no language shares by chance
WORDS = (
    "the", "of", "and", "is", "are", "was", "were", "with", "by", "not", "outage", "outages", "unplanned", "planned",
    "partial", "platform", "down", "days", "hours", "missed", "below", "lost", "probes", "rows", "overrun", "breach",
    "announced", "availability", "restoration", "window", "target", "forecast",
)  # fmt: skip
HEAD = "ticket,start,end,scope,share,subject,planned,announced_at,announced_end,noticed_at,attributed_to,cause"


def row(ticket: str, day: int, hours: float | None, rest: str) -> str:
    start = datetime(2024, 1, 1, 3, tzinfo=UTC) + timedelta(days=day)
    end = "" if hours is None else (start + timedelta(hours=hours)).isoformat()
    ahead, until = (start - timedelta(days=6)).isoformat(), (start + timedelta(hours=2)).isoformat()
    return f"{ticket},{start.isoformat()},{end},{rest.format(ahead=ahead, until=until)}"


def record(folder: Path) -> None:
    """Two years of tickets of every kind, probes, and decisions."""
    rows = [row(f"T{n}", 20 + 27 * n, 4 + n % 4, "total,1,,false,,,,orange,Coupure") for n in range(25)]
    rows += [
        row("M1", 33, 5, "total,1,,true,{ahead},{until},,orange,Travaux"),
        row("M2", 500, 3, "total,1,,true,,,,orange,"),
        row("P1", 400, 9, "partial,,,false,,,,orange,"), row("N", 600, 9, "partial,0.5,platform:nord,false,,,,orange,"),
        row("S", 600, 5, "partial,0.5,platform:sud,false,,,,orange,"), row("C1", 620, 5, "total,1,,false,,,,client,"),
        row("C2", 630, 5, "total,1,,true,,,,client,"), row("X", 640, 5, "gros,1,,false,,,,orange,"),
        row("O", 729, None, "total,1,,false,,,,orange,"),
    ]  # fmt: skip
    (folder / "t.csv").write_text("\n".join([HEAD, *rows, rows[0]]) + "\n", "utf-8")
    probes = ["at,ok"]
    for n in range(1500):
        at = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(minutes=10 * n)
        probes.append(f"{at.isoformat()},{str(n % 400 > 3).lower()}")
    (folder / "p.csv").write_text("\n".join(probes) + "\n", "utf-8")
    (folder / "d.toml").write_text(
        "".join(
            f'[[decisions]]\nincident = "{ticket}"\nclass = "{kind}"\nreason = "oui"\nwho = "A."\nwhen = 2025-04-02\n'
            for ticket, kind in (("T3", "client"), ("T4", "planned"))
        ),
        "utf-8",
    )


@cache
def written(language: str) -> dict[str, str]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        record(folder)
        done = CliRunner().invoke(
            cli, [
                "judge", str(folder / "t.csv"), "--from", "2025-01-01T00:00+01:00", "--to", "2026-01-01T00:00+01:00",
                "--history-from", "2024-01-01T00:00+01:00", "--probes", str(folder / "p.csv"), "--decisions",
                str(folder / "d.toml"), "--forecast", "2026-04-01T00:00+02:00", "--replications", "200", "--back-test",
                "--lang", language, "--claim", "-o", str(folder / "out"),
            ]
        )  # fmt: skip
        assert done.exit_code == 1, done.output
        page = (folder / "out" / "report.html").read_text("utf-8")
        page = re.sub(r"<(pre|script)\b.*?</\1>", "", page, flags=re.DOTALL)
        return {"page": Markup(page).text, "claim": " ".join((folder / "out" / "claim.md").read_text("utf-8").split())}


def pieces(template: str) -> list[str]:
    """Return the parts of a text between its placeholders."""
    return [" ".join(piece.split()) for piece, *_ in string.Formatter().parse(template)]


@pytest.mark.parametrize("part", ["page", "claim"])
def test_no_text_of_the_english_report_stands_in_the_french_one(part: str) -> None:
    french = " ".join(texts("fr").values())
    untranslated = {
        (key, piece) for key, text in texts("en").items() for piece in pieces(text)
        if len(re.sub(r"[^A-Za-z]", "", piece)) >= LEAST and piece not in french
    }  # fmt: skip
    assert {key for key, piece in untranslated if piece in written("fr")[part]} == set()
    assert len([key for key, piece in untranslated if piece in written("en")[part]]) > 10  # the English one has them


@pytest.mark.parametrize("part", ["page", "claim"])
def test_no_english_word_stands_in_the_french_report(part: str) -> None:
    word = re.compile(rf"(?<![\w./-])({'|'.join(WORDS)})(?![\w./-])", re.IGNORECASE)

    def found(language: str) -> set[str]:
        return {one[0].lower() for one in word.finditer(written(language)[part])}

    assert found("fr") == set()
    assert len(found("en")) > 10
