"""`simbench dialup`: the published figures by command, records and statements judged, reports."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from simbench.base.errors import BadInput, ContractError, ScenarioError
from simbench.cli.dialup.group import dialup
from simbench.cli.main import cli
from simbench.dialup.radius.packets import encode, sign
from simbench.dialup.run import run_dialup
from simbench.dialup.scenario import Pool, read_dialup
from tests.capture.scenes import pcap
from tests.dialup.radius.scenes import SENT, answered, detail_text, kept, planned
from tests.dialup.radius.test_captured import packet
from tests.dialup.scene import MONTH, written

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "dialup"
FIFTY, HUNDRED_AND_FIFTY, YEAR = (
    SCENARIOS / f"{name}.toml" for name in ("01_fifty_million", "02_hundred_and_fifty_million", "03_growing_year")
)


def ran(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["dialup", *map(str, arguments)])


def as_json(*arguments: object) -> dict[str, object]:
    ended = ran(*arguments, "--json")
    assert ended.exit_code in {0, 1}, ended.output
    return dict(json.loads(ended.stdout))


def test_both_published_figures_come_by_command() -> None:
    first = as_json("settle", "--minutes", 50_000_000)
    assert (first["share_ff"], first["share_eur"]) == ("700000.00", "106714.31")
    second = as_json("settle", "--minutes", 150_000_000)
    assert (second["share_ff"], second["share_eur"]) == ("2550000.00", "388744.99")
    assert as_json("settle", "--minutes", 150_000_000, "--tariff", "F4")["share_ff"] == "2503563.99"


def test_vat_is_that_of_the_month() -> None:
    assert as_json("settle", "--minutes", 50_000_000, "--month", "2000-03")["vat_ff"] == "144200.00"
    assert as_json("settle", "--minutes", 50_000_000, "--month", "2000-04")["vat_ff"] == "137200.00"
    inside = as_json("settle", "--minutes", 50_000_000, "--reading", "NRV-AMB-05=with")
    assert (inside["share_ff"], inside["share_ttc_ff"]) == ("585284.28", "700000.00")


def test_ports_of_a_load_are_those_of_the_table() -> None:
    found = as_json("ports", "--minutes", 50_000_000, "--busy-share", 0.1, "--grade", 0.01, "--grade", 0.05)
    grades = found["grades"]
    assert isinstance(grades, list)
    assert [grade["ports"] for grade in grades] == [2802, 2657]
    assert all(float(grade["next_port_ff"]) > 0 for grade in grades)


def test_tables_show_the_same_figures() -> None:
    assert "700,000.00" in ran("settle", "--minutes", 50_000_000).output
    assert "2,802" in ran("ports", "--minutes", 50_000_000, "--busy-share", 0.1, "--grade", 0.01).output


def scaled(tmp_path: Path, path: Path, by: int) -> Path:
    """A scenario on a fraction of its load and ports."""
    text = re.sub(r"(?m)^(minutes|ports) = ([\d_]+)", lambda m: f"{m[1]} = {max(1, int(m[2]) // by)}", path.read_text())
    small = tmp_path / path.name
    small.write_text(text)
    return small


@pytest.mark.parametrize(("path", "by"), [(FIFTY, 50), (HUNDRED_AND_FIFTY, 100), (YEAR, 500)])
def test_a_scenario_runs_on_a_fraction_of_its_load_and_reports(path: Path, by: int, tmp_path: Path) -> None:
    small, records = scaled(tmp_path, path, by), tmp_path / "calls.parquet"
    ended = ran("run", small, "-o", tmp_path / "out", "--records", records, "--json")
    assert ended.exit_code == 0, ended.output
    totals = json.loads(ended.stdout)
    assert totals["offered"] == totals["carried"] + totals["lost"] > 1000
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 5
    assert not re.search(r'(src|href)="(?!#)', page)
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["settled"][0]["share_ff"] in page.replace(",", "")
    replayed = as_json("replay", records, "--month", totals["months"][-1]["month"])
    assert replayed["aside_total"] == 0


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_scenario_begins_with_its_title_and_the_command_that_runs_it(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert any(f"simbench dialup run scenarios/dialup/{path.name}" in line for line in lines[:5])
    assert read_dialup(path).title


def test_the_growing_year_grows_from_one_point_to_the_other() -> None:
    year = read_dialup(YEAR)
    assert year.minutes_of(0, year.offer()) == 50_000_000
    assert year.minutes_of(11, year.offer()) == pytest.approx(150_000_000, rel=0.01)
    small = msgspec.structs.replace(year, minutes=50_000, pools=(Pool("paris", 400),))
    months = run_dialup(small).totals.months
    assert months[11].minutes > 2.5 * months[0].minutes


def test_records_are_settled_their_statement_written_compared_and_reported(tmp_path: Path) -> None:
    calls, mine = written(tmp_path / "calls.csv"), tmp_path / "mine.csv"
    ports = ("--ports", "lyon=6", "--ports", "paris=4")
    assert ran("replay", calls, "--month", MONTH, "--write", mine).exit_code == 0
    ended = ran("replay", calls, "--statement", mine, *ports, "-o", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    assert "statement.share" in ended.output
    mine.write_text(mine.read_text().replace("total,", "total,1", 1))
    calls.write_text(calls.read_text() + "2000-09-05T20:00:00,-5,lyon,1,u,x1,1\n")
    ended = ran("replay", calls, "--statement", mine, "-o", tmp_path / "out")
    assert ended.exit_code == 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert "a negative duration" in page
    assert page.count("<svg") == 4


def test_the_same_scenario_gives_the_same_octets(tmp_path: Path) -> None:
    small = scaled(tmp_path, FIFTY, 1000)
    for name in ("one", "other"):
        assert ran("run", small, "-o", tmp_path / name).exit_code == 0
    for file in ("report.html", "result.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("settle", "--minutes", "-1"), "minutes: is -1"),
        (("settle", "--minutes", "1", "--tariff", "F9"), "no such function"),
        (("settle", "--minutes", "1", "--month", "2000-13"), "is no month"),
        (("settle", "--minutes", "1", "--month", "1995-01"), "is not known"),
        (("settle", "--minutes", "1", "--reading", "NRV-AMB-02"), "names no reading"),
        (("settle", "--minutes", "1", "--contract", "orange_ops_2016"), 'kind: is "sms"'),
        (("ports", "--minutes", "1", "--month", "autumn"), "is no month"),
        (("ports", "--minutes", "1", "--grade", "2"), "a share between 0 and 1"),
        (("ports", "--minutes", "1", "--busy-share", "7"), "above 0, at most 1"),
        (("replay", "nothing.csv"), "No such file or directory; expected call records"),
        (("run", "nothing.toml"), "no such file"),
    ],
)
def test_a_wrong_argument_is_one_clear_error(arguments: tuple[str, ...], reported: str) -> None:
    ended = ran(*arguments)
    assert isinstance(ended.exception, BadInput)
    assert reported in str(ended.exception)
    assert "\n" not in str(ended.exception)


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        ("minutes = 150_000_000", "", "one of `minutes` and `subscribers`"),
        ('pool = "lyon"', 'pool = "nice"', "outages[0].pool"),
        ("2000-09-12T20:30", "2000-10-12T20:30", "an instant of 2000-09"),
        ("2000-09-12T20:30", "tonight", "outages[0].starts"),
        ('name = "lille"', 'name = "lyon"', "two pools have the same name"),
        ("ports = 4_000", "ports = 0", "ports"),
        ('mode = "drop"', 'mode = "melt"', "melt"),
        ('months = "2000-09"', 'months = "september"', "is no month"),
        ("[redial]", "[redail]", "redail"),
    ],
)
def test_a_wrong_scenario_is_one_clear_error(old: str, new: str, reported: str, tmp_path: Path) -> None:
    text = HUNDRED_AND_FIFTY.read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises((ScenarioError, ContractError, BadInput)) as refused:
        read_dialup(path)
    assert reported in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", dialup.commands)
def test_every_command_of_the_group_has_an_example_and_help_for_each_option(name: str) -> None:
    shown = ran(name, "--help")
    assert f"simbench dialup {name}" in shown.output.partition("Example")[2]
    options = [option for option in dialup.commands[name].params if isinstance(option, click.Option)]
    assert all(option.help for option in options)


def test_a_detail_file_is_replayed_and_what_is_torn_is_shown_and_not_billed(tmp_path: Path) -> None:
    detail, found = tmp_path / "detail", kept(answered(planned(30)))
    text = "".join(map(detail_text, found))
    detail.write_text(text)
    whole = as_json("replay", detail, "--clock", "event")
    assert (whole["calls"], whole["aside_total"]) == (30, 0)
    detail.write_text(text + detail_text(found[-1])[:60])
    ended = ran("replay", detail, "--clock", "event", "--json")
    assert ended.exit_code == 3  # what was torn off is not known, and nobody is blamed for it
    torn = json.loads(ended.stdout)
    assert torn["months"] == whole["months"]
    assert torn["aside_counts"] == {"truncated": 1}
    assert [row["line"] for row in torn["aside"]] == [text.count("\n") + 1]
    assert "ends without its empty line" in ran("replay", detail, "--clock", "event").output


def test_a_capture_is_replayed_and_a_wrong_secret_refused(tmp_path: Path) -> None:
    requests = [sign(encode(each.record), n % 256, b"testing123") for n, each in enumerate(planned(10))]
    capture, secret = tmp_path / "radius.pcap", tmp_path / "secret"
    capture.write_bytes(pcap([(SENT + n, packet(request)) for n, request in enumerate(requests)], 1))
    secret.write_text("testing123\n")
    found = as_json("replay", capture, "--clock", "event", "--secret-file", secret)
    assert (found["calls"], found["aside_total"]) == (10, 0)
    secret.write_text("another\n")
    refused = ran("replay", capture, "--clock", "event", "--secret-file", secret)
    assert isinstance(refused.exception, BadInput)
    assert "fits none of" in str(refused.exception)
