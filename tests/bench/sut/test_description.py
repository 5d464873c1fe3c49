"""Descriptions of clients and their capabilities: missing keys are not false, and invalid values are rejected."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.exercises.watched import watching
from simbench.bench.runner.findings import judge_exercise, unsupported
from simbench.bench.runner.options import SessionOptions, plan_of
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, run_exercise
from simbench.bench.runner.selection import select
from simbench.bench.sut.child_process import listens
from simbench.bench.sut.command import Command
from simbench.bench.sut.description import (
    Description,
    from_options,
    read_capabilities,
    read_description,
    sut_description,
)
from simbench.bench.sut.external import External
from simbench.bench.sut.http import Http, filled, heard
from simbench.bench.sut.protocol import AccountGiven, Capabilities, Reach, Report, SutFailed, Target, reach_of
from simbench.client.messages import Outgoing
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger, RunInfo
from simbench.rules.rule import load
from tests.bench.sut.listener import Listener
from tests.ports import lasting_port

assert select()  # enters every exercise
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "client.py"
ASK = Outgoing(token="#00001", code="36010", recipient="33639980001", text="Déjà prêt ? 100% & plus #00001")


def written(folder: Path, text: str) -> Path:
    path = folder / "file.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_capability_that_is_not_set_is_left_out(tmp_path: Path) -> None:
    capabilities = read_capabilities(written(tmp_path, "limits_rate = false\n"))
    assert (capabilities.limits_rate, capabilities.keeps_oadc) == (False, None)
    rated, sender = EXERCISES["one-by-one"], EXERCISES["originators"]
    assert "disclaimed" in unsupported("rate.one-by-one", rated, capabilities)
    assert "not claimed" in unsupported("sender.forbidden-requests", sender, capabilities)


@pytest.mark.parametrize("text", ["", "# nothing\n", "keeps_everything = true\n", "limits_rate = 'yes'\n", "[x\n"])
def test_empty_or_invalid_capabilities_are_refused_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_capabilities(written(tmp_path, text))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "", "kind = 'telnet'\n", "kind = 'command'\n", "kind = 'http'\n", "kind = 'http'\nurl = 'ftp://x/{to}{text}'\n",
        "kind = 'http'\nurl = 'http://x/{to}'\n", "kind = 'http'\nurl = 'http://x/{to}{text}{what}'\n",
        "kind = 'external'\naccounts = []\n", "kind = 'external'\nport = 70000\n", "kind = 'external'\nspeed = 3\n",
        "kind = 'external'\n[capabilities]\n",
    ],
)  # fmt: skip
def test_an_invalid_description_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        read_description(written(tmp_path, text))
    assert "\n" not in str(refused.value)


@given(st.binary(max_size=200))
def test_any_file_of_capabilities_is_read_or_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(octets)
    refusal = ""
    try:
        found = read_capabilities(path)
    except BadInput as refused:
        refusal, found = str(refused), Capabilities(limits_rate=True)
    assert found != Capabilities()
    assert "\n" not in refusal


def test_a_program_is_described_by_a_file_or_by_an_option(tmp_path: Path) -> None:
    text = "kind = 'command'\nprogram = './client --flag \"a b\"'\nversion = '2'\n[capabilities]\nlimits_rate = true\n"
    sut = sut_description(read_description(written(tmp_path, text)))
    assert isinstance(sut, Command)
    assert sut.argv == (str(Path("client").resolve()), "--flag", "a b")
    assert (sut.version, sut.capabilities.limits_rate) == ("2", True)
    assert reach_of(sut).asks
    assert sut_description(from_options("command", "client -v")).name == "client"


def test_a_client_without_a_name_has_that_of_its_file() -> None:
    for program, name in (("python3 /srv/x/client.py -v", "client.py"), ("./client -v", "client"), ("sh -c x", "sh")):
        assert sut_description(from_options("command", program)).name == name


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("./nobody --flag", "nobody does not exist"),
        ("sh nobody.sh", "file nobody.sh does not exist; expected a script for sh"),
    ],
)
def test_a_program_that_is_not_there_is_one_line_before_anything_runs(
    program: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=problem):
        plan_of(SessionOptions("command", program=program), tmp_path)


def test_a_program_that_is_a_link_is_started_by_the_link(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)  # as in a virtual environment
    sut = sut_description(from_options("command", f"{tmp_path}/python client.py"))
    assert isinstance(sut, Command)
    assert sut.argv == (f"{tmp_path}/python", "client.py")


@pytest.mark.parametrize(
    ("only", "exercises", "watched"),
    [
        (("watched",), {"watched"}, set(load("watched"))),
        (("sessions.window",), {"watched", "late-results"}, {"sessions.window"}),
        (("watched", "OPS-ENG-06"), {"watched", "suspension"}, set(load("watched"))),
        (("OPS-ENG-06",), {"suspension"}, set()),
    ],
)
def test_an_observed_client_is_judged_only_by_the_selected_purposes(
    only: tuple[str, ...], exercises: set[str], watched: set[str], tmp_path: Path
) -> None:
    chosen = plan_of(SessionOptions("external", only=only), tmp_path).chosen
    assert set(chosen) == exercises
    assert set(chosen["watched"][1] if watched else ()) == watched


@pytest.mark.parametrize(("kind", "program"), [("command", ""), ("http", ""), ("command", "'open")])
def test_an_incomplete_option_is_refused(kind: str, program: str) -> None:
    with pytest.raises(BadInput):
        sut_description(from_options(kind, program))


def test_an_observed_client_gets_no_requests() -> None:
    sut = sut_description(from_options("external", ""))
    assert isinstance(sut, External)
    reach = reach_of(sut)
    assert all(
        unsupported(purpose, exercise, Capabilities(), reach)
        for exercise in EXERCISES.values()
        for purpose in exercise.purposes
    )
    watched = watching(reach, 1)
    assert not any(unsupported(purpose, watched, Capabilities(), reach) for purpose in watched.purposes)
    with pytest.raises(SutFailed):
        asyncio.run(sut.send(ASK))


def test_exercises_whose_accounts_a_running_client_does_not_have_are_unsupported() -> None:
    reach = Reach(accounts=(AccountGiven("36010", "acc", "pw", 10),), port=5000)
    assert unsupported("sessions.keepalive", EXERCISES["session"].under(load_contract()), Capabilities(), reach) == ""
    assert "36020" in unsupported(
        "sender.short-code-only", EXERCISES["originators"].under(load_contract()), Capabilities(), reach
    )
    assert "passwords" in unsupported("sessions.refused-pace", EXERCISES["login-refused"], Capabilities(), reach)


def test_a_running_client_gets_requests_at_its_address_and_reports_by_the_callback(tmp_path: Path) -> None:
    """The client of this test takes a message at /send and reports its delivery to the callback."""
    queries: list[dict[str, str]] = []

    async def run() -> Listener:
        async def take(request: web.BaseRequest) -> web.Response:
            queries.append(dict(request.query))
            async with ClientSession() as session:
                await session.get(request.query["dlr"].replace("%d", "1").replace("%A", ""))
            return web.Response(status=202, text="taken")

        runner = web.ServerRunner(web.Server(take))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        url = f"http://127.0.0.1:{port}/send?to={{to}}&text={{text}}&from={{oadc}}&dlr={{callback}}"
        sut = sut_description(Description("http", url=url))
        assert isinstance(sut, Http)
        listener = Listener()
        await sut.start(Target("127.0.0.1", 1, (), 10, tmp_path), listener)
        await sut.send(ASK)
        await listener.hears("delivered")
        await sut.stop()
        await runner.cleanup()
        return listener

    listener = asyncio.run(run())
    assert [(report.kind, report.token) for report in listener.reports] == [
        ("delivered", "#00001"),
        ("queued", "#00001"),
    ]
    assert (queries[0]["to"], queries[0]["text"], queries[0]["from"]) == (ASK.recipient, ASK.text, "36010")


def test_a_client_that_does_not_answer_has_failed(tmp_path: Path) -> None:
    async def run() -> None:
        sut = sut_description(Description("http", url="http://127.0.0.1:9/?{to}{text}"))
        await sut.start(Target("127.0.0.1", 1, (), 10, tmp_path), lambda _: None)
        try:
            await sut.send(ASK)
        finally:
            await sut.stop()

    with pytest.raises(SutFailed, match="does not answer"):
        asyncio.run(run())


@given(st.text(), st.text())
def test_any_call_of_a_client_becomes_a_report(path: str, query: str) -> None:
    assert isinstance(heard(path, query, {"1": "delivered"}), Report)


@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_an_address_contains_one_value_per_placeholder(text: str) -> None:
    url = filled("http://x/?to={to}&text={text}", Outgoing("#1", "36010", "3363998", text), "")
    assert url.count("&") == 1
    assert url.isascii()


def test_a_client_that_connects_by_itself_is_watched(tmp_path: Path) -> None:
    """The client is the example, started outside the bench."""
    account = AccountGiven("36010", "acc", "pw", 10)

    async def run() -> Conducted:
        port = lasting_port()
        reach = Reach(False, (account,), port, 120)
        environment = {
            **os.environ, "SIMBENCH_HOST": "127.0.0.1", "SIMBENCH_PORT": str(port),
            "SIMBENCH_ACCOUNTS": msgspec.json.encode([account]).decode(),
        }  # fmt: skip
        watched, ledger = watching(reach, 1.0), MemoryLedger(RunInfo("watched"))
        exercise = asyncio.create_task(
            run_exercise(watched, External(reach), load_contract(), ledger, RunEnvironment(tmp_path))
        )
        await listens(port, (), 120)
        client = await asyncio.create_subprocess_exec(
            sys.executable, str(EXAMPLE), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
            env=environment,
        )  # fmt: skip
        try:
            return await exercise
        finally:
            client.kill()
            await client.wait()

    conducted = asyncio.run(run())
    assert conducted.trouble == ""
    found = judge_exercise(
        conducted,
        ("sessions.login-first", "sessions.window"),
        load_contract(),
        Capabilities(),
        Reach(False, (account,)),
    )
    assert [finding.outcome for finding in found] == ["pass", "inconclusive"]


FASTER = '[capabilities]\nlimits_rate = true\nclock = "speed"\n'


def test_a_clock_that_only_shifts_cannot_be_claimed_to_run_faster(tmp_path: Path) -> None:
    command = f'kind = "command"\nprogram = "{sys.executable}"\n'
    with pytest.raises(BadInput, match='clock: "faketime" cannot run a clock faster') as refused:
        read_description(written(tmp_path, command + FASTER))
    assert "\n" not in str(refused.value)
    assert read_description(written(tmp_path, command + 'clock = "lines"\n' + FASTER)).clock == "lines"
    plain = tmp_path / "plain.toml"
    plain.write_text(command, "utf-8")
    capabilities = written(tmp_path, 'clock = "speed"\n')
    with pytest.raises(BadInput, match="cannot run a clock faster"):
        plan_of(SessionOptions(str(plain), capabilities=capabilities), tmp_path)


def test_a_program_without_a_description_that_claims_a_faster_clock_is_moved_by_lines(tmp_path: Path) -> None:
    capabilities = written(tmp_path, 'clock = "speed"\n')
    sut = plan_of(SessionOptions("command", sys.executable, capabilities), tmp_path).make()
    assert isinstance(sut, Command)
    assert sut.clock == "lines"
