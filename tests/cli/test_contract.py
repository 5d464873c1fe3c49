"""`simbench contract`: list, show, check, new and diff, as a contract manager uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simbench.cli.main import cli


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["contract", *words])


def test_the_list_names_every_contract_with_its_product() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json").output)}
    assert {name: row["kind"] for name, row in rows.items()} == {
        "common": "sms", "demo_telecom": "sms", "netrevenu_2000": "dialup", "orange_ops_2016": "sms",
        "roaming_eu": "roaming",
    }  # fmt: skip
    assert (rows["common"]["base"], rows["demo_telecom"]["invented"], rows["orange_ops_2016"]["clauses"]) == (
        True, True, 80)  # fmt: skip
    assert "(80 clauses)" in run("list").output


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


def test_a_difference_names_the_key_and_both_sides(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'extends = "orange_ops_2016"\n[terms.quality]\nrestoration_h = { value = 4, status = "contract" }\n'
        '[ambiguities.AMB-04]\nreading = "ouvres"\nstatus = "contract"\n'
    )
    assert run("diff", "orange_ops_2016", str(path)).output.splitlines() == [
        "terms.quality.restoration_h: 6 h (OPS-QOS-02, seed) -> 4 h (OPS-QOS-02, contract)",
        "ambiguities.AMB-04: calendar (assumption) -> ouvres (contract)",
    ]
    assert run("diff", str(path), str(path)).output == "the contracts say the same\n"


def test_contracts_of_two_products_are_not_compared() -> None:
    assert "is a contract of kind roaming" in str(run("diff", "demo_telecom", "roaming_eu").exception)
