"""A client that speaks another protocol than UCP appears in a live server's events and in the judge's findings."""

from __future__ import annotations

import asyncio
import json
import struct

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.ledger import MemoryLedger
from simbench.rules.rule import Case, judge
from simbench.trace.trace import Trace
from tests import harness
from tests.fake_smsc.live import contract, serving

LOGIN = harness.login("36010", "secret")


@pytest.mark.parametrize(
    ("octets", "name", "what"),
    [
        (struct.pack(">IIII", 26, 0x15, 0, 1) + bytes(10), "foreign-protocol", "SMPP (enquire_link)"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "foreign-protocol", "an HTTP request"),
        (LOGIN[:-1], "unended", ""),
        (b"hello" * 10, "garbage", ""),
    ],
)
def test_a_connection_without_a_frame_is_reported_live_and_judged(octets: bytes, name: str, what: str) -> None:
    async def script() -> None:
        ledger = MemoryLedger()
        async with serving(ledger=ledger) as site:
            peer = await site.connect()
            peer.send(octets)
            await peer.drain()
            assert await site.until(lambda: bool(site.rows("wire", "in")))
            await peer.close()
            assert await site.until(lambda: bool(site.rows("events", "violation")))
            reported = [(row[2], json.loads(row[4])) for row in site.rows("events", "violation")]
        assert reported == [("session:1", {"name": name} | ({"what": what} if what else {}))]
        if name == "unended":  # the log has it; half a frame of a client that goes at once is no finding
            return
        case = Case(Trace(ledger.snapshot()), contract())
        found = judge("sessions.violations", case, "")
        assert (found.outcome, found.blame) == ("fail", "client")
        assert f"1 {name}" in found.summary
        assert [one.note for one in found.evidence] == [f"{name}: {what}" if what else name]

    asyncio.run(script())
