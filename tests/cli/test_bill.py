"""`simbench bill` and `simbench forecast` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simbench.base.errors import BadInput
from simbench.base.outputs import MANIFEST
from simbench.cli.main import cli

ACTS = '[[codes]]\ncode = "36010"\nopened = 2016-10-05\n'
COUNTS = "month,code,delivered\n2016-10,36010,100000\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acts.toml").write_text(ACTS)
    (tmp_path / "counts.csv").write_text(COUNTS)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    given = [str(folder / word[1:]) if word.startswith("@") else word for word in arguments]
    return CliRunner().invoke(cli, given)


def test_the_months_of_a_source_are_billed(folder: Path) -> None:
    done = run(folder, "bill", "@counts.csv", "--acts", "@acts.toml")
    assert done.exit_code == 0
    assert "4,476.00" in done.stdout  # (280 + 300 + 3000 + 150) and 20 % of it


def test_json_holds_exact_amounts_and_the_effects_of_other_readings(folder: Path) -> None:
    done = run(folder, "bill", "@counts.csv", "--acts", "@acts.toml", "--json")
    reported = json.loads(done.stdout)
    assert reported["invoices"][0]["invoice"]["total_ht"] == "3730.00"
    assert reported["findings"] == []


def test_a_bill_written_here_is_found_right_and_a_tampered_one_fails(folder: Path) -> None:
    own = run(folder, "bill", "@counts.csv", "--acts", "@acts.toml", "--csv").stdout
    for text, status in ((own, 0), (own.replace("100000", "110000"), 1)):
        (folder / "received.csv").write_text(text)
        done = run(
            folder, "bill", "@counts.csv", "--acts", "@acts.toml", "--month", "2016-10", "--against", "@received.csv"
        )
        assert done.exit_code == status, done.output
        assert ("fail" in done.stdout) == bool(status)


def test_pages_json_and_csv_are_left_in_a_folder(folder: Path) -> None:
    run(folder, "bill", "@counts.csv", "--acts", "@acts.toml", "-o", "@out")
    names = sorted(path.name for path in (folder / "out").iterdir())
    assert names == [MANIFEST, "invoice-2016-10.csv", "invoices.html", "invoices.json"]


def test_a_bill_of_several_months_needs_to_know_which(folder: Path) -> None:
    (folder / "counts.csv").write_text(COUNTS + "2016-11,36010,5\n")
    (folder / "received.csv").write_text("clause,code,quantity,unit_price,amount\n")
    done = run(folder, "bill", "@counts.csv", "--acts", "@acts.toml", "--against", "@received.csv")
    assert isinstance(done.exception, BadInput)
    assert "--month" in str(done.exception)


def test_forecasts_are_judged(folder: Path) -> None:
    for name, issued in (("one.toml", "2016-09-01"), ("two.toml", "2016-10-01")):
        expected = '[[expected]]\nmonth = "2016-10"\ncode = "36010"\nmessages = 90000\n'
        (folder / name).write_text(f"issued = {issued}\n{expected}")
    done = run(folder, "forecast", "@one.toml", "@two.toml", "--traffic", "@counts.csv", "--json")
    reported = {one["purpose"]: one["outcome"] for one in json.loads(done.stdout)["findings"]}
    assert reported == {"forecast.forecasts-a-year": "pass", "forecast.as-forecast": "pass"}
    assert done.exit_code == 0
