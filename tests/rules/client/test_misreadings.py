"""Opt-outs and recipients, where a whole misreading of the contract could go unseen."""

from __future__ import annotations

import pytest

import simbench.bench.runner.selection  # noqa: F401 - importing it enters every rule
from simbench.ledger.events import SubscriberSet
from simbench.rules.client.admission import expectation
from simbench.rules.client.opt_outs import is_opt_out
from tests.rules.scene import RECIPIENT, Scene


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("STOP", True), ("stop", True), ("Stop", True), ("sToP", True), ("Stop 36010", True), ("STOP36010", True),
        ("s t o p", True), ("S.T.O.P", True), (" stop!", True), ("stop pub", True), ("STOPSMS", True),
        ("st\u00f2pp\u00fbb", True), ("St\u00f4p", True), ("\u2026stop", True), ("stop\n", True),
        ("stopper", False), ("STO\u1e54O", False), ("nonstop", False), ("Bonjour, stop", False), ("", False),
        ("sto", False), ("oui", False), ("STOP.", True), ("stopsms", True), ("*STOP*", True), ("Sto\u0302p", True),
        ("non stop", False), ("stopping", False), ("contact STOP", False),
    ],
)  # fmt: skip
def test_stop_leads_an_opt_out_in_whatever_spelling(text: str, meant: bool) -> None:
    assert is_opt_out(text) is meant


@pytest.mark.parametrize(
    ("standing", "attached", "code", "expected"),
    [
        *((standing, True, "36010", "06") for standing in ("malformed", "fixed", "overseas", "foreign")),
        *((standing, False, "36010", "06") for standing in ("malformed", "fixed", "overseas", "foreign")),
        ("m2m", True, "36010", "06"), ("m2m", True, "38001", "delivered"), ("m2m", False, "38001", "undelivered"),
        *((standing, True, "36010", "undelivered") for standing in ("other-operator", "ported-out", "unknown")),
        ("orange", True, "36010", "delivered"), ("orange", False, "36010", "undelivered"),
        ("ported-in", True, "36010", "delivered"),
    ],
)  # fmt: skip
def test_each_kind_of_recipient_has_the_outcome_in_the_offer(
    standing: str, attached: bool, code: str, expected: str
) -> None:
    assert expectation(SubscriberSet(RECIPIENT, standing, "", attached), code, ("38",)) == expected


@pytest.mark.parametrize("standing", ["malformed", "fixed", "overseas", "foreign"])
def test_a_platform_that_accepts_whom_it_must_refuse_fails(standing: str) -> None:
    scene = Scene().event(0, "subscriber", RECIPIENT, standing=standing, operator="", attached=True)
    found = scene.login(1).submit(2, 1).judged("recipients.served-recipients")
    assert (found.outcome, found.blame) == ("fail", "platform")
    assert f"{standing}: expected 06, found accepted" in found.evidence[0].note
    refused = Scene().event(0, "subscriber", RECIPIENT, standing=standing, operator="", attached=True).login(1)
    refused.submit(2, 1, answer=None).result(2.001, 1, body="N/06//")
    assert refused.judged("recipients.served-recipients").outcome == "pass"


def test_a_message_to_be_delivered_is_pending_until_its_notification() -> None:
    scene = Scene().event(0, "subscriber", RECIPIENT, standing="orange", operator="orange", attached=True)
    assert scene.login(1).submit(2, 1).judged("recipients.served-recipients").outcome == "inconclusive"
