"""Populations: kernels, their plain forms and an oracle of decimals agree, in chunks of any size."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from simbench.roaming import population
from simbench.roaming.contract import load_roaming
from simbench.roaming.kernels import travel as travel_kernel
from simbench.roaming.kernels.fair_use import COLUMNS, STATES, Outcome, Use, Who, follow
from simbench.roaming.population import run_population, tables_of, trace
from simbench.roaming.scenario import (
    Operator,
    PlanConfig,
    Population,
    Profile,
    RoamingScenario,
    Trip,
    read_roaming_scenario,
)
from tests.roaming.oracle import Day, Fate, Person, World

CONTRACT = load_roaming()
FOLDER = Path(__file__).parents[2] / "scenarios" / "roaming"
NAMES = {"exhausted": 1, "warning": 2, "limit": 4}

OCTETS = st.sampled_from([0, 1, 999, 1000, 1001, 50_000_000, 700_000_000, 3_000_000_000, 40_000_000_000])
NETWORKS = st.sampled_from([frozenset(), frozenset({"home"}), frozenset({"abroad"}), frozenset({"home", "abroad"})])


@st.composite
def lives(draw: st.DrawFn) -> list[Day]:
    """Stretches of days alike, long enough to fill windows, with odd days among them."""
    days: list[Day] = []
    while len(days) < 300:
        networks = draw(NETWORKS)
        home = draw(OCTETS) if "home" in networks else 0
        roam = draw(OCTETS) if "abroad" in networks else 0
        day = Day(networks, home, roam, draw(st.integers(0, 3)), draw(st.sampled_from([0, 1, 29, 30, 31, 600])), 2)
        days += [day] * draw(st.sampled_from([1, 2, 13, 14, 61, 62, 90, 122, 123]))
    return days[:300]


PEOPLE = st.builds(
    Person, st.sampled_from(["open", "closed"]), st.booleans(), st.booleans(), st.sampled_from([0, 0, 2, 5])
)
OPERATORS = st.builds(
    Operator,
    price_share=st.sampled_from([Decimal(1), Decimal("0.333")]),
    cap_eur_per_gb=st.none() | st.just(Decimal("0.77")),
    linked_sims=st.booleans(),
    fair_use=st.sampled_from([True, True, True, False]),
)


def drawn(operator: Operator, starts: date, days: int = 300) -> RoamingScenario:
    plans = {
        "open": PlanConfig(Decimal(20), "FR"),
        "closed": PlanConfig(Decimal(15), "DE", Decimal(1)),
    }
    profile = Profile(share=1, plan="open", home_mb=1, roam_mb=1)
    return RoamingScenario("drawn", "Drawn", Population(1, starts, days), plans, {"only": profile}, operator)


def arrays(people: list[Person], all_days: list[list[Day]]) -> tuple[Who, Use]:
    """The same population as the kernel takes it."""
    bits = {"home": 1, "abroad": 2}
    use = [
        np.array([[value(day) for day in days] for days in all_days])
        for value in (
            lambda day: sum(bits[name] for name in day.networks), lambda day: day.home_octets,
            lambda day: day.roam_octets, lambda day: day.calls, lambda day: day.call_s, lambda day: day.sms,
        )
    ]  # fmt: skip
    who = [
        [0 for _ in people], [["open", "closed"].index(one.plan) for one in people], [one.excused for one in people],
        [one.consents for one in people], [one.sim_periods for one in people],
    ]  # fmt: skip
    return Who(*map(np.array, who)), Use(*use)


def blank(size: int, days: int, profiles: int = 1) -> Outcome:
    return Outcome(
        np.zeros((size, len(COLUMNS)), np.int64), np.zeros((profiles, len(STATES), days), np.int64),
        np.zeros((size, days), np.int8), *(np.zeros((size, days), np.int64) for _ in range(3)),
    )  # fmt: skip


def agree(outcome: Outcome, one: int, fate: Fate) -> None:
    """Everything the kernel keeps of a subscriber is what the oracle says."""
    totals = dict(zip(COLUMNS, outcome.totals[one].tolist(), strict=True))
    assert [STATES[state] for state in outcome.state[one]] == fate.states
    assert outcome.served[one].tolist() == fate.served
    for name, euros in fate.euros.items():
        assert Decimal(totals[f"{name}_neur"]) == euros * 10**9, name
    for name, amount in fate.sums.items():
        assert totals[name] == amount, name
    days = {
        name: [day for day, reported in fate.notices if reported == name] for name in (*NAMES, "alert", "surcharge")
    }
    for name, sign in NAMES.items():
        assert np.flatnonzero(outcome.signs[one] & sign).tolist() == days[name]
    assert (totals["alerts"], totals["first_alert_day"]) == (len(days["alert"]), (days["alert"] or [-1])[0])
    assert (totals["surcharges"], totals["first_surcharge_day"]) == (
        len(days["surcharge"]),
        (days["surcharge"] or [-1])[0],
    )
    for name in STATES[1:]:
        assert totals[f"{name}_days"] == fate.states.count(name)
    counted = [totals[name] for name in ("periods_exhausted", "periods_warned", "periods_at_limit")]
    assert counted == [len(days[name]) for name in NAMES]


@settings(max_examples=25)
@given(
    st.lists(st.tuples(PEOPLE, lives()), min_size=1, max_size=3),
    OPERATORS,
    st.dates(date(2017, 6, 15), date(2031, 6, 1)),
)
def test_the_kernel_agrees_with_the_oracle_of_decimals(
    pairs: list[tuple[Person, list[Day]]], operator: Operator, starts: date
) -> None:
    people, all_days = [person for person, _ in pairs], [days for _, days in pairs]
    scenario = drawn(operator, starts)
    world, tables = World(scenario, CONTRACT), tables_of(scenario, CONTRACT)
    who, use = arrays(people, all_days)
    outcome = blank(len(people), 300)
    assert follow(tables.rules, tables.days, who, use, tables.envelopes, outcome) == 300 * len(people)
    for one, (person, days) in enumerate(pairs):
        agree(outcome, one, world.fate(person, days))


@settings(max_examples=5)
@given(st.lists(st.tuples(PEOPLE, lives()), min_size=1, max_size=2), OPERATORS)
def test_the_plain_kernel_fills_in_the_same_octets(pairs: list[tuple[Person, list[Day]]], operator: Operator) -> None:
    scenario = drawn(operator, date(2018, 11, 20))
    tables = tables_of(scenario, CONTRACT)
    who, use = arrays([person for person, _ in pairs], [days for _, days in pairs])
    plain, compiled = blank(len(pairs), 300), blank(len(pairs), 300)
    follow.plain(tables.rules, tables.days, who, use, tables.envelopes, plain)
    follow(tables.rules, tables.days, who, use, tables.envelopes, compiled)
    for ours, theirs in zip(plain, compiled, strict=True):
        assert (ours == theirs).all()


def year() -> RoamingScenario:
    scenario = read_roaming_scenario(FOLDER / "01_a_year_abroad.toml", CONTRACT)
    return replace(scenario, population=replace(scenario.population, subscribers=300))


def test_the_oracle_agrees_on_every_subscriber_of_the_first_scenario() -> None:
    scenario = year()
    world, traced = World(scenario, CONTRACT), trace(scenario, CONTRACT, range(300))
    names = list(scenario.profiles)
    met = set()
    for number in range(300):
        name, person = world.person(number)
        met.add(name)
        assert names[traced.who.profile[number]] == name
        life = world.life(number, name)
        assert traced.use.roam_octets[number].tolist() == [day.roam_octets for day in life]
        assert traced.use.home_octets[number].tolist() == [day.home_octets for day in life]
        agree(traced.outcome, number, world.fate(person, life))
    assert len(met) >= 6


def test_plain_travel_is_compiled_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = replace(year(), population=Population(12, date(2018, 1, 1), 200))
    compiled = trace(scenario, CONTRACT, range(12))
    monkeypatch.setattr(population, "travel", travel_kernel.travel.plain)
    monkeypatch.setattr(population, "parts", travel_kernel.parts.plain)
    plain = trace(scenario, CONTRACT, range(12))
    for ours, theirs in zip((*plain.who, *plain.use), (*compiled.who, *compiled.use), strict=True):
        assert (ours == theirs).all()


def test_a_subscriber_does_the_same_in_any_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_population(year(), CONTRACT)
    monkeypatch.setattr(population, "CHUNK", 7)
    pieces = run_population(year(), CONTRACT)
    assert all((one == other).all() for one, other in zip(whole, pieces, strict=True))
    traced = trace(year(), CONTRACT, range(100, 150))
    assert (traced.outcome.totals == whole.totals[100:150]).all()


def test_every_subscriber_is_in_one_state_each_day_and_another_seed_is_another_population() -> None:
    scenario = year()
    followed = run_population(scenario, CONTRACT)
    assert (followed.by_day.sum(axis=(0, 1)) == 300).all()
    assert (run_population(replace(scenario, seed=8), CONTRACT).totals != followed.totals).any()


def test_a_trip_under_way_when_the_run_begins_goes_on() -> None:
    scenario = drawn(Operator(), date(2018, 1, 1), 30)
    profile = Profile(
        share=1, plan="open", home_mb=1, roam_mb=1, silent_share=0, trips=(Trip(date(2017, 12, 20), (20, 20)),)
    )
    traced = trace(replace(scenario, profiles={"only": profile}), CONTRACT, range(1))
    assert traced.use.place[0].tolist() == [2] * 7 + [3] + [1] * 22


def alone(person: Person, days: list[Day]) -> tuple[dict[str, int], Outcome]:
    """One subscriber from 1 January 2018 on, on 20 euros with French VAT and no bound at home."""
    scenario = drawn(Operator(wholesale_share=Decimal(1)), date(2018, 1, 1), len(days))
    tables = tables_of(scenario, CONTRACT)
    who, use = arrays([person], [days])
    outcome = blank(1, len(days))
    follow(tables.rules, tables.days, who, use, tables.envelopes, outcome)
    return dict(zip(COLUMNS, outcome.totals[0].tolist(), strict=True)), outcome


AWAY = frozenset({"abroad"})


def test_worked_by_hand_six_gigabytes_cost_what_lies_beyond_the_envelope() -> None:
    totals, _ = alone(Person("open"), [Day(AWAY, roam_octets=6_000_000_000)])
    # 20 / 1.2 * 2 / 6.00 = 5.555 555 556 GB included; 444 445 begun kilobytes at 6 millionths of a euro.
    assert (totals["included_octets"], totals["overage_neur"]) == (5_555_555_556, 444_445 * 6_000)
    assert (totals["wholesale_neur"], totals["periods_exhausted"]) == (36_000_000_000, 1)


def test_worked_by_hand_spending_stops_within_a_kilobyte_of_fifty_euros() -> None:
    heavy = Day(AWAY, roam_octets=100_000_000_000)
    totals, _ = alone(Person("open"), [heavy])
    assert totals["overage_neur"] == 8_333_333 * 6_000  # 49.999 998 euros
    assert totals["blocked_octets"] == 100_000_000_000 - 5_555_555_556 - 8_333_333_000
    assert (totals["periods_warned"], totals["periods_at_limit"]) == (1, 1)
    agreed, _ = alone(Person("open", consents=True), [heavy])
    assert agreed["blocked_octets"] == 0
    assert agreed["overage_neur"] == 94_444_445 * 6_000


def test_worked_by_hand_an_alert_on_the_day_a_window_is_full_and_a_surcharge_two_weeks_later() -> None:
    away, home = Day(AWAY, roam_octets=1_000, calls=2, call_s=31, sms=1), Day(frozenset({"home"}), home_octets=2_000)
    totals, outcome = alone(Person("open"), [away] * 140 + [home] * 100)
    states = [STATES[state] for state in outcome.state[0]]
    assert (states.index("alerted"), states.index("surcharged")) == (123, 137)
    # After n days at home the window holds 2n kB at home and 123 - n abroad: consumption no longer prevails from
    # n = 41 on, long before presence, at n = 62.
    assert states.index("normal", 137) == 140 + 41
    assert totals["surcharged_days"] == 140 + 41 - 137
    assert totals["data_surcharge_neur"] == 3 * 6_000
    assert totals["voice_surcharge_neur"] == 3 * 2 * 31 * 533_333  # 0.032 / 60, cut to whole nano-euros
    assert totals["sms_surcharge_neur"] == 3 * 10_000_000


def test_a_frontier_worker_is_at_home_every_day_and_never_alerted() -> None:
    both = Day(frozenset({"home", "abroad"}), home_octets=1, roam_octets=1_000_000)
    totals, _ = alone(Person("open"), [both] * 300)
    assert (totals["roam_days"], totals["alerts"]) == (300, 0)
