"""Password guessing: only a client with repeated failures is blocked for the rest of a minute."""

from __future__ import annotations

import asyncio
import math

import pytest

from fake_smsc.scenario import Scenario, ServerConfig
from fake_smsc.server import login_throttle
from fake_smsc.server.login_throttle import MINUTE_S, REMEMBERED, LoginThrottle, block_of
from simbench.cli.serve import EXPOSED_FAILED_LOGINS, guarded
from tests import harness
from tests.fake_smsc.live import LivePeer, Site, contract, dial, serving

REASON = b"server: too many failed logins from its address"


class Clock:
    """A clock (s) that a test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_block_of_addresses_with_too_many_failures_is_refused_for_a_minute() -> None:
    clock = Clock()
    throttle = LoginThrottle(3, clock)
    for clock.now_s in (0.0, 10.0):
        throttle.failed("192.0.2.1")
        assert not throttle.refuses("192.0.2.1")
    clock.now_s = 20.0
    throttle.failed("192.0.2.77")
    clock.now_s = MINUTE_S
    assert throttle.refuses("192.0.2.200")
    assert not throttle.refuses("192.0.3.1")
    clock.now_s = MINUTE_S + 1
    assert not throttle.refuses("192.0.2.1")
    throttle.failed("192.0.2.1")
    assert throttle.refuses("192.0.2.1"), "no minute has more, whenever it begins"


def test_an_account_under_attack_accepts_only_blocks_that_have_logged_in() -> None:
    throttle = LoginThrottle(3, Clock())
    throttle.succeeded("198.51.100.9", "36010")
    for block in range(3):
        assert not throttle.refuses(f"192.0.{block}.1", "36010")
        throttle.failed(f"192.0.{block}.1", "36010")
    assert throttle.refuses("192.0.9.1", "36010")
    assert not throttle.refuses("192.0.9.1", "36020")
    assert not throttle.refuses("198.51.100.9", "36010")


def test_without_a_limit_no_login_is_blocked_and_nothing_is_stored() -> None:
    throttle = LoginThrottle()
    for _ in range(1_000):
        throttle.failed("192.0.2.1")
    assert not throttle.refuses("192.0.2.1")


def test_many_addresses_use_limited_memory_and_the_latest_are_kept() -> None:
    throttle = LoginThrottle(1)
    for number in range(REMEMBERED + 10):
        throttle.failed(f"2001:db8:{number:x}::1")
    assert not throttle.refuses("2001:db8::1")
    assert throttle.refuses(f"2001:db8:{REMEMBERED:x}::2")


@pytest.mark.parametrize(("address", "block"), [
    ("127.0.0.9", "127.0.0.0/24"), ("::ffff:127.0.0.9", "127.0.0.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"),
    ("", ""), ("nowhere", "nowhere"),
])  # fmt: skip
def test_the_block_of_an_address(address: str, block: str) -> None:
    assert block_of(address) == block


@pytest.fixture
def _no_minute_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures count until the end of a test, however long it takes."""
    monkeypatch.setattr(login_throttle, "MINUTE_S", math.inf)


async def guess(site: Site, times: int) -> None:
    """Fail to log in that many times, then disconnect."""
    peer = await site.connect()
    for _ in range(times):
        assert (await peer.login(password="wrong")).data[0] == "N"
    number = site.number_of(peer)
    await peer.close()
    assert await site.until(lambda: number not in site.server.connections)


@pytest.mark.usefixtures("_no_minute_ends")
@pytest.mark.parametrize("at_once", [1, 2])
def test_a_guesser_is_blocked_even_with_few_guesses_per_connection(at_once: int) -> None:
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


def guesses(count: int) -> bytes:
    """Logins with wrong passwords, and one with the right password."""
    return b"".join(harness.login(password=f"wrong{n}") for n in range(count)) + harness.login()


def test_many_guesses_in_one_write_are_answered_until_the_connection_is_closed() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.connect()
            peer.send(guesses(1_500))
            await peer.end()
            assert [frame.data[1] for frame in peer.kept()] == [
                "07"
            ] * contract().terms.session.login_failures_close.value

    asyncio.run(script())


@pytest.mark.usefixtures("_no_minute_ends")
def test_connections_that_guess_at_the_same_time_share_one_limit() -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=0, failed_logins_per_min=20)) as site:
            peers = [await site.connect() for _ in range(150)]
            for peer in peers:
                peer.send(guesses(3))
            for peer in peers:
                await peer.end()
            answers = [frame.data[:2] for peer in peers for frame in peer.kept()]
            assert answers.count(["N", "07"]) == 20
            assert [each for each in answers if each[0] == "A"] == []
            assert await site.until(lambda: not site.server.connections)

    asyncio.run(script())


@pytest.mark.usefixtures("_no_minute_ends")
def test_addresses_that_guess_at_one_account_share_one_limit_and_its_client_is_served() -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=0, failed_logins_per_min=20)) as site:
            await (await site.session("36010")).close()
            answers = []
            for block in range(1, 100):
                peer = await dial(site.server.port, f"127.0.{block}.1")
                peer.send(guesses(3))
                await peer.end()
                answers += [frame.data[:2] for frame in peer.kept()]
                await peer.close()
            assert answers.count(["N", "07"]) == 20
            assert answers.count(["A", ""]) == 0
            await site.session("36010")
            refused = [row for row in site.rows("centre", "login-refused") if row[7] == 4]
            assert len(refused) == 99 - 6, "who is turned away is on record"

    asyncio.run(script())


def test_guessing_is_limited_only_if_other_machines_can_reach_the_server() -> None:
    def most(host: str, own: int = 0) -> int:
        server = ServerConfig(host=host, failed_logins_per_min=own)
        return guarded(Scenario(server=server), ("192.0.2.0/24",), expose=True).server.failed_logins_per_min

    assert most("127.0.0.1") == 0
    assert most("0.0.0.0") == EXPOSED_FAILED_LOGINS  # noqa: S104 - nothing listens there
    assert most("0.0.0.0", own=5) == 5  # noqa: S104 - as above
