"""Outages: their effect on existing and new connections, and which messages are discarded or kept."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop

from fake_smsc.scenario import DeliveryConfig
from fake_smsc.server.network import Factory, Listener, Tcp
from fake_smsc.server.outage import Mode
from simbench.base.units import HOUR_US, SECOND_US
from simbench.numbering.subscribers import Subscriber
from simbench.ucp.operations import decode
from tests import harness
from tests.fake_smsc.live import SLOW_CLOCK, LivePeer, Site, serving

SLOW = DeliveryConfig(latency_median_ms=60_000)
PLAIN = {"NRq": "", "NT": ""}  # no notification, so that nothing but results comes
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]

# How each mode shows: to a session that exists, and to a new connection (or, of one code, to its login).
MODES: list[tuple[Mode, str, str]] = [
    ("cut", "fin", "refused"),
    ("reset", "rst", "refused"),
    ("refuse", "silence", "refused"),
    ("accept-close", "fin", "fin"),
    ("silent", "silence", "silence"),
    ("deaf-results", "deaf", "deaf"),
]


def run(loop: Any, script: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(script)


async def meets(site: Site, peer: LivePeer, effect: str, octets: bytes) -> bool:
    """Whether the outage has this effect on a connection: fin, rst, or, if it sends octets, silence or deafness.

    With silence the server does not read the octets; if it is deaf, it reads and does not answer them.
    """
    assert await site.until(lambda: site.number_of(peer) > 0)
    if effect in {"fin", "rst"}:
        return await peer.end() == effect
    assert await peer.hears_nothing()
    peer.send(octets)
    number = site.number_of(peer)

    def is_read() -> bool:
        return any(row[1] == number and row[3] == octets for row in site.rows("wire", "in"))

    if effect == "deaf":
        assert await site.until(is_read)
    return await peer.hears_nothing() and is_read() == (effect == "deaf")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("mode", "existing", "coming"), MODES)
def test_a_total_outage_affects_every_session_and_every_new_connection(
    loop: Any, mode: Mode, existing: str, coming: str
) -> None:
    async def script() -> None:
        async with serving() as site:
            peers = [await site.session(account) for account in ("36010", "36020")]
            await site.control.outage(mode)
            for peer, code in zip(peers, ("36010", "36020"), strict=True):
                assert await meets(site, peer, existing, harness.submit(1, OAdC=code, **PLAIN))
            if coming == "refused":
                with pytest.raises(ConnectionRefusedError):
                    await site.connect()
            else:
                assert await meets(site, await site.connect(), coming, harness.login())
            await site.control.restore()
            assert await (await site.session()).submit(2)

    run(loop, script())


@pytest.mark.parametrize(("mode", "existing", "coming"), MODES)
def test_an_outage_of_one_code_leaves_the_other_in_service(mode: Mode, existing: str, coming: str) -> None:
    async def script() -> None:
        async with serving() as site:
            one, two = await site.session("36010"), await site.session("36020")
            await site.control.outage(mode, "36010")
            assert await meets(site, one, existing, harness.submit(1, **PLAIN))
            assert (await two.submit(1, OAdC="36020", **PLAIN)).data[0] == "A"
            newcomer = await site.connect()
            if coming in {"refused", "fin"}:  # the listener is shared, so that a code alone is refused at its login
                assert await newcomer.hears_nothing()
                newcomer.send(harness.login())
                assert await newcomer.end() == "fin"
            else:
                assert await meets(site, newcomer, "deaf", harness.login())
            assert (await (await site.connect()).login("36020")).data[0] == "A"
            await site.control.restore()
            assert (await (await site.session("36010")).submit(2)).data[0] == "A"

    asyncio.run(script())


@pytest.mark.parametrize(("mode", "existing", "coming"), MODES)
def test_an_outage_of_one_session_affects_no_other(mode: Mode, existing: str, coming: str) -> None:
    async def script() -> None:
        async with serving() as site:
            one, two = await site.session(), await site.session()
            await site.control.outage(mode, f"session:{site.number_of(one)}")
            assert await meets(site, one, existing, harness.submit(1, **PLAIN))
            assert (await two.submit(1, **PLAIN)).data[0] == "A"
            assert (await (await site.session()).submit(1)).data[0] == "A"

    asyncio.run(script())


def test_in_a_silent_total_outage_nothing_is_read_and_no_connection_is_closed() -> None:
    async def script() -> None:
        async with serving() as site:
            known = await site.session()
            await site.control.outage("silent")
            stranger = await site.connect()
            known.send(harness.submit(1))
            stranger.send(harness.login())
            site.control.step(3600)
            assert await known.hears_nothing()
            assert await stranger.hears_nothing()
            assert len(site.rows("wire", "in")) == 1
            await site.control.restore()
            assert (await known.frame()).data[0] == "A"
            assert (await stranger.frame()).data[0] == "A"
            restored_at = site.rows("events", "restored")[0][0]
            assert [row[0] >= restored_at for row in site.rows("centre", "accepted")] == [True]

    asyncio.run(script())


def test_a_silent_code_accepts_no_submit_sent_before_the_login_result() -> None:
    async def script() -> None:
        async with serving() as site:
            await site.control.outage("silent", "36010")
            peer = await site.connect()
            peer.send(harness.login() + harness.submit(1))
            assert await peer.hears_nothing()
            peer.send(harness.submit(2))
            assert await peer.hears_nothing()
            await site.control.restore()
            assert await peer.hears_nothing()
            assert not site.rows("centre", "accepted")
            assert not site.rows("centre", "login")

    asyncio.run(script())


@pytest.mark.parametrize("mode", [mode for mode, _, _ in MODES])
def test_held_submits_are_discarded_and_were_never_accepted(mode: Mode) -> None:
    async def script() -> None:
        async with serving(server=SLOW_CLOCK) as site:
            peer = await site.session()
            peer.send(b"".join(harness.submit(trn, AdC=f"3371000000{trn}", NRq="", NT="") for trn in range(10)))
            assert {frame.data[0] for frame in await peer.frames(10)} == {"A"}
            peer.send(harness.submit(10) + harness.submit(11))
            assert await site.until(lambda: len(site.rows("centre", "held")) == 2)
            await site.control.outage(mode)
            site.control.step(10)
            await site.control.restore()
            site.control.step(10)
            assert len(site.rows("centre", "accepted")) == 10
            if mode in {"refuse", "silent", "deaf-results"}:  # the connection lives on, and its window is free again
                assert (await peer.submit(10)).data[0] == "A"

    asyncio.run(script())


@pytest.mark.parametrize("mode", ["cut", "reset", "refuse", "accept-close", "silent"])
def test_accepted_messages_are_kept_and_notified_after_the_next_login_in_order_of_stamps(mode: Mode) -> None:
    async def script() -> None:
        async with serving(delivery=SLOW) as site:
            peer = await site.session()
            for trn in range(8):
                assert (await peer.submit(trn, AdC=f"3371000000{trn}")).data[0] == "A"
                site.control.step(1)
            site.control.mo("33639980012", "36010", "STOP")
            assert (await peer.frame()).ot == "52"  # and left unanswered
            await site.control.outage(mode)
            if mode in {"cut", "reset", "accept-close"}:
                await peer.end()
            site.control.step(3600)
            assert not site.rows("centre", "delivered")
            await site.control.restore()
            delivered = [row[8] for row in site.rows("centre", "delivered")]
            assert len(delivered) == 8
            assert delivered != sorted(delivered)
            if mode in {"refuse", "silent"}:  # they come over the session that stayed
                assert await peer.frames(9)
                await peer.close()
                assert await site.until(lambda: not site.control.sessions())
            again = await site.session()
            notices = await again.frames(9)
            stamps = [decode(notice)["SCTS"] for notice in notices]
            assert stamps == sorted(stamps)
            assert sorted(notice.ot for notice in notices) == ["52"] + ["53"] * 8
            for notice in notices:
                again.acknowledge(notice)
            assert await site.until(lambda: site.control.unacknowledged() == 0)

    asyncio.run(script())


def test_a_platform_deaf_to_results_delivers_and_notifies_afterwards() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await site.control.outage("deaf-results")
            peer.send(harness.submit(1))
            assert await site.until(lambda: bool(site.rows("centre", "delivered")))
            assert await peer.hears_nothing()
            await site.control.restore()
            notice = await peer.frame()
            assert (notice.kind, notice.ot) == ("O", "53")
            assert (await peer.submit(1)).ot == "51"  # the number is free again

    asyncio.run(script())


class Noting(Tcp):
    """Real sockets, and a record of the platform's state whenever it begins to listen."""

    def __init__(self) -> None:
        super().__init__()
        self.site: Site | None = None
        self.states: list[str] = []

    async def listen(self, factory: Factory, host: str, port: int) -> Listener:
        self.states.append(self.site.server.gateway.centre.state if self.site else "")
        return await super().listen(factory, host, port)


@pytest.mark.parametrize("mode", ["cut", "reset", "refuse"])
def test_the_listener_returns_on_its_port_before_the_platform_does(mode: Mode) -> None:
    async def script() -> None:
        network = Noting()
        async with serving(network=network) as site:
            network.site = site
            port = site.server.port
            await site.control.outage(mode)
            await site.control.restore()
            assert network.states == ["", "down"]
            assert site.server.gateway.centre.state == "up"
            assert site.server.port == port

    asyncio.run(script())


class Slow(Tcp):
    """Real sockets that listen only when they may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.allowed = asyncio.Event(), asyncio.Event()
        self.allowed.set()

    async def listen(self, factory: Factory, host: str, port: int) -> Listener:
        self.begun.set()
        await self.allowed.wait()
        return await super().listen(factory, host, port)


def test_an_outage_lasts_until_the_platform_is_up_and_nothing_else_begins_or_ends_one_meanwhile() -> None:
    async def script() -> None:
        network = Slow()
        async with serving(network=network) as site:
            await site.control.outage("cut")
            network.begun.clear()
            network.allowed.clear()
            restored = asyncio.create_task(site.control.restore())
            await network.begun.wait()
            outages, centre = site.server.outages, site.server.gateway.centre
            assert (outages.current is not None, centre.state) == (True, "down")
            once_more, another = asyncio.create_task(outages.end()), asyncio.create_task(site.control.outage("silent"))
            await asyncio.sleep(0)
            network.allowed.set()
            await asyncio.gather(restored, once_more, another)
            assert [len(site.rows("events", kind)) for kind in ("restored", "outage")] == [1, 2]
            assert outages.current is not None
            assert (outages.current.mode, centre.state) == ("silent", "down")

    asyncio.run(script())


def test_the_announced_end_of_an_outage_does_not_end_the_next_one() -> None:
    async def script() -> None:
        network = Slow()
        async with serving(network=network) as site:
            await site.control.outage("cut", for_s=1)
            network.begun.clear()
            network.allowed.clear()
            restored = asyncio.create_task(site.control.restore())
            await network.begun.wait()
            another = asyncio.create_task(site.control.outage("cut", for_s=1))
            await asyncio.sleep(0)
            announced = asyncio.create_task(site.control.restore_at(site.control.now()))
            await asyncio.sleep(0)
            network.allowed.set()
            await asyncio.gather(restored, another, announced)
            assert [len(site.rows("events", kind)) for kind in ("restored", "outage")] == [1, 2]

    asyncio.run(script())


def test_maintenance_is_an_outage_that_was_planned() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await site.control.outage("cut", planned=True, for_s=3600)
            assert site.server.gateway.centre.state == "maintenance"
            assert await peer.end() == "fin"
            assert site.reason_of_closing(peer) == "server: outage"
            ((at, _, subject, until, _),) = site.rows("events", "maintenance")
            assert subject == "total"
            assert until - at == pytest.approx(HOUR_US, abs=SECOND_US)
            await site.control.restore()
            assert (await (await site.session()).submit(1)).data[0] == "A"

    asyncio.run(script())


def test_a_second_outage_at_the_same_time_is_refused() -> None:
    async def script() -> None:
        async with serving() as site:
            await site.control.outage("silent")
            with pytest.raises(ValueError, match="is active"):
                await site.control.outage("cut")
            assert len(site.rows("events", "outage")) == 1

    asyncio.run(script())


def test_an_outage_is_recorded_before_it_takes_effect() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await site.control.outage("reset")
            assert await peer.end() == "rst"
            assert await site.until(lambda: not site.control.sessions())
            assert site.rows("events", "outage")[0][0] <= site.rows("wire", "close")[0][0]

    asyncio.run(script())


def test_a_session_silenced_for_long_is_not_idle_when_reading_continues() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await site.control.outage("silent")
            site.control.step(600)
            await site.control.restore()
            site.control.step(60)
            assert (await peer.submit(1)).data[0] == "A"

    asyncio.run(script())


def test_a_subscriber_who_returns_during_an_outage_gets_the_message_after_it() -> None:
    async def script() -> None:
        async with serving() as site:
            site.control.put(Subscriber("33710000001", "orange", "orange", False, False))
            peer = await site.session()
            assert (await peer.submit(1, NT="7")).data[0] == "A"
            buffered = await peer.frame()
            assert decode(buffered)["Dst"] == "1"
            peer.acknowledge(buffered)
            assert await site.until(lambda: site.control.unacknowledged() == 0)
            await site.control.outage("cut")
            site.control.attach("33710000001")
            await site.control.restore()
            again = await site.session()
            assert decode(await again.frame())["Dst"] == "0"

    asyncio.run(script())
