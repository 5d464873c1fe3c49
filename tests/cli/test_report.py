from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from simbench.base.errors import BadInput, LedgerError
from simbench.base.outputs import MANIFEST
from simbench.bench.report import Judgement, write_findings
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import EVERYTHING
from simbench.cli.main import cli
from simbench.contract import load_contract
from simbench.finding import Finding
from tests.sla.report.years import outages, traffic, write_run


def ran(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, ["report", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_year_with_fifteen_outages_exits_1_and_leaves_its_files(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", outages(15), [])
    result = ran(run, "--lang", "fr", "--pdf", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["summary"]["fail"] == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "report.html", "report.pdf", "findings.json", "data.json", MANIFEST,
    }  # fmt: skip
    assert "Rapport de niveau de service" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_without_a_folder_the_report_stands_beside_the_ledger_which_can_still_be_read(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", outages(2), [])
    assert ran(run).exit_code == 0
    assert ran(run).exit_code == 0
    assert (run / "report.html").is_file()


def test_the_queries_of_the_report_give_its_figures_again(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", outages(3), traffic(outages(3)))
    ran(run)
    data = json.loads((run / "data.json").read_text("utf-8"))
    with duckdb.connect() as connection:
        for statement in data["queries"]["minutes"].replace("'minute-", f"'{run}/minute-").split(";\n"):
            connection.execute(statement)
        hours = connection.execute(data["queries"]["hours"]).fetchall()
        around = connection.execute(data["queries"]["around"]).fetchall()
    assert sum(row[3] for row in hours) == sum(data["exhibits"]["months"]["columns"]["accepted"])
    assert max(row[4] for row in around) == max(data["exhibits"]["recoveries"]["columns"]["most"])


def test_the_report_of_a_stopped_run_begins_with_the_stop(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", outages(2), traffic(outages(2), 100), "stopped at 27.4% of the run")
    assert ran(run, "-o", tmp_path / "out").exit_code == 0
    assert "stopped at 27.4% of the run" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_a_run_that_kept_messages_is_reported_by_its_messages(tmp_path: Path) -> None:
    world = Path(__file__).parents[2] / "scenarios" / "year" / "03_six_hour_outage.toml"
    for detail in ("rows", "minute"):
        made = CliRunner().invoke(cli, ["run", str(world), "-o", str(tmp_path / detail), "--detail", detail])
        assert made.exit_code == 0
        ran(tmp_path / detail)
    by_rows, by_minute = (
        json.loads((tmp_path / detail / "data.json").read_text("utf-8"))["exhibits"] for detail in ("rows", "minute")
    )
    assert by_rows["delivery"]["columns"] == by_minute["delivery"]["columns"]
    assert by_rows["throughput"]["columns"] == by_minute["throughput"]["columns"]
    assert by_rows["heat"]["columns"] == by_minute["heat"]["columns"]
    assert "recovery" not in by_rows


def test_the_report_of_a_conformance_session_is_made_again(tmp_path: Path) -> None:
    contract = load_contract()
    name, (exercise, purposes) = next(iter(select(("originators",)).items()))
    conducted = conduct_in_memory(exercise, contract, ())
    findings = judge_exercise(conducted, purposes, contract, EVERYTHING)
    write_findings(
        tmp_path / "findings.json", Judgement({"system": "reference", "contract": contract.name}, findings, contract)
    )
    (tmp_path / "runs" / name).mkdir(parents=True)
    assert ran(tmp_path).exit_code in {0, 3}
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Conformance report" in page
    assert findings[0].purpose in page
    with pytest.raises(BadInput, match="--pdf"):
        ran(tmp_path, "--pdf")


def test_numbers_are_hidden_in_the_report_of_a_session_unless_asked_for(tmp_path: Path) -> None:
    number, contract = "33612345678", load_contract()  # of no fictional block, so that masking shows
    finding = Finding("recipients.accepted", "OPS-ACH-01", "fail", f"nothing went to {number}")
    findings = Judgement({"system": "reference", "contract": contract.name}, [finding], contract)
    write_findings(tmp_path / "findings.json", findings)
    (tmp_path / "runs").mkdir()
    for options, shown in (((), False), (("--unmasked",), True)):
        assert ran(tmp_path, *options).exit_code == 1
        assert (number in (tmp_path / "report.html").read_text("utf-8")) is shown
    with pytest.raises(BadInput, match="--unmasked"):
        ran(write_run(tmp_path / "year", outages(2), []), "--unmasked")


@pytest.mark.parametrize("content", [None, "nothing"])
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "run"
    if content is not None:
        folder.mkdir()
    with pytest.raises(LedgerError) as refused:
        ran(folder)
    assert "\n" not in str(refused.value)
