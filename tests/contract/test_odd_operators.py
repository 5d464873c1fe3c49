"""Operators with low rates, afternoon hours and a long grace: the exercises still decide, and decide rightly."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.units import SECOND_US
from simbench.bench.exercises.codes import codes_under
from simbench.bench.exercises.exercise import Chosen
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import Contract, load_contract
from simbench.finding import Finding
from simbench.rules.client.opt_outs import BUSY_US
from simbench.trace.trace import Trace

AFTERNOONS = """
[terms.hours.marketing]
opens_at_h = { value = "13:30", status = "contract" }
closes_at_h = { value = "19:15", status = "contract" }
days = { value = "monday-to-friday", status = "contract" }
[terms.marketing]
stop_grace_h = { value = 72, status = "contract", clause = "5.4" }
reply_session_h = { value = 48, status = "contract", clause = "5.4" }
"""


def slow(tmp_path: Path, rate: int = 2, more: str = AFTERNOONS) -> Contract:
    path = tmp_path / "odd.toml"
    path.write_text(
        'extends = "demo_telecom"\ntitle = "odd"\n[terms.throughput]\n'
        f'default_per_s = {{ value = {rate}, status = "contract" }}\n'
        f'tiers = [{{ value = {rate}, unit = "messages/s", price = "0", status = "contract", clause = "3.1" }}]\n{more}'
    )
    return load_contract(path)


def judged(contract: Contract, exercise: str, *faults: str) -> dict[str, Finding]:
    chosen: Chosen = select(contract=contract)
    one, purposes = chosen[exercise]
    found = judge_exercise(conduct_in_memory(one, contract, faults), list(purposes), contract, EVERYTHING)
    return {each.purpose: each for each in found}


@pytest.mark.parametrize(
    "exercise", ["campaign", "opt-outs", "ranges", "sundays", "holidays", "winter-time", "calibration", "turns"]
)
def test_a_correct_client_passes_in_afternoon_hours(tmp_path: Path, exercise: str) -> None:
    assert {one.outcome for one in judged(slow(tmp_path), exercise).values()} == {"pass"}


@pytest.mark.parametrize(
    ("exercise", "fault", "purpose"),
    [
        ("opt-outs", "knows-one-stop", "opt-out.every-spelling"),
        ("opt-outs", "forgets-stop-when-busy", "opt-out.while-busy"),
        ("opt-outs", "begins-reply-sessions", "ranges.session-over"),
        ("sundays", "works-on-sundays", "hours.sundays"),
        ("holidays", "works-on-holidays", "hours.holidays"),
        ("winter-time", "keeps-summer-time", "hours.winter-time"),
    ],
)
def test_a_planted_fault_is_caught_in_afternoon_hours(tmp_path: Path, exercise: str, fault: str, purpose: str) -> None:
    assert judged(slow(tmp_path), exercise, fault)[purpose].outcome in {"fail", "weak"}


@pytest.mark.parametrize("rate", [1, 2, 3, 5, 7])
def test_opt_outs_of_idle_users_come_when_the_last_message_has_long_been_sent(tmp_path: Path, rate: int) -> None:
    contract = slow(tmp_path, rate, "")
    exercise = select(contract=contract)["opt-outs"][0].under(contract)
    trace = Trace(conduct_in_memory(exercise, contract).run)
    first = min(row.at for row in trace.mo.rows())
    before = [row.at for row in trace.submits.rows() if row.code == exercise.codes["first"] and row.at <= first]
    assert first - max(before) > BUSY_US + SECOND_US // 2


RANGES = """
[terms.numbering]
ranges = [
  { value = "80", unit = "digits", use = "reply", status = "contract", clause = "4.3" },
  { value = "7", unit = "digits", use = "ordinary", status = "contract", clause = "4.2" },
]
"""


def test_a_range_without_a_special_use_carries_every_kind_of_message(tmp_path: Path) -> None:
    contract = slow(tmp_path, 5, RANGES)
    assert codes_under(("first", "reply", "presence"), contract) == {"first": ("7005", 5), "reply": ("8001", 5)}
    assert contract.terms.code_per_tier() == {"7005": 5}
    for exercise in ("campaign", "originators", "sender-names"):
        assert {one.outcome for one in judged(contract, exercise).values()} <= {"pass", "unsupported"}
    ranges = judged(contract, "ranges")
    assert ranges["ranges.begun-by-user"].outcome == "pass"
    assert judged(contract, "ranges", "begins-reply-sessions")["ranges.begun-by-user"].outcome == "fail"


def test_the_mention_has_the_word_of_the_contract(tmp_path: Path) -> None:
    more = '[terms.marketing]\nstop_word = { value = "PARAR", status = "contract" }\n'
    contract = slow(tmp_path, 5, more)
    assert judged(contract, "campaign")["marketing.stop-mention"].outcome == "pass"
    assert judged(contract, "campaign", "omits-stop")["marketing.stop-mention"].outcome == "fail"
