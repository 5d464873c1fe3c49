"""Peers that send octets slowly or acknowledge nothing: their cost, and why they are disconnected. Virtual time."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest

from fake_smsc.scenario import CodeConfig, DeliveryConfig, Scenario
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.virtual_loop import MemoryNetwork
from simbench.ledger import MemoryLedger
from simbench.ledger.buffer import Cells, Memory
from tests import harness
from tests.fake_smsc.live import contract
from tests.fake_smsc.server.test_patience import KEEPALIVE, VirtualPeer
from tests.fake_smsc.virtual import in_virtual_time, virtual_clock

SLOW_PEERS = 200
NOTICES = 100_000
NOTICE_OCTETS = 600  # what one that waits may cost; it takes 407, and Python's versions differ by a few
Script = Callable[[LiveSmsc, MemoryNetwork], Awaitable[None]]


class Forgetful(Memory):
    """A table that keeps only the rows on ends of connections, as a ledger on disk frees its memory."""

    def append(self, row: Any, /) -> None:
        if row[2] in {"open", "close"}:
            super().append(row)

    def append_columns(self, count: int, columns: tuple[Cells, ...], /) -> None:
        """Append many rows in columns; none of them is the end of a connection."""


def served(script: Script) -> None:
    """Run a script against an SMSC with two codes that only monitors rates."""

    async def run() -> None:
        network, clock = MemoryNetwork(), virtual_clock()
        codes = tuple(CodeConfig(code=code, limit="monitor") for code in ("36010", "36020"))
        scenario = Scenario(codes=codes, delivery=DeliveryConfig(latency_median_ms=1))
        ledger = MemoryLedger()
        ledger.wire, ledger.centre = Forgetful(), Forgetful()
        async with LiveSmsc(scenario, contract(), ledger, clock=clock, network=network) as smsc:
            await script(smsc, network)

    in_virtual_time(run())


async def peer(smsc: LiveSmsc, network: MemoryNetwork, first: bytes = b"") -> VirtualPeer:
    made = VirtualPeer()
    await network.connect(lambda: made, "", smsc.server.port)
    made.transport.write(first)
    return made


def reasons(smsc: LiveSmsc) -> list[str]:
    """The reasons for ends of connections, from the ledger."""
    rows: Iterable[Any] = smsc.ledger.wire
    return [row[3].decode() for row in rows if row[2] == "close"]


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def allocated() -> int:
    """The octets that live objects have allocated since tracing began; unlike resident memory, equal on any machine."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_peers_that_send_octets_but_no_frame_are_closed_by_the_login_timer() -> None:
    async def script(smsc: LiveSmsc, network: MemoryNetwork) -> None:
        bystander = await peer(smsc, network, harness.login("36020"))
        slow = [await peer(smsc, network, b"\x02") for _ in range(SLOW_PEERS)]
        login_s = contract().terms.session.login_timer_s.value
        for second in range(login_s + 1):
            for one in slow:
                one.transport.write(b"0")
            bystander.transport.write(harness.submit(second, OAdC="36020", NRq="", NT=""))
            kept = [len(line.framer.pending) for line in smsc.server.gateway.lines.values()]
            assert max(kept) <= login_s + 1
            await smsc.control.pause(1)
        assert reasons(smsc) == ["server: no login in time"] * SLOW_PEERS
        assert not any(one.got for one in slow)
        assert bystander.got.count(b"/R/51/A/") == login_s + 1
        assert len(smsc.control.sessions()) == 1

    served(script)


def test_a_session_that_sends_an_endless_frame_is_closed_at_the_maximum_length() -> None:
    async def script(smsc: LiveSmsc, network: MemoryNetwork) -> None:
        slow = await peer(smsc, network, harness.login())
        await smsc.control.pause(1)
        slow.transport.write(b"\x02")
        longest = smsc.server.gateway.settings.max_frame_octets
        for _ in range(longest):
            slow.transport.write(b"7")
            await smsc.control.pause(0.5)  # never silent long enough to be idle
        assert reasons(smsc) == []
        slow.transport.write(b"7")
        await smsc.control.pause(1)
        assert reasons(smsc) == ["server: frame too long"]

    served(script)


@pytest.mark.usefixtures("_traced")
def test_a_hundred_thousand_unacknowledged_notifications_use_limited_memory() -> None:
    async def script(smsc: LiveSmsc, network: MemoryNetwork) -> None:
        deaf = await peer(smsc, network, harness.login())
        bystander = await peer(smsc, network, harness.login("36020"))
        await smsc.control.pause(1)
        submits = b"".join(harness.submit(trn, AdC=f"337100000{trn:02d}") for trn in range(100))
        before = allocated()
        for _ in range(NOTICES // 100):
            deaf.transport.write(submits)
            await smsc.control.pause(2)  # stamps of one recipient are a second apart
            deaf.got = deaf.got[-1000:]
            bystander.transport.write(KEEPALIVE)
            bystander.got = bystander.got[-100:]
        window = contract().terms.session.window.value
        assert smsc.control.unacknowledged("36010") >= NOTICES - window  # a few rest before they are offered again
        (line,) = (line for line in smsc.server.gateway.lines.values() if line.account == "36010")
        assert line.own.count == window
        each = (allocated() - before) / NOTICES
        assert each < NOTICE_OCTETS, f"{each:.0f} octets a notification"
        bystander.transport.write(harness.submit(7, OAdC="36020", AdC="33710000999"))
        await smsc.control.pause(5)
        assert b"/R/51/A/" in bystander.got
        assert b"/O/53/36020/" in bystander.got
        for _ in range(4):
            await smsc.control.pause(40)
            bystander.transport.write(KEEPALIVE)
        assert reasons(smsc) == ["server: idle"]  # it said nothing more either
        assert smsc.control.unacknowledged("36010") >= NOTICES - window

    served(script)
