"""A line cut at each octet of a result: client, server and bench as they are, in virtual time.

Wherever it is cut, nothing is lost, what is in doubt may come twice, and the verdicts are the same.
"""

from __future__ import annotations

import asyncio
import json
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast

import pytest

from fake_smsc.server.clock import PlatformClock
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import InMemory
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, run_exercise
from simbench.bench.runner.virtual_loop import Factory, MemoryNetwork, VirtualLoop
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger
from simbench.ledger.events import FaultActed
from simbench.trace.trace import Trace
from simbench.ucp.frame import STX, encode
from tests.paris import MONDAY

How = Literal["fin", "rst"]

NTH = 4  # the result of a 51 that the cut falls into
LENGTH = len(encode("04", "R", "51", "A//33710000004:020326100000/"))
PURPOSES = (
    "outage.no-duplicates",
    "outage.nothing-lost",
    "sessions.well-formed",
    "sessions.login-first",
)


class Cut:
    """The cut of a connection: its kind, and the octets of the n-th result of a 51 that reach the client."""

    def __init__(self, octets: int, how: How) -> None:
        self.octets, self.how = octets, how
        self._seen = 0

    def within(self, data: bytes) -> int | None:
        """Return how many of these octets still arrive, None for all."""
        at = -1
        while (at := data.find(b"/R/51/", at + 1)) >= 0:
            self._seen += 1
            if self._seen == NTH:
                return data.rindex(STX, 0, at) + self.octets
        return None


class CutLine(asyncio.Protocol):
    """The client's end of a connection that is cut."""

    def __init__(self, client: asyncio.BaseProtocol, number: int, network: CutNetwork) -> None:
        self._client = cast(asyncio.Protocol, client)
        self._number, self._network = number, network
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._client.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        within = self._network.cut.within(data)
        if data[:within]:
            self._client.data_received(data[:within])
        if within is not None:
            self._network.tell(self._number)
            if self._network.cut.how == "fin":
                self._transport.close()
                self.connection_lost(None)
            else:
                self._transport.abort()
                self.connection_lost(ConnectionResetError())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._lost:
            self._lost = True
            self._client.connection_lost(exc)


class CutNetwork(MemoryNetwork):
    """A network in memory with one connection that is cut; the cut is recorded like any lost connection."""

    def __init__(self, cut: Cut, ledger: MemoryLedger, clock: PlatformClock) -> None:
        super().__init__()
        self.cut, self._ledger, self._clock = cut, ledger, clock
        self._connections = 0

    async def connect(self, factory: Factory, host: str, port: int) -> None:
        self._connections += 1
        number = self._connections
        await super().connect(lambda: CutLine(factory(), number, self), host, port)

    def tell(self, number: int) -> None:
        detail = json.dumps({"drop": self.cut.how, "octets": self.cut.octets})
        self._ledger.events.append((self._clock.now(), "fault", f"session:{number}", None, detail))


async def light_traffic(bench: Bench) -> None:
    """Two seconds of messages, one at a time on the line; then time to reconnect and to get all notifications."""
    await bench.connected(bench.rates)
    await bench.ask_paced("36010", 5, 10)
    await bench.pause(5)
    await bench.reported(60)


CUT = Exercise("cut-line", "A line is cut within a result", PURPOSES, {"36010": 10}, light_traffic, 10)


@lru_cache(maxsize=1)
def conducted(octets: int, how: How, *faults: str) -> Conducted:
    loop = VirtualLoop()
    try:
        clock, ledger = PlatformClock(MONDAY, 1.0, loop.time), MemoryLedger()
        network = CutNetwork(Cut(octets, how), ledger, clock)
        client = InMemory(network, clock, faults)
        environment = RunEnvironment(Path(), 1, network, clock)
        return loop.run_until_complete(run_exercise(CUT, client, load_contract(), ledger, environment))
    finally:
        loop.close()


def verdicts(ran: Conducted) -> dict[str, Finding]:
    return {found.purpose: found for found in judge_exercise(ran, PURPOSES, load_contract(), EVERYTHING)}


def repeated(ran: Conducted) -> list[str]:
    """Tokens that occur on the wire more than once."""
    marks = Trace(ran.run).submits.token.tolist()
    return sorted({mark for mark in marks if marks.count(mark) > 1})


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("octets", range(LENGTH + 1))
def test_the_verdicts_pass_wherever_a_result_is_cut(octets: int, how: How) -> None:
    ran = conducted(octets, how)
    assert ran.trouble == ""
    found = verdicts(ran)
    assert {one.outcome for one in found.values()} == {"pass"}, [one.summary for one in found.values()]
    # What the client did not hear of completely it sends again, and may; what it heard of it does not.
    doubtful = 0 if octets == LENGTH else 1
    assert len(repeated(ran)) == doubtful
    assert found["outage.no-duplicates"].summary.endswith(f"{doubtful} in doubt")


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_the_cut_falls_within_the_result_it_is_meant_for(how: How) -> None:
    trace = Trace(conducted(7, how).run)
    first, second = trace.sessions.rows()
    (dropped_at,) = (at for at, event in trace.events if isinstance(event, FaultActed))
    ended = [row for row in trace.submits.rows() if 0 <= row.result_at <= dropped_at][-1]
    results = [row for row in trace.frames.rows() if (row.direction, row.kind, row.ot) == ("out", "R", "51")]
    assert len(results[NTH - 1].frame) == LENGTH
    assert ended.result_at == results[NTH - 1].at
    assert repeated(conducted(7, how)) == [ended.token]
    assert (first.closed_by, first.closed_at > dropped_at, second.opened_at > dropped_at) == ("peer", True, True)
    assert ("reset" in first.reason) == (how == "rst")


@pytest.mark.parametrize("octets", [0, 20, LENGTH])
def test_resending_a_message_with_a_known_result_still_fails(octets: int) -> None:
    ran = conducted(octets, "fin", "resend-known-received")
    found = verdicts(ran)["outage.no-duplicates"]
    assert (found.outcome, found.blame) == ("fail", "client"), found.summary
    # All that came again but the one in doubt, of which only the whole result leaves none.
    assert found.measured == len(found.evidence) == len(repeated(ran)) - (octets < LENGTH)


def test_a_client_that_never_reconnects_after_a_cut_loses_requested_messages() -> None:
    found = verdicts(conducted(20, "rst", "never-reconnects"))["outage.nothing-lost"]
    assert (found.outcome, found.blame) == ("fail", "client"), found.summary


def test_what_is_sent_at_one_instant_arrives_in_order_and_the_end_comes_last() -> None:
    class Listener(asyncio.Protocol):
        def __init__(self) -> None:
            self.heard: list[bytes] = []

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast(asyncio.Transport, transport)

        def data_received(self, data: bytes) -> None:
            self.heard.append(data)

        def connection_lost(self, exc: Exception | None) -> None:
            self.heard.append(b"reset" if exc else b"end")

    async def talk(near: Listener, far: Listener) -> None:
        network = MemoryNetwork()
        place = await network.listen(lambda: far, "memory", 1)
        await network.connect(lambda: near, "memory", place.port)
        for number in range(20):
            near.transport.write(b"%d" % number)
        near.transport.close()
        await asyncio.sleep(1)

    loop, near, far = VirtualLoop(), Listener(), Listener()
    try:
        loop.run_until_complete(talk(near, far))
    finally:
        loop.close()
    assert far.heard == [*(b"%d" % number for number in range(20)), b"end"]
