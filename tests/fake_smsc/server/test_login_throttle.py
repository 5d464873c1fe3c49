"""Facts about guessing: who fails to log in again and again is cut off for the rest of a minute, and nobody else."""

from __future__ import annotations

import asyncio

import pytest

from fake_smsc.scenario import Scenario, ServerConfig
from fake_smsc.server.login_throttle import MINUTE_S, REMEMBERED, LoginThrottle
from simbench.cli.serve import EXPOSED_FAILED_LOGINS, guarded
from tests.fake_smsc.live import LivePeer, Site, serving

REASON = b"server: too many failed logins from its address"


def test_an_address_is_refused_from_so_many_failures_on_until_a_minute_is_over() -> None:
    throttle = LoginThrottle(3)
    for now_s in (0.0, 10.0):
        throttle.failed("192.0.2.1", now_s)
        assert not throttle.too_many("192.0.2.1", now_s)
    throttle.failed("192.0.2.1", 20.0)
    assert throttle.too_many("192.0.2.1", MINUTE_S)
    assert not throttle.too_many("192.0.2.2", 20.0)
    assert not throttle.too_many("192.0.2.1", MINUTE_S + 1)


def test_without_a_bound_nobody_is_ever_refused_and_nothing_is_remembered() -> None:
    throttle = LoginThrottle()
    throttle.failed("192.0.2.1", 0.0, 1_000)
    assert not throttle.too_many("192.0.2.1", 0.0)


def test_many_addresses_do_not_fill_the_memory_and_the_latest_are_remembered() -> None:
    throttle = LoginThrottle(1)
    for number in range(REMEMBERED + 10):
        throttle.failed(f"2001:db8::{number:x}", 0.0)
    assert not throttle.too_many("2001:db8::0", 0.0)
    assert throttle.too_many(f"2001:db8::{REMEMBERED:x}", 0.0)


async def guess(site: Site, times: int) -> None:
    """Fail to log in so often, and hang up."""
    peer = await site.connect()
    number = site.server.count
    for _ in range(times):
        assert (await peer.login(password="wrong")).data[0] == "N"
    await peer.close()
    assert await site.until(lambda: number not in site.server.connections)


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_guesser_is_cut_off_however_few_guesses_each_connection_makes(at_once: int) -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=0, failed_logins_per_min=4)) as site:
            before = await site.session("36010")
            for _ in range(4 // at_once):
                assert not any(row[3] == REASON for row in site.rows("wire", "close"))
                await guess(site, at_once)
            late: LivePeer = await site.connect()
            assert await site.until(lambda: any(row[3] == REASON for row in site.rows("wire", "close")))
            assert await late.end() == "rst"
            assert (await before.submit(1)).data[0] == "A", "who is in stays in"

    asyncio.run(script())


def test_guessing_is_bounded_where_other_machines_can_reach_the_server_and_only_there() -> None:
    def most(host: str, own: int = 0) -> int:
        server = ServerConfig(host=host, failed_logins_per_min=own)
        return guarded(Scenario(server=server), ("192.0.2.0/24",), expose=True).server.failed_logins_per_min

    assert most("127.0.0.1") == 0
    assert most("0.0.0.0") == EXPOSED_FAILED_LOGINS  # noqa: S104 - nothing listens there
    assert most("0.0.0.0", own=5) == 5  # noqa: S104 - as above
