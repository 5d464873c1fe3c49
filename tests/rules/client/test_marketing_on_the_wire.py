"""Marketing on the wire by hand: refused messages, brands that nobody named, opt-outs, and special cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.contract import load_contract
from simbench.ledger.stimuli import Unrequested
from simbench.numbering.plan import plan_of
from simbench.sla.imports.campaigns import read_metadata
from simbench.ucp.frame import encode
from tests.rules.scene import CODE, RECIPIENT, Scene, mo, submit, us

DAILY, OPT_OUTS, HOURS = (
    "marketing.daily-on-the-wire", "opt-out.opt-outs-on-the-wire", "hours.hours-on-the-wire",
)  # fmt: skip
HOUR_S = 3600.0


def marketing(scene: Scene, at: float, number: int, answer: str = "A", **declared: object) -> Scene:
    """A message to the one recipient, and its declaration."""
    token = f"#0000{number}"
    scene.wire(at, "in", submit(number, token))
    if answer:
        scene.result(at + 0.01, number, body=f"A//{RECIPIENT}:020326100000/" if answer == "A" else f"N/{answer}//")
    fields = {"traffic_class": "marketing", "brand": "MARQUE", "opted_in": True, **declared}
    return scene.stimulus(Unrequested(us(at), token, CODE, RECIPIENT, f"Bonjour {token}", **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(("answer", "outcome"), [("A", "weak"), ("", "weak"), ("04", "pass"), ("06", "pass")])
def test_a_message_that_was_refused_does_not_count_as_the_one_of_the_day(answer: str, outcome: str) -> None:
    scene = marketing(Scene().login(0.5), 10, 1, answer)
    assert marketing(scene, 70, 2).judged(DAILY).outcome == outcome


@pytest.mark.parametrize(("campaigns", "outcome"), [(("one", "other"), "pass"), (("one", "one"), "weak")])
def test_campaigns_without_a_brand_are_brands_of_their_own(campaigns: tuple[str, str], outcome: str) -> None:
    scene = marketing(Scene().login(0.5), 10, 1, brand="", campaign=campaigns[0])
    assert marketing(scene, 70, 2, brand="", campaign=campaigns[1]).judged(DAILY).outcome == outcome


def opted_out(answer: str) -> Scene:
    """Marketing, an opt-out that the client answers or not, and marketing three days later."""
    scene = marketing(Scene().login(0.5), 10, 1).wire(100, "out", mo(5))
    if answer:
        scene.wire(100.1, "in", encode(5, "R", "52", answer))
    return marketing(scene, 72 * HOUR_S, 2)


@pytest.mark.parametrize(("answer", "outcome"), [("A//", "weak"), ("N/02//", "unsupported"), ("", "unsupported")])
def test_an_opt_out_binds_a_client_that_acknowledged_it(answer: str, outcome: str) -> None:
    assert opted_out(answer).judged(OPT_OUTS).outcome == outcome


@pytest.mark.parametrize(("traits", "outcome"), [((), "fail"), (("special",), "unsupported")])
def test_special_cases_may_be_sent_at_night(traits: tuple[str, ...], outcome: str) -> None:
    assert marketing(Scene().login(0.5), 13 * HOUR_S, 1, traits=traits).judged(HOURS).outcome == outcome


def test_a_trait_that_no_rule_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "campaigns.toml"
    period = "from = 2026-03-02T00:00:00Z\nto = 2026-03-03T00:00:00Z\n"
    path.write_text(f'[[campaigns]]\ncode = "36010"\n{period}class = "marketing"\ntraits = ["optout_told"]\n', "utf-8")
    with pytest.raises(BadInput, match="optout_told"):
        read_metadata(path, None, plan_of(load_contract()))
