"""Outages of a scenario start and end at their instants; an action that fails is reported."""

from __future__ import annotations

import asyncio
import socket

import pytest

from fake_smsc.scenario import OutageConfig, ServerConfig
from fake_smsc.server import control
from simbench.base.units import SECOND_US
from tests.fake_smsc.live import serving


def test_scripted_outages_start_and_end_at_their_instants() -> None:
    async def script() -> None:
        outages = (
            OutageConfig(at_s=5, for_s=10, mode="cut"),
            OutageConfig(at_s=30, for_s=5, mode="silent", scope="36010"),
        )
        async with serving(outages=outages, server=ServerConfig(port=0, speed=200.0)) as site:
            began = site.ledger.events[0][0]
            done = lambda: len(site.rows("events", "restored")) == 2  # noqa: E731 - a condition
            assert await site.until(done)
            reported = [row for kind in ("outage", "restored") for row in site.rows("events", kind)]
            late_s = [(row[0] - began) / SECOND_US - due for row, due in zip(reported, (5, 30, 15, 35), strict=True)]
            assert all(0 <= late <= 200 * 0.25 for late in late_s)

    asyncio.run(script())


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
                await asyncio.wait_for(heard.wait(), 5)
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
        async with serving(outages=outages) as site:
            began = site.ledger.events[0][0]
            site.control.step(3000)
            site.control.set_speed(10_000)
            assert await site.until(lambda: bool(site.rows("events", "outage")))
            site.control.set_speed(1)
            site.control.step(7200)
            assert await site.until(lambda: bool(site.rows("events", "restored")))
            (outage,), (restored,) = site.rows("events", "outage"), site.rows("events", "restored")
            assert 3600 <= (outage[0] - began) / SECOND_US < 3600 + 10_000 * 0.1
            assert restored[0] - began >= (3600 + 7200) * SECOND_US

    asyncio.run(script())
