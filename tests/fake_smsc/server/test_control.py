"""Control: actions of a test, an exercise or an operator on a running SMSC, and their effect on clients."""

from __future__ import annotations

import asyncio
import json

import pytest

from fake_smsc.scenario import CodeConfig, Scenario, ServerConfig
from fake_smsc.server.control import SessionView
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.saved_state import SavedState
from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from simbench.ledger.events import AccountSet, At, events_in
from simbench.ucp.operations import decode
from tests import harness
from tests.fake_smsc.live import DEADLINE_S, SLOW_CLOCK, serving

PLAIN = {"NRq": "", "NT": ""}


def test_sessions_are_listed_with_account_state_and_unanswered_operations() -> None:
    async def script() -> None:
        async with serving(server=SLOW_CLOCK) as site:
            peer = await site.session()
            await site.connect()
            assert await site.until(lambda: len(site.control.sessions()) == 2)
            for trn in range(10):
                await peer.submit(trn, **PLAIN, AdC=f"3371000000{trn}")
            peer.send(harness.submit(10))
            site.control.mo("33639980012", "36010", "STOP")
            assert await site.until(lambda: bool(site.rows("centre", "held")))
            assert site.control.sessions() == [
                SessionView(1, "36010", "open", 1, 1),
                SessionView(2, "", "connected", 0, 0),
            ]

    asyncio.run(script())


@pytest.mark.parametrize(("abruptly", "end"), [(False, "fin"), (True, "rst")])
def test_one_connection_can_be_dropped(abruptly: bool, end: str) -> None:
    async def script() -> None:
        async with serving() as site:
            one, two = await site.session(), await site.session()
            site.control.drop(site.number_of(one), abruptly=abruptly)
            assert await one.end() == end
            assert await site.until(lambda: len(site.control.sessions()) == 1)
            assert site.reason_of_closing(one) == "server: dropped by control"
            assert site.rows("events", "fault")[0][2] == "session:1"
            assert (await two.submit(1)).data[0] == "A"

    asyncio.run(script())


def test_a_text_of_a_subscriber_is_pending_until_it_is_acknowledged() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            before = site.control.now() // SECOND_US
            (scts,) = site.control.mo("33639980012", "36010", "STOP")
            assert before <= scts <= site.control.now() // SECOND_US
            notice = await peer.frame()
            fields = decode(notice)
            assert (notice.ot, fields["OAdC"], bytes.fromhex(fields["Msg"])) == ("52", "33639980012", b"STOP")
            assert (
                site.control.unacknowledged(),
                site.control.unacknowledged("36010"),
                site.control.unacknowledged("36020"),
            ) == (1, 1, 0)
            peer.acknowledge(notice)
            assert await site.until(lambda: site.control.unacknowledged() == 0)

    asyncio.run(script())


def test_a_text_waits_for_the_first_session_of_its_account() -> None:
    async def script() -> None:
        async with serving() as site:
            other = await site.session("36020")
            assert len(site.control.mo("33639980012", "36010", "a" * 200)) == 2
            assert await other.hears_nothing()
            peer = await site.session()
            assert [len(decode(part)["Msg"]) // 2 for part in await peer.frames(2)] == [153, 47]

    asyncio.run(script())


def test_a_subscriber_who_is_reachable_again_is_reported_at_once() -> None:
    async def script() -> None:
        async with serving() as site:
            site.control.detach("33710000001")
            peer = await site.session()
            assert (await peer.submit(1, NT="7")).data[0] == "A"
            assert decode(await peer.frame())["Dst"] == "1"
            site.control.attach("0710000001")
            assert decode(await peer.frame())["Dst"] == "0"
            assert site.control.on_the_way() == 0
            assert [json.loads(row[4])["attached"] for row in site.rows("events", "subscriber")] == [False, True]

    asyncio.run(script())


def test_a_number_that_moves_is_no_longer_served_until_it_returns() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            for trn, (operator, met) in enumerate((("free", "2/101"), ("orange", "0/000"))):
                site.control.port("33710000001", operator)
                assert site.control.subscriber("0710000001").operator == operator
                assert (await peer.submit(trn)).data[0] == "A"
                fields = decode(await peer.frame())
                assert f"{fields['Dst']}/{fields['Rsn']}" == met

    asyncio.run(script())


def test_a_limit_changes_while_the_session_is_open() -> None:
    async def script() -> None:
        async with serving(server=SLOW_CLOCK) as site:
            peer = await site.session()
            burst = b"".join(harness.submit(trn, AdC=f"337100000{trn:02d}", **PLAIN) for trn in range(11))
            site.control.limit("36010", 10, "nack")
            peer.send(burst)
            assert [frame.data[0] for frame in await peer.frames(11)] == ["A"] * 10 + ["N"]
            site.control.limit("36010", 20, "nack")
            peer.send(burst)
            assert [frame.data[0] for frame in await peer.frames(11)] == ["A"] * 10 + ["N"]
            site.control.limit("36010", 150, "monitor")
            peer.send(burst)
            assert {frame.data[0] for frame in await peer.frames(11)} == {"A"}

    asyncio.run(script())


def test_a_suspended_account_neither_sends_nor_logs_in() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            site.control.suspend("36010")
            assert decode(await peer.submit(1))["EC"] == "04"
            assert decode(await (await site.connect()).login())["EC"] == "04"
            assert (await (await site.session("36020")).submit(1, OAdC="36020")).data[0] == "A"

    asyncio.run(script())


def test_a_resumed_run_records_the_state_that_its_accounts_really_have() -> None:
    async def script() -> None:
        scenario = Scenario(codes=(CodeConfig("36010", oadc_option=True),), server=ServerConfig(port=0))
        smsc = LiveSmsc(scenario, load_contract(), MemoryLedger())
        suspended = [At(1, AccountSet("36010", state="suspended"))]
        smsc.saved_state = SavedState(1, 2, False, 0, (), [], [], suspended)
        async with smsc:
            recorded = [event for _, event in events_in(smsc.ledger.snapshot().events) if isinstance(event, AccountSet)]
            assert [(event.state, event.oadc_option) for event in recorded] == [("suspended", True)]

    asyncio.run(script())


def test_a_wait_ends_with_its_condition_or_at_the_time_limit() -> None:
    async def script() -> None:
        async with serving() as site:
            assert not await site.control.wait_for_session("36010", 0.01)
            waiting = asyncio.create_task(site.control.wait_for_session("36010", DEADLINE_S))
            await site.session()
            assert await waiting
            assert not await site.control.wait_until(lambda: False, 0.01)
            assert await site.control.wait_until(lambda: True, 0)

    asyncio.run(script())


def test_unknown_names_are_refused_and_leave_no_event() -> None:
    async def script() -> None:
        async with serving(CodeConfig(code="36010")) as site:
            reported = len(site.ledger.events)
            with pytest.raises(BadInput, match="session 7"):
                site.control.drop(7)
            with pytest.raises(BadInput, match="36999"):
                site.control.limit("36999", 10, "nack")
            with pytest.raises(BadInput, match="rate 0"):
                site.control.limit("36010", 0, "nack")
            with pytest.raises(BadInput, match="36999"):
                site.control.suspend("36999")
            for scope in ("36999", "session:9"):
                with pytest.raises(BadInput, match=scope):
                    await site.control.outage("cut", scope)
            assert len(site.ledger.events) == reported
            with pytest.raises(BadInput, match="36999"):
                site.control.mo("33639980012", "36999", "STOP")

    asyncio.run(script())


def test_the_ledger_can_be_read_while_it_is_written() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            await peer.submit(1)
            run = site.control.snapshot()
            assert run.centre.column("kind").to_pylist()[:2] == ["login", "accepted"]
            await peer.submit(2)
            assert run.wire.num_rows < len(site.ledger.wire)

    asyncio.run(script())
