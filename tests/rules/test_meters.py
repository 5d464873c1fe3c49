"""Each reading of AMB-05: the judge's meter against the platform's and against counting, and clients judged by it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from fake_smsc.core.limiter import limiter_of
from fake_smsc.core.records import Limit
from fake_smsc.scenario import CodeConfig, LimitMode, Meter
from simbench.base.units import SECOND_US
from simbench.contract import Contract, load_contract
from simbench.rules.arrays import Places
from simbench.rules.client.granted import dues
from simbench.rules.client.throughput import Policed, police
from simbench.rules.meters import form_of
from tests.fake_smsc.ucp_gateway.stage import operation
from tests.harness import START, Peer, gateway_of
from tests.rules.client.test_throughput import TAU, TIERS, Arrivals, arrivals, small_rates, tolerances
from tests.rules.scene import Scene, alert, submit

AT_TIER = "rate.backlog-at-tier"
METERS: tuple[Meter, ...] = get_args(Meter)


def limit(rate: int, mode: LimitMode, meter: Meter, **more: int) -> Limit:
    return Limit(rate, mode, meter=meter, mean_window_s=load_contract().terms.throughput.mean_window_s.value, **more)  # type: ignore[arg-type]  # only numbers are given


def reading(meter: str) -> Contract:
    """The contract, read so."""
    contract = load_contract()
    read = msgspec.structs.replace(contract.ambiguities["AMB-05"], reading=meter)
    return msgspec.structs.replace(contract, ambiguities={**contract.ambiguities, "AMB-05": read})


def policed(drawn: Arrivals, rate: int, meter: str, tolerance_us: int = TAU) -> Policed:
    at, segments = (np.array([row[column] for row in drawn], np.int64) for column in (0, 1))
    return police(at, segments, rate, tolerance_us, form=form_of(reading(meter), rate))


def of(instants: Iterable[int], rate: int, meter: str, tolerance_us: int = TAU) -> Places:
    return policed([(instant, 1) for instant in instants], rate, meter, tolerance_us).early


def test_the_readings_of_the_contract_are_the_meters_of_a_scenario() -> None:
    assert set(METERS) == set(load_contract().ambiguities["AMB-05"].readings)


# Twins -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("meter", METERS)
@given(drawn=arrivals(most_segments=9), rate=st.one_of(small_rates, st.sampled_from(TIERS)), tolerance_us=tolerances)
def test_judge_and_platform_refuse_the_same_operations(
    meter: Meter, drawn: Arrivals, rate: int, tolerance_us: int
) -> None:
    limiter = limiter_of(limit(rate, "nack", meter, jitter_us=tolerance_us))
    refused = tuple(p for p, (instant, count) in enumerate(drawn) if limiter.offer(START + instant, count) < 0)
    late = [(START + instant, count) for instant, count in drawn]
    assert policed(late, rate, meter, tolerance_us).early == refused


@pytest.mark.parametrize("meter", METERS)
@given(drawn=arrivals(most_segments=1), rate=st.one_of(small_rates, st.sampled_from(TIERS)))
def test_what_a_platform_delays_is_answered_when_the_judge_would_have_it(
    meter: Meter, drawn: Arrivals, rate: int
) -> None:
    limiter = limiter_of(limit(rate, "delay", meter, max_hold_us=10**12))
    at = np.array([instant for instant, _ in drawn], np.int64)
    due = dues(form_of(reading(meter), rate), at, np.ones(len(at), np.int64))
    assert [limiter.offer(instant, 1) for instant, _ in drawn] == due.tolist()


def by_counting(instants: list[int], rate: int, meter: str) -> tuple[int, ...]:
    """Without tolerance, by the words of each reading over every operation admitted so far."""
    admitted: list[int] = []
    early = []
    for position, now in enumerate(instants):
        if meter == "tumbling":
            full = sum(other // SECOND_US == now // SECOND_US for other in admitted) >= rate
        elif meter == "mean_10s":
            full = sum(now - 10 * SECOND_US < other for other in admitted) >= 10 * rate
        else:  # a bucket that holds less than one: in no stretch up to now more came than it can give
            full = any(
                (len(admitted) - first + 1) * SECOND_US > rate * SECOND_US + (now - start) * rate
                for first, start in enumerate([*admitted, now])
            )
        if full:
            early.append(position)
        else:
            admitted.append(now)
    return tuple(early)


@pytest.mark.parametrize("meter", ["tumbling", "bucket", "mean_10s"])
@given(drawn=arrivals(most_segments=1), rate=small_rates)
def test_each_meter_is_counting(meter: str, drawn: Arrivals, rate: int) -> None:
    instants = [instant for instant, _ in drawn]
    assert of(instants, rate, meter, 0) == by_counting(instants, rate, meter)


# Facts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("rate", TIERS)
def test_a_client_exactly_on_its_tier_passes_and_one_twice_as_fast_fails(meter: str, rate: int) -> None:
    assert not of((n * SECOND_US // rate for n in range(60 * rate)), rate, meter)
    assert of((n * SECOND_US // (2 * rate) for n in range(60 * rate)), rate, meter)


@pytest.mark.parametrize("rate", TIERS)
def test_a_bucket_gives_twice_the_rate_in_a_second_and_no_more(rate: int) -> None:
    second = [0] * rate + [n * SECOND_US // rate + SECOND_US // rate for n in range(rate)]
    assert not of(second, rate, "bucket")
    assert of(second, rate, "sliding")
    assert of(sorted([*second, SECOND_US]), rate, "bucket", 0)


@pytest.mark.parametrize("rate", TIERS)
def test_around_the_turn_of_a_second_of_the_clock_twice_the_rate_may_come(rate: int) -> None:
    turn = [SECOND_US - 1] * rate + [SECOND_US] * rate
    assert not of(turn, rate, "tumbling", 0)
    assert of([SECOND_US] * (rate + 1), rate, "tumbling") == (rate,)


@pytest.mark.parametrize("rate", TIERS)
def test_a_mean_takes_ten_seconds_worth_at_once_and_nothing_more_for_ten_seconds(rate: int) -> None:
    assert not of([0] * 10 * rate + [10 * SECOND_US], rate, "mean_10s", 0)
    assert of([0] * 10 * rate + [10 * SECOND_US - 1], rate, "mean_10s", 0) == (10 * rate,)


@pytest.mark.parametrize("meter", METERS)
def test_a_platform_that_changes_a_rate_remembers_what_it_admitted(meter: Meter) -> None:
    limiter = limiter_of(limit(20, "nack", meter))
    full = 200 if meter == "mean_10s" else 20
    assert all(limiter.offer(0, 1) == 0 for _ in range(full))
    slower = limiter.retuned(limit(10, "nack", meter), 0)
    assert slower.offer(0, 1) == -1
    assert slower.offer(20 * SECOND_US, 1) == 20 * SECOND_US


# Clients ---------------------------------------------------------------------------------------------------------


def sending(per_s: float, count: int = 240) -> Scene:
    scene = Scene().requested(0, "#00001").login(0.5)
    for number in range(count):
        scene.wire(1 + number / per_s, "in", submit(number % 100)).result(1.0001 + number / per_s, number % 100)
    return scene


@pytest.mark.parametrize("meter", METERS)
def test_a_client_is_judged_by_the_reading_of_its_contract(meter: str) -> None:
    on_tier = sending(10).judged(AT_TIER, reading(meter))
    assert on_tier.outcome == "pass", on_tier.summary
    fast = sending(20).judged(AT_TIER, reading(meter))
    assert fast.outcome == "fail"
    assert "AMB-05" in fast.assumed
    assert ("which allows up to 20 in a second" in fast.summary) == (meter == "bucket")


def test_a_login_and_keepalives_count_only_where_every_operation_does() -> None:
    scene = sending(9.5)
    assert scene.judged(AT_TIER, reading("all_operations")).outcome == "pass"
    for number in range(20):
        scene.wire(5 + number / 100, "in", alert(99))
        scene.wire(5.001 + number / 100, "out", operation("31", 99, AdC="36010", PID="0539").replace(b"/O/", b"/R/"))
    assert scene.judged(AT_TIER).outcome == "pass"
    found = scene.judged(AT_TIER, reading("all_operations"))
    assert found.outcome == "fail"
    assert found.evidence[0].frame.startswith(b"\x0299/".hex().upper())


# The platform ----------------------------------------------------------------------------------------------------


def accepted(config: CodeConfig, alerts: int) -> int:
    """Of eleven submits at once, behind so many alerts, how many are accepted."""
    gateway, _ = gateway_of(config)
    peer = Peer(gateway)
    peer.login()
    peer.wait(5 * SECOND_US)
    for _ in range(alerts):
        peer.send(operation("31", 99, AdC="36010", PID="0539"))
    answers = [peer.submit(trn, AdC=f"337100000{trn:02d}")[0].data[0] for trn in range(11)]
    return answers.count("A")


def test_on_the_platform_keepalives_take_places_where_every_operation_counts() -> None:
    counting = CodeConfig(code="36010", limit="nack", meter="all_operations")
    assert accepted(counting, 0) == 10
    assert accepted(counting, 4) == 6
    assert accepted(CodeConfig(code="36010", limit="nack"), 4) == 10


def test_a_scenario_without_a_meter_has_the_contracts() -> None:
    gateway, _ = gateway_of(CodeConfig(code="36010"), CodeConfig(code="36020", meter="bucket"))
    limiters = gateway.centre.limiters
    assert [limiters[code].limit.meter for code in ("36010", "36020")] == ["sliding", "bucket"]
