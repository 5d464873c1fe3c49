"""The control API, through its own client, against a live SMSC."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from fake_smsc.scenario import CodeConfig
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.ledger import Ledger, RunInfo
from simbench.service import platform, records, routes
from simbench.service.client import ApiError
from simbench.service.judging import judge_live
from simbench.service.settings import Limits, ServiceSettings
from tests.fake_smsc.live import SLOW_CLOCK
from tests.service.stage import NUMBER, Stage, staged


def run(script: Callable[[Stage], Coroutine[Any, Any, None]], **more: Any) -> None:
    async def play() -> None:
        async with staged(**more) as stage:
            await script(stage)

    asyncio.run(play())


async def refusal(stage: Stage, call: Callable[..., object], *args: Any, **kwargs: Any) -> tuple[int, str]:
    """The status and the field of the refusal of a call."""
    with pytest.raises(ApiError) as caught:
        await stage.ask(call, *args, **kwargs)
    return caught.value.problem.status, caught.value.problem.field


@pytest.mark.parametrize("on_disk", [False, True])
def test_a_message_is_found_by_recipient_code_text_and_outcome_and_its_frame_is_reported_in_words(
    tmp_path: Path, on_disk: bool
) -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        text = "Votre colis #1 \u00e9".encode("latin-1").replace(b"\xe9", b"\x05").hex().upper()
        await peer.submit(1, AdC=NUMBER, Msg=text)
        await peer.submit(2, AdC="33639980002", OAdC="99999")
        control = stage.site.control
        assert await stage.site.until(lambda: control.answered() == 2 and not control.on_the_way())
        client = stage.client
        whole = await stage.ask(client.messages)
        assert [(m.recipient, m.outcome, m.ec) for m in whole.messages] == [
            ("33639980002", "refused", "04"),
            (NUMBER, "delivered", ""),
        ]
        assert whole.indexed == 2
        for wanted in (
            {"recipient": "0639980001"}, {"recipient": "+33639980001", "code": "36010"}, {"text": "COLIS"},
            {"outcome": "delivered"}, {"text": "é"},
        ):  # fmt: skip
            found = (await stage.ask(client.messages, **wanted)).messages
            assert [m.text for m in found] == ["Votre colis #1 é"], wanted
        assert not (await stage.ask(client.messages, text="nothing of the kind")).messages
        assert await refusal(stage, client.messages, outcome="lost") == (422, "query.outcome")
        assert await refusal(stage, client.messages, recipent=NUMBER) == (422, "query.recipent")
        page = await stage.ask(client.messages, limit=1)
        assert (page.more, len(page.messages)) == (True, 1)
        frame = await stage.ask(client.frame, whole.messages[1].id)
        assert frame.heading == "51 submit short message, operation, TRN 01"
        assert any(field.name == "Msg" and "Votre colis" in field.meaning for field in frame.fields)
        assert await refusal(stage, client.frame, "1.2.03") == (404, "id")
        lines = await stage.ask(lambda: list(client.export(code="36010")))
        assert lines[0].startswith("id,at,session")
        assert [line.split(",")[4] for line in lines[1:]] == [NUMBER]

    ledger = Ledger.create(tmp_path / "run", RunInfo(run="api")) if on_disk else None
    run(script, ledger=ledger)
    if ledger:
        ledger.close()
        assert not list(ledger.folder.glob("messages*"))


def test_a_search_frees_its_memory_and_the_next_one_finds_the_same() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        await peer.submit(1, AdC=NUMBER)
        (before,) = (await stage.ask(stage.client.messages)).messages
        async with asyncio.timeout(300):
            while stage.platform.search.holds():
                await stage.ask(stage.client.wait, 2, 0.05)
        stage.platform._observed._searched_s = 3_600  # else the next look may come before this test's
        (after,) = (await stage.ask(stage.client.messages)).messages
        assert (after.id, after.recipient, after.text) == (before.id, before.recipient, before.text)
        assert stage.platform.search.holds()

    run(script, settings=ServiceSettings(limits=Limits(searched_s=0)))


def test_an_export_holds_exactly_the_messages_of_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "EXPORTED_AT_ONCE", 3)

    async def script(stage: Stage) -> None:
        peer = await stage.site.session("36020")
        for trn in range(10):
            await peer.submit(trn, AdC=f"3363998000{trn}", OAdC="36020")
        lines = stage.client.export(code="36020")
        first = [await stage.ask(next, lines) for _ in range(2)]
        await peer.submit(10, OAdC="36020")
        numbers = [line.split(",")[4] for line in [first[1], *await stage.ask(list, lines)]]
        assert numbers == [f"3363998000{trn}" for trn in range(9, -1, -1)]

    run(script)


def test_a_frame_cut_in_two_reads_is_one_message() -> None:
    from tests import harness

    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        octets = harness.submit(7, AdC=NUMBER)
        peer.send(octets[:40])
        assert await stage.site.until(lambda: sum(row[2] == "in" for row in stage.site.ledger.wire) == 2)
        await stage.ask(stage.client.messages)  # the search has seen the first half
        peer.send(octets[40:])
        await peer.frame()
        (message,) = (await stage.ask(stage.client.messages)).messages
        assert (message.recipient, message.text) == (NUMBER, "Bonjour")
        assert message.id.endswith(".07")

    run(script)


def test_the_wait_for_an_acknowledged_mo_ends_with_the_acknowledgement_and_not_before() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        mo, client = stage.client.mo, stage.client
        assert not (await stage.ask(mo, NUMBER, "36010", "STOP", 0.05)).acknowledged
        peer.acknowledge(await peer.frame())
        waiting = asyncio.create_task(stage.ask(mo, NUMBER, "36010", "STOP", 60))
        notice = await peer.frame()
        assert notice.ot == "52"
        assert not waiting.done()
        peer.acknowledge(notice)
        sent = await waiting
        assert sent.acknowledged
        assert len(sent.scts) == 1
        texts = await stage.ask(client.texts, "0639980001")
        assert [(text.way, text.code, text.text) for text in texts] == [("out", "36010", "STOP")] * 2
        assert await refusal(stage, mo, NUMBER, "38001", "STOP") == (422, "body.code")

    run(script)


def test_sessions_are_listed_and_dropped() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        (session,) = await stage.ask(stage.client.sessions)
        assert (session.account, session.unanswered_by_smsc) == ("36010", 0)
        assert session.window > 0
        await stage.ask(stage.client.drop, session.number, abruptly=True)
        assert await peer.end() == "rst"
        assert await refusal(stage, stage.client.drop, session.number) == (404, "path.number")

    run(script)


def test_sessions_are_written_in_a_thread_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made_in: list[int] = []
    record = records.SessionRecord

    def noted(**fields: Any) -> records.SessionRecord:
        made_in.append(threading.get_ident())
        return record(**fields)

    async def script(stage: Stage) -> None:
        peers = [await stage.site.session(code) for code in ("36010", "36020")]
        monkeypatch.setattr(records, "SessionRecord", noted)
        seen = await stage.ask(lambda: stage.client._http.get("/sessions").json())
        assert [(each["account"], each["window"]) for each in seen] == [("36010", 10), ("36020", 10)]
        assert len(made_in) == len(peers)
        assert threading.get_ident() not in made_in, "the loop's"

    run(script)


def test_a_judgement_of_all_rows_is_up_to_date_even_if_they_were_not_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []

    def counted(*given: Any) -> Any:
        found = judge_live(*given)
        judged.append(found[2])
        return found

    async def script() -> None:
        monkeypatch.setattr(platform, "judge_live", counted)
        monkeypatch.setattr(platform, "VERDICTS_S", 0.0)
        monkeypatch.setattr(platform, "VERDICTS_REST", 0)
        with Ledger.create(tmp_path / "run", RunInfo(run="judged")) as ledger:
            async with staged(ledger=ledger) as stage:
                peer = await stage.site.session()
                assert (await peer.submit(1, NRq="", NT="")).data[0] == "A"
                assert await stage.site.until(lambda: not stage.site.control.on_the_way())
                assert (await stage.platform.judged()).up_to_date
                assert (await stage.platform.verdicts()).up_to_date
                assert judged == [ledger.written["wire"]], "once"

    asyncio.run(script())


def test_a_subscriber_detached_keeps_its_messages_waiting_until_it_is_attached() -> None:
    async def script(stage: Stage) -> None:
        client = stage.client
        peer = await stage.site.session()
        assert not (await stage.ask(client.detach, "0639980001")).attached
        await peer.submit(1, AdC=NUMBER, NT="7")
        assert (await peer.frame()).ot == "53"  # buffered
        assert [m.outcome for m in (await stage.ask(client.messages)).messages] == ["buffered"]
        assert (await stage.ask(client.attach, NUMBER)).attached
        await peer.frame()
        assert [m.outcome for m in (await stage.ask(client.messages)).messages] == ["delivered"]
        ported = await stage.ask(client.port, NUMBER, "sfr")
        assert (ported.operator, ported.standing) == ("sfr", (await stage.ask(client.subscriber, NUMBER)).standing)
        assert await refusal(stage, client.detach, NUMBER) == (409, "path.address")
        await stage.ask(client.reset)
        assert (await stage.ask(client.subscriber, NUMBER)).operator == "orange"

    run(script)


def test_a_planned_outage_begins_and_ends_in_platform_time_whether_the_clock_runs_or_steps() -> None:
    async def script(stage: Stage) -> None:
        client = stage.client
        peer = await stage.site.session()
        planned = await stage.ask(client.outage, "cut", planned=True, in_s=3600, for_s=600)
        (entry,) = planned.scheduled
        assert (entry.until - entry.at, planned.outage) == (600 * SECOND_US, None)
        await stage.ask(client.advance, entry.at)
        assert await peer.end() == "fin"
        held = await stage.ask(client.platform)
        assert held.outage is not None
        assert (held.state, held.outage.planned, held.scheduled) == ("maintenance", True, [])
        assert await refusal(stage, client.outage, "cut") == (409, "body.mode")
        await stage.ask(client.step, 600)
        assert await stage.site.until(lambda: stage.site.server.outages.current is None)
        assert (await stage.ask(client.platform)).state == "up"
        later = await stage.ask(client.outage, "cut", in_s=50)
        assert (await stage.ask(client.cancel, later.scheduled[0].id)).scheduled == []
        assert await refusal(stage, client.cancel, 99) == (404, "path.number")
        assert await refusal(stage, client.outage, "cut", "38001") == (422, "body.scope")

    run(script)


def test_an_outage_restored_by_hand_is_not_ended_again_by_its_plan() -> None:
    async def script(stage: Stage) -> None:
        client = stage.client
        await stage.ask(client.outage, "cut", for_s=100)
        await stage.ask(client.restore)
        await stage.ask(client.outage, "silent")
        await stage.ask(client.step, 200)
        still = (await stage.ask(client.platform)).outage
        assert still is not None
        assert still.mode == "silent"

    run(script)


def test_faults_limits_and_speed_are_as_at_the_start_after_a_reset() -> None:
    async def script(stage: Stage) -> None:
        client = stage.client
        before = await stage.ask(client.platform)
        assert (await stage.ask(client.fault, "nack", ec="04", share=0.5)).faults == ["nack"]
        await stage.ask(client.fault, "slow-read", octets_per_s=10)
        assert await stage.ask(client.clear, "nack") == 1
        assert await refusal(stage, client.fault, "no-such-fault") == (422, "body.name")
        assert await refusal(stage, client.fault, "slow-read", ec="04") == (422, "body.ec")
        assert await refusal(stage, client.fault, "nack", code="38001") == (422, "body.code")
        assert await refusal(stage, client.limit, "38001", 50, "nack") == (422, "path.code")
        assert (await stage.ask(client.limit, "36010", 50, "nack")).codes[0].tier_per_s == 50
        assert (await stage.ask(client.speed, 60.0)).speed == 60
        await stage.ask(client.outage, "silent", "36010")
        await stage.ask(client.outage, "cut", in_s=10_000)
        after = await stage.ask(client.reset)
        assert after.codes == before.codes
        assert (after.faults, after.speed, after.outage, after.scheduled) == ([], 1.0, None, [])

    run(script)


def test_the_wait_for_messages_ends_when_there_are_so_many() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        assert not (await stage.ask(stage.client.wait, 1, 0.02)).reached
        waiting = asyncio.create_task(stage.ask(stage.client.wait, 2, 60))
        await peer.submit(1)
        assert not waiting.done()
        await peer.submit(2)
        assert (await waiting).answered == 2

    run(script)


def test_the_clock_only_goes_forward() -> None:
    async def script(stage: Stage) -> None:
        client = stage.client
        before = (await stage.ask(client.clock)).now
        assert (await stage.ask(client.step, 60)).now >= before + MINUTE_US
        assert await refusal(stage, client.advance, before) == (409, "body.to")
        assert (await stage.ask(client.clock)).now < before + HOUR_US

    run(script)


def test_a_finding_leads_to_the_frame_it_rests_on_by_the_same_id() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        for trn in range(5):
            await peer.submit(trn, OAdC="36999")  # a code of nobody
        judged = await stage.ask(stage.client.findings)
        ids = [id_ for finding in judged.findings for id_ in finding.frames]
        assert ids
        known = {message.id for message in (await stage.ask(stage.client.messages)).messages}
        assert known & set(ids)
        for id_ in set(ids):
            assert (await stage.ask(stage.client.frame, id_)).fields

    run(script)


def test_a_client_over_its_tier_is_convicted_while_it_is_served_and_the_platform_is_not() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        for number in range(60):
            await peer.submit(number, AdC=f"3363998{number:04d}")
        found = (await stage.ask(stage.client.findings)).findings
        blamed = {one.purpose: one.blame for one in found if one.outcome in {"fail", "weak"}}
        assert blamed["rate.backlog-at-tier"] == "client"
        assert set(blamed.values()) == {"client"}

    run(script, codes=(CodeConfig(code="36010", limit="monitor"),), server=SLOW_CLOCK)


async def silence(stage: Stage) -> tuple[str, str]:
    """Outcome and blame of the rule that looks for silences."""
    (found,) = [f for f in (await stage.ask(stage.client.findings)).findings if f.purpose == "sessions.keepalive"]
    return found.outcome, found.blame


def test_nobody_is_blamed_for_the_time_within_a_step_of_the_clock() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        await stage.ask(stage.client.step, 90)
        await peer.submit(1, NRq="0")
        assert await silence(stage) == ("inconclusive", "bench")
        await stage.ask(stage.client.step, 3600)
        assert await peer.end() == "fin"  # idle for the platform, not for the client
        assert await silence(stage) == ("inconclusive", "bench")

    run(script)


def test_a_silence_at_the_speed_of_the_client_is_blamed_on_it() -> None:
    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        stage.site.server._lateness.stop()  # the bench is not late for what follows
        stage.site.server.clock.step(90)  # a step that no event records: a minute and a half
        await peer.submit(1, NRq="0")
        assert await silence(stage) == ("weak", "client")

    run(script)


def test_the_ledger_is_reported_and_handed_out(tmp_path: Path) -> None:
    ledger = Ledger.create(tmp_path / "run", RunInfo(run="api"))

    async def script(stage: Stage) -> None:
        peer = await stage.site.session()
        await peer.submit(1)
        table = pq.read_table(io.BytesIO(await stage.ask(stage.client.parquet, "wire")))
        assert table.num_rows >= 4
        later = pq.read_table(io.BytesIO(await stage.ask(stage.client.parquet, "wire", table.num_rows - 1)))
        assert later.column("n").to_pylist()[0] == table.num_rows - 1
        assert (await stage.ask(stage.client.ledger)).rows["wire"] >= table.num_rows
        assert await refusal(stage, stage.client.parquet, "passwords") == (422, "path.table")

    run(script, ledger=ledger)
    ledger.close()


def test_an_invalid_number_is_refused_with_its_field() -> None:
    async def script(stage: Stage) -> None:
        assert (await refusal(stage, stage.client.subscriber, "abc"))[0] == 422
        assert await refusal(stage, stage.client.detach, "0123") == (422, "path.address")

    run(script)
