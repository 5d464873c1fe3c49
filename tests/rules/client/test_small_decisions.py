"""Decisions of rules in a line: sessions of replies, whole messages, the worst verdict, the grace after an opt-out."""

from __future__ import annotations

from pathlib import Path

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.base.units import HOUR_US, SECOND_US
from simbench.contract import load_contract
from simbench.ledger.stimuli import LATER, Reported, Request
from simbench.rules.requests import wholes
from simbench.rules.rule import Case, Verdict, worst
from simbench.ucp.content import compose
from simbench.ucp.frame import encode
from simbench.ucp.notifications import deliver_body
from tests.rules.scene import RECIPIENT, STAMP, Scene, submit, us

OVER = "ranges.session-over"


def test_a_reply_within_the_session_is_right_and_one_withheld_after_it_passes() -> None:
    """The user writes, a reply goes an hour later; another is asked for after the session and not sent."""
    over = load_contract().terms.marketing.reply_session_h.value * HOUR_US / SECOND_US
    scene = Scene("34010").login(0.5, account="34010")
    scene.wire(1, "out", encode(1, "O", "52", deliver_body("34010", RECIPIENT, STAMP, compose("Oui")[0])))
    hour = min(3600, over / 2)
    scene.requested(hour, "#00001", code="34010").wire(hour + 1, "in", submit(1, "#00001", OAdC="34010"))
    scene.requested(over + 60, "#00002", code="34010")
    found = scene.judged(OVER)
    assert (found.outcome, found.measured) == ("pass", 0)
    found = scene.wire(over + 61, "in", submit(2, "#00002", OAdC="34010")).judged(OVER)
    assert (found.measured, found.blame) == (1, "client")


def test_a_message_that_is_cut_off_at_the_end_of_the_wire_lacks_what_did_not_come() -> None:
    parts = compose("a" * 400, ref=7)
    assert len(parts) == 3
    scene = Scene().login(0.5)
    for number, part in enumerate(parts[:2]):
        scene.wire(1 + number / 10, "in", submit(1 + number, MT=part.mt, Msg=part.msg, NB=part.nb, XSer=part.xser))
    (one,) = wholes(Case(scene.trace(), load_contract()))
    assert (one.segments, one.missing) == (3, 1)
    last = submit(3, MT=parts[2].mt, Msg=parts[2].msg, NB=parts[2].nb, XSer=parts[2].xser)
    (whole,) = wholes(Case(scene.wire(2, "in", last).trace(), load_contract()))
    assert (whole.segments, whole.missing, whole.text) == (3, 0, "a" * 400)


def test_a_verdict_on_nothing_has_a_summary() -> None:
    assert worst([], "x").summary == "x"
    assert worst([]).summary == "nothing to judge"
    assert worst([Verdict("pass", "a"), Verdict("weak", "b"), Verdict("pass", "c")], "x").summary == "b"


def test_marketing_within_the_grace_after_an_opt_out_is_counted_and_allowed() -> None:
    grace = load_contract().terms.marketing.stop_grace_h.value * HOUR_US / SECOND_US

    def after(*instants: float) -> str:
        scene = Scene().login(0.5)
        scene.wire(1, "out", encode(1, "O", "52", deliver_body("36010", RECIPIENT, STAMP, compose("STOP")[0])))
        scene.wire(1.1, "in", encode(1, "R", "52", "A///"))
        for number, at in enumerate(instants):
            mark = f"#0000{number}"
            text = f"Bonjour {mark}"
            scene.stimulus(Request(us(at), mark, "36010", RECIPIENT, text, "marketing", "MARQUE", opted_in=True))
            if at <= 1 + grace:
                scene.submit(at + 1, number, mark)
        return scene.judged("opt-out.every-spelling").summary

    summary = after(1.0, 30, grace + 60)  # at the instant of the opt-out itself, within the grace, and after it
    assert summary.startswith("1 marketing message to opted-out users requested, ")
    assert summary.endswith("(1 more within the grace period)")


@pytest.mark.parametrize(
    ("ddt", "stated", "outcome"),
    [
        ("0303260900", "", "weak"),
        ("0303260900", "submission", "fail"),
        ("0303260900", "delivery", "fail"),
        ("0203262330", "", "fail"),
    ],
)
def test_requested_night_marketing_that_is_deferred_to_the_hours_is_weak_while_the_reading_is_open(
    tmp_path: Path, ddt: str, stated: str, outcome: str
) -> None:
    ambiguity = f'[ambiguities.AMB-06]\nreading = "{stated}"\nstatus = "contract"\n' if stated else ""
    (tmp_path / "stated.toml").write_text('extends = "orange_ops_2016"\n' + ambiguity)
    night = 13 * HOUR_US / SECOND_US
    asked = Request(us(night), "#00001", "36010", RECIPIENT, "Bonjour #00001", "marketing", "MARQUE", opted_in=True)
    scene = Scene().login(night - 1).stimulus(asked).submit(night + 1, 1, "#00001", DD="1", DDT=ddt)
    found = scene.judged("hours.evening-edge", load_contract(tmp_path / "stated.toml"))
    assert (found.outcome, found.blame) == (outcome, "client")


def test_a_client_that_reports_another_attempt_may_make_it_after_the_record() -> None:
    purpose = "submits.tried-again"
    scene = Scene().requested(1, "#00001").login(0.5).submit(2, 1, "#00001", answer=None)
    scene.result(2.001, 1, body="N/04/no/").event(40, "end", "by-hand")
    assert (found := scene.judged(purpose)).outcome == "weak", found.summary
    assert "not sent again within 37 s" in found.summary
    scene.stimulus(Reported(us(2.1), "refused", "#00001", detail=f"04{LATER}"))
    found = scene.judged(purpose)
    assert (found.outcome, found.blame) == ("inconclusive", "bench")
    assert "the client reported another attempt" in found.summary
    assert scene.stimulus(Reported(us(20), "withheld", "#00001")).judged(purpose).outcome == "weak"
