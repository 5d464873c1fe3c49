"""`simbench contract`: list, show, check, new and diff, as a contract manager uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simbench.api.sessions import conform
from simbench.base.errors import ContractError
from simbench.cli.main import cli
from simbench.contract import load_contract


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["contract", *words])


def test_the_list_names_every_contract_with_its_product() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json").output)}
    assert {name: row["kind"] for name, row in rows.items()} == {
        "common": "sms", "demo_telecom": "sms", "netrevenu_2000": "dialup", "orange_ops_2016": "sms",
        "roaming_eu": "roaming",
    }  # fmt: skip
    assert (rows["common"]["base"], rows["demo_telecom"]["invented"], rows["orange_ops_2016"]["clauses"]) == (
        True, True, len(load_contract().clauses))  # fmt: skip
    assert f"({len(load_contract().clauses)} clauses)" in run("list").output


@pytest.mark.parametrize("name", ["demo_telecom", "orange_ops_2016", "netrevenu_2000", "roaming_eu"])
def test_a_built_in_contract_is_shown_and_is_sound(name: str) -> None:
    shown = run("show", name)
    assert (shown.exit_code, shown.output.count("\nclauses\n")) == (0, 1)
    checked = run("check", name)
    assert (checked.exit_code, checked.output[: len(name)]) == (0, name)
    assert json.loads(run("show", name, "--json").output)["name"] == name


def test_sentences_have_the_figures_of_their_terms() -> None:
    assert "The platform is available 99.5 % of every calendar quarter." in run("show", "demo_telecom").output


def test_a_new_contract_is_sound_and_nothing_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert run("new", "mine", "-o", str(path)).exit_code == 0
    assert 'title = "mine"' in path.read_text("utf-8")
    assert run("check", str(path)).exit_code == 0
    again = run("new", "mine", "-o", str(path))
    assert "exists, and simbench did not write it" in str(again.exception)
    assert "is the name of a built-in contract" in str(run("new", "common").exception)


def test_a_check_lists_every_mistake_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "demo_telecom"\n[terms.calendar]\ncountry = { value = "PX", status = "contract" }\n'
        '[clauses."4.2"]\nverified_by = ["ranges.marketing-rang"]\n'
    )
    found = run("check", str(path))
    assert found.exit_code == 2
    lines = found.output.splitlines()
    assert lines[0].startswith(f'{path}:3: terms.calendar.country.value: is "PX"; expected one of PA, PE, ')
    assert lines[1] == (
        f'{path}:5: clauses."4.2".verified_by[0]: no such purpose: "ranges.marketing-rang"; expected perhaps '
        "`ranges.marketing-range`"
    )
    rows = json.loads(
        "\n".join(CliRunner().invoke(cli, ["contract", "check", str(path), "--json"]).stdout.splitlines())
    )
    assert [(row["line"], row["key"]) for row in rows] == [
        (3, "terms.calendar.country.value"), (5, 'clauses."4.2".verified_by[0]')]  # fmt: skip


def test_an_overlay_with_ids_of_an_earlier_version_is_refused_with_the_present_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "orange_ops_2016"\n[clauses.OPS-QOS-01]\nverified_by = ["OPS-QOS-01/rolling-year"]\n'
        '[clauses.OPS-QOS-02]\nverified_by = ["OPS-QOS-02/no-such"]\n'
    )
    lines = run("check", str(path)).output.splitlines()
    assert lines[:2] == [
        f'{path}:3: clauses.OPS-QOS-01.verified_by[0]: "OPS-QOS-01/rolling-year" was renamed; expected '
        '"sla.availability"',
        f'{path}:5: clauses.OPS-QOS-02.verified_by[0]: "OPS-QOS-02/no-such" was renamed; expected `topic.slug`, as '
        "simbench list has it",
    ]
    with pytest.raises(ContractError, match=r"was renamed; expected \"sla\.availability\""):
        load_contract(path)


def test_a_difference_names_the_key_and_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "orange_ops_2016"\n[terms.quality]\nrestoration_h = { value = 4, status = "contract" }\n'
        'notice_days = { value = 5, status = "contract" }\n'
        '[ambiguities.AMB-04]\nreading = "ouvres"\nstatus = "contract"\n'
        '[clauses.OPS-QOS-02]\ngist = "Back within {quality.restoration_h} hours."\n'
    )
    lines = run("diff", "orange_ops_2016", str(path)).output.splitlines()
    assert lines[:2] == [
        "terms.quality.restoration_h: 6 h (OPS-QOS-02, seed) -> 4 h (OPS-QOS-02, contract)",
        "ambiguities.AMB-04: calendar (assumption) -> ouvres (contract)",
    ]
    assert lines[2].startswith("clauses.OPS-QOS-02.gist: ")
    assert lines[2].endswith("-> Back within 4 hours.")
    assert lines[-1] == "different: 1 figure, 1 reading, 1 clause; 1 figure only in clause or status (--all)"
    assert "notice_days" in run("diff", "orange_ops_2016", str(path), "--all").output
    assert run("diff", str(path), str(path)).output == "the contracts say the same\n"


def test_two_operators_are_compared_by_what_their_figures_are_about() -> None:
    output = run("diff", "orange_ops_2016", "demo_telecom").output
    lines = output.splitlines()
    assert "terms.numbering.ranges, marketing: 36 digits, use marketing (OPS-DEO-08, seed) -> " in output
    assert "terms.tariff, message: 0.030 euro/message, charge message (OPS-TAR-05, seed) -> 0.021" in output
    assert "parties, operator: Orange (orange) -> Demo Telecom (demo)" in lines
    assert output.count("OPS-PRO-07") == 1  # in the list of clauses that the other does not have
    assert not [line for line in lines if "{" in line and "pattern" not in line]
    both = json.loads(run("diff", "orange_ops_2016", "demo_telecom", "--json").output)
    assert "ranges.presence-range" in both["only_first"]["purposes"]
    assert both["only_second"] == {"clauses": list(load_contract("demo_telecom").clauses), "purposes": []}


@pytest.mark.slow
def test_a_difference_names_the_verdicts_on_a_session_that_change(tmp_path: Path) -> None:
    longer, folder = tmp_path / "longer.toml", tmp_path / "session"
    longer.write_text(
        'extends = "demo_telecom"\n[terms.hours.marketing]\ncloses_at_h = { value = "20:30", status = "contract" }\n'
    )
    conform("reference", only="evening-edge", contract="demo_telecom", faults=["closes-late"], folder=folder)
    words = ["diff", "demo_telecom", str(longer), "--run", str(folder), "--json"]
    changed = {row["purpose"]: row for row in json.loads(run(*words).output)["verdicts"]}
    assert (changed["hours.evening-edge"]["first"], changed["hours.evening-edge"]["second"]) == ("fail", "inconclusive")


def test_prices_uses_and_readings_are_shown() -> None:
    shown = run("show", "demo_telecom").output
    assert "25 messages/s, price 210" in shown
    assert "72 digits, use marketing" in shown
    assert "60 euro/month, charge code_month, last 5" in shown
    assert "* ouvres: Monday to Friday without public holidays" in shown
    assert "  ouvrables: Monday to Saturday without public holidays" in shown


def test_a_base_is_shown_though_it_is_no_contract() -> None:
    shown = run("show", "common")
    assert shown.exit_code == 0
    assert "marketing.stop_grace_h                     24 h  [assumption]" in shown.output
    assert json.loads(run("show", "common", "--json").output)["abstract"] is True


def test_contracts_of_two_products_are_not_compared() -> None:
    assert "is a contract of kind roaming" in str(run("diff", "demo_telecom", "roaming_eu").exception)
