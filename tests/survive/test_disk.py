"""A server with a full disk: it reports this, stops accepting or continues, and loses nothing it stored."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from simbench.ledger import open_run
from tests import harness
from tests.cli.child import SIMBENCH, Served
from tests.fake_smsc.live import LivePeer, dial
from tests.service.patient import PatientClient
from tests.survive.limits import Patient, api_of, committed, limit, scenario, session, url_of

pytestmark = pytest.mark.slow


FULL = 4096  # no file may grow beyond this: to a program what a full disk is
MANY = 3_000


async def submits(peer: LivePeer, first: int, count: int) -> set[str]:
    """Submit that many messages, a window at a time; return their recipients."""
    reported: set[str] = set()
    for start in range(first, first + count, 50):
        size = min(50, first + count - start)
        send(peer, start, size)
        for _ in range(size):
            frame = await peer.frame()
            assert frame.data[0] == "A"
            reported.add(frame.data[2].partition(":")[0])
    return reported


def send(peer: LivePeer, first: int, count: int) -> None:
    """Ask for that many messages."""
    for number in range(first, first + count):
        peer.send(harness.submit(number % 100, OAdC="36150", AdC=f"3371{number:07d}", NRq="", NT=""))


def metrics(server: Served) -> str:
    """The metrics of a server."""
    return httpx.get(f"{url_of(server)}/metrics", trust_env=False, timeout=300).text


def accepted(folder: Path) -> set[str]:
    return {row["recipient"] for row in open_run(folder).centre.to_pylist() if row["kind"] == "accepted"}


def test_what_could_not_be_written_is_reported_once_and_written_when_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        peer = await session(server.port)
        reported = await submits(peer, 0, 200)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        reported |= await submits(peer, 200, MANY)  # it goes on answering
        await asyncio.to_thread(first_line, server, "cannot be written")
        limit(server, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        reported |= await submits(peer, 200 + MANY, 200)
        await peer.close()
        return reported

    with Patient(scenario(tmp_path, policy="go-on"), "--port", "0", "-o", folder) as server:
        reported = asyncio.run(script(server))
        status, errors = server.end(signal.SIGTERM)
    assert (status, "Traceback" in errors) == (0, False), errors
    assert "can be written again" in errors
    assert len(reported) == MANY + 400
    assert reported == accepted(folder)
    assert open_run(folder).info.closed


def test_a_server_that_ends_while_the_disk_is_full_reports_its_losses(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        peer = await session(server.port)
        reported = await submits(peer, 0, 200)
        await asyncio.to_thread(committed, folder)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        await submits(peer, 200, MANY)
        await peer.close()
        return reported

    with Patient(scenario(tmp_path, policy="go-on"), "--port", "0", "-o", folder) as server:
        asyncio.run(script(server))
        status, errors = server.end(signal.SIGTERM)
    assert status == 3
    assert "cannot be written" in errors
    assert "Traceback" not in errors
    run = open_run(folder)  # what was written before can be read
    assert not run.info.closed


def test_durable_acknowledges_nothing_that_the_disk_has_no_room_for(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served) -> set[str]:
        peer = await session(server.port)
        reported = await submits(peer, 0, 100)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        send(peer, 100, 50)
        await asyncio.to_thread(first_line, server, "cannot be written")
        assert await peer.hears_nothing()
        limit(server, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        for _ in range(100, 150):
            reported.add((await peer.frame()).data[2].partition(":")[0])
        server.process.kill()
        await peer.end()
        await peer.close()
        return reported

    with Patient(scenario(tmp_path, durable=True), "--port", "0", "-o", folder) as server:
        reported = asyncio.run(script(server))
        server.process.wait()
    assert len(reported) == 150
    assert reported <= accepted(folder)


def test_while_rows_cannot_be_written_nothing_is_accepted_and_then_everything_is(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def script(server: Served, api: PatientClient) -> set[str]:
        peer = await session(server.port)
        reported = await submits(peer, 0, 100)
        limit(server, resource.RLIMIT_FSIZE, FULL)
        late = await dial(server.port)  # its row finds no room, if no earlier one did
        await asyncio.to_thread(first_line, server, "cannot be written")
        assert "cannot be written" in await asyncio.to_thread(lambda: api.platform().ledger)
        assert "simbench_ledger_failing 1.0" in await asyncio.to_thread(metrics, server)
        send(peer, 100, 50)
        late.send(harness.login("36020"))
        assert await peer.hears_nothing()
        assert await late.hears_nothing()
        limit(server, resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)
        reported |= {(await peer.frame()).data[2].partition(":")[0] for _ in range(50)}
        assert (await late.frame()).data[0] == "A"
        assert await asyncio.to_thread(lambda: api.platform().ledger) == ""
        await peer.close()
        await late.close()
        return reported

    log = tmp_path / "log"
    with (
        Patient(scenario(tmp_path), "--port", "0", "-o", folder, "--api", "0", "--log", log) as server,
        api_of(server) as api,
    ):
        reported = asyncio.run(script(server, api))
        status, errors = server.end(signal.SIGTERM)
    assert status == 0, errors
    assert len(reported) == 150
    assert reported == accepted(folder)
    (late,) = [row for row in open_run(folder).timing_error.to_pylist() if row["place"] == "ledger"]
    assert late["size_us"] == late["ended"] - late["started"] > 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    problems = [event["problem"] for event in events if event["event"] == "ledger"]
    assert [bool(problem) for problem in problems] == [True, False]


def test_a_disk_that_is_full_from_the_start_is_one_line(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*SIMBENCH, "serve", "--port", "0", "-o", tmp_path / "run"], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL)),
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (3, "", 1)
    assert ended.stderr.startswith(f"simbench: {tmp_path / 'run'}: File too large; the ledger needs room")


def first_line(server: Served, wanted: str) -> None:
    assert server.process.stderr is not None
    line = server.process.stderr.readline()
    assert wanted in line, line


@pytest.fixture(autouse=True)
def _limits_can_be_set() -> None:
    if not hasattr(resource, "prlimit"):  # pragma: no cover - Linux has it
        pytest.skip("limits of another process cannot be set here")
