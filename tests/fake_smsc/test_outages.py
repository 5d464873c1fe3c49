"""Facts about outages: what existing and new connections meet, and what is forgotten, kept and told afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
import uvloop

from fake_smsc.live import LiveSmsc
from fake_smsc.network import Factory, Listener, Tcp
from fake_smsc.outage import Mode
from simbench.ledger import MemoryLedger
from simbench.numbering.subscribers import Subscriber
from simbench.scenario import DeliveryConfig, OutageConfig, Scenario, ServerConfig
from simbench.ucp.operations import decode
from tests import harness
from tests.fake_smsc.live import CODES, DEADLINE_S, LivePeer, contract, reason_of_closing, rows, serving, session_of

SLOW = DeliveryConfig(latency_median_ms=20_000)
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


async def met_by(smsc: LiveSmsc, peer: LivePeer, octets: bytes) -> str:
    """What a connection meets that sends an operation: fin, rst, silence (not even read) or deaf (taken, unanswered)."""
    number = session_of(smsc, peer)
    peer.send(octets)
    if await peer.hears_nothing():
        return "deaf" if any(row[1] == number and row[3] == octets for row in rows(smsc, "wire", "in")) else "silence"
    return await peer.end()


async def met_by_newcomer(smsc: LiveSmsc, account: str = "36010") -> str:
    try:
        peer = await LivePeer.connect(smsc)
    except ConnectionRefusedError:
        return "refused"
    await smsc.control.wait_until(lambda: any(str(peer.port).encode() in row[3] for row in smsc.ledger.wire), 1)
    return await met_by(smsc, peer, harness.login(account))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("mode, existing, coming", MODES)
def test_a_total_outage_meets_every_session_and_every_newcomer(
    loop: Any, mode: Mode, existing: str, coming: str
) -> None:
    async def script() -> None:
        async with serving() as smsc:
            peers = [await LivePeer.logged_in(smsc, account) for account in ("36010", "36020")]
            await smsc.control.outage(mode)
            assert [await met_by(smsc, peer, harness.submit(1, OAdC=code)) for peer, code in zip(peers, ("36010", "36020"), strict=True)] == [existing] * 2
            assert await met_by_newcomer(smsc) == coming
            await smsc.control.restore()
            assert await (await LivePeer.logged_in(smsc)).submit(2)

    run(loop, script())


@pytest.mark.parametrize("mode, existing, coming", MODES)
def test_an_outage_of_one_code_leaves_the_other_in_service(mode: Mode, existing: str, coming: str) -> None:
    async def script() -> None:
        async with serving() as smsc:
            one, two = await LivePeer.logged_in(smsc, "36010"), await LivePeer.logged_in(smsc, "36020")
            await smsc.control.outage(mode, "36010")
            assert await met_by(smsc, one, harness.submit(1)) == existing
            assert (await two.submit(1, OAdC="36020")).data[0] == "A"
            # The listener is shared, so that a code alone is refused at its login.
            expected = {"refused": "fin", "silence": "deaf"}.get(coming, coming)
            assert await met_by_newcomer(smsc, "36010") == expected
            assert (await (await LivePeer.connect(smsc)).login("36020")).data[0] == "A"
            await smsc.control.restore()
            assert (await (await LivePeer.logged_in(smsc, "36010")).submit(2)).data[0] == "A"

    asyncio.run(script())


@pytest.mark.parametrize("mode, existing, coming", MODES)
def test_an_outage_of_one_session_meets_no_other(mode: Mode, existing: str, coming: str) -> None:
    async def script() -> None:
        async with serving() as smsc:
            one, two = await LivePeer.logged_in(smsc), await LivePeer.logged_in(smsc)
            await smsc.control.outage(mode, f"session:{session_of(smsc, one)}")
            assert await met_by(smsc, one, harness.submit(1)) == existing
            assert (await two.submit(1)).data[0] == "A"
            assert (await (await LivePeer.logged_in(smsc)).submit(1)).data[0] == "A"

    asyncio.run(script())


def test_while_all_is_silent_nothing_is_read_and_no_connection_is_closed() -> None:
    async def script() -> None:
        async with serving() as smsc:
            known = await LivePeer.logged_in(smsc)
            await smsc.control.outage("silent")
            stranger = await LivePeer.connect(smsc)
            known.send(harness.submit(1))
            stranger.send(harness.login())
            smsc.control.step(3600)
            assert await known.hears_nothing()
            assert await stranger.hears_nothing()
            assert len(rows(smsc, "wire", "in")) == 1
            await smsc.control.restore()
            assert (await known.frame()).data[0] == "A"
            assert (await stranger.frame()).data[0] == "A"
            restored_at = rows(smsc, "story", "restored")[0][0]
            assert [row[0] >= restored_at for row in rows(smsc, "centre", "accepted")] == [True]

    asyncio.run(script())


def test_a_code_that_is_silent_accepts_nothing_from_who_does_not_wait_for_the_login() -> None:
    async def script() -> None:
        async with serving() as smsc:
            await smsc.control.outage("silent", "36010")
            peer = await LivePeer.connect(smsc)
            peer.send(harness.login() + harness.submit(1))
            assert await peer.hears_nothing()
            peer.send(harness.submit(2))
            assert await peer.hears_nothing()
            await smsc.control.restore()
            assert await peer.hears_nothing()
            assert not rows(smsc, "centre", "accepted")
            assert not rows(smsc, "centre", "login")

    asyncio.run(script())


@pytest.mark.parametrize("mode", [mode for mode, _, _ in MODES])
def test_held_submits_are_forgotten_and_were_never_accepted(mode: Mode) -> None:
    async def script() -> None:
        async with serving() as smsc:
            peer = await LivePeer.logged_in(smsc)
            peer.send(b"".join(harness.submit(trn, AdC=f"3371000000{trn}", NRq="", NT="") for trn in range(10)))
            assert {frame.data[0] for frame in await peer.frames(10)} == {"A"}
            peer.send(harness.submit(10) + harness.submit(11))
            assert await smsc.control.wait_until(lambda: len(rows(smsc, "centre", "held")) == 2, DEADLINE_S)
            await smsc.control.outage(mode)
            smsc.control.step(10)
            await smsc.control.restore()
            smsc.control.step(10)
            assert len(rows(smsc, "centre", "accepted")) == 10
            if mode in {"refuse", "silent", "deaf-results"}:  # the connection lives on, and its window is free again
                assert (await peer.submit(10)).data[0] == "A"

    asyncio.run(script())


@pytest.mark.parametrize("mode", ["cut", "reset", "refuse", "accept-close", "silent"])
def test_accepted_messages_are_kept_and_told_after_the_next_login_in_order_of_stamps(mode: Mode) -> None:
    async def script() -> None:
        async with serving(delivery=SLOW) as smsc:
            peer = await LivePeer.logged_in(smsc)
            for trn in range(8):
                assert (await peer.submit(trn, AdC=f"3371000000{trn}")).data[0] == "A"
                smsc.control.step(1)
            smsc.control.mo("33639980012", "36010", "STOP")
            assert (await peer.frame()).ot == "52"  # and left unanswered
            await smsc.control.outage(mode)
            smsc.control.step(100)
            assert not rows(smsc, "centre", "delivered")
            await smsc.control.restore()
            smsc.control.step(100)
            delivered = [row[8] for row in rows(smsc, "centre", "delivered")]
            assert len(delivered) == 8
            assert delivered != sorted(delivered)
            if mode in {"refuse", "silent"}:  # they come over the session that stayed
                assert await peer.frames(9)
                peer.close()
                assert await smsc.control.wait_until(lambda: not smsc.control.sessions(), DEADLINE_S)
            again = await LivePeer.logged_in(smsc)
            notices = await again.frames(9)
            stamps = [decode(notice)["SCTS"] for notice in notices]
            assert stamps == sorted(stamps)
            assert sorted(notice.ot for notice in notices) == ["52"] + ["53"] * 8
            for notice in notices:
                again.acknowledge(notice)
            assert await smsc.control.wait_until(lambda: smsc.control.untold() == 0, DEADLINE_S)

    asyncio.run(script())


def test_deaf_to_results_a_platform_stores_and_delivers_and_tells_afterwards() -> None:
    async def script() -> None:
        async with serving() as smsc:
            peer = await LivePeer.logged_in(smsc)
            await smsc.control.outage("deaf-results")
            peer.send(harness.submit(1))
            assert await smsc.control.wait_until(lambda: bool(rows(smsc, "centre", "delivered")), DEADLINE_S)
            assert await peer.hears_nothing()
            await smsc.control.restore()
            notice = await peer.frame()
            assert (notice.kind, notice.ot) == ("O", "53")
            assert (await peer.submit(1)).ot == "51"  # the number is free again

    asyncio.run(script())


class Noting(Tcp):
    """Real sockets, and a note of the platform's state whenever it begins to listen."""

    smsc: LiveSmsc | None = None

    def __init__(self) -> None:
        self.states: list[str] = []

    async def listen(self, factory: Factory, host: str, port: int) -> Listener:
        self.states.append(self.smsc.server.gateway.centre.state if self.smsc else "")
        return await super().listen(factory, host, port)


@pytest.mark.parametrize("mode", ["cut", "reset", "refuse"])
def test_the_listener_returns_on_its_port_before_the_platform_does(mode: Mode) -> None:
    async def script() -> None:
        network = Noting()
        scenario = Scenario(codes=CODES, server=ServerConfig(port=0))
        async with LiveSmsc(scenario, contract(), MemoryLedger(), network=network) as smsc:
            network.smsc = smsc
            port = smsc.server.port
            await smsc.control.outage(mode)
            await smsc.control.restore()
            assert network.states == ["", "down"]
            assert smsc.server.gateway.centre.state == "up"
            assert smsc.server.port == port

    asyncio.run(script())


def test_maintenance_is_an_outage_that_was_planned() -> None:
    async def script() -> None:
        async with serving() as smsc:
            peer = await LivePeer.logged_in(smsc)
            await smsc.control.outage("cut", planned=True, for_s=3600)
            assert smsc.server.gateway.centre.state == "maintenance"
            assert await peer.end() == "fin"
            assert reason_of_closing(smsc, 1) == "server: outage"
            ((at, _, subject, until, _),) = rows(smsc, "story", "maintenance")
            assert (subject, until - at) == ("total", 3600 * harness.SECOND)
            await smsc.control.restore()
            assert (await (await LivePeer.logged_in(smsc)).submit(1)).data[0] == "A"

    asyncio.run(script())


def test_one_outage_at_a_time() -> None:
    async def script() -> None:
        async with serving() as smsc:
            await smsc.control.outage("silent")
            with pytest.raises(ValueError, match="holds already"):
                await smsc.control.outage("cut")
            assert len(rows(smsc, "story", "outage")) == 1

    asyncio.run(script())


def test_an_outage_is_in_the_story_before_anybody_meets_it() -> None:
    async def script() -> None:
        async with serving() as smsc:
            peer = await LivePeer.logged_in(smsc)
            await smsc.control.outage("reset")
            assert await peer.end() == "rst"
            await smsc.control.wait_until(lambda: not smsc.control.sessions(), DEADLINE_S)
            assert rows(smsc, "story", "outage")[0][0] <= rows(smsc, "wire", "close")[0][0]

    asyncio.run(script())


def test_a_session_that_was_silenced_for_long_is_not_idle_when_it_is_heard_again() -> None:
    async def script() -> None:
        async with serving() as smsc:
            peer = await LivePeer.logged_in(smsc)
            await smsc.control.outage("silent")
            smsc.control.step(600)
            await smsc.control.restore()
            smsc.control.step(60)
            assert (await peer.submit(1)).data[0] == "A"

    asyncio.run(script())


def test_a_subscriber_who_returns_during_an_outage_gets_the_message_after_it() -> None:
    async def script() -> None:
        async with serving() as smsc:
            smsc.control.put(Subscriber("33710000001", "orange", "orange", False, False))
            peer = await LivePeer.logged_in(smsc)
            assert (await peer.submit(1)).data[0] == "A"
            assert await smsc.control.wait_until(lambda: smsc.server.gateway.centre.delivery._absent != {}, 1) or True
            await smsc.control.outage("cut")
            smsc.control.attach("33710000001")
            await smsc.control.restore()
            again = await LivePeer.logged_in(smsc)
            assert decode(await again.frame())["Dst"] == "0"

    asyncio.run(script())


def test_scripted_outages_come_and_go_at_their_instants() -> None:
    async def script() -> None:
        outages = (OutageConfig(at_s=5, for_s=10, mode="cut"), OutageConfig(at_s=30, for_s=5, mode="silent", scope="36010"))
        async with serving(outages=outages, server=ServerConfig(port=0, speed=200.0)) as smsc:
            began = smsc.ledger.story[0][0]
            done = lambda: len(rows(smsc, "story", "restored")) == 2  # noqa: E731 - a condition
            assert await smsc.control.wait_until(done, DEADLINE_S)
            told = [row for kind in ("outage", "restored") for row in rows(smsc, "story", kind)]
            late_s = [(row[0] - began) / harness.SECOND - due for row, due in zip(told, (5, 30, 15, 35), strict=True)]
            assert all(0 <= late <= 200 * 0.25 for late in late_s)

    asyncio.run(script())
