"""A clock stepped by hand blames no party for the time in between, in `judge` and in the service."""

from __future__ import annotations

import pytest

from simbench.api.audit import audit_run
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.rules.audit import audit, given_by
from simbench.rules.rule import Case
from simbench.service.judging import judge_live
from tests.rules.scene import Scene, alert, us

KEEPALIVE = "sessions.keepalive"
SILENT_S = 300.0


def silent(*, stepped: bool) -> Scene:
    """A session that is silent for five minutes, which the client lived through or not."""
    scene = Scene().login(1).submit(2, 1)
    if stepped:
        scene.event(2 + SILENT_S, "clock", "step", seconds=SILENT_S - 1)
    return scene.wire(3 + SILENT_S, "in", alert(2)).closed(4 + SILENT_S)


def judged(scene: Scene) -> Finding:
    trace = scene.trace()
    return next(one for one in audit(Case(trace, load_contract()), given_by(trace)) if one.purpose == KEEPALIVE)


@pytest.mark.parametrize("stepped", [False, True])
def test_a_silence_that_was_stepped_over_is_nobodys(stepped: bool) -> None:
    found = judged(silent(stepped=stepped))
    assert found.outcome == ("inconclusive" if stepped else "weak"), found.summary
    assert ("the platform's clock was moved meanwhile" in found.summary) == stepped
    assert found.blame == ("bench" if stepped else "client")


@pytest.mark.parametrize("stepped", [False, True])
def test_the_service_finds_what_the_command_finds(stepped: bool) -> None:
    scene = silent(stepped=stepped)
    own = judged(scene)
    live, _, _ = judge_live(scene.ledger, load_contract(), 1000, us(4 + SILENT_S))
    of_the_service = next(one for one in live.findings if one.purpose == KEEPALIVE)
    assert (of_the_service.outcome, of_the_service.summary, of_the_service.blame) == (
        own.outcome, own.summary, own.blame
    )  # fmt: skip


def traffic() -> Scene:
    """A little of everything: texts with and without a token, a cut connection, a number in use, a pause too long."""
    scene = Scene().login(1)
    for number in range(30):
        scene.submit(2 + number / 20, number, f"#{number:05d}" if number % 2 else "")
    scene.submit(4, 30, answer=None).submit(4.1, 30).drop(5).closed(5.1)
    scene.login(6, session=2).submit(7, 0, "#00001", session=2).wire(8, "in", b"\x02broken\x03", session=2)
    return scene.wire(200, "in", alert(2), session=2).closed(201, session=2)


def test_every_finding_of_the_service_is_that_of_the_command() -> None:
    scene, contract = traffic(), load_contract()
    own = {one.purpose: one for one in audit_run(scene.trace(), contract).findings}
    live, _, _ = judge_live(scene.ledger, contract, 1000, us(201))
    assert len(live.findings) > 20
    assert {one.outcome for one in live.findings} >= {"pass", "fail", "weak", "unsupported"}
    for found in live.findings:
        same = own[found.purpose]
        assert (found.outcome, found.parts, found.measured, found.limit, found.blame, found.assumed) == (
            same.outcome, [*same.parts], same.measured, same.limit, same.blame, [*same.assumed]
        ), found.purpose  # fmt: skip
