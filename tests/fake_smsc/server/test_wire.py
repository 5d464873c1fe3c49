"""The server records its own sockets and its own lateness."""

from __future__ import annotations

import asyncio
import random

import pytest

from fake_smsc.scenario import CodeConfig
from tests import harness
from tests.fake_smsc.live import SLOW_CLOCK, LivePeer, Site, serving

PLAIN = {"NRq": "", "NT": ""}


def octets(site: Site, peer: LivePeer, direction: str) -> list[bytes]:
    number = site.number_of(peer)
    return [row[3] for row in site.rows("wire", direction) if row[1] == number]


@pytest.mark.parametrize("seed", range(5))
def test_the_rows_of_each_direction_contain_all_octets_of_the_peer(seed: int) -> None:
    async def script() -> None:
        rng = random.Random(seed)
        async with serving(CodeConfig(code="36010", limit="monitor")) as site:
            peers = [await site.session(), await site.session()]
            for peer in peers:
                stream = b"".join(harness.submit(trn % 100, AdC=f"3371{trn:07d}") for trn in range(30))
                while stream:
                    size = rng.randrange(1, 400)
                    peer.send(stream[:size])
                    stream = stream[size:]
                    await asyncio.sleep(0)
            assert await site.until(lambda: site.control.answered() == 60 and not site.control.on_the_way())
            for number in (1, 2):
                site.control.drop(number)
            for peer in peers:
                assert await peer.end() == "fin"
                assert b"".join(octets(site, peer, "in")) == peer.sent
                assert b"".join(octets(site, peer, "out")) == peer.got

    asyncio.run(script())


def test_one_read_is_one_row_and_is_answered_with_one_write() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            burst = b"".join(harness.submit(trn, AdC=f"3371000000{trn}", **PLAIN) for trn in range(10))
            peer.send(burst)
            await peer.frames(10)
            assert octets(site, peer, "in")[1:] == [burst]
            assert len(octets(site, peer, "out")[1:]) == 1

    asyncio.run(script())


def test_a_connection_has_one_first_and_one_last_row() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await peer.close()
            assert await site.until(lambda: not site.control.sessions())
            assert [row[2] for row in site.ledger.wire] == ["open", "in", "out", "close"]
            assert site.reason_of_closing(peer).startswith("peer: ")

    asyncio.run(script())


def test_connections_that_end_with_the_server_have_that_reason() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await site.server.close()
            assert await peer.end() == "fin"
            assert site.reason_of_closing(peer) == "server: server stops"

    asyncio.run(script())


def test_a_blocked_loop_is_recorded_with_its_interval() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            began = site.control.now()
            while (ended := site.control.now()) < began + 20_000:
                pass  # the loop is busy
            assert await peer.hears_nothing()
            started, seen, size_us, _ = next(row for row in site.rows("timing_error", "loop") if row[1] >= ended)
            assert started <= began + 6_000  # the beat that came late was due within a heart beat, or already
            assert size_us == seen - started >= 14_000

    asyncio.run(script())


def test_a_late_timer_is_recorded_with_its_interval() -> None:
    async def script() -> None:
        async with serving(server=SLOW_CLOCK) as site:
            peer = await site.session()
            peer.send(b"".join(harness.submit(trn, AdC=f"337100000{trn:02d}", **PLAIN) for trn in range(11)))
            await peer.frames(10)
            assert await site.until(lambda: bool(site.rows("centre", "held")))
            site.control.set_speed(1)  # at which the loop does nothing else until it is late
            due = site.server.gateway.next_deadline()
            while site.control.now() < due + 40_000:
                pass  # the loop is busy beyond the deadline
            assert (await peer.frame()).data[0] == "A"
            reported = site.rows("timing_error", "timer")
            # The timer was armed before `due`: it is expected then, or within what is served together of its arming.
            assert any(row[0] <= due + 10_000 and row[1] >= due + 40_000 for row in reported), (due, reported)

    asyncio.run(script())
