"""Messages that come due at one instant are served over several turns, in their order, and stop nobody meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from fake_smsc.core.timer_queue import TimerQueue
from fake_smsc.fast import compiled
from fake_smsc.scenario import CodeConfig, DeliveryConfig
from fake_smsc.server.server import CORE_TIMERS
from simbench.base.units import MINUTE_US, NEVER, SECOND_US
from simbench.ucp.frame import encode
from tests import harness
from tests.fake_smsc.live import serving
from tests.service.ticks import Ticks

MESSAGES, MOST, WINDOW = 1_000, 64, 100
AT_ONCE = harness.START + 5 * MINUTE_US
ACCOUNTS = ("36010", "36020")
BURSTS = {"deferred": {"DD": "1", "DDT": "0203261005"}, "expiring": {"VP": "0203261005"}}
BOTH = pytest.mark.parametrize("is_fast", [True, False])


def gateway_with(burst: str, *, is_fast: bool) -> Any:
    """A gateway at the instant before many messages begin, or are over; they are delivered within milliseconds."""
    if is_fast and not compiled.load():
        pytest.skip("numba is not installed")
    codes = [CodeConfig(code=account, limit="monitor") for account in ACCOUNTS]
    gateway, ledger = harness.gateway_of(*codes, delivery=DeliveryConfig(latency_median_ms=1))
    if not is_fast:
        gateway._fast = None
    for number, account in enumerate(ACCOUNTS, 1):
        gateway.opened(number, harness.START)
        gateway.received(number, harness.login(account), harness.START)
    for place in range(MESSAGES):
        recipient = f"3371{place:07d}"
        if burst == "expiring":
            gateway.centre.base.detach(recipient)
        submit = harness.submit(place % WINDOW, AdC=recipient, NRq="0", **BURSTS[burst])
        gateway.received(1, submit, harness.START + place * 1_000)
    for now in range(harness.START + MINUTE_US, AT_ONCE, MINUTE_US):
        for number, account in enumerate(ACCOUNTS, 1):  # no connection is idle
            gateway.received(number, encode(1, "O", "31", f"{account}/0539/"), now)
    gateway.advance(AT_ONCE - 1)
    gateway.output()
    return gateway, ledger


def outcomes(ledger: Any) -> list[tuple[Any, ...]]:
    """All rows without their instants."""
    return sorted(row[1:6] for row in ledger.centre)


@BOTH
@pytest.mark.parametrize("burst", BURSTS)
def test_a_turn_runs_no_more_than_its_share_and_the_outcomes_are_the_same(burst: str, is_fast: bool) -> None:
    whole, all_rows = gateway_with(burst, is_fast=is_fast)
    whole.advance(AT_ONCE + SECOND_US)
    gateway, ledger = gateway_with(burst, is_fast=is_fast)
    queue = gateway.centre.timer_queue
    queue.most = MOST
    now, turns = AT_ONCE + SECOND_US, 0
    before = len(ledger.centre)
    while True:
        gateway.advance(now)
        turns += 1
        assert len(ledger.centre) <= before + MOST, "one row for each message"
        if not queue.rests:
            break
        assert gateway.next_deadline() > now
        before = len(ledger.centre)
        gateway.advance(now + 1)
        assert len(ledger.centre) == before, "nothing more in this turn"
        now += 2_000
        queue.resume()
    assert turns >= MESSAGES // MOST
    assert outcomes(ledger) == outcomes(all_rows)
    instants = [row[0] for row in ledger.centre]
    assert instants == sorted(instants)


@BOTH
@pytest.mark.parametrize("burst", BURSTS)
def test_another_client_is_served_between_and_the_rows_stay_in_order(burst: str, is_fast: bool) -> None:
    gateway, ledger = gateway_with(burst, is_fast=is_fast)
    queue = gateway.centre.timer_queue
    queue.most = MOST
    now, answered = AT_ONCE + SECOND_US, 0
    before = len(ledger.centre)
    while True:
        gateway.received(2, harness.submit(answered % WINDOW, AdC="33710000001", OAdC="36020", NRq="0"), now)
        answered += sum(octets.count(b"/R/51/A") for number, octets in gateway.output() if number == 2)
        if not queue.rests:
            break
        now += 2_000
        queue.resume()
    assert answered >= MESSAGES // MOST
    rows = list(ledger.centre)[before:]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert sum(row[1] == "accepted" for row in rows) == answered


def test_a_jump_of_the_clock_runs_everything_at_its_instant() -> None:
    gateway, ledger = gateway_with("deferred", is_fast=False)
    gateway.centre.timer_queue.most = MOST
    gateway.leap(AT_ONCE + MINUTE_US)
    delivered = [row[0] for row in ledger.centre if row[1] == "delivered"]
    assert len(delivered) == MESSAGES
    assert max(delivered) < AT_ONCE + SECOND_US
    assert gateway.centre.timer_queue.most == MOST


def test_a_queue_rests_only_while_something_is_due() -> None:
    queue, ran = TimerQueue(), list[int]()
    queue.most = 2
    for place in range(4):
        queue.enter(place, lambda subject, _: ran.append(subject), place)
    queue.run(1)
    assert (ran, queue.rests, queue.behind, queue.next_deadline()) == ([0, 1], False, False, 2)
    queue.enter(2, lambda subject, _: ran.append(subject), 9)
    queue.run(9)
    assert (ran, queue.rests, queue.next_deadline()) == ([0, 1, 2, 9], True, NEVER)
    queue.run(9)
    assert len(ran) == 4
    queue.resume()
    assert (queue.behind, queue.next_deadline()) == (True, 3)
    queue.run(9)
    assert (ran, queue.rests, queue.behind) == ([0, 1, 2, 9, 3], False, False)


def test_a_live_server_continues_in_the_next_turns_of_its_loop() -> None:
    async def script() -> list[int]:
        async with serving() as site:
            queue, ticks, turns = site.server.gateway.centre.timer_queue, Ticks(), list[int]()
            for _ in range(10 * CORE_TIMERS):
                queue.enter(site.server.clock.now(), lambda _, __: turns.append(ticks.now), None)
            site.server.touch()
            assert await site.until(lambda: len(turns) == 10 * CORE_TIMERS)
            peer = await site.session()
            assert (await peer.submit(2)).data[0] == "A"
            assert not queue.behind
            ticks.stop()
            return turns

    turns = asyncio.run(script())
    assert turns == sorted(turns)
    assert max(Counter(turns).values()) <= CORE_TIMERS
