"""A real RADIUS server accounts for what the sender sends; its own files are read back and reconciled."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from simbench.base.errors import Trouble
from simbench.cli.dialup.account import account as account_command
from simbench.cli.dialup.reconcile import reconcile as reconcile_command
from simbench.cli.main import cli
from simbench.dialup.calls import calls_of
from simbench.dialup.radius.detail import read_detail
from simbench.dialup.radius.faults import FAULTS
from simbench.dialup.radius.journal import Journal, RecordedRun, read_journal
from simbench.dialup.radius.packets import encode, sign
from simbench.dialup.radius.pairing import pair
from simbench.dialup.radius.plan import Planned, schedule
from simbench.dialup.radius.reconcile import Reconciliation, reconcile
from simbench.dialup.radius.record import Heard
from simbench.dialup.radius.sender import Sender, Server
from tests.capture.scenes import pcap
from tests.dialup.radius.peer import respond
from tests.dialup.radius.scenes import SENT, planned, some_calls
from tests.dialup.radius.test_captured import packet
from tests.dialup.scene import MONTH
from tests.real.conftest import require
from tests.real.freeradius import SECRET, FreeRadius

pytestmark = pytest.mark.real

DEADLINE_S = 300.0


def server_of(real: FreeRadius, **more: object) -> Server:
    # No repetition because the machine is busy.
    patience = {"first_s": 60.0, "longest_s": 60.0, "retransmissions": 10, **more}
    return Server("127.0.0.1", real.port, SECRET, **patience)  # type: ignore[arg-type]  # named options


def account(real: FreeRadius, plan: Iterable[Planned], **more: object) -> RecordedRun:
    path = real.folder / "journal.jsonl"
    with Journal(path) as journal:
        sender = Sender(server_of(real, **more), journal)
        asyncio.run(asyncio.wait_for(sender.run(plan), DEADLINE_S))
    return read_journal(path)


def reconciled(folder: Path, plan: Iterable[Planned], **more: object) -> Reconciliation:
    with FreeRadius(folder) as real:
        reported = account(real, plan, **more)
    return reconcile(reported, read_detail(real.detail), reported.run.retransmissions)


def failed(found: Reconciliation) -> set[str]:
    return {finding.purpose for finding in found.findings if finding.outcome != "pass"}


def test_thousands_of_calls_are_accounted_without_loss_to_the_second(tmp_path: Path) -> None:
    calls = some_calls(3_000)
    found = reconciled(tmp_path, schedule(calls, interim_s=300))
    assert failed(found) == set()
    assert found.differences == ()
    assert found.counts["acknowledged"] == found.counts["records sent"] > 6_000
    assert found.counts["records kept"] == found.counts["records sent"]
    assert found.counts["seconds accounted"] == int((calls.duration_us // 1_000_000).sum())
    assert found.aside == ()


def test_a_lost_stop_is_named_call_by_call_and_blamed_on_the_access_server(tmp_path: Path) -> None:
    plan = planned(400, "lost-stop", interim_s=60)
    lost = {session_of(each): each.record.seconds for each in plan if each.withheld}
    found = reconciled(tmp_path, plan)
    assert failed(found) == {"accounting.minutes-once"}
    # A session that ended in the second of its last Interim-Update is accounted in full all the same.
    named = {(each.nas, each.session) for each in found.differences}
    assert named == {session for session, seconds in lost.items() if seconds % 60}
    assert all("lost-stop" in each.why for each in found.differences)
    assert next(f for f in found.findings if f.outcome == "fail").blame == "client"


def session_of(each: Planned) -> tuple[str, str]:
    return each.record.nas, each.record.session


def test_duplicates_are_kept_twice_and_accounted_once(tmp_path: Path) -> None:
    found = reconciled(tmp_path, planned(400, "duplicates"))
    assert failed(found) == set()
    assert found.counts["kept more than once"] > 0
    assert {aside.reason for aside in found.aside} == {"retransmission"}


def test_records_out_of_order_are_paired_and_reported(tmp_path: Path) -> None:
    found = reconciled(tmp_path, planned(400, "out-of-order"))
    assert failed(found) == {"accounting.order"}
    assert found.differences == ()


def test_a_reboot_ends_the_sessions_of_its_access_server(tmp_path: Path) -> None:
    found = reconciled(tmp_path, planned(400, "nas-reboot", interim_s=60))
    assert failed(found) == {"accounting.minutes-once"}
    assert all("nas-reboot" in each.why for each in found.differences)
    by_interim = [each for each in found.differences if each.accounted_s]
    assert by_interim
    assert all(0 < each.carried_s - each.accounted_s <= 60 for each in by_interim)
    assert all("ended by Accounting-On" in each.why for each in by_interim)


def test_a_clock_that_is_ahead_is_found(tmp_path: Path) -> None:
    found = reconciled(tmp_path, planned(200, "clock-skew"))
    assert failed(found) == {"accounting.clock"}
    (clock,) = (finding for finding in found.findings if finding.outcome == "fail")
    assert clock.measured == pytest.approx(300, abs=1)


def test_every_fault_is_tested_above() -> None:
    assert set(FAULTS) == {"lost-stop", "duplicates", "out-of-order", "nas-reboot", "clock-skew"}


def test_a_server_that_stops_and_returns_has_every_record_in_the_end(tmp_path: Path) -> None:
    real, plan, back_us = FreeRadius(tmp_path), planned(600), list[int]()
    unheard = {each.record for each in plan[400:]}  # before it returns
    real.start()

    async def run() -> Sender:
        with Journal(tmp_path / "journal.jsonl") as journal:
            # It repeats for longer than a busy machine takes to start the server again.
            sender = Sender(server_of(real, speed=3_000.0, first_s=0.2, longest_s=0.8, retransmissions=1_000), journal)
            running = asyncio.create_task(sender.run(until_stopped(real, plan, 400)))
            await until(lambda: sender.records > 400, running)
            enough = sender.retransmitted + 40
            await until(lambda: sender.retransmitted >= enough, running)
            back_us.append(sender._now())
            await asyncio.to_thread(real.start)
            await asyncio.wait_for(running, DEADLINE_S)
        return sender

    try:
        sender = asyncio.run(run())
    finally:
        real.stop()
    reported = read_journal(tmp_path / "journal.jsonl")
    found = reconcile(reported, read_detail(real.detail), reported.run.retransmissions)
    assert sender.refused > 0
    assert all(each.answered_us > back_us[0] for each in reported.sent if each.planned.record in unheard)
    assert failed(found) <= {"accounting.order"}
    assert found.differences == ()
    delays = {each.record.delay_s for each in read_detail(real.detail) if isinstance(each, Heard)}
    assert 0 in delays


def until_stopped(real: FreeRadius, plan: Iterable[Planned], count: int) -> Iterator[Planned]:
    """Records of which the server can receive so many: it is stopped before the next one is sent."""
    for number, each in enumerate(plan):
        if number == count:
            real.stop()
        yield each


async def until(true: Callable[[], bool], running: asyncio.Task[None]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not true():
            assert not running.done()
            await asyncio.sleep(0.001)


def test_calls_that_a_stopped_server_did_not_receive_are_lost_and_named(tmp_path: Path) -> None:
    real = FreeRadius(tmp_path)
    real.start()

    try:
        account(real, until_stopped(real, planned(300), 400), retransmissions=1, first_s=0.1)
    finally:
        real.stop()
    found = reconcile(read_journal(tmp_path / "journal.jsonl"), read_detail(real.detail), 1)
    assert {"accounting.answered", "accounting.minutes-once"} <= failed(found)
    assert any("given up after 2 datagrams" in each.why for each in found.differences)


def test_the_error_for_a_wrong_secret_names_the_secret(tmp_path: Path) -> None:
    with FreeRadius(tmp_path, secret=b"another") as real, pytest.raises(Trouble, match="the secret is wrong"):
        account(real, planned(10), retransmissions=1, first_s=0.1)
    assert not real.detail.exists()


def test_the_error_for_a_missing_server_says_that_nobody_listens(tmp_path: Path) -> None:
    real = FreeRadius(tmp_path)
    with pytest.raises(Trouble, match="nobody listens"):
        account(real, planned(10), retransmissions=1, first_s=0.1)


NAMES = ['quoted "name"', "back\\slash", "tab\tand\nline", "héloïse", "日本", "a=b", "trailing space ", "\x01\x7f"]


def test_names_of_any_kind_and_big_numbers_come_back_as_they_were_sent(tmp_path: Path) -> None:
    calls = some_calls(len(NAMES))
    rows = [msgspec.structs.replace(call, user=name) for call, name in zip(calls.rows(), NAMES, strict=True)]
    plan = [
        msgspec.structs.replace(each, record=msgspec.structs.replace(each.record, output_octets=5 * 2**32 + 17))
        for each in schedule(calls_of(rows))
        if each.record.status == "Stop"
    ]
    with FreeRadius(tmp_path) as real:
        account(real, plan)
    heard = [each for each in read_detail(real.detail) if isinstance(each, Heard)]
    assert sorted(each.record.user for each in heard) == sorted(NAMES)
    assert {each.record.output_octets for each in heard} == {5 * 2**32 + 17}


def test_a_server_in_paris_dates_its_records_alike(tmp_path: Path) -> None:
    with FreeRadius(tmp_path, zone="Europe/Paris") as real:
        reported = account(real, planned(20))
    assert "CEST" in real.detail.read_text()
    found = reconcile(reported, read_detail(real.detail), reported.run.retransmissions)
    assert failed(found) == set()
    paired = pair(read_detail(real.detail), clock="event")
    assert sorted(call.start_us // 10**6 for call in paired.calls) == sorted(some_calls(20).start_us // 10**6)


def test_the_commands_account_for_a_detail_file_and_reconcile_it(tmp_path: Path) -> None:
    with FreeRadius(tmp_path / "first") as real:
        account(real, planned(50))
    (tmp_path / "secret").write_bytes(SECRET)
    with FreeRadius(tmp_path / "second") as again:
        sent = CliRunner().invoke(
            account_command,
            [
                str(real.detail), "--server", f"127.0.0.1:{again.port}", "--secret-file", str(tmp_path / "secret"),
                "--fast", "--fault", "lost-stop", "--journal", str(tmp_path / "run.jsonl"), "--json",
            ],
        )  # fmt: skip
        assert sent.exit_code == 0, sent.output
    assert json.loads(sent.stdout)["calls"] == 50
    ended = CliRunner().invoke(reconcile_command, [str(tmp_path / "run.jsonl"), str(again.detail)])
    assert ended.exit_code == 1
    assert "its Stop was not sent (lost-stop)" in ended.output


def test_tshark_reads_our_requests_and_takes_our_responses_for_signed(tmp_path: Path) -> None:
    tshark = require("tshark", package="tshark")
    plan = planned(5)
    requests = [sign(encode(each.record), n, SECRET) for n, each in enumerate(plan)]
    packets = [each for request in requests for each in (packet(request), packet(respond(request, SECRET), back=True))]
    (tmp_path / "radius.pcap").write_bytes(pcap([(SENT + n, octets) for n, octets in enumerate(packets)], 1))
    fields = ["radius.code", "radius.Acct_Session_Id", "radius.Acct_Session_Time", "radius.authenticator.valid"]
    command = [tshark, "-r", str(tmp_path / "radius.pcap"), "-T", "fields", "-Y", "radius"]
    command += ["-o", f"radius.shared_secret:{SECRET.decode()}", "-o", "radius.validate_authenticator:TRUE"]
    done = subprocess.run([*command, *(f"-e{field}" for field in fields)], capture_output=True, text=True, check=True)
    seen = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in seen] == ["4", "5"] * len(plan)
    assert [row[1] for row in seen[::2]] == [each.record.session for each in plan]
    lengths = [each.record.seconds for each in plan]
    assert [row[2] for row in seen[::2]] == [str(seconds) if seconds >= 0 else "" for seconds in lengths]
    assert {row[3] for row in seen[1::2]} == {"1"}  # of requests it says nothing


def test_a_month_is_run_accounted_reconciled_and_its_detail_file_settles_the_same_minutes(tmp_path: Path) -> None:
    def printed(*arguments: object, code: int = 0) -> dict[str, object]:
        ended = CliRunner().invoke(cli, ["dialup", *map(str, arguments), "--json"])
        assert ended.exit_code == code, ended.output
        return dict(json.loads(ended.stdout))

    scenario, calls, journal = tmp_path / "small.toml", tmp_path / "calls.csv", tmp_path / "run.jsonl"
    scenario.write_text(
        f'name = "small"\ntitle = "Small"\nmonths = "{MONTH}"\nminutes = 20_000\n[[pools]]\nname = "lyon"\nports = 6\n'
    )
    (tmp_path / "secret").write_bytes(SECRET)
    printed("run", scenario, "--records", calls)
    with FreeRadius(tmp_path / "server") as real:
        sent = printed("account", calls, "--server", f"127.0.0.1:{real.port}", "--secret-file", tmp_path / "secret",
                    "--fast", "--journal", journal)  # fmt: skip
    found = printed("reconcile", journal, real.detail, "-o", tmp_path / "out")
    assert found["differences"] == []
    carried = printed("replay", calls, "--month", MONTH)
    kept = printed("replay", real.detail, "--clock", "event", "--month", MONTH)
    assert sent["calls"] == carried["calls"] == kept["calls"]
    assert (kept["aside_total"], carried["aside_total"]) == (0, 0)
    assert kept["months"] == carried["months"]
    assert kept["settled"] == carried["settled"]
