"""Outages of a scenario start and end at their instants; an action that fails is reported."""

from __future__ import annotations

import asyncio
import socket

import pytest

from fake_smsc.scenario import OutageConfig
from fake_smsc.server import control
from simbench.base.units import SECOND_US
from simbench.bench.runner.virtual_loop import MemoryNetwork
from tests.fake_smsc.live import DEADLINE_S, Site, serving
from tests.fake_smsc.virtual import in_virtual_time, virtual_clock
from tests.paris import MONDAY

TURN_S = 1.0  # the timers of a loop are that exact at the speeds of these tests


def seconds_of(site: Site, kind: str) -> list[float]:
    """The seconds after the start at which events of a kind happened."""
    return [(row[0] - MONDAY) / SECOND_US for row in site.rows("events", kind)]


def test_scripted_outages_start_and_end_at_their_instants() -> None:
    async def script() -> None:
        outages = (
            OutageConfig(at_s=5, for_s=10, mode="cut"),
            OutageConfig(at_s=30, for_s=5, mode="silent", scope="36010"),
        )
        async with serving(outages=outages, clock=virtual_clock(speed=200.0), network=MemoryNetwork()) as site:
            assert await site.until(lambda: len(site.rows("events", "restored")) == 2)
            assert seconds_of(site, "outage") == pytest.approx([5, 30], abs=TURN_S)
            assert seconds_of(site, "restored") == pytest.approx([15, 35], abs=TURN_S)

    in_virtual_time(script())


def test_an_outage_whose_end_fails_is_reported_and_ends_once_the_port_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "TRY_AGAIN_S", 0.02)

    async def script() -> None:
        outages = (OutageConfig(at_s=1, for_s=10, mode="cut"),)
        async with serving(outages=outages) as site:
            reported: list[str] = []
            heard = asyncio.Event()

            def hear(problem: str) -> None:
                reported.append(problem)
                heard.set()

            site.control.on_trouble = hear
            site.control.step(1)
            assert await site.until(lambda: site.server.outages.current is not None)
            with socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", site.server.port))
                other.listen()
                site.control.step(10)
                await asyncio.wait_for(heard.wait(), DEADLINE_S)
                assert site.server.outages.current is not None
                assert not site.rows("events", "restored")
            assert await site.until(lambda: bool(site.rows("events", "restored")))
            await (await site.session()).submit(1)
            assert len(reported) == len(site.rows("events", "trouble")) == 1
            assert f"port {site.server.port}" in reported[0]
            assert site.server.gateway.centre.state == "up"

    asyncio.run(script())


def test_a_scripted_outage_that_cannot_start_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    async def script() -> None:
        async with serving(outages=(OutageConfig(at_s=5, for_s=5),)) as site:
            await site.control.outage("silent")
            site.control.step(6)
            assert await site.until(lambda: bool(site.rows("events", "trouble")))
            site.control.step(60)
            assert await site.control.wait_until(lambda: bool(site.rows("events", "restored")), 0.02) is False

    asyncio.run(script())
    assert "another outage (silent, total) is active" in capsys.readouterr().err


def test_scripted_outages_follow_the_clock_when_its_speed_changes_and_when_it_is_stepped() -> None:
    async def script() -> None:
        outages = (OutageConfig(at_s=3600, for_s=7200, mode="cut"),)
        async with serving(outages=outages, clock=virtual_clock(), network=MemoryNetwork()) as site:
            site.control.step(3000)
            site.control.set_speed(1_000)
            assert await site.until(lambda: bool(site.rows("events", "outage")))
            site.control.set_speed(1)
            site.control.step(7200)
            assert await site.until(lambda: bool(site.rows("events", "restored")))
            assert seconds_of(site, "outage") == pytest.approx([3600], abs=TURN_S)
            assert seconds_of(site, "restored") == pytest.approx([3600 + 7200], abs=TURN_S)

    in_virtual_time(script())
