"""Incidents of a world, scripted and drawn."""

from __future__ import annotations

import math
from typing import Literal

import pytest
from msgspec.structs import replace

from simbench.base.errors import ScenarioError
from simbench.base.units import HOUR_US
from simbench.ledger.incidents import check_incidents
from simbench.simulation.incidents import Drawn, IncidentsConfig, Law, Maintenance, Scripted, drawn, incidents, table_of
from tests.paris import CONTRACT, civil, instant

START, END = instant(2026, 1, 1), instant(2027, 1, 1)
CENTURY = START + 876_600 * HOUR_US
FAILURES = Drawn("failures", Law(700, "weibull", shape=0.8), Law(3, "lognormal", sigma=0.9), noticed_after_min=10)


@pytest.mark.parametrize("kind", ["exponential", "weibull", "lognormal", "fixed"])
def test_a_law_has_the_mean_it_names(kind: Literal["exponential", "weibull", "lognormal", "fixed"]) -> None:
    source = Drawn("many", Law(90, kind, shape=0.7, sigma=0.8), Law(10, kind, shape=1.5, sigma=0.4))
    found = list(drawn(source, 1, START, CENTURY))
    lasted = [(one.end or 0) - one.start for one in found]
    assert math.isclose(sum(lasted) / len(found), 10 * HOUR_US, rel_tol=0.04)
    assert math.isclose(len(found), 8766, rel_tol=0.05)


def test_the_exponential_law_has_its_quantiles() -> None:
    table = table_of(Law(1))
    assert math.isclose(table[2048], math.log(2) * HOUR_US, rel_tol=0.01)
    assert list(table) == sorted(table)


def test_the_same_seed_draws_the_same_and_another_source_changes_nothing() -> None:
    alone = incidents(IncidentsConfig(drawn=(FAILURES,)), 7, (START, END), CONTRACT)
    links = Drawn("link A", Law(300), Law(1), scope="partial", share=0.25, subject="link-a")
    both = incidents(IncidentsConfig(drawn=(FAILURES, links)), 7, (START, END), CONTRACT)
    assert alone == tuple(one for one in both if one.subject == "platform")
    assert alone != incidents(IncidentsConfig(drawn=(FAILURES,)), 8, (START, END), CONTRACT)
    check_incidents(both, "drawn")


def test_a_shorter_year_has_the_first_incidents_of_a_longer_one() -> None:
    longer = list(drawn(FAILURES, 3, START, END))
    middle = (START + END) // 2
    assert list(drawn(FAILURES, 3, START, middle)) == [one for one in longer if one.start < middle]


def test_maintenance_keeps_its_civil_time_over_the_change_of_clocks() -> None:
    weekly = Maintenance("2026-03-18T02:30", 2, 6, every_days=7)
    found = incidents(IncidentsConfig(maintenance=(weekly,)), 1, (START, END), CONTRACT)
    assert len(found) == 42
    assert {(civil(one.start).hour, civil(one.start).minute, civil(one.start).weekday()) for one in found} == {
        (2, 30, 2)
    }
    assert all(one.planned and one.announced_at == one.start - 144 * HOUR_US for one in found)


def test_what_would_meet_a_scripted_incident_does_not_happen() -> None:
    often = Drawn("often", Law(3), Law(2))
    script = Scripted("2026-06-01T00:00", 200)
    found = incidents(IncidentsConfig(scripted=(script,), drawn=(often,)), 1, (START, END), CONTRACT)
    check_incidents(found, "mixed")
    assert sum(one.ticket == "S1" for one in found) == 1


def test_a_ticket_is_never_opened_after_the_end() -> None:
    quick = replace(FAILURES, lasting=Law(0.1), noticed_after_min=30)
    assert all(one.start < (one.noticed_at or 0) <= (one.end or 0) for one in drawn(quick, 1, START, END))


@pytest.mark.parametrize(
    ("config", "reported"),
    [
        (
            IncidentsConfig(scripted=(Scripted("soon", 1),)),
            r"incidents.scripted\[0\].at: is \"soon\"; expected civil time of Europe/Paris",
        ),
        (
            IncidentsConfig(scripted=(Scripted("2026-01-05T10:00", 3), Scripted("2026-01-05T12:00", 1))),
            "incident S2: begins while S1 lasts",
        ),
        (IncidentsConfig(drawn=(FAILURES, FAILURES)), "a unique name"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(config: IncidentsConfig, reported: str) -> None:
    with pytest.raises(ScenarioError, match=reported) as refused:
        incidents(config, 1, (START, END), CONTRACT)
    assert "\n" not in str(refused.value)
