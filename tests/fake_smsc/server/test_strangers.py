"""Connected peers without a login: their cost is bounded in counts, for any input."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from typing import Any

import pytest

from fake_smsc.scenario import CodeConfig
from fake_smsc.server.server import CORE_FRAMES
from fake_smsc.server.strangers import EARLY_OCTETS, SLICE, TURN_ITEMS, Lane
from fake_smsc.ucp_gateway.gateway import EARLY, PIECE, SHORT_PIECE, WEIGHED, piece_end
from simbench.ucp.frame import ETX, STX, encode
from tests import harness
from tests.fake_smsc.live import LivePeer, serving

FLOODS = {
    "bare ETX": ETX,
    "bare STX": STX,
    "letters": b"flood ",
    "wrong checksums": harness.submit(1)[:-3] + b"XX\x03",
    "submits": harness.submit(1),
    "alerts": encode(1, "O", "31", "36010/0539/"),
    "long frames": harness.submit(1, XSer="0103000000" * 380),  # many services, each of which is checked
}
STRANGERS = 20


def flood(name: str, octets: int = 300_000) -> bytes:
    """That many octets of one kind."""
    return FLOODS[name] * (octets // len(FLOODS[name]))


async def send(peer: LivePeer, octets: bytes) -> None:
    """Send octets to a server that may end the connection while they are sent."""
    with suppress(ConnectionError):
        peer.send(octets)
        await peer.drain()


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_before_a_login_is_served_and_recorded_up_to_a_bound_and_closed(name: str) -> None:
    async def script() -> None:
        async with serving() as site:
            bystander, stranger = await site.session(), await site.connect()
            await send(stranger, flood(name))
            assert await site.until(lambda: site.reason_of_closing(stranger) == "server: too much before a login")
            number = site.number_of(stranger)
            recorded = [row for row in site.rows("wire", "in") if row[1] == number]
            assert sum(len(row[3]) for row in recorded) <= EARLY_OCTETS
            assert len(site.rows("events", "violation")) <= EARLY + 1
            answered = b"".join(row[3] for row in site.rows("wire", "out") if row[1] == number)
            assert answered.count(ETX) <= EARLY
            assert (await bystander.submit(1)).data[0] == "A"

    asyncio.run(script())


class Watched(Lane):
    """Counts what its turns serve."""

    turns: list[int]

    def _turn(self) -> None:
        self.turns.append(0)
        super()._turn()

    def _serve_one(self) -> None:
        before = self._spent
        super()._serve_one()
        if self.turns:
            self.turns[-1] += self._spent - before


@pytest.mark.parametrize("name", FLOODS)
def test_a_login_beside_floods_waits_for_one_piece_of_each_and_turns_are_short(name: str) -> None:
    async def script() -> None:
        async with serving() as site:
            strangers = [await site.connect() for _ in range(STRANGERS)]
            client = await site.connect()
            assert await site.until(lambda: len(site.control.sessions()) == STRANGERS + 1)
            lane = Watched(site.server)
            site.server.strangers, lane.turns = lane, []
            for number in range(1, len(strangers) + 1):
                lane.take(site.server.connections[number], flood(name, 200_000))
            lane.take(site.server.connections[STRANGERS + 1], harness.login())
            lane.serve()
            assert (await client.frame()).data[0] == "A"
            assert len(lane.turns) <= STRANGERS * SLICE // TURN_ITEMS, "of nobody more than a piece came before it"
            assert max(lane.turns, default=0) <= TURN_ITEMS + SLICE

    asyncio.run(script())


def test_octets_that_follow_a_login_in_the_same_write_are_all_served_though_the_peer_hangs_up() -> None:
    async def script() -> None:
        async with serving() as site:
            site.control.limit("36010", 1_000_000, "monitor")
            peer = await site.connect()
            submits = [harness.submit(n % 100, AdC=f"{33_710_000_000 + n}") for n in range(2_000)]
            peer.send(harness.login() + b"".join(submits))
            await peer.close()
            assert await site.until(lambda: site.control.answered() == 2_000)

    asyncio.run(script())


def test_a_login_octet_by_octet_opens_a_session() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.connect()
            for octet in harness.login():
                peer.send(bytes([octet]))
                await peer.drain()
                await asyncio.sleep(0)
            assert (await peer.frame()).data[0] == "A"

    asyncio.run(script())


def test_new_connections_displace_peers_without_a_login_but_no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fake_smsc.server.server.MAX_CONNECTIONS", 3)

    async def script() -> None:
        async with serving() as site:
            first, second = await site.session("36010"), await site.connect()
            assert await site.until(lambda: len(site.control.sessions()) == 2)
            third = await site.connect()
            assert await site.until(lambda: len(site.control.sessions()) == 3)
            await site.session("36020")
            assert await second.end() == "rst"
            assert site.reason_of_closing(second) == "server: too many connections"
            assert (await third.login("36020")).data[0] == "A"
            late = await site.connect()
            assert await late.end() == "rst"
            assert (await first.submit(1)).data[0] == "A"

    asyncio.run(script())


@pytest.mark.parametrize("name", [name for name in FLOODS if name not in {"submits", "letters"}])
@pytest.mark.parametrize("is_fast", [True, False])
def test_a_turn_serves_a_limited_number_of_odd_frames_of_a_client(name: str, is_fast: bool) -> None:
    gateway, _ = harness.gateway_of()
    if not is_fast:
        gateway._fast = None
    gateway.opened(1, harness.START)
    gateway.received(1, harness.login(), harness.START)
    octets, turns = flood(name, 50_000), 0
    sizes = [len(octets)]
    left = [(1, octets)]
    while left:
        left = gateway.received_many(left, harness.START, CORE_FRAMES)
        sizes.append(sum(len(rest) for _, rest in left))
        turns += 1
    taken = [before - after for before, after in itertools.pairwise(sizes)]
    most = CORE_FRAMES * min(len(FLOODS[name]), WEIGHED) + PIECE
    assert max(taken) <= most
    assert turns >= len(octets) // most


@pytest.mark.parametrize("is_fast", [True, False])
def test_a_turn_serves_twice_as_many_odd_frames_of_all_clients_as_of_one(is_fast: bool) -> None:
    gateway, _ = harness.gateway_of(CodeConfig(code="36010", sessions=20))
    if not is_fast:
        gateway._fast = None
    for number in range(1, 11):
        gateway.opened(number, harness.START)
        gateway.received(number, harness.login(), harness.START)
    alerts = [(number, flood("alerts", 10_000)) for number in range(1, 11)]
    left, sizes = alerts, [sum(len(octets) for _, octets in alerts)]
    while left:
        left = gateway.received_many(left, harness.START, CORE_FRAMES)
        sizes.append(sum(len(rest) for _, rest in left))
    taken = [before - after for before, after in itertools.pairwise(sizes)]
    assert max(taken) <= 2 * CORE_FRAMES * len(FLOODS["alerts"]) + 2 * PIECE


def test_frames_divided_among_turns_have_the_same_result_as_in_one_turn() -> None:
    octets = (flood("bare ETX", 700) + harness.submit(1) + flood("wrong checksums", 30_000) + harness.submit(2)) * 2

    def served(most: int) -> Any:
        gateway, ledger = harness.gateway_of()
        gateway.opened(1, harness.START)
        gateway.received(1, harness.login(), harness.START)
        left = [(1, octets[:900]), (1, octets[900:])]
        while left:
            left = gateway.received_many(left, harness.START, most)
        return gateway.output(), list(gateway.violation_events), list(ledger.centre)

    assert served(10) == served(1 << 62)


def test_pieces_end_after_frames_and_are_short_if_most_octets_are_malformed() -> None:
    frames = harness.submit(1) * 100
    assert frames[piece_end(frames, 0, len(frames)) - 1 :][:1] == ETX
    assert piece_end(b"\x03" * 5_000, 0, 5_000) == SHORT_PIECE
    assert piece_end(b"x" * 5_000, 0, 5_000) == PIECE
    assert piece_end(b"x" * 5_000, 4_900, 5_000) == 5_000
