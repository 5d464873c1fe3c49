"""Roaming scenarios: each does what its comments say, and what is wrong in one is said in one line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from simbench.base.errors import BadInput, ScenarioError
from simbench.roaming.contract import load_roaming
from simbench.roaming.population import run_population
from simbench.roaming.results import Row, Summary, changes, summary_of
from simbench.roaming.scenario import Population, RoamingScenario, months_after, read_roaming_scenario

CONTRACT = load_roaming()
FOLDER = Path(__file__).parents[2] / "scenarios" / "roaming"
NAMES = ("01_a_year_abroad", "02_a_lower_cap", "03_a_greedy_operator", "04_linked_sims", "05_a_cheaper_plan")


def scenario(name: str, subscribers: int = 2000) -> RoamingScenario:
    read = read_roaming_scenario(FOLDER / f"{name}.toml", CONTRACT)
    return replace(read, population=replace(read.population, subscribers=subscribers))


@pytest.fixture(scope="module")
def summaries() -> dict[str, Summary]:
    read = {name: scenario(name) for name in NAMES}
    return {name: summary_of(one, CONTRACT, run_population(one, CONTRACT)) for name, one in read.items()}


def of(summary: Summary, profile: str) -> Row:
    return next(row for row in summary.rows if row.profile == profile)


def test_every_scenario_is_tested_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_begins_with_its_title_and_the_command_that_runs_it(name: str) -> None:
    lines = (FOLDER / f"{name}.toml").read_text().splitlines()
    assert lines[0].startswith("# ")
    assert any(line.startswith(f"#   simbench roaming run scenarios/roaming/{name}.toml -o reports/") for line in lines)


def test_each_kind_of_traveller_meets_the_rule_he_is_there_for(summaries: dict[str, Summary]) -> None:
    year = summaries["01_a_year_abroad"]
    permanent, serial, frontier = of(year, "permanent"), of(year, "serial"), of(year, "frontier")
    assert permanent.surcharged == permanent.subscribers
    assert (serial.alerted, frontier.alerted) == (0, 0)
    erasmus = of(year, "erasmus")
    assert erasmus.excused + erasmus.alerted == erasmus.subscribers
    assert 0 < erasmus.alerted < erasmus.excused
    assert of(year, "occasional").paying == 0
    assert 0 < of(year, "holiday").exceeded < of(year, "holiday").subscribers
    assert of(year, "frontier").margin_eur < 0


def test_the_rows_of_the_profiles_add_up_to_the_row_of_all(summaries: dict[str, Summary]) -> None:
    for summary in summaries.values():
        for name in Row.__struct_fields__[1:]:
            total = sum(getattr(row, name) for row in summary.rows[:-1])
            assert getattr(summary.total, name) == pytest.approx(total)
        total = summary.total
        brought = total.plan_eur + total.overage_eur + total.surcharge_eur - total.wholesale_eur
        assert total.margin_eur == pytest.approx(brought)


def test_a_lower_cap_ends_overage_and_helps_the_home_operator(summaries: dict[str, Summary]) -> None:
    _, lower = changes([summaries["01_a_year_abroad"], summaries["02_a_lower_cap"]])
    assert lower.exceeded_share < 0.01
    assert lower.margin_change_eur_each > 0


def test_recognised_sims_are_surcharged_and_students_without_exceptions_too(summaries: dict[str, Summary]) -> None:
    linked = summaries["04_linked_sims"]
    assert of(linked, "serial").surcharged == of(linked, "serial").subscribers
    assert of(linked, "erasmus").alerted == of(linked, "erasmus").subscribers
    assert linked.total.excused == 0


def test_half_the_price_is_half_the_envelope_and_more_who_exceed_it(summaries: dict[str, Summary]) -> None:
    year, cheaper = summaries["01_a_year_abroad"], summaries["05_a_cheaper_plan"]
    assert of(cheaper, "holiday").exceeded > of(year, "holiday").exceeded
    assert of(cheaper, "holiday").plan_eur == pytest.approx(of(year, "holiday").plan_eur / 2)
    assert of(cheaper, "occasional") == of(year, "occasional")


def test_ten_percent_above_the_cap_is_ten_percent_more_for_the_same_overage(summaries: dict[str, Summary]) -> None:
    year, greedy = (of(summaries[name], "business").overage_eur for name in (NAMES[0], NAMES[2]))
    assert 1.0 < greedy / year <= 1.1 + 1e-9


GOOD = """
name = "n"
title = "t"
[population]
subscribers = 10
starts = 2018-01-01
days = 30
[plans.p]
price_eur = "20"
vat = "FR"
[profiles.a]
share = 1.0
plan = "p"
home_mb = 1
roam_mb = 1
trips = [{ departs = 2018-01-05, days = [2, 3] }, { departs = 2018-01-08, days = [2, 3] }]
"""

WRONG = [
    ("starts = 2018-01-01", "starts = 2017-06-14", "population.starts: no wholesale cap is in force on 2017-06-14"),
    ("starts = 2018-01-01", "starts = 2032-06-10", "population.days: no wholesale cap is in force on 2032-07-09"),
    ('price_eur = "20"', 'price_eur = "-20"', "plans.p: price -20 is not possible"),
    ('price_eur = "20"', "", "plans.p.price_eur: is missing"),
    ('vat = "FR"', 'vat = "ZZ"', 'plans.p: VAT "ZZ" unknown VAT; expected one of FR, DE, AT'),
    ("share = 1.0", "share = 0.5", "profiles: shares sum to 0.5; expected 1"),
    ('plan = "p"', 'plan = "q"', 'profiles.a.plan: is "q"; expected one of p'),
    ("departs = 2018-01-08", "departs = 2018-01-07", "profiles.a.trips[1].departs: is 2018-01-07, while the trip of"),
    ("starts = 2018-01-01", "starts = 9999-12-31", "population.starts: no wholesale cap is in force on 9999-12-31"),
    ("days = [2, 3] }]", "days = [3, 2] }]", "profiles.a.trips[1].days: is [3, 2]; expected the shortest first"),
    ("days = 30", "dayz = 30", "population.dayz: unknown key; expected perhaps `days`"),
    ("days = 30", "days = 0", "population.days: is 0; expected a whole number >= 1"),
]  # fmt: skip


def written(folder: Path, text: str) -> Path:
    (folder / "s.toml").write_text(text)
    return folder / "s.toml"


def test_the_sound_scenario_reads(tmp_path: Path) -> None:
    assert read_roaming_scenario(written(tmp_path, GOOD), CONTRACT).profiles["a"].trips[1].departs == date(2018, 1, 8)


@pytest.mark.parametrize(("was", "becomes", "expected"), WRONG)
def test_an_invalid_scenario_is_refused_with_file_and_key(
    was: str, becomes: str, expected: str, tmp_path: Path
) -> None:
    assert was in GOOD
    with pytest.raises(ScenarioError) as refused:
        read_roaming_scenario(written(tmp_path, GOOD.replace(was, becomes)), CONTRACT)
    assert str(refused.value).startswith(f"{tmp_path}/s.toml: {expected}")
    assert "\n" not in str(refused.value)


def test_a_file_that_extends_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="too many files in a chain"):
        read_roaming_scenario(written(tmp_path, 'extends = "s.toml"'), CONTRACT)


ODD = ["[operator]", 'cap_eur_per_gb = "0"', "share = 1e999", "days = 9999999999999999999", "starts = 9999-12-31"]
LINES = st.sampled_from([*GOOD.strip().splitlines(), *ODD])


@given(st.lists(LINES | st.text(max_size=30), max_size=20).map("\n".join))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "s.toml"
    path.write_text(text, encoding="utf-8", errors="replace")
    problem: BadInput | None = None
    try:
        read_roaming_scenario(path, CONTRACT)
    except BadInput as refused:
        problem = refused
    assert problem is None or "\n" not in str(problem)


@given(st.dates(date(2017, 6, 15), date(2030, 1, 1)), st.integers(1, 800))
def test_billing_periods_begin_every_month_and_cover_the_run(starts: date, days: int) -> None:
    sound = scenario(NAMES[0])
    periods = replace(sound, population=Population(1, starts, days)).period_starts()
    assert periods[0] == starts
    assert periods == [months_after(starts, place) for place in range(len(periods))]
    assert (periods[-1] - starts).days < days <= (months_after(starts, len(periods)) - starts).days
