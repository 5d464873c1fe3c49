"""Wire faults in general: their registry, how they are requested, and their cost if none is active."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest
import uvloop
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fake_smsc.faults import FAULTS, sentence
from fake_smsc.faults.injector import LONGEST_REST
from fake_smsc.scenario import FAULT_PARAMETERS, CodeConfig, FaultConfig, Scenario, ServerConfig, read_scenario
from fake_smsc.server.assembly import assemble
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.server import SmscServer
from simbench.base.errors import BadInput, ScenarioError
from simbench.cli.main import cli
from simbench.ledger import MemoryLedger
from simbench.ucp.frame import ETX
from tests import harness
from tests.fake_smsc.live import Site, contract, serving

ROOT = Path(__file__).parents[3]
COMMON = {"share", "code", "from_s", "for_s"}
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]
PLAIN = {"NRq": "", "NT": ""}


def server_of(*faults: FaultConfig) -> SmscServer:
    """A server that listens nowhere, with these faults in force."""
    ledger = MemoryLedger()
    gateway = assemble(Scenario(codes=(CodeConfig(code="36010"),)), contract(), ledger)
    server = SmscServer(gateway, ledger, PlatformClock(harness.START, 1.0, lambda: 0.0))
    for fault in faults:
        server.faults.plan(fault)
    server.faults.run(server.clock.now())
    return server


# The registry --------------------------------------------------------------------------------------------------


def test_every_fault_accepts_the_parameters_in_the_scenario_table() -> None:
    taken = {name: set(fault.parameters) for name, fault in FAULTS.items()}
    assert taken == {name: set(names) - COMMON for name, names in FAULT_PARAMETERS.items()}


def test_every_fault_is_one_sentence() -> None:
    sentences = [sentence(name) for name in FAULTS]
    assert all(text.endswith(".") and "\n" not in text and text.count(". ") == 0 for text in sentences)
    assert len(set(sentences)) == len(FAULTS) == len(set(FAULTS.values()))
    assert len(FAULTS) >= 25


def test_the_list_shows_every_fault_of_the_platform() -> None:
    text = CliRunner().invoke(cli, ["list"]).output
    assert all(f"    {name} " in text and sentence(name) in text for name in FAULTS)
    assert set(json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)["faults"]["platform"]) == set(FAULTS)


# Requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('name = "late-resul"', r'faults\[0\]\.name: "late-resul" is not a fault; expected perhaps `late-result`'),
        ('name = "no-result"\ndelay_s = 5', r"faults\[0\]\.delay_s: is 5\.0; expected of no-result only share,"),
        ('name = "accept-close"\ncode = "36010"', r'faults\[0\]\.code: is "36010"; expected of accept-close only'),
        ('name = "no-result"\ncode = "36020"', r"faults\[0\]\.code: '36020'; expected a short code above"),
        ('name = "no-result"\nshare = 1.5', r"faults\[0\]\.share: is 1\.5; expected a number <= 1"),
        ('name = "nack"\nec = "4"', r'faults\[0\]\.ec: is "4"; expected .*'),
        ('name = "late-result"\ndelay_s = -1', r"faults\[0\]\.delay_s: is -1; expected .*>= 0"),
        ('name = "late-result"\ndelays = 1', r"faults\[0\]\.delays: unknown key; expected perhaps `delay_s`"),
        ("share = 0.5", r"faults\[0\]\.name: is missing"),
    ],
)
def test_a_wrong_fault_in_a_scenario_is_refused_by_name(table: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f'[[codes]]\ncode = "36010"\n\n[[faults]]\n{table}\n')
    with pytest.raises(ScenarioError, match=f"^{path}: {message}"):
        read_scenario(path)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("late", {}, '^fault.name: "late" is not a fault; expected .*'),
        ("no-result", {"ec": "04"}, '^fault.ec: is "04"; expected of no-result only share,'),
        ("late-result", {"delay": 1}, "^fault: delay: unknown key; expected perhaps `delay_s`"),
        ("late-result", {"code": "38001"}, "^fault of 38001: not in service; expected one of"),
    ],
)
def test_control_refuses_a_wrong_fault_by_name(name: str, parameters: dict[str, Any], message: str) -> None:
    async def script() -> None:
        async with serving() as site:
            with pytest.raises(BadInput, match=message):
                site.control.fault(name, **parameters)
            assert not site.server.faults.engaged
            assert not site.rows("events", "fault")

    asyncio.run(script())


def test_a_fault_of_one_code_affects_no_other() -> None:
    async def script() -> None:
        async with serving() as site:
            site.control.fault("nack", code="36020", ec="05")
            one, two = await site.session("36010"), await site.session("36020")
            assert (await one.submit(1, **PLAIN)).data[0] == "A"
            assert (await two.submit(1, OAdC="36020", **PLAIN)).data == ["N", "05", ""]
            site.control.fault("login-refused", code="36010")
            assert (await (await site.connect()).login("36010")).data[0] == "N"
            assert (await (await site.connect()).login("36020")).data[0] == "A"

    asyncio.run(script())


def test_a_cleared_fault_ends_and_releases_held_frames() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            site.control.fault("reordered-results", delay_s=3600)
            site.control.fault("nack-without-ec", from_s=3600)
            peer.send(harness.submit(1, **PLAIN))
            assert await peer.hears_nothing()
            assert site.control.clear("reordered-results") == 1
            assert (await peer.frame()).trn == "01"
            assert (await peer.submit(2, **PLAIN)).data[0] == "A"
            assert site.control.clear() == 1  # the one that had not begun
            site.control.step(3600)
            reported = [json.loads(row[4])["what"] for row in site.rows("events", "fault")]
            assert reported == ["begins", "R/51", "ends"]

    asyncio.run(script())


# What it costs and keeps ---------------------------------------------------------------------------------------


def test_without_a_fault_the_injector_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        async with serving() as site:
            for name in ("incoming", "outgoing", "connected", "run"):
                monkeypatch.setattr(site.server.faults, name, None)
            peer = await site.session()
            assert (await peer.submit(1, **PLAIN)).data[0] == "A"

    asyncio.run(script())


def test_an_ended_fault_has_no_further_effect() -> None:
    server = server_of(FaultConfig("garbage"))
    assert server.faults.engaged
    assert server.faults.incoming(1, b"\x0201/") == b""
    server.faults.clear()
    server.faults.run(server.clock.now())
    assert server.faults.engaged
    assert server.faults.incoming(1, b"0") == b"\x0201/0"
    server.faults.run(server.clock.now())
    assert not server.faults.engaged


@given(st.lists(st.binary(max_size=80) | st.just(harness.submit(1)) | st.just(b"\x02" * LONGEST_REST), max_size=12))
def test_all_octets_reach_the_gateway_in_whole_frames(reads: list[bytes]) -> None:
    faults = [FaultConfig(name, share=0.0) for name in ("nack", "login-refused", "garbage")]
    server = server_of(*faults)
    passed = [server.faults.incoming(1, octets) for octets in reads]
    assert all(octets.endswith(ETX) or len(octets) > LONGEST_REST for octets in passed if octets)
    server.faults.clear()
    assert b"".join(passed) + server.faults.incoming(1, b"") == b"".join(reads)


def test_violations_seen_by_the_gateway_are_recorded_as_events() -> None:
    server = server_of()
    events = [(harness.START, 3, "trn-in-use", ""), (harness.START + 5, 4, "over-window", "")]
    server.gateway.violation_events.extend(events)
    server.touch()
    rows: list[tuple[Any, ...]] = [row for row in cast(MemoryLedger, server.ledger).events if row[1] == "violation"]
    assert [row[:3] for row in rows] == [
        (harness.START, "violation", "session:3"),
        (harness.START + 5, "violation", "session:4"),
    ]
    assert [json.loads(row[4])["name"] for row in rows] == ["trn-in-use", "over-window"]
    assert not server.gateway.violation_events


# Real sockets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", LOOPS)
def test_faults_of_octets_and_segments_hold_on_real_sockets(loop: Any) -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            site.control.fault("small-segments", ot="51", octets=7)
            site.control.fault("double-result", delay_s=0.05)
            peer.send(harness.submit(1, **PLAIN) + harness.submit(2, **PLAIN))
            results = await peer.frames(4)
            assert sorted(frame.trn for frame in results) == ["01", "01", "02", "02"]
            written = [row[3] for row in site.rows("wire", "out")]
            assert b"".join(written) == bytes(peer.got)
            assert max(map(len, written[1:])) == 7

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(script())


async def _silent_after(site: Site, frames: int) -> Any:
    """A session on which the server vanishes after that many frames."""
    site.control.fault("half-open", after=frames)
    peer = await site.session()
    assert (await peer.submit(1, **PLAIN)).data[0] == "A"
    peer.send(harness.submit(2, **PLAIN))
    assert await site.until(lambda: not site.control.sessions())
    return peer


@pytest.mark.parametrize("loop", LOOPS)
def test_a_vanished_server_reads_nothing_and_resets_the_connection_when_it_returns(loop: Any) -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await _silent_after(site, 2)
            read = len(site.rows("wire", "in"))
            peer.send(harness.submit(3, **PLAIN))
            assert await peer.hears_nothing()
            assert len(site.rows("wire", "in")) == read
            assert not site.rows("wire", "close")
            await site.control.outage("silent")
            await site.control.restore()  # the end of an outage wakes nobody who has vanished
            assert await peer.hears_nothing()
            site.control.clear("half-open")
            assert await peer.end() == "rst"
            assert (await (await site.session()).submit(1, **PLAIN)).data[0] == "A"

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(script())


@pytest.mark.parametrize("loop", LOOPS)
def test_resets_and_refused_connections_occur_on_real_sockets(loop: Any) -> None:
    async def script() -> None:
        async with serving() as site:
            site.control.fault("reset", after=1)
            peer = await site.session()
            peer.send(harness.submit(1, **PLAIN))
            assert await peer.end() == "rst"
            site.control.clear()
            site.control.fault("accept-close")
            assert await (await site.connect()).end() == "fin"

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(script())


def test_a_delayed_result_waits_in_platform_time_and_an_outage_discards_it() -> None:
    async def script() -> None:
        async with serving() as site:
            peer = await site.session()
            site.control.fault("late-result", delay_s=60)
            peer.send(harness.submit(1, **PLAIN))
            assert await peer.hears_nothing()
            site.control.step(30)
            assert await peer.hears_nothing()
            await site.control.outage("silent")
            site.control.step(31)
            await site.control.restore()
            peer.send(harness.submit(2, **PLAIN))
            assert await peer.hears_nothing()
            site.control.step(61)
            assert (await peer.frame()).trn == "02"

    asyncio.run(script())


def test_with_a_durable_ledger_results_are_delayed_as_well() -> None:
    async def script() -> None:
        async with serving(server=ServerConfig(port=0, durable=True)) as site:
            peer = await site.session()
            site.control.fault("late-result", delay_s=0.1)
            began = asyncio.get_running_loop().time()
            assert (await peer.submit(1, **PLAIN)).data[0] == "A"
            assert asyncio.get_running_loop().time() - began >= 0.1

    asyncio.run(script())
