from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from fake_smsc.faults import FAULTS
from fake_smsc.scenario import CodeConfig
from fake_smsc.server.live import LiveSmsc
from fake_smsc.strictness import Strictness
from simbench.base import event_loop
from simbench.ledger import open_run
from simbench.probe import CHECKS
from simbench.trace.trace import Trace
from tests.cli.child import Ended, Served
from tests.mutants.platform import slow_platform
from tests.probe.platform import probed, run_served, sound, with_fault

pytestmark = pytest.mark.slow

CAUGHT = [(fault, check.purpose) for check in CHECKS.values() for fault in check.catches]

# Wire faults of the fake SMSC that no probe can blame on a platform, with the reason.
UNSEEN = {"merged-segments": "TCP may gather what is written; half a second is within what a result may take"}


def test_our_own_platform_passes_every_check() -> None:
    assert {purpose: one.outcome for purpose, one in sound().items()} == dict.fromkeys(CHECKS, "pass")


def test_what_an_earlier_probe_left_to_be_reported_is_not_held_against_the_platform() -> None:
    found, run = probed(times=2, latency_ms=3_000)
    assert {purpose: one.outcome for purpose, one in found.items()} == dict.fromkeys(CHECKS, "pass")
    trace = Trace(run)
    assert set(trace.notifications.scts.tolist()) > set(trace.submits.scts[trace.submits.ack == "A"].tolist())


@pytest.mark.parametrize(("fault", "purpose"), CAUGHT)
def test_a_wire_fault_fails_the_check_that_must_catch_it(fault: str, purpose: str) -> None:
    found = with_fault(fault)[purpose]
    assert (found.outcome, found.blame) == ("fail", "platform"), found.summary
    assert found.evidence


def test_no_wire_fault_breaks_a_check() -> None:
    assert [one for fault in FAULTS for one in with_fault(fault).values() if one.outcome == "error"] == []


def test_every_wire_fault_is_caught_or_is_unseen_for_a_reason() -> None:
    caught = {fault for fault, _ in CAUGHT}
    assert caught | set(UNSEEN) == set(FAULTS)
    assert not caught & set(UNSEEN)
    assert len(caught) >= 20


@pytest.mark.parametrize("fault", UNSEEN)
def test_what_a_probe_cannot_hold_against_a_platform_passes(fault: str) -> None:
    assert {one.outcome for one in with_fault(fault).values()} == {"pass"}


def serves_anything(smsc: LiveSmsc) -> None:
    """Unknown operations, and frames with a wrong checksum, are answered like valid ones."""
    gateway: Any = smsc.server.gateway
    gateway._unsupported = lambda line, frame, _now: gateway._out.reply(line, frame, "A///")
    gateway._leniency.met = lambda line, error, _now: gateway._out.reply(line, error, "A///")


def lets_strangers_in(smsc: LiveSmsc) -> None:
    """The password is the one the probe takes for wrong."""
    centre: Any = smsc.server.gateway.centre
    from msgspec.structs import replace

    centre.accounts["36010"] = replace(centre.accounts["36010"], password="secretx")


ALLOTTED = (CodeConfig(code="36010", rate_per_s=10), CodeConfig(code="36999", rate_per_s=10, account="36010"))


@pytest.mark.parametrize(
    ("purpose", "planted"),
    [
        ("probe.refusals.unknown-operation", {"tamper": serves_anything}),
        ("probe.refusals.wrong-checksum", {"tamper": serves_anything}),
        ("probe.login.wrong-login", {"tamper": lets_strangers_in}),
        ("probe.refusals.stranger-refused", {"codes": ALLOTTED}),
        ("probe.refusals.over-window", {"strictness": Strictness(over_window="serve")}),
        ("probe.line.connects", {"port": 5001}),
        ("probe.rate-accepted", {"tamper": slow_platform}),
        ("probe.rate-accepted", {"rate": 5}),
    ],
)
def test_a_platform_that_does_what_it_must_not_fails(purpose: str, planted: dict[str, Any]) -> None:
    found, _ = probed(**planted)
    assert (found[purpose].outcome, found[purpose].blame) == ("fail", "platform"), found[purpose].summary


def test_every_check_fails_on_something() -> None:
    planted = {
        "probe.refusals.unknown-operation", "probe.refusals.wrong-checksum", "probe.login.wrong-login",
        "probe.refusals.stranger-refused", "probe.refusals.over-window", "probe.line.connects",
    }  # fmt: skip
    assert {purpose for _, purpose in CAUGHT} | planted == set(CHECKS)


def test_what_a_probe_saw_is_a_ledger_like_any_other() -> None:
    _, run = probed()
    trace = Trace(run)
    assert len(trace.sessions) == 4
    assert (trace.submits.ack == "A").sum() > 200
    assert set(trace.frames.problem[trace.frames.direction == "out"].tolist()) == {""}


# The command ---------------------------------------------------------------------------------------------------


PROBE = ("--code", "36010", "--rate", "10", "--seconds", "2")


def test_a_platform_is_probed_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_loop, "run", run_served)
    ended = Ended(capsys, "probe", "127.0.0.1:5000", *PROBE, "-o", tmp_path / "out")
    assert "fail" not in ended.out
    assert ended.status == 0, ended.out
    assert (tmp_path / "out" / "findings.json").exists()
    assert "the subscribed rate" in ended.err


def test_the_command_reaches_a_served_platform_and_keeps_what_was_on_the_wire(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its verdicts on time are the machine's here."""
    with Served("--port", "0", "-o", tmp_path / "served") as served:
        ended = Ended(capsys, "probe", f"127.0.0.1:{served.port}", *PROBE, "-o", tmp_path / "out")
        served.end(signal.SIGTERM)
    assert ended.status in {0, 1}, ended.err
    found = {
        one["purpose"]: one["outcome"]
        for one in json.loads((tmp_path / "out" / "findings.json").read_text())["findings"]
    }
    assert found["probe.line.connects"] == found["probe.frames.sound"] == "pass"
    assert "error" not in found.values()
    sent, received = octets(tmp_path / "out" / "36010", "in"), octets(tmp_path / "served", "in")
    assert received.keys() == sent.keys()
    # A reset at the end of a connection may cost the server the last octets.
    assert all(sent[session].startswith(received[session]) for session in sent)
    assert any(received.values())


def octets(folder: Path, direction: str) -> dict[int, bytes]:
    """The octets of one direction, by connection."""
    found: dict[int, bytes] = {}
    for row in open_run(folder).wire.to_pylist():
        found[row["session"]] = found.get(row["session"], b"") + (
            row["octets"] if row["direction"] == direction else b""
        )
    return found


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("192.0.2.7:5000",), "is not a loopback address; expected --remote CAP"),
        (("192.0.2.7:5000", "--remote", "5"), "above the cap"),
        (("192.0.2.7:5000", "--remote", "10"), "--to: is missing"),
        (("nowhere",), "platform: is 'nowhere'; expected HOST:PORT"),
        (("127.0.0.1:1", "--code", "36020"), "1 for 2 codes"),
        (("127.0.0.1:1", "--account", "a", "--account", "b"), "--account: 2 for 1 code"),
    ],
)
def test_what_may_not_be_probed_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
) -> None:
    ended = Ended(capsys, "probe", *arguments, "--code", "36010", "--rate", "10")
    assert ended.status == 2
    assert problem in ended.err
    assert ended.err.count("\n") == 1


def test_a_place_where_nobody_listens_is_trouble_and_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capsys, "probe", "127.0.0.1:1", "--code", "36010", "--rate", "10")
    assert ended.status == 3
    assert "no server accepts connections on 127.0.0.1:1" in ended.err
