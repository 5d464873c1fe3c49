from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from simbench.client import messages as m
from simbench.client.core import Core
from simbench.client.shell import Link, Outside, wall_clock
from simbench.client.spool import Spool
from simbench.ucp.frame import Frame, Framer
from tests.client.peer import CONFIG, Reply, Smsc, message, mobile, recipient
from tests.ports import lasting_port

QUICK = replace(CONFIG, rate_per_s=1_000, reconnect_first_s=0.01, quiet_hours=False)


class Pipe(asyncio.Transport):
    """The client's end of a connection in memory, with a scripted SMSC at the other."""

    def __init__(self, protocol: asyncio.Protocol, smsc: Reply) -> None:
        super().__init__()
        self.protocol, self.smsc = protocol, smsc
        self.open = True
        self.written: list[Frame] = []
        self._framer = Framer()
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        for item in self._framer.feed(bytes(data)):
            assert isinstance(item, Frame)
            self.written.append(item)
            answer = self.smsc(item)
            if answer is not None:
                self._loop.call_soon(self.hear, answer)

    def hear(self, octets: bytes) -> None:
        if self.open:
            self.protocol.data_received(octets)

    def close(self) -> None:
        if self.open:
            self.open = False
            self._loop.call_soon(self.protocol.connection_lost, None)

    abort = close


class Bench:
    """One link on in-memory connections; `happened` wakes a task that waits for an event."""

    def __init__(self, config: m.LinkConfig, smsc: Reply, spool: Spool) -> None:
        self.smsc, self.spool = smsc, spool
        self.refuse = 0
        self.pipes: list[Pipe] = []
        self.events: list[m.Event] = []
        self._news = asyncio.Event()
        outside = Outside("smsc.invalid", 5000, wall_clock, 1.0, self._connect)
        self.link = Link(Core(config), spool, outside, self._report)

    async def _connect(self, factory: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        assert (host, port) == ("smsc.invalid", 5000)
        if self.refuse:
            self.refuse -= 1
            raise ConnectionRefusedError
        protocol = factory()
        self.pipes.append(Pipe(protocol, self.smsc))
        protocol.connection_made(self.pipes[-1])

    def _report(self, event: m.Event) -> None:
        self.events.append(event)
        self._news.set()

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    async def until(self, kind: type, count: int) -> None:
        async with asyncio.timeout(300):
            while self.count(kind) < count:
                self._news.clear()
                await self._news.wait()


def play(script: Callable[[Bench], Awaitable[None]], config: m.LinkConfig = QUICK, smsc: Any = None) -> Bench:
    async def run() -> Bench:
        bench = Bench(config, smsc or Smsc(), Spool(":memory:"))
        bench.link.turn()
        await script(bench)
        await bench.link.end()
        return bench

    return asyncio.run(run())


def test_messages_go_out_and_results_come_in() -> None:
    async def script(bench: Bench) -> None:
        for number in range(50):
            assert bench.link.submit(message(number))
        bench.link.turn()
        await bench.until(m.Accepted, 50)

    bench = play(script)
    assert set(bench.spool.states().values()) == {"accepted"}
    assert not bench.pipes[0].open


def test_results_are_durable_before_the_next_octets_leave() -> None:
    unrecorded: list[str] = []

    async def script(bench: Bench) -> None:
        friendly, answered = Smsc(), list[str]()

        def strict(asked: Frame) -> bytes | None:
            if asked.ot == "51":
                states = bench.spool.states()
                unrecorded.extend(ref for ref in answered if states[ref] != "accepted")
                answered.append(f"m{int(asked.data[0][-4:])}")
            return friendly(asked)

        bench.smsc = strict
        for number in range(20):
            bench.link.submit(message(number))
        bench.link.turn()
        await bench.until(m.Accepted, 20)
        assert len(answered) == 20

    play(script, replace(QUICK, window=1))
    assert unrecorded == []


def test_a_refused_connection_is_tried_again() -> None:
    async def script(bench: Bench) -> None:
        bench.refuse = 3
        bench.link.submit(message(1))
        bench.link.turn()
        await bench.until(m.Accepted, 1)

    bench = play(script)
    assert bench.count(m.Connect) == 4


def test_a_socket_that_is_connected_to_itself_is_a_refused_connection() -> None:
    port = lasting_port()

    async def connect(factory: Callable[[], asyncio.Protocol], _host: str, _port: int) -> None:
        own = "127.0.0.1", port
        await asyncio.get_running_loop().create_connection(factory, *own, local_addr=own)

    async def script() -> None:
        events, again = list[m.Event](), asyncio.Event()

        def report(event: m.Event) -> None:
            events.append(event)
            if sum(isinstance(each, m.Connect) for each in events) == 3:
                again.set()

        link = Link(Core(QUICK), Spool(":memory:"), Outside("127.0.0.1", port, connect=connect), report)
        link.submit(message(1))
        link.turn()
        async with asyncio.timeout(300):
            await again.wait()
        await link.end()
        assert {type(event) for event in events} == {m.Queued, m.Connect}, "nothing was sent"

    asyncio.run(script())


def test_a_lost_connection_is_replaced_and_the_old_one_is_ignored() -> None:
    async def script(bench: Bench) -> None:
        await bench.until(m.Connect, 1)
        await asyncio.sleep(0)
        old = bench.pipes[0]
        old.close()
        bench.link.submit(message(1))
        bench.link.turn()
        await bench.until(m.Accepted, 1)
        old.protocol.data_received(mobile(recipient(1), "STOP"))
        old.protocol.connection_lost(None)

    bench = play(script)
    assert len(bench.pipes) == 2
    assert bench.count(m.MoReceived) == 0
    assert bench.count(m.Accepted) == 1


def test_a_mute_smsc_is_left_when_the_result_timer_ends() -> None:
    async def script(bench: Bench) -> None:
        bench.link.submit(message(1))
        bench.link.turn()
        await bench.until(m.Close, 1)
        bench.smsc = Smsc()
        await bench.until(m.Accepted, 1)

    bench = play(script, replace(QUICK, result_timer_s=0.05), lambda asked: None if asked.ot == "51" else Smsc()(asked))
    assert bench.count(m.Doubtful) >= 1


def test_an_ending_link_waits_for_its_results() -> None:
    async def script(bench: Bench) -> None:
        friendly, held = Smsc(), list[bytes]()

        def slow(asked: Frame) -> bytes | None:
            answer = friendly(asked)
            if asked.ot == "51" and answer is not None:
                held.append(answer)
                return None
            return answer

        bench.smsc = slow
        bench.link.submit(message(1))
        bench.link.turn()
        await bench.until(m.Sent, 1)
        assert bench.count(m.Accepted) == 0
        asyncio.get_running_loop().call_soon(bench.pipes[0].hear, held[0])  # once the link waits for its end

    bench = play(script)
    assert bench.spool.states() == {"m1": "accepted"}


def test_a_ref_used_before_is_not_taken_in_again() -> None:
    async def script(bench: Bench) -> None:
        assert bench.link.submit(message(1))
        assert not bench.link.submit(message(1))
        bench.link.turn()
        await bench.until(m.Accepted, 1)
        assert not bench.link.submit(message(1))

    assert play(script).count(m.Sent) == 1
