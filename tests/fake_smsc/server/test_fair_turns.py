"""Clients that send more odd frames than a turn serves do not stop the others: counted in turns, on both paths."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from fake_smsc.fast import compiled
from fake_smsc.scenario import CodeConfig
from fake_smsc.server.leftovers import LEFT_OCTETS
from fake_smsc.server.server import CORE_FRAMES, TURN_OCTETS
from simbench.ucp.frame import ETX, encode
from tests import harness
from tests.fake_smsc.live import LivePeer, serving

ALERTS = encode(1, "O", "31", "36010/0539/") * 400
READ_OCTETS = 262_144  # a read of the loop has no more
BOTH = pytest.mark.parametrize("is_fast", [True, False])
LONE = {"alert": encode(7, "O", "31", "36010/0539/"), "submit": harness.submit(7)}


def gateway_with(clients: int, *, is_fast: bool) -> Any:
    """A gateway with so many clients, numbered from 1."""
    if is_fast and not compiled.load():
        pytest.skip("numba is not installed")
    gateway, ledger = harness.gateway_of(CodeConfig(code="36010", sessions=clients, limit="monitor"))
    if not is_fast:
        gateway._fast = None
    for number in range(1, clients + 1):
        gateway.opened(number, harness.START)
        gateway.received(number, harness.login(), harness.START)
    gateway.output()
    return gateway, ledger


class Turns:
    """Turns of a gateway in which clients from 2 on flood without end."""

    def __init__(self, flooders: int, *, is_fast: bool) -> None:
        self._flooders = range(2, flooders + 2)
        self._gateway, _ = gateway_with(flooders + 1, is_fast=is_fast)
        self._left: list[tuple[int, bytes]] = []
        self.answered: Counter[int] = Counter()  # by client

    def turn(self, *reads: tuple[int, bytes]) -> dict[int, int]:
        """Serve the rest of the flood, more of it, and these reads; return how many frames of each were answered."""
        more = [(number, ALERTS) for number in self._flooders]
        self._left = self._gateway.received_many([*self._left, *more, *reads], harness.START, CORE_FRAMES)
        found = {number: octets.count(ETX) for number, octets in self._gateway.output()}
        self.answered.update(found)
        return found


@BOTH
@pytest.mark.parametrize("lone", LONE)
@pytest.mark.parametrize("flooders", [2, 3, 8, 21])
def test_a_client_beside_any_number_of_floods_is_answered_after_one_round(
    flooders: int, lone: str, is_fast: bool
) -> None:
    turns = Turns(flooders, is_fast=is_fast)
    for _ in range(3):
        turns.turn()
    waited, found = 0, turns.turn((1, LONE[lone]))
    while 1 not in found:
        waited += 1
        assert waited <= flooders // 2 + 1, "two floods a turn come before it, each once"
        found = turns.turn()


@BOTH
@pytest.mark.parametrize("flooders", [2, 3, 8])
def test_floods_are_served_alike_and_no_more_than_the_share_of_a_turn(flooders: int, is_fast: bool) -> None:
    turns, rounds = Turns(flooders, is_fast=is_fast), 10
    for _ in range(rounds * flooders):
        found = turns.turn()
        piece = 4_096 * 400 // len(ALERTS) + 1  # a share ends with a piece
        assert max(found.values()) <= CORE_FRAMES + piece
        assert sum(found.values()) <= 2 * (CORE_FRAMES + piece)
    least, most = min(turns.answered.values()), max(turns.answered.values())
    assert len(turns.answered) == flooders
    assert most - least <= CORE_FRAMES + piece


@BOTH
def test_a_client_has_one_share_in_a_turn_however_many_reads(is_fast: bool) -> None:
    gateway, _ = gateway_with(1, is_fast=is_fast)
    gateway.received_many([(1, ALERTS[: len(ALERTS) // 8])] * 40, harness.START, CORE_FRAMES)
    ((_, octets),) = gateway.output()
    assert octets.count(ETX) <= CORE_FRAMES + 50


@BOTH
def test_a_turn_serves_no_more_connections_than_frames_and_all_in_their_order(is_fast: bool) -> None:
    clients = 1_900
    gateway, _ = gateway_with(clients, is_fast=is_fast)
    single, calls = gateway._single, [0]

    def counted(*arguments: Any) -> int:
        calls[0] += 1
        count: int = single(*arguments)
        return count

    gateway._single = counted
    if is_fast:
        gateway._fast._single = counted
    alert = encode(1, "O", "31", "36010/0539/")
    left, order = [(number, alert) for number in range(1, clients + 1)], list[int]()
    left += [(number, encode(2, "O", "31", "36010/0539/")) for number in range(1, clients + 1)]
    for _ in range(2 * clients // (2 * CORE_FRAMES) + 2):
        calls[0] = 0
        left = gateway.received_many(left, harness.START, CORE_FRAMES)
        assert calls[0] <= 2 * CORE_FRAMES, "one call of the core for each frame"
        answered = gateway.output()
        assert len(answered) <= 2 * CORE_FRAMES
        order += [number for number, octets in answered if octets[1:3] == b"01"]
    assert not left
    assert order == list(range(1, clients + 1))


def test_without_the_fast_path_plain_submits_count_as_well() -> None:
    gateway, _ = gateway_with(3, is_fast=False)
    submits = b"".join(harness.submit(trn % 100, AdC=f"{33_710_000_000 + trn}") for trn in range(400))
    left = [(number, submits) for number in (1, 2, 3)]
    piece = 4_096 * 400 // len(submits) + 1
    answered = Counter[int]()
    while left:
        left = gateway.received_many(left, harness.START, CORE_FRAMES)
        found = {number: octets.count(ETX) for number, octets in gateway.output()}
        answered.update(found)
        assert max(found.values()) <= CORE_FRAMES + piece
        assert sum(found.values()) <= 2 * (CORE_FRAMES + piece)
    assert answered == dict.fromkeys((1, 2, 3), 400)


def test_both_paths_leave_the_same_of_floods_that_take_many_turns() -> None:
    def served(*, is_fast: bool) -> Any:
        gateway, ledger = gateway_with(5, is_fast=is_fast)
        answers: dict[int, bytes] = {}
        frames = [ALERTS + harness.submit(n, AdC=f"3371000000{n}") + ALERTS for n in range(1, 6)]
        left = list(enumerate(frames, 1))
        while left:
            left = gateway.received_many(left, harness.START, CORE_FRAMES)
            for number, octets in gateway.output():
                answers[number] = answers.get(number, b"") + octets
        return answers, list(gateway.violation_events), list(ledger.centre)

    assert served(is_fast=True) == served(is_fast=False)


async def flood(peer: LivePeer) -> None:
    """Send and read without end."""

    async def send() -> None:
        while True:
            peer.send(ALERTS * 10)
            await peer.drain()

    async def read() -> None:
        while await peer._reader.read(1 << 20):
            pass

    with suppress(ConnectionError):
        await asyncio.gather(send(), read())


@pytest.mark.parametrize("flooders", [2, 5])
def test_floods_on_the_network_are_read_no_faster_than_served_and_stop_nobody(flooders: int) -> None:
    async def script() -> None:
        codes = [CodeConfig(code="36010", limit="monitor", sessions=10), CodeConfig(code="36020", limit="monitor")]
        async with serving(*codes) as site:
            lone, gateway = await site.session("36020"), site.server.gateway
            number, served = site.number_of(lone), gateway.received_many
            waited, sizes, is_lone = [0], [0], encode(7, "O", "31", "36020/0539/")

            def watched(reads: list[tuple[int, bytes]], now: int, most: int = CORE_FRAMES) -> list[tuple[int, bytes]]:
                left = served(reads, now, most)
                waited.append(waited[-1] + 1 if any(each == number for each, _ in left) else 0)
                sizes.extend(len(octets) for _, octets in left)
                return left

            gateway.received_many = watched  # type: ignore[method-assign]
            floods = [asyncio.create_task(flood(await site.session())) for _ in range(flooders)]
            assert await site.until(lambda: max(sizes) > LEFT_OCTETS)
            for _ in range(5):
                lone.send(is_lone)
                assert (await lone.frame()).data[0] == "A"
            for each in floods:
                each.cancel()
            await asyncio.gather(*floods, return_exceptions=True)
            assert max(waited) <= flooders // 2 + 1
            assert max(sizes) <= LEFT_OCTETS + TURN_OCTETS + READ_OCTETS

    asyncio.run(script())


def test_all_octets_of_a_client_that_was_not_read_for_a_while_are_served() -> None:
    async def script() -> None:
        async with serving(CodeConfig(code="36010", limit="monitor")) as site:
            peer = await site.session()
            burst = ALERTS * 40  # 464,000 octets
            reading = asyncio.create_task(peer.frames(400 * 40))
            peer.send(burst)
            assert len(await reading) == 400 * 40
            assert (await peer.submit(1)).data[0] == "A"

    asyncio.run(script())
