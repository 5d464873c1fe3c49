"""The SMSC as an object in a test: real clients on sockets, threads that end, errors that name their place."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Self

import pytest

from fake_smsc import AsyncSmsc, FakeSmsc, Scenario
from fake_smsc.scenario import CodeConfig
from simbench.base.errors import BadInput, Trouble
from simbench.ledger import open_run
from simbench.ledger.events import SubscriberSet, TextSent
from simbench.ucp.frame import Frame, Framer
from tests import harness
from tests.ports import lasting_port

LONG_S = 120.0  # guards against hanging; says nothing about speed
RECIPIENT = "0639980001"


class Talker:
    """A client on a plain socket; each call sends one operation and waits for its result."""

    def __init__(self, smsc: FakeSmsc | AsyncSmsc) -> None:
        self.line = socket.create_connection((smsc.host, smsc.port), timeout=LONG_S)
        self._framer = Framer()

    def ask(self, octets: bytes) -> Frame:
        self.line.sendall(octets)
        while True:
            came = self.line.recv(65_536)
            assert came, "the connection has ended"
            for item in self._framer.feed(came):
                assert isinstance(item, Frame)
                return item

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()


def talking(smsc: FakeSmsc) -> Talker:
    """A client that is logged in."""
    talker = Talker(smsc)
    account = smsc.accounts["36010"]
    assert talker.ask(harness.login(account.login, account.password)).data[0] == "A"
    return talker


def threads() -> set[str]:
    return {one.name for one in threading.enumerate()}


def test_the_session_and_the_messages_of_a_client_are_listed() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc, ExitStack() as stack:
        assert smsc.address == f"127.0.0.1:{smsc.port}"
        talker = stack.enter_context(talking(smsc))
        smsc.wait_for("session")
        assert [one.account for one in smsc.sessions()] == ["36010"]
        assert talker.ask(harness.submit(1, AdC=RECIPIENT, Msg=b"bonjour".hex().upper())).data[0] == "A"
        smsc.wait_for("message")
        (seen,) = smsc.messages(recipient="+33 6 39 98 00 01")
        assert (seen.text, seen.ack, seen.code) == ("bonjour", "A", "36010")
        assert smsc.messages(recipient="0639980002") == []
    assert "fake-smsc" not in threads()


def test_findings_are_those_of_the_rules_on_recorded_traffic() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc, talking(smsc) as talker:
        smsc.wait_for("session")
        talker.line.sendall(b"\x02nonsense\x03")
        talker.ask(harness.submit(1, AdC=RECIPIENT))
        outcomes = {one.purpose: one.outcome for one in smsc.judge()}
    assert outcomes["sessions.violations"] == "fail"
    assert outcomes["sessions.login-first"] == "pass"


def test_an_outage_ends_with_its_block_and_refuses_meanwhile() -> None:
    with FakeSmsc(codes={"36010": 10}, port=lasting_port()) as smsc:
        with smsc.outage("refuse"), pytest.raises(ConnectionRefusedError):
            socket.create_connection((smsc.host, smsc.port), timeout=LONG_S)
        talking(smsc).line.close()


def test_faults_limits_texts_and_subscribers_act_on_the_wire() -> None:
    with FakeSmsc(codes={"36010": 10}, limit="nack") as smsc, talking(smsc) as talker:
        smsc.fault("nack", ec="22")
        assert talker.ask(harness.submit(1, AdC=RECIPIENT)).data[:2] == ["N", "22"]
        assert smsc.clear() == 1
        smsc.limit("36010", 20, "monitor")
        assert talker.ask(harness.submit(2, AdC=RECIPIENT, NRq="", NT="")).data[0] == "A"
        smsc.mo(RECIPIENT, "36010", "STOP")
        (came,) = [item for item in Framer().feed(talker.line.recv(65_536)) if isinstance(item, Frame)]
        assert came.ot == "52"
        assert not smsc.subscriber(RECIPIENT, attached=False).attached
        assert not smsc.subscriber(RECIPIENT).attached
        with pytest.warns(DeprecationWarning, match="now called standing"):
            assert smsc.subscriber(RECIPIENT, fate="unknown").standing == "unknown"
        with pytest.raises(BadInput, match=r"has no colour"):
            smsc.subscriber(RECIPIENT, colour="red")


def test_invalid_texts_and_subscribers_are_refused_and_change_nothing() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc:
        before = smsc.subscriber(RECIPIENT)
        with pytest.raises(BadInput, match=r"^sender: is '٠٦٣٩٩٨٠٠٠١'; expected a telephone number$"):
            smsc.mo("٠٦٣٩٩٨٠٠٠١", "36010", "STOP")
        with pytest.raises(BadInput, match=r"^text: is empty; expected a text of one character or more$"):
            smsc.mo(RECIPIENT, "36010", "")
        for number in ("nonsense", "", "٠٦٣٩٩٨٠٠٠١", "12"):
            expected = "a telephone number of the contract orange_ops_2016, such as 33639980001"
            with pytest.raises(BadInput, match=rf"^number: is '.*'; expected {expected}$"):
                smsc.subscriber(number, attached=False)
        with pytest.raises(BadInput, match=r": cannot change msisdn; expected one of standing, op"):
            smsc.subscriber(RECIPIENT, msisdn="1")
        assert smsc.subscriber(RECIPIENT) == before
        assert not [event for _, event in smsc.trace().events if isinstance(event, SubscriberSet | TextSent)]


def test_a_client_is_not_blamed_for_missing_keepalives_in_a_step_of_the_clock() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc, talking(smsc):
        smsc.wait_for("session")
        before = smsc.clock.now()
        assert smsc.clock.step(3600) >= before + 3_600_000_000
        smsc.wait_for(lambda: not smsc.live.control.sessions())  # closed as idle for an hour
        talking(smsc).line.close()
        outcomes = {one.purpose: one.outcome for one in smsc.judge()}
    assert outcomes["sessions.keepalive"] != "fail"


def test_a_wait_for_a_client_that_never_connects_has_a_clear_error() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc, pytest.raises(TimeoutError, match="the client never connected"):
        smsc.wait_for("session", timeout_s=0.05)


def test_a_condition_may_look_at_the_smsc_and_at_anything_else() -> None:
    looked = count(1)
    with FakeSmsc(codes={"36010": 10}) as smsc, talking(smsc) as talker:
        smsc.wait_for(lambda: [one.account for one in smsc.sessions()] == ["36010"], timeout_s=LONG_S)
        talker.ask(harness.submit(AdC=RECIPIENT))
        smsc.wait_for(lambda: [one.text for one in smsc.messages()] == ["Bonjour"], timeout_s=LONG_S)
        smsc.wait_for(lambda: next(looked) > 3, timeout_s=LONG_S)  # nothing happens in the SMSC meanwhile
        with pytest.raises(ZeroDivisionError):
            smsc.wait_for(lambda: 1 // len(smsc.trace().mo) > 0)
        with pytest.raises(BadInput, match="condition: waits for the SMSC that calls it; expected one that only looks"):
            smsc.wait_for(lambda: smsc.wait_for("idle") is None)
        assert len(smsc.sessions()) == 1


def test_an_exception_in_a_condition_reaches_the_waiting_caller() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc, ThreadPoolExecutor(1) as pool:
        waits = pool.submit(smsc.wait_for, lambda: 1 // (1 - len(smsc.sessions())) == 0, 1, LONG_S)
        with talking(smsc) as talker:
            with pytest.raises(ZeroDivisionError):
                waits.result(LONG_S)
            talker.ask(harness.submit(AdC=RECIPIENT))


def test_its_representation_describes_it() -> None:
    smsc = FakeSmsc(codes={"36010": 10, "36020": 0})
    assert repr(smsc) == "<FakeSmsc 36010 at 10/s, 36020 at 10/s: not running>"
    with smsc:
        assert repr(smsc) == f"<FakeSmsc 36010 at 10/s, 36020 at 10/s: 127.0.0.1:{smsc.port}>"


def test_it_runs_on_the_callers_loop_too() -> None:
    async def scenario() -> list[str]:
        async with FakeSmsc(codes={"36010": 10}) as smsc:
            assert isinstance(smsc, AsyncSmsc)
            talker = await asyncio.to_thread(Talker, smsc)
            await smsc.wait_for(lambda: len(smsc.sessions()) == 1, timeout_s=LONG_S)
            await smsc.outage("silent")
            await smsc.restore()
            with pytest.raises(TimeoutError, match="no account yet"):
                await smsc.wait_for("session", timeout_s=0.05)
            talker.line.close()
            return sorted(smsc.accounts)

    before = threads()
    assert asyncio.run(scenario()) == ["36010"]
    assert "fake-smsc" not in threads() - before


def test_nothing_is_left_running_after_an_error_in_the_block() -> None:
    def broken(ports: list[int]) -> None:
        with FakeSmsc(codes={"36010": 10}, port=lasting_port()) as smsc:
            ports.append(smsc.port)
            ports.append(1 // 0)

    ports: list[int] = []
    with pytest.raises(ZeroDivisionError):
        broken(ports)
    assert "fake-smsc" not in threads()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]), timeout=LONG_S)


def test_a_call_outside_the_block_has_a_clear_error() -> None:
    smsc = FakeSmsc(codes={"36010": 10})
    with smsc:
        pass
    with pytest.raises(BadInput, match="is not running"):
        smsc.wait_for("session")


def test_nothing_remains_running_if_the_port_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(Trouble, match="in use"), FakeSmsc({"36010": 10}, port=taken.getsockname()[1]):
            pass
        assert "fake-smsc" not in threads()


def test_an_interrupt_ends_server_and_thread() -> None:
    """A program that is interrupted in the block ends by KeyboardInterrupt, without waiting for clients."""
    program = (
        "import signal, os, threading\n"
        "from fake_smsc import FakeSmsc\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background may ignore it\n"
        "try:\n"
        "    with FakeSmsc({'36010': 10}) as smsc:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        smsc.wait_for('session', timeout_s=600)\n"
        "except KeyboardInterrupt:\n"
        "    print(sorted(t.name for t in threading.enumerate()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LONG_S)
    assert done.stdout == "['MainThread']\n"


@pytest.mark.parametrize(
    ("codes", "place"),
    [({}, "codes is empty"), ({"36010": 11}, r"rate_per_s.*11.*one of the tiers"), ({"12": 10}, r"codes\[0\]\.code")],
)
def test_an_invalid_scenario_is_refused_at_construction(codes: dict[str, int], place: str) -> None:
    with pytest.raises(BadInput, match=place.replace("codes is", "codes: is")):
        FakeSmsc(codes=codes)


def test_codes_beside_a_scenario_are_refused() -> None:
    with pytest.raises(BadInput, match="with a scenario"):
        FakeSmsc({"36010": 10}, scenario=Scenario(codes=(CodeConfig("36010"),)))


def test_a_ledger_is_stored_only_if_a_folder_is_given(tmp_path: Path) -> None:
    with FakeSmsc({"36010": 10}, folder=tmp_path / "run") as smsc, talking(smsc):
        smsc.wait_for("session")
    assert open_run(tmp_path / "run").wire["direction"].to_pylist().count("in") == 1
    with FakeSmsc({"36010": 10}):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["run"]


def test_importing_the_package_does_not_import_its_libraries() -> None:
    program = (
        "import fake_smsc, sys; print([m for m in ('asyncio', 'numpy', 'pyarrow', 'msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_running_smsc_has_loaded_nothing_heavy() -> None:
    """A test does not import tables, drawing, the compiler or the commands."""
    heavy = ("numpy", "pyarrow", "pandas", "polars", "matplotlib", "scapy", "numba", "scipy", "click", "jinja2", "rich",
             "simpy", "importlib.metadata", "fake_smsc.fast")  # fmt: skip
    program = (
        "import sys\nfrom fake_smsc import FakeSmsc\n"
        f"with FakeSmsc({{'36010': 10}}):\n    print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LONG_S)
    assert done.stdout == "[]\n"


def test_a_quick_platform_delivers_at_once_and_a_wait_names_violations() -> None:
    with FakeSmsc(codes={"36010": 10}, latency_ms=1) as smsc, talking(smsc) as talker:
        for trn in range(12):
            talker.line.sendall(harness.submit(trn, AdC=f"33639980{trn:03}", NRq="0"))
        smsc.wait_for(lambda: len(smsc.messages()) == 12 and not smsc.live.control.on_the_way(), timeout_s=LONG_S)
        assert [one.recipient for one in smsc.trace().submits][:2] == ["33639980000", "33639980001"]
        smsc.live.server.gateway.protocol_violations["over-window"] += 2
        with pytest.raises(TimeoutError, match=r"13 messages not reached .*; 2 x over-window"):
            smsc.wait_for("message", 13, timeout_s=0.01)
        with pytest.raises(KeyError, match="no short code 36011; there are 36010"):
            _ = smsc.accounts["36011"]
    with pytest.raises(BadInput, match="latency_ms: is 0; expected 1 or more"):
        FakeSmsc(latency_ms=0)
