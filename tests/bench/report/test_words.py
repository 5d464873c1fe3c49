"""A finding in three lines."""

from __future__ import annotations

from simbench.bench.report.words import three_lines
from simbench.contract import load_contract
from simbench.finding import Evidence, Finding
from simbench.rules.meaning import TOPICS
from simbench.rules.rule import load
from tests.bench.report.cases import FRAME
from tests.bench.report.simulated import START

CONTRACT = load_contract()
SEEN = Finding(
    "sessions.window", "OPS-CON-03", "fail", "at most 12 unanswered operations, window 10", 12, 10, "operations",
    "client",
    evidence=(Evidence("beyond the window", START, START, 3, FRAME.hex().upper()),), exercise="late-results",
)  # fmt: skip


def test_the_lines_are_expected_seen_and_why() -> None:
    expected, seen, why = three_lines(SEEN, CONTRACT).text("out/evidence/sessions.window").splitlines()
    assert expected == (
        "Expected: The client never exceeds its window of unanswered operations and never reuses a transaction number "
        "in use (clause OPS-CON-03, limit 10 operations)."
    )
    assert seen == (
        "Seen: at most 12 unanswered operations, window 10. First: beyond the window: 51 submit short message, "
        "operation, TRN 07 at 2016-10-03 10:00:00.000000 +02:00 (session 3)."
    )
    assert why.startswith("Why: The operator may refuse")
    assert "Usual cause: " in why
    assert why.endswith(" Evidence: out/evidence/sessions.window")


def test_numbers_of_users_are_masked() -> None:
    found = Finding("rate.a", "", "fail", "33612345678 got two messages")
    assert "12345678 got" not in three_lines(found, CONTRACT).seen


def test_every_topic_of_a_rule_says_why_it_matters() -> None:
    assert {purpose.partition(".")[0] for purpose in load()} <= set(TOPICS)
