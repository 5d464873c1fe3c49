"""`simbench roaming`: what it prints, what it leaves, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from simbench.base.outputs import MANIFEST
from simbench.cli.main import cli
from simbench.cli.roaming.group import roaming
from simbench.ledger.info import read_info
from tests.cli.child import Ended
from tests.reporting.markup import Markup

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "roaming"
FIRST, GREEDY = SCENARIOS / "01_a_year_abroad.toml", SCENARIOS / "03_a_greedy_operator.toml"


def output_of(*arguments: object, status: int = 0) -> str:
    ended = CliRunner().invoke(cli, ["roaming", *map(str, arguments)])
    assert ended.exit_code == status, ended.output
    return ended.stdout


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("year") / "run"
    output_of("run", FIRST, "-o", folder, "--subscribers", 400, "--billed", 60)
    return folder


@pytest.mark.parametrize("name", roaming.commands)
def test_every_command_shows_an_example_of_itself_and_explains_its_options(name: str) -> None:
    assert f"simbench roaming {name}" in output_of(name, "--help").partition("Example")[2]
    for parameter in roaming.commands[name].params:
        assert not isinstance(parameter, click.Option) or parameter.help


def test_the_articles_figures() -> None:
    for day, gb in (("2017-06-15", 5.1), ("2019-01-01", 8.8)):
        reported = json.loads(output_of("envelope", "--price", "20", "--date", day, "--mode", "article", "--json"))
        assert reported["envelope_gb"] == gb


def test_the_regulations_figures_with_vat_and_net() -> None:
    with_vat = json.loads(output_of("envelope", "--price", 20, "--date", "2017-06-15", "--json"))
    net = json.loads(output_of("envelope", "--price", 20, "--net", "--date", "2017-06-15", "--json"))
    assert (with_vat["envelope_gb"], net["envelope_gb"]) == (4.3291, 5.1949)
    binary = json.loads(output_of("envelope", "--price", 20, "--gb", "binary", "--date", "2017-06-15", "--json"))
    assert binary["octets"] / with_vat["octets"] == pytest.approx(2**30 / 10**9)
    assert "4.3291 GB" in output_of("envelope", "--price", 20, "--vat", "0.2", "--date", "2017-06-15")


def test_the_table_has_every_cap_and_can_be_drawn(tmp_path: Path) -> None:
    rows = json.loads(output_of("table", "--price", "20", "--mode", "article", "--plot", tmp_path / "e.svg", "--json"))
    assert [row["envelope_gb"] for row in rows][:3] == [5.1, 6.6, 8.8]
    assert len(rows) == 12
    assert (tmp_path / "e.svg").read_text().startswith("<svg xmlns=")
    assert len(output_of("table", "--price", "20").splitlines()) == 13


BAD = [
    (("--price", "20", "--date", "2017-06-14"), "date 2017-06-14: no wholesale cap is in force; expected a day from"),
    (("--price", "20", "--date", "tomorrow"), "--date: is 'tomorrow'; expected a day such as 2017-06-15"),
    (("--price", "-5", "--date", "2018-01-01"), "price -5: is not possible; expected a number from 0 to 10000"),
    (("--price", "much", "--date", "2018-01-01"), "--price: is 'much'; expected an amount such as 19.99"),
    (("--price", "20", "--vat", "ZZ", "--date", "2018-01-01"), 'VAT "ZZ": unknown VAT; expected one of FR, DE'),
    (("--price", "20", "--vat", "20", "--date", "2018-01-01"), "VAT share 20: is not possible"),
]


@pytest.mark.parametrize(("arguments", "line"), BAD)
def test_bad_input_is_one_clear_line(arguments: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "roaming", "envelope", *arguments)
    assert ended.status == 2
    assert ended.err.startswith(f"simbench: {line}")
    assert ended.err.count("\n") == 1


def test_a_missing_price_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "roaming", "envelope", "--date", "2018-01-01")
    assert ended.status == 2
    assert "Missing option '--price'" in ended.err


def test_a_run_leaves_the_files_it_names(year: Path) -> None:
    assert {path.name for path in year.iterdir()} == {
        "run.json", "outcome.json", "findings.json", "subscribers.parquet", "days.parquet", "billing", "report.html",
        MANIFEST,
    }  # fmt: skip
    outcome = json.loads((year / "outcome.json").read_text())
    assert outcome["rows"][-1]["subscribers"] == 400
    assert [sum(states) for states in zip(*outcome["states"].values(), strict=True)] == [400] * 365
    subscribers = pq.read_table(year / "subscribers.parquet")
    assert subscribers.num_rows == 400
    assert sum(subscribers["wholesale_neur"].to_pylist()) / 1e9 == pytest.approx(outcome["rows"][-1]["wholesale_eur"])
    info = read_info(year)
    assert (info.seed, info.contract, info.rows) == (7, "roaming_eu", {"subscribers": 400, "days": 365})
    assert set(json.loads((year / "findings.json").read_text())["tally"]) >= {"pass", "fail"}


def test_the_report_is_sound_and_asks_for_nothing_outside(year: Path) -> None:
    html = (year / "report.html").read_text()
    seen = Markup(html)
    assert seen.problems == []
    assert len(seen.ids) == len(set(seen.ids))
    assert {reference for reference in seen.references if reference[1:] not in seen.ids} == set()
    assert "://" not in html
    assert "script" not in seen.tags
    for reported in (
        "bills as the rules require",
        "holiday",
        "permanent",
        "roaming.granted",
        "Plan comfort: 4.3 GB in 2017",
    ):
        assert reported in seen.text


def test_the_same_run_gives_the_same_report(year: Path, tmp_path: Path) -> None:
    output_of("run", FIRST, "-o", tmp_path / "again", "--subscribers", 400, "--billed", 60)
    for name in ("report.html", "outcome.json", "findings.json", "billing/records.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (year / name).read_bytes()


def test_a_folder_with_a_run_is_not_written_over(year: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "roaming", "run", FIRST, "-o", year)
    assert ended.status == 2
    assert "contains an earlier run; expected a new folder" in ended.err


def test_the_bills_are_judged_again_by_themselves(year: Path, tmp_path: Path) -> None:
    reported = json.loads(output_of("judge", year / "billing", "--json", "-o", tmp_path / "f.json"))
    assert reported["findings"] == json.loads((year / "findings.json").read_text())["findings"]
    assert reported == json.loads((tmp_path / "f.json").read_text())
    assert "pass         roaming.granted" in output_of("judge", year / "billing")
    short = output_of("judge", year / "billing", "--window-days", 60, status=1)
    assert "fail         roaming.both-prevailed" in short


def test_rows_set_aside_are_counted_and_shown(year: Path, tmp_path: Path) -> None:
    for path in (year / "billing").iterdir():
        lines = path.read_text().splitlines()
        if path.name == "records.csv":
            lines[5] = lines[5].replace("EUR", "GBP")
        (tmp_path / path.name).write_text("\n".join(lines) + "\n")
    assert "set aside 1 rows: 1 another currency (first: records.csv, line 6)" in output_of("judge", tmp_path)
    assert json.loads(output_of("judge", tmp_path, "--json"))["set_aside"]["reasons"] == {"another currency": 1}


def test_nothing_to_judge_ends_with_three(year: Path, tmp_path: Path) -> None:
    for path in (year / "billing").iterdir():
        (tmp_path / path.name).write_text(path.read_text().splitlines()[0] + "\n")
    assert "13 unsupported" in output_of("judge", tmp_path, status=3)


def test_a_greedy_operator_ends_with_one(tmp_path: Path) -> None:
    reported = output_of("run", GREEDY, "-o", tmp_path / "g", "--subscribers", 60, "--json", status=1)
    failed = [finding["purpose"] for finding in json.loads(reported)["findings"] if finding["outcome"] == "fail"]
    assert failed == ["roaming.data-price", "roaming.voice-price", "roaming.sms-price"]
    assert "bills against the rules" in (tmp_path / "g" / "report.html").read_text()


def test_a_comparison_shows_the_changes() -> None:
    lower = SCENARIOS / "02_a_lower_cap.toml"
    same, changed = json.loads(output_of("compare", FIRST, lower, "--subscribers", 300, "--json"))
    assert same["margin_change_eur_each"] == 0
    assert changed["wholesale_eur_each"] < same["wholesale_eur_each"]
    assert len(output_of("compare", FIRST, lower, "--subscribers", 300).splitlines()) == 3


def test_envelopes_load_nothing_heavy() -> None:
    program = (
        "import sys\nfrom click.testing import CliRunner\nfrom simbench.cli.main import cli\n"
        "for line in ('envelope --price 20 --date 2018-01-01', 'run --help', 'table --price 20'):\n"
        "    assert CliRunner().invoke(cli, ['roaming', *line.split()]).exit_code == 0\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    assert not set(ended.stdout.split()) & {"numba", "matplotlib", "pyarrow", "numpy", "duckdb"}
