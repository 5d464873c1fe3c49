"""`serve --resume`: what was accepted or owed when a server ended is there when it goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simbench.base.units import SECOND_US
from simbench.ledger import open_run
from simbench.ucp.frame import Frame
from simbench.ucp.operations import build, decode
from tests import harness
from tests.cli.child import DEADLINE_S, SIMBENCH, Served, simbench
from tests.fake_smsc.live import LivePeer, dial
from tests.ports import lasting_port
from tests.survive.limits import Patient, api_of

pytestmark = pytest.mark.slow


DAY_S = 86_400
ENDS = (signal.SIGTERM, signal.SIGKILL)
SCENARIO = """
[server]
durable = true
[delivery]
latency_median_ms = 1
[subscribers]
file = "subscribers.csv"
[[codes]]
code = "36150"
rate_per_s = 150
request_id = "demo"
limit = "monitor"
"""
LISTED = "msisdn,operator,state\n33710000009,orange,off\n"
ABSENT = "33710000009"
ALERT = build("31", "O", "98", AdC="36150", PID="0539")  # answered when all that came before is on disk


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "subscribers.csv").write_text(LISTED)
    path = tmp_path / "some.toml"
    path.write_text(SCENARIO)
    return path


async def session(port: int) -> LivePeer:
    peer = await dial(port)
    assert (await peer.login("36150")).data[0] == "A"
    return peer


async def result(peer: LivePeer) -> Frame:
    """The next result; operations that come before it are left unanswered."""
    while (frame := await peer.frame()).kind != "R":
        pass
    return frame


async def notice(peer: LivePeer) -> dict[str, str]:
    while (frame := await peer.frame()).kind != "O":
        pass
    peer.acknowledge(frame)
    return decode(frame)


def stop(server: Served, how: signal.Signals) -> None:
    server.process.send_signal(how)
    server.process.communicate()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # the API limits how often it is asked


def reported(folder: Path) -> list[dict[str, object]]:
    return [json.loads(row["detail"]) for row in open_run(folder).events.to_pylist() if row["kind"] == "resumed"]


@pytest.mark.parametrize("how", ENDS)
def test_a_message_that_waits_for_its_subscriber_waits_on_with_what_it_asked_for(
    scenario: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "run"

    async def before(port: int) -> None:
        peer = await session(port)
        peer.send(harness.submit(1, OAdC="36150", AdC=ABSENT, NRq="1", NT="7"))
        assert (await result(peer)).data[0] == "A"
        assert (await notice(peer))["Dst"] == "1"
        peer.send(harness.submit(2, OAdC="36150", AdC="33710000002", NRq="1", NT="1"))
        assert (await result(peer)).data[0] == "A"
        assert (await notice(peer))["Dst"] == "0"
        peer.send(harness.submit(3, OAdC="36150", AdC=ABSENT, NRq="", NT=""))  # whatever came before is on disk now
        assert (await result(peer)).data[0] == "A"
        await peer.close()

    async def after(port: int) -> None:
        peer = await session(port)
        peer.send(harness.submit(1, OAdC="36150", AdC="33710000003", NRq="1", NT="1"))
        assert (await result(peer)).data[0] == "A"
        assert (await notice(peer))["OAdC"] == "33710000003"
        assert await peer.hears_nothing()  # nothing acknowledged is sent again
        peer.send(ALERT)
        assert (await result(peer)).data[0] == "A"  # hence the acknowledgement is on disk
        await peer.close()

    with Patient(scenario, "--port", "0", "-o", folder) as server:
        asyncio.run(before(server.port))
        stop(server, how)
    with Patient("--resume", folder) as server:
        asyncio.run(after(server.port))
        stop(server, how)
    with Patient("--resume", folder) as server:
        stop(server, signal.SIGTERM)
    assert reported(folder) == [{"messages": 2, "notifications": 0, "killed": how is signal.SIGKILL}] * 2
    run = open_run(folder)
    assert run.info.closed
    assert run.wire["n"].to_pylist() == list(range(run.wire.num_rows))
    ends = [row["direction"] for row in run.wire.to_pylist() if row["direction"] in {"open", "close"}]
    assert ends.count("open") == ends.count("close")


@pytest.mark.parametrize("how", ENDS)
def test_notifications_nobody_acknowledged_are_reported_after_the_next_login(
    scenario: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder, count = tmp_path / "run", 8  # within a window

    async def before(port: int) -> set[str]:
        peer = await session(port)
        for trn in range(count):
            peer.send(harness.submit(trn, OAdC="36150", AdC=f"3371001{trn:04d}", NRq="1", NT="1"))
        frames = [await peer.frame() for _ in range(2 * count)]
        notices = [frame for frame in frames if frame.kind == "O"]
        for frame in notices[::2]:
            peer.acknowledge(frame)
        peer.send(ALERT)
        assert (await result(peer)).data[0] == "A"  # hence the acknowledgements were read, and are on disk
        await peer.close()
        return {decode(frame)["OAdC"] for frame in notices[1::2]}

    async def after(port: int, owed: set[str]) -> None:
        peer = await session(port)
        heard = {decode(await peer.frame())["OAdC"] for _ in owed}
        assert heard == owed
        assert await peer.hears_nothing()
        await peer.close()

    with Patient(scenario, "--port", "0", "-o", folder) as server:
        owed = asyncio.run(before(server.port))
        assert len(owed) == count // 2
        stop(server, how)
    with Patient("--resume", folder) as server:
        asyncio.run(after(server.port, owed))


@pytest.mark.parametrize("how", ENDS)
def test_clock_limits_subscribers_outage_and_faults_are_as_they_were(
    scenario: Path, tmp_path: Path, how: signal.Signals
) -> None:
    folder = tmp_path / "run"

    with Patient(scenario, "--port", "0", "--api", "0", "-o", folder) as server, api_of(server) as api:
        api.detach("0710000001")
        api.port("0710000002", "sfr")
        api.limit("36150", 7, "nack")
        api.fault("nack", share=0.5)
        api.fault("late-result", delay_s=1)
        api.outage("refuse", "36150", for_s=DAY_S)
        api.step(DAY_S)
        until(lambda: api.platform().state == "up")
        api.outage("silent", "36150", for_s=DAY_S)
        api.speed(3)
        before = api.platform()
        stop(server, how)
    with Patient("--resume", folder, "--port", "0", "--api", "0") as server, api_of(server) as api:
        after = api.platform()
        names = {"speed", "state", "outage", "faults", "codes"}
        assert after.model_dump(include=names) == before.model_dump(include=names)
        assert before.now <= after.now < before.now + DAY_S * SECOND_US
        assert not api.subscriber("0710000001").attached
        assert api.subscriber("0710000002").operator == "sfr"
        api.step(DAY_S)
        until(lambda: api.platform().state == "up")


@pytest.mark.parametrize("how", ENDS)
def test_outages_planned_over_the_api_still_come(scenario: Path, tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "run"
    with Patient(scenario, "--port", "0", "--api", "0", "-o", folder) as server, api_of(server) as api:
        for in_s in (5_000, 6_000, 7_000):
            api.outage("cut", in_s=in_s, for_s=60)
        given_up, kept, _ = api.platform().scheduled
        api.cancel(given_up.id)
        before = api.platform().scheduled
        stop(server, how)
    for _ in range(2):  # resumed once more, nothing is planned twice
        with Patient("--resume", folder, "--port", "0", "--api", "0") as server, api_of(server) as api:
            assert api.platform().scheduled == before
            stop(server, how)
    lasting = ("--port", str(lasting_port()), "--api", "0")  # the outages close the port and open it again
    with Patient("--resume", folder, *lasting) as server, api_of(server) as api:
        api.outage("cut", in_s=9_000)
        assert len({entry.id for entry in api.platform().scheduled} - {given_up.id}) == 3
        api.step((kept.at - api.platform().now) / SECOND_US + 1)
        until(lambda: api.platform().state != "up")
        api.step(60)
        until(lambda: api.platform().state == "up")


def test_an_outage_that_a_reset_ended_takes_no_other_from_the_plan(scenario: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Patient(scenario, "--port", "0", "--api", "0", "-o", folder) as server, api_of(server) as api:
        api.outage("refuse", "36150", for_s=DAY_S)
        api.reset()
        stop(server, signal.SIGTERM)
    with Patient("--resume", folder, "--port", "0", "--api", "0") as server, api_of(server) as api:
        api.outage("cut", in_s=5_000)
        before = api.platform().scheduled
        stop(server, signal.SIGTERM)
    with Patient("--resume", folder, "--port", "0", "--api", "0") as server, api_of(server) as api:
        assert api.platform().scheduled == before != []


def test_a_run_that_goes_on_can_be_resumed_by_nobody_else(scenario: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Patient(scenario, "--port", "0", "-o", folder) as server:
        asyncio.run(submitted(server.port))
        ended = simbench("serve", "--resume", folder)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == (f"simbench: {folder}: another program is writing it; expected a run that has ended\n")


async def submitted(port: int) -> None:
    peer = await session(port)
    peer.send(harness.submit(1, OAdC="36150", AdC=ABSENT))
    assert (await result(peer)).data[0] == "A"
    await peer.close()


def test_of_several_who_resume_a_run_at_the_same_instant_one_serves(scenario: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with Patient(scenario, "--port", "0", "-o", folder) as server:
        server.end(signal.SIGTERM)
    words = [*SIMBENCH, "serve", "--port", "0", "--resume", str(folder)]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    try:
        until(lambda: sum(each.poll() is not None for each in started) == 4)
        (serving,) = (each for each in started if each.returncode is None)
        assert serving.stdout is not None
        while "Ctrl-C" not in serving.stdout.readline():
            assert serving.poll() is None
        serving.send_signal(signal.SIGTERM)
        for each in started:
            _, errors = each.communicate()
            if each is serving:
                assert (each.returncode, errors) == (0, f"stopping\nledger closed: {folder}\n")
            else:
                assert each.returncode == 2
                assert errors == f"simbench: {folder}: another program is writing it; expected a run that has ended\n"
    finally:
        for each in started:
            each.kill()
            each.communicate()


@pytest.mark.parametrize("more", [("some.toml",), ("-o", "elsewhere"), ("--contract", "orange_ops_2016")])
def test_a_run_is_resumed_as_it_was_or_not_at_all(tmp_path: Path, more: tuple[str, ...]) -> None:
    ended = simbench("serve", *more, "--resume", tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("simbench: --resume: given with ")


def test_a_folder_that_was_never_served_is_no_run_to_resume(tmp_path: Path) -> None:
    ended = simbench("serve", "--resume", tmp_path)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"simbench: {tmp_path / 'served.json'}: No such file or directory; expected the folder of a served run\n"
    )


@pytest.mark.parametrize("how", ENDS)
def test_changed_passwords_and_lists_of_addresses_are_kept(scenario: Path, tmp_path: Path, how: signal.Signals) -> None:
    folder = tmp_path / "run"
    listed, gone = "33639980012", "33639980013"

    def asked(ot: str, styp: str, **fields: str) -> bytes:
        names = {"OAdC": "36150", "OTON": "6", "ONPI": "5", "STYP": styp, "VERS": "0100"}
        return build(ot, "O", "01", **names, **fields)

    def password(word: str) -> str:
        return word.encode().hex().upper()

    def edit(styp: str, address: str) -> bytes:
        return asked("61", styp, LAdC=address, LTON="1", LNPI="1")

    async def exchange(peer: LivePeer, octets: bytes) -> str:
        peer.send(octets)
        return str((await peer.frame()).data[0])

    async def before(port: int) -> None:
        peer = await dial(port)
        change = asked("60", "3", PWD=password("secret"), NPWD=password("changed"))
        refused = asked("60", "3", PWD=password("wrong"), NPWD=password("never"))
        assert [await exchange(peer, octets) for octets in (change, refused)] == ["A", "N"]
        await peer.close()
        peer = await dial(port)
        assert await exchange(peer, asked("60", "4", PWD=password("changed"))) == "A"
        assert [await exchange(peer, edit(*each)) for each in (("1", listed), ("1", gone), ("2", gone))] == ["A"] * 3
        peer.send(edit("1", "33639980014")[:-1])  # half an operation changes nothing
        await peer.close()

    async def after(port: int) -> None:
        peer = await dial(port)
        assert (await peer.login("36150", "secret")).data[0] == "N"
        assert (await peer.login("36150", "changed")).data[0] == "A"
        await peer.close()
        peer = await dial(port)
        assert await exchange(peer, asked("60", "4", PWD=password("changed"))) == "A"
        assert [await exchange(peer, edit("3", address)) for address in (listed, gone, "33639980014")] == [
            "A",
            "N",
            "N",
        ]
        await peer.close()

    with Patient(scenario, "--port", "0", "-o", folder) as server:
        asyncio.run(before(server.port))
        stop(server, how)
    for _ in range(2):
        with Patient("--resume", folder, "--port", "0") as server:
            asyncio.run(after(server.port))
            stop(server, how)


def test_what_the_api_answered_for_is_kept_under_durable_though_the_server_is_killed_at_once(
    scenario: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with Patient(scenario, "--port", "0", "--api", "0", "-o", folder) as server, api_of(server) as api:
        api.detach("0710000001")
        api.outage("cut", in_s=5_000, for_s=60)
        api.limit("36150", 7, "nack")
        api.mo("33639980001", "36150", "STOP")
        stop(server, signal.SIGKILL)
    with Patient("--resume", folder, "--port", "0", "--api", "0") as server, api_of(server) as api:
        platform = api.platform()
        assert (platform.codes[0].tier_per_s, len(platform.scheduled), platform.untold) == (7, 1, 1)
        assert not api.subscriber("0710000001").attached
