"""`simbench list` and `explain` speak of the contract in force, and of no other."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner, Result

from simbench.cli.main import cli
from simbench.cli.rulebooks import known_purposes
from simbench.client.faults import FAULTS, RENAMED, faulty
from simbench.contract import load_contract


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_every_purpose_is_listed_with_its_clauses() -> None:
    listed = json.loads(run("list", "--contract", "demo_telecom", "--json").output)
    inside = {row["purpose"]: row for each in listed["exercises"] for row in each["purposes"]}
    outside = {row["purpose"]: row for rows in listed["elsewhere"].values() for row in rows}
    assert set(inside) | set(outside) == set(known_purposes())
    assert not set(inside) & set(outside)
    assert inside["hours.sundays"]["clauses"] == ["5.2"]
    assert inside["ranges.presence-range"]["clauses"] == []
    assert {"sla.availability", "bill.sums", "forecast.as-forecast", "probe.line.stays"} <= set(outside)
    shown = run("list", "--contract", "demo_telecom").output
    assert re.search(r"sla\.availability +The platform's availability .*\[6\.1\]", shown)
    assert re.search(r"ranges\.presence-range .*\[no clause\]", shown)
    assert not re.search(r"probe\.line\.stays .*\[no clause\]", shown)


def test_a_purpose_without_a_clause_is_explained_as_not_judged() -> None:
    done = run("explain", "ranges.presence-range", "--contract", "demo_telecom")
    assert done.exit_code == 0
    assert "no clause of demo_telecom names it" in done.output
    assert "(exercise ranges)" in done.output
    explained = json.loads(run("explain", "ranges.presence-range", "--contract", "demo_telecom", "--json").output)
    assert (explained["purpose"], explained["clauses"], len(explained["tests"])) == ("ranges.presence-range", [], 1)


def test_an_unknown_word_is_compared_with_clauses_and_purposes() -> None:
    assert "perhaps `ranges.presence-range`" in str(run("explain", "ranges.presence").exception)
    assert "perhaps `6.1`" in str(run("explain", "6.11", "--contract", "demo_telecom").exception)


@pytest.mark.parametrize("name", ["orange_ops_2016", "demo_telecom"])
def test_no_sentence_of_a_purpose_or_fault_has_a_range_or_a_word_of_a_contract(name: str) -> None:
    terms = load_contract(name).terms
    own = {*terms.numbering.prefixes("reply", "marketing", "presence", "machines", "interpersonal"), "twelve"}
    own.add(terms.marketing.stop_word.value)
    gsm = re.compile(r"GSM 03\.38")
    texts = {purpose: rule.sentence for purpose, rule in known_purposes().items()}
    texts |= {f"fault {fault}": (kind.__doc__ or "").partition("\n")[0] for fault, kind in FAULTS.items()}
    assert not {key: text for key, text in texts.items() if own & set(re.findall(r"\w+", gsm.sub("", f"{key} {text}")))}


def test_names_of_faults_of_an_earlier_version_are_accepted() -> None:
    for old, new in RENAMED.items():
        assert issubclass(faulty([old]), FAULTS[new])
