"""`account` and `reconcile` as a user meets them; the real server is in tests/real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import click
import pytest
from click.testing import CliRunner, Result

from simbench.base.errors import BadInput, NothingRead, SimbenchError
from simbench.cli.dialup.account import account
from simbench.cli.dialup.reconcile import reconcile
from tests.dialup.radius.scenes import answered, detail_text, kept, planned, written


def run(command: click.Command, *arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def refused(command: click.Command, *arguments: str | Path) -> str:
    """Return the error of a command on invalid input."""
    error = cast(BaseException, run(command, *arguments).exception)
    assert isinstance(error, BadInput)
    return str(error)


CALLS = "start_us,duration_us\n960213600000000,60000000\n"


def accounting(folder: Path, *more: str | Path, calls: str = CALLS) -> list[str | Path]:
    (folder / "secret").write_text("testing123\n")
    (folder / "calls.csv").write_text(calls)
    return [
        folder / "calls.csv", "--server", "127.0.0.1:9", "--secret-file", folder / "secret",
        "--journal", folder / "journal.jsonl", *more,
    ]  # fmt: skip


def test_a_faultless_run_is_reconciled_with_exit_status_0(tmp_path: Path) -> None:
    reported = answered(planned(30))
    ended = run(reconcile, *written(tmp_path, reported, kept(reported)))
    assert ended.exit_code == 0
    assert ended.output.count("pass") == 7
    assert "accounting.minutes-once" in ended.output


def test_a_call_that_is_not_accounted_is_named_with_exit_status_1(tmp_path: Path) -> None:
    reported = answered(planned(30))
    found = [each for each in kept(reported) if (each.record.session, each.record.status) != ("00000005", "Stop")]
    journal, detail = written(tmp_path, reported, found)
    ended = run(reconcile, journal, detail)
    assert ended.exit_code == 1
    assert "00000005 at pop-lyon (u00005@isp.example): carried" in ended.output
    printed = json.loads(run(reconcile, journal, detail, "--json").output)
    assert [each["session"] for each in printed["differences"]] == ["00000005"]
    assert {each["outcome"] for each in printed["findings"]} == {"pass", "fail"}


def test_records_that_cannot_be_read_are_shown_and_make_it_inconclusive(tmp_path: Path) -> None:
    reported = answered(planned(30))
    found = kept(reported)
    journal, detail = written(tmp_path, reported, found[:-1])
    with detail.open("a") as file:
        file.write(detail_text(found[-1])[:60])
    ended = run(reconcile, journal, detail)
    assert ended.exit_code == 3
    assert "truncated: detail: ends without its empty line" in ended.output


def test_several_detail_files_are_one_account(tmp_path: Path) -> None:
    reported = answered(planned(30))
    found = kept(reported)
    journal, detail = written(tmp_path, reported, found[:20])
    (tmp_path / "detail-2").write_text("".join(detail_text(each) for each in found[20:]))
    assert run(reconcile, journal, detail, tmp_path / "detail-2").exit_code == 0


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (("--fault", "lost-stops"), "perhaps `lost-stop`"),
        (("--server", "localhost"), "HOST:PORT"),
        (("--server", "localhost:70000"), "HOST:PORT"),
        (("--fast", "--speed", "2"), "one of them"),
        (("--speed", "nan"), "a number"),
        (("--secret-file", "nowhere"), "a file with the shared secret"),
    ],
)
def test_wrong_options_are_refused_in_one_line(tmp_path: Path, more: tuple[str, ...], problem: str) -> None:
    assert problem in refused(account, *accounting(tmp_path, *more))
    assert not (tmp_path / "journal.jsonl").exists()


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ("a,b\n1,2\n", "has no column `start`"),
        ("start_us,duration_us\n1,-5\n", "has no valid call"),
        ("start_us,duration_us\nsoon,5\n", "has no valid call"),
        ("", "is empty; expected a line of column names"),
    ],
)
def test_calls_that_cannot_be_read_are_refused_in_one_line(tmp_path: Path, calls: str, problem: str) -> None:
    assert problem in refused(account, *accounting(tmp_path, calls=calls))


def test_a_table_of_no_calls_is_nothing_to_account_for(tmp_path: Path) -> None:
    error = run(account, *accounting(tmp_path, calls="start_us,duration_us\n")).exception
    assert isinstance(error, NothingRead)
    assert "nothing was read in it" in str(error)


def test_a_secret_is_one_line(tmp_path: Path) -> None:
    arguments = accounting(tmp_path)
    (tmp_path / "secret").write_text("one\ntwo\n")
    assert "has several lines" in refused(account, *arguments)
    (tmp_path / "secret").write_text("\n")
    assert "contains no secret" in refused(account, *arguments)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    reported = answered(planned(3))
    journal, _ = written(tmp_path, reported, kept(reported))
    assert "nothing: No such file" in refused(reconcile, tmp_path / "nothing", journal)
    assert "nothing: No such file" in refused(reconcile, journal, tmp_path / "nothing")
    assert "line 1" in refused(reconcile, tmp_path / "detail", tmp_path / "detail")


def test_a_server_that_is_not_there_is_trouble(tmp_path: Path) -> None:
    ended = run(account, *accounting(tmp_path, "--fast", "--retransmissions", "0"))
    assert isinstance(ended.exception, SimbenchError)
    assert "nobody listens at 127.0.0.1:9" in str(ended.exception)


@pytest.mark.parametrize("command", [account, reconcile])
def test_help_has_examples_and_every_option_says_what_it_is_for(command: click.Command) -> None:
    assert "simbench dialup" in run(command, "--help").output
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_a_bad_row_is_set_aside_and_not_accounted(tmp_path: Path) -> None:
    from simbench.dialup.offer import load_netrevenu
    from simbench.dialup.sources import Reading, read_calls

    (tmp_path / "calls.csv").write_text(CALLS + "960213700000000,-5\n")
    found = read_calls(tmp_path / "calls.csv", load_netrevenu(), Reading())
    assert len(found.calls) == 1
    assert [(row.line, row.reason) for row in found.aside.rows] == [(3, "negative")]


def test_a_reconciliation_is_left_in_a_report_with_every_call_that_differs(tmp_path: Path) -> None:
    reported = answered(planned(30))
    found = [each for each in kept(reported) if (each.record.session, each.record.status) != ("00000005", "Stop")]
    journal, detail = written(tmp_path, reported, found)
    assert run(reconcile, journal, detail, "-o", tmp_path / "out").exit_code == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Reconciliation with the accounting records" in page
    assert "00000005 at pop-lyon (u00005@isp.example): carried" in page
    assert "accounting.clock_tolerance_s" in page
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert [each["session"] for each in result["reconciliation"]["differences"]] == ["00000005"]
    assert result["months"][0]["month"] == "2000-06"


def test_clock_tolerance_and_retransmissions_are_those_of_the_offer(tmp_path: Path) -> None:
    from simbench.contract.layers import HOME

    reported = answered(planned(30, "clock-skew"))
    files = written(tmp_path, reported, kept(reported))
    assert run(reconcile, *files).exit_code == 1
    text = (HOME / "netrevenu_2000.toml").read_text("utf-8")
    assert "clock_tolerance_s = { value = 2," in text
    mine = tmp_path / "mine.toml"
    mine.write_text(text.replace("clock_tolerance_s = { value = 2,", "clock_tolerance_s = { value = 400,"), "utf-8")
    assert run(reconcile, *files, "--contract", mine).exit_code == 0
