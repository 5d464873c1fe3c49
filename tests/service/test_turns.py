"""The share of HTTP in the loop: one piece of work in each turn, during any flood."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from simbench.service import serving
from simbench.service.settings import Limits, ServiceSettings
from simbench.service.turns import Acceptor, Turns
from tests.service.stage import TOKEN, staged
from tests.service.ticks import Ticks
from tools.attack.web import ATTACKS, TOKENLESS, Web


def test_each_piece_of_work_has_a_turn_of_its_own_and_the_first_come_first() -> None:
    async def script() -> None:
        turns, ticks = Turns(), Ticks()
        done: list[tuple[int, int]] = []
        for number in range(100):
            turns.take(lambda number=number: done.append((ticks.now, number)))  # type: ignore[misc] # the loop's value
        assert done == [(0, 0)], "the first one at once"
        while len(done) < 100:  # noqa: ASYNC110 - each turn of the loop is looked at
            await asyncio.sleep(0)
        assert [number for _, number in done] == list(range(100))
        assert len({turn for turn, _ in done}) == 100
        turns.take(lambda: done.append((ticks.now, 100)))
        while len(done) < 101:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        ticks.stop()

    asyncio.run(script())


def test_a_closed_acceptor_leaves_the_listener_though_a_connection_waits() -> None:
    async def script() -> None:
        loop, turns = asyncio.get_running_loop(), Turns()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            acceptor = Acceptor(listener, asyncio.Protocol, turns)
            busy = True

            def other() -> None:
                if busy:
                    turns.take(other)

            with socket.create_connection(listener.getsockname()):
                for _ in range(20):  # other work of HTTP has the turns
                    turns.take(other)
                while acceptor._accept not in turns._waiting:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0)
                busy = False
                acceptor.close()
                while turns._is_taken:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0)
                assert not loop.remove_reader(listener.fileno()), "not registered"
                assert acceptor._again is None
                listener.accept()[0].close()  # the connection still waits for somebody

    asyncio.run(script())


def test_the_interval_of_threads_is_as_before_after_two_servers_that_overlap() -> None:
    before_s, seen_s = sys.getswitchinterval(), []

    async def script() -> None:
        first, second = staged(), staged()
        for turn in (first.__aenter__, second.__aenter__):
            await turn()
            seen_s.append(sys.getswitchinterval())
        for server in (first, second):  # the first one ends first
            await server.__aexit__(None, None, None)
            seen_s.append(sys.getswitchinterval())

    asyncio.run(script())
    assert seen_s == pytest.approx([serving.SWITCH_S] * 3 + [before_s])


# Fewer than the tool sends: the flood runs in the loop that it attacks.
SMALLER = {
    "waits": 70, "gets": 300, "metrics": 140, "headers": 20, "urls": 20, "halves": 1_005, "slow-logins": 1_005,
    "bodies": 70, "keys": 70, "dots": 70, "cookies": 70,"pipelined": 4, "consoles": 2, "texts": 140, "downloads": 70,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ATTACKS)
def test_no_flood_of_http_gets_more_than_a_piece_in_a_turn(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        pieces: Counter[int] = Counter()
        ticks, take = Ticks(), Turns.take

        def counted(turns: Turns, work: Callable[[], object]) -> None:
            def piece() -> None:
                pieces[ticks.now] += 1
                work()

            take(turns, piece)

        monkeypatch.setattr(Turns, "take", counted)
        token = TOKEN if kind in TOKENLESS else ""
        async with staged(ServiceSettings(token=token, console=True, limits=Limits(login_s=0.5))) as stage:
            web, attack = Web(stage.url), ATTACKS[kind]
            flood = asyncio.create_task(web.many(SMALLER[kind], attack.at_once, lambda: attack.once(web)))
            seen = await stage.ask(stage.client.platform)
            assert seen.state == "up", "the owner is answered beside the flood"
            await flood
            assert web.seen.total() >= SMALLER[kind]
            peer = await stage.site.session()
            assert (await peer.submit(1, NRq="", NT="")).data[0] == "A"
        ticks.stop()
        assert sum(pieces.values()) > SMALLER[kind]
        assert max(pieces.values()) <= 2, "one that waited, and one that found its turn free at its end"

    asyncio.run(script())


def test_requests_whose_waiting_ends_at_the_same_moment_are_answered_in_turns_of_their_own() -> None:
    async def script() -> None:
        async with staged() as stage:
            ready, ticks, ended = asyncio.Event(), Ticks(), list[int]()

            async def waits() -> None:
                assert await stage.platform.wait_until(ready.is_set, 300)
                ended.append(ticks.now)

            tasks = [asyncio.create_task(waits()) for _ in range(30)]
            while len(stage.site.server.waiters.waiting) < 30:  # noqa: ASYNC110 - each turn of the loop is looked at
                await asyncio.sleep(0)
            ready.set()
            stage.site.server.touch()
            await asyncio.gather(*tasks)
            assert len(set(ended)) == 30
            ticks.stop()

    asyncio.run(script())
