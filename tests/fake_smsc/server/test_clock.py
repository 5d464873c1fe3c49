"""The platform's clock has an epoch, a speed, and steps forward only; the live server follows it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.scenario import DeliveryConfig, ServerConfig
from fake_smsc.server.clock import PlatformClock
from simbench.base.units import SECOND_US
from simbench.ucp.operations import decode
from tests import harness
from tests.fake_smsc.live import contract, serving
from tests.paris import instant

EPOCH = instant(2016, 10, 3, 7, 59, 50)


class Wall:
    """A monotonic clock moved by hand (s)."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def test_the_instant_is_the_epoch_plus_speed_times_elapsed_time() -> None:
    wall = Wall()
    clock = PlatformClock(EPOCH, 60.0, wall)
    assert clock.now() == EPOCH
    wall.s += 2.5
    assert clock.now() == EPOCH + 150 * SECOND_US
    assert clock.real_s(EPOCH + 180 * SECOND_US) == pytest.approx(0.5)
    assert clock.real_s(EPOCH) == 0.0


def test_another_speed_applies_from_now_on() -> None:
    wall = Wall()
    clock = PlatformClock(EPOCH, 10.0, wall)
    wall.s += 1
    clock.set_speed(2.0)
    assert clock.now() == EPOCH + 10 * SECOND_US
    wall.s += 1
    assert clock.now() == EPOCH + 12 * SECOND_US


moves = st.lists(
    st.tuples(st.just("wait"), st.floats(0, 1e6))
    | st.tuples(st.just("step"), st.floats(0, 1e6))
    | st.tuples(st.just("speed"), st.floats(1e-3, 1e5)),
    max_size=20,
)


@given(moves)
def test_the_clock_never_goes_back(done: list[tuple[str, float]]) -> None:
    wall = Wall()
    clock = PlatformClock(EPOCH, 1.0, wall)
    reported = [clock.now()]
    for what, by in done:
        if what == "wait":
            wall.s += by
        elif what == "step":
            assert clock.step(by) - reported[-1] >= int(by * SECOND_US)
        else:
            clock.set_speed(by)
        reported.append(clock.now())
    assert reported == sorted(reported)


def test_a_step_back_and_a_speed_of_zero_are_refused_without_effect() -> None:
    async def script() -> None:
        async with serving() as site:
            reported = len(site.ledger.events)
            with pytest.raises(ValueError, match="only goes forward"):
                site.control.step(-1)
            with pytest.raises(ValueError, match="a number above 0"):
                site.control.set_speed(0)
            assert len(site.ledger.events) == reported

    asyncio.run(script())


def test_results_are_stamped_in_the_platforms_time() -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=0, epoch="2016-10-03T07:59:50")) as site:
            peer = await site.session()
            recipient, stamp = decode(await peer.submit(1, NRq="", NT=""))["SM"].split(":")
            assert (recipient, stamp[:6]) == ("33710000001", "031016")
            assert "075950" <= stamp[6:] < "090000"
            site.control.step(86_400)
            peer = await site.session()
            assert decode(await peer.submit(2, AdC="33710000002"))["SM"].startswith("33710000002:041016")

    asyncio.run(script())


def test_at_a_higher_speed_deadlines_come_sooner() -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=0, speed=1000.0)) as site:
            began = asyncio.get_running_loop().time()
            peer = await site.connect()
            assert await peer.end() == "fin"
            login_s = contract().terms.session.login_timer_s.value
            assert login_s / 1000 <= asyncio.get_running_loop().time() - began < login_s
            assert site.reason_of_closing(peer) == "server: no login in time"

    asyncio.run(script())


def test_a_step_triggers_the_deadlines_within_it_at_once() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            peer.send(b"".join(harness.submit(trn, AdC=f"337100000{trn:02d}", NRq="", NT="") for trn in range(12)))
            await peer.frames(10)
            assert await site.until(lambda: len(site.rows("centre", "held")) == 2)
            site.control.step(1)
            assert [frame.trn for frame in await peer.frames(2)] == ["10", "11"]

    asyncio.run(script())


def test_a_new_speed_applies_to_timers_already_waiting() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.connect()
            assert await site.until(lambda: len(site.control.sessions()) == 1)
            site.control.set_speed(1000.0)
            assert await peer.end() == "fin"
            assert site.rows("events", "clock")[0][2] == "speed"

    asyncio.run(script())


def test_neither_a_step_nor_a_new_speed_counts_as_lateness() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.connect()
            site.control.step(3600)
            site.control.set_speed(50.0)
            site.control.step(3600)
            assert await peer.end() == "fin"  # the heart has beaten meanwhile
            await site.control.pause(2)  # and beats at the new speed
            assert all(size_us < 600 * SECOND_US for size_us in site.lateness())

    asyncio.run(script())


@pytest.mark.parametrize("latency_ms", [1, 60_000])
@pytest.mark.parametrize("step_s", [3_600, 86_400])
def test_a_step_sends_each_unanswered_or_due_notification_at_most_once(step_s: int, latency_ms: int) -> None:
    async def script() -> None:
        async with serving(delivery=DeliveryConfig(latency_median_ms=latency_ms)) as site:
            peer = await site.session()
            at_once = latency_ms == 1
            for trn in range(3):
                peer.send(harness.submit(trn, AdC=f"3363998000{trn}"))
            await peer.frames(6 if at_once else 3)
            site.control.step(step_s)
            notices = await peer.frames(3)
            assert {decode(notice)["OAdC"] for notice in notices} == {f"3363998000{trn}" for trn in range(3)}
            assert await peer.end() == "fin"  # it was silent for too long
            assert peer.kept() == []

    asyncio.run(script())
