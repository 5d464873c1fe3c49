from __future__ import annotations

import asyncio
import json
import os
import select
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from simbench.base.errors import BadInput, MissingTool
from simbench.bench.sut import command
from simbench.bench.sut.child_process import _bearers, _runs
from simbench.bench.sut.command import Command, understand
from simbench.bench.sut.process_tree import processor_wait_s
from simbench.bench.sut.protocol import AccountGiven, ClockGiven, Report, SutFailed, Target
from simbench.bench.sut.registry import known_suts, make_sut, reference
from simbench.client import lines, messages
from simbench.client.messages import Outgoing
from tests.bench.sut.listener import Listener
from tests.real.peer import Peer

ACCOUNT = AccountGiven("36010", "acc36010", "secret", 10)
ASK = Outgoing(token="#00001", code="36010", recipient="33639980001", text="Bonjour #00001")

# A client that connects nowhere: it repeats each line it reads.
ECHO = """
import json, os, sys
def say(**what): print(json.dumps(what), flush=True)
say(event="ready")
for line in sys.stdin:
    line_read = json.loads(line)
    if line_read["do"] == "stop": break
    say(event="mo", **{"from": line_read["to"], "code": line_read["code"], "text": line})
print("last words", file=sys.stderr)
"""

# A client that ends without being asked to.
BRIEF = """
import sys
print('{"event": "ready"}', flush=True)
print("no more memory", file=sys.stderr)
sys.exit(5)
"""


def target(folder: Path, port: int = 3024) -> Target:
    return Target("127.0.0.1", port, (ACCOUNT,), 10, folder)


def python(script: str, **more: object) -> Command:
    return Command([sys.executable, "-c", script], name="client", **more)  # type: ignore[arg-type]  # named options only


def during(sut: Command, folder: Path, script: Callable[[Listener], Awaitable[None]]) -> Listener:
    """Run `script` while the program runs."""

    async def run() -> Listener:
        listener = Listener()
        await sut.start(target(folder), listener)
        try:
            await script(listener)
        finally:
            await sut.stop()
        return listener

    return asyncio.run(run())


def test_a_message_reaches_the_program_as_one_line(tmp_path: Path) -> None:
    sut = python(ECHO)

    async def script(listener: Listener) -> None:
        await sut.send(ASK)
        (echo,) = await listener.hears("mo")
        assert json.loads(echo.detail) == {
            "do": "send", "ref": "#00001", "code": "36010", "to": "33639980001", "text": "Bonjour #00001",
            "class": "transactional", "brand": "", "oadc": None, "validity_s": None, "opted_in": True, "traits": [],
        }  # fmt: skip

    during(sut, tmp_path, script)


def test_the_environment_says_where_to_connect_and_as_whom(tmp_path: Path) -> None:
    show = (
        "import json, os, sys\nprint(json.dumps({'event': 'error', 'problem': json.dumps(dict(os.environ))}))\n" + ECHO
    )
    sut = python(show, faults=("no-pacing", "no-keepalive"), environment={"SIMBENCH_SPEED": "2"})

    async def script(listener: Listener) -> None:
        await listener.hears("error")

    environment = json.loads(during(sut, tmp_path, script).of("error")[0].detail)
    assert (environment["SIMBENCH_HOST"], environment["SIMBENCH_PORT"]) == ("127.0.0.1", "3024")
    assert environment["SIMBENCH_WINDOW"] == "10"
    assert json.loads(environment["SIMBENCH_ACCOUNTS"]) == [
        {"code": "36010", "account": "acc36010", "password": "secret", "rate_per_s": 10, "oadc_option": False}
    ]
    assert (environment["SIMBENCH_KEEPALIVE_S"], environment["SIMBENCH_RESULT_TIMER_S"]) == ("50", "60")
    assert Path(environment["SIMBENCH_SPOOL"]).parent == tmp_path
    assert environment["SIMBENCH_PORTABILITY"] == ""
    assert environment["SIMBENCH_FAULT"] == "no-pacing,no-keepalive"
    assert environment["SIMBENCH_SPEED"] == "2"


@pytest.mark.parametrize("means", ["lines", "faketime"])
def test_only_a_program_that_reads_clock_lines_is_given_their_first(
    means: Literal["lines", "faketime"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simbench.bench.sut.faketime.environment", lambda *_: {})
    show = "import json, os\nprint(json.dumps({'event': 'error', 'problem': ' '.join(os.environ)}))\n" + ECHO
    sut, listener = python(show, clock=means), Listener()

    async def run() -> str:
        await sut.start(replace(target(tmp_path), clock=ClockGiven(1_000_000, 0)), listener)
        (names,) = await listener.hears("error")
        await sut.stop()
        return names.detail

    given = set(asyncio.run(run()).split()) & {"SIMBENCH_CLOCK_EPOCH_US", "SIMBENCH_CLOCK_START_NS", "SIMBENCH_SPEED"}
    assert len(given) == (3 if means == "lines" else 0)


@pytest.mark.parametrize(
    ("line", "report"),
    [
        (lines.Queued("#1"), Report("queued", "#1")),
        (lines.Accepted("#1", "031016080000"), Report("accepted", "#1", "031016080000")),
        (lines.Refused("#1", "04", final=True), Report("refused", "#1", "04")),
        (lines.Refused("#1", "04", final=False), Report("refused", "#1", "04, to be tried again")),
        (messages.Delivered("#1", "000"), Report("delivered", "#1", "000")),
        (messages.Undelivered("#1", "108"), Report("undelivered", "#1", "108")),
        (messages.Buffered("#1", "107"), Report("buffered", "#1", "107")),
        (messages.Withheld("#1", "stop"), Report("withheld", "#1", "stop")),
        (lines.Doubtful("#1"), Report("doubtful", "#1")),
        (lines.Mo("33639980001", "36010", "STOP"), Report("mo", "", "STOP", "36010", "33639980001")),
        (lines.Error("oh"), Report("error", detail="oh")),
    ],
)
def test_every_line_of_the_protocol_is_a_report(line: lines.Report, report: Report) -> None:
    assert understand(lines.write(line)) == report


def test_every_line_the_protocol_knows_is_translated() -> None:
    assert set(command.REPORTS) | {lines.Ready} == set(lines.Report.__args__)


@given(st.binary() | st.text().map(str.encode) | st.from_regex(rb'\{"event":"[a-z]+","ref":.*\}'))
def test_a_line_is_a_report_ready_or_nothing_whatever_it_is(line: bytes) -> None:
    found = understand(line)
    assert found is None or isinstance(found, lines.Ready | Report)
    if isinstance(found, Report) and found.kind == "error":
        assert found.detail


def test_a_line_outside_the_protocol_is_reported_and_later_lines_are_read(tmp_path: Path) -> None:
    babble = "print('Traceback...')\nprint('[1, 2')\nprint('x' * 3_000_000, flush=True)\n" + ECHO
    sut = python(babble)

    async def script(listener: Listener) -> None:
        await listener.hears("error", 3)
        await sut.send(ASK)
        await listener.hears("mo")

    errors = during(sut, tmp_path, script).of("error")
    assert "Traceback..." in errors[0].detail
    assert all(len(error.detail) < 500 for error in errors)


def test_a_program_that_ends_by_itself_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    sut = python(
        "import sys\nprint('{\"event\": \"ready\"}', flush=True)\nprint('no more memory', file=sys.stderr)\nsys.exit(5)"
    )

    async def script(listener: Listener) -> None:
        (error,) = await listener.hears("error")
        assert "client ended with status 5" in error.detail
        assert "no more memory" in error.detail
        with pytest.raises(SutFailed, match="no more memory"):
            await sut.send(ASK)

    during(sut, tmp_path, script)


def test_a_program_that_ends_before_it_is_ready_has_failed(tmp_path: Path) -> None:
    sut = python("import sys; sys.exit('SIMBENCH_PORT: not liked')")
    with pytest.raises(SutFailed, match=r"(?s)client ended with status 1.*not liked"):
        asyncio.run(sut.start(target(tmp_path), Listener()))


def test_status_127_at_the_start_means_that_it_cannot_run_here(tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match="cannot run here"):
        asyncio.run(python("import sys; sys.exit(127)").start(target(tmp_path), Listener()))


def test_a_program_that_does_not_exist_is_a_missing_tool(tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match="program /nowhere/client does not exist"):
        asyncio.run(Command(["/nowhere/client"]).start(target(tmp_path), Listener()))


def test_a_program_that_is_never_ready_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "READY_WAIT_S", 0.3)
    sut = python("import os, sys; print(os.getpid(), file=sys.stderr, flush=True); sys.stdin.read()")
    with pytest.raises(SutFailed, match="not ready"):
        asyncio.run(sut.start(target(tmp_path), Listener()))
    assert sut.child is None


def test_the_limit_grows_by_the_time_for_which_a_program_waits_for_a_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "READY_WAIT_S", 0.001)
    monkeypatch.setattr(command, "processor_wait_s", lambda _: 50.0)
    sut = python("import time; time.sleep(0.3)\n" + ECHO)
    asyncio.run(started_and_stopped(sut, target(tmp_path)))


async def started_and_stopped(sut: Command, place: Target) -> None:
    await sut.start(place, Listener())
    await sut.stop()


def test_waits_for_a_processor_are_those_of_the_thread_that_waited_longest(tmp_path: Path) -> None:
    for place, waited in (("10/task/10", 1_500_000_000), ("10/task/11", 20), ("12/task/12", 4_000_000_000)):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "schedstat").write_text(f"1 {waited} 1\n")
        (folder / "children").write_text("12 " if place == "10/task/11" else "")
    assert processor_wait_s(10, tmp_path) == 4.0
    assert processor_wait_s(99, tmp_path) == 0.0


def test_stop_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    parent = "import subprocess, sys\nprint(subprocess.Popen(['sleep', '600']).pid, file=sys.stderr, flush=True)\n"
    sut = python(parent + ECHO)  # `sleep` holds its parent's pipes open
    ends: list[int] = []

    async def script(listener: Listener) -> None:
        await sut.send(ASK)
        await listener.hears("mo")
        ends.append(os.pidfd_open(int((tmp_path / "client.log").read_text().split()[0])))

    during(sut, tmp_path, script)
    assert "last words" in (tmp_path / "client.log").read_text()
    readable, _, _ = select.select(ends, [], [], 120.0)  # as it is once its process has ended
    os.close(ends[0])
    assert readable == ends


# A program whose memory takes a while to be freed, and a child of it in a session of its own.
HEAVY = """
import os, signal
heavy = bytearray(b"x") * 200_000_000
print('{"event": "ready"}', flush=True)
if not os.fork():
    os.setsid()
signal.pause()
"""


def test_a_killed_program_and_what_it_started_have_ended_when_the_kill_returns(tmp_path: Path) -> None:
    async def run() -> list[int]:
        sut = python(HEAVY)
        await sut.start(target(tmp_path), Listener())
        assert sut.child is not None
        child = sut.child
        while len(found := _bearers(child._token)) < 2:  # noqa: ASYNC110 - no event of a fork
            await asyncio.sleep(0.01)
        await sut.kill()
        return [pid for pid in found if _runs(pid)]

    assert asyncio.run(run()) == []


def test_the_reference_client_continues_from_its_spool_after_a_kill(tmp_path: Path) -> None:
    async def run() -> tuple[Listener, Peer]:
        listener, sut = Listener(), reference()
        async with Peer(lambda _: None) as peer:  # it never answers, so nothing is settled before the kill
            await sut.start(target(tmp_path, peer.port), listener)
            await sut.send(ASK)
            await peer.until(lambda: len(peer.operations("51")) == 1)
            await sut.kill()
            peer.refuse = lambda _: ""
            await sut.restart()
            await listener.hears("accepted")
            await sut.stop()
        return listener, peer

    listener, peer = asyncio.run(run())
    assert [report.token for report in listener.of("accepted")] == ["#00001"]
    assert [heard.session for heard in peer.operations("51")] == [0, 1]


def test_the_names_that_are_known_can_be_made() -> None:
    known = known_suts()
    assert {"reference", "kannel"} <= set(known)
    assert known["reference"].installed
    for name in known:
        assert make_sut(name).name == name


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=f"'jasmin' is not known; expected one of {', '.join(known_suts())}$"):
        make_sut("jasmin")


def test_kannel_takes_no_faults() -> None:
    with pytest.raises(BadInput, match="no fault named"):
        make_sut("kannel", ("no-pacing",))
