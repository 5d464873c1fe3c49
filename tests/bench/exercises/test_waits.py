"""The waits of an exercise: none for withheld messages, and for logins by the name of the account."""

from __future__ import annotations

import pytest

from fake_smsc.server.live import LiveSmsc
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.exercises.tester import QUIET_S, Bench
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.rehearsal import Nobody
from simbench.bench.runner.selection import select
from simbench.bench.sut.protocol import AccountGiven, Reach, Report
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import load_contract
from simbench.ledger import MemoryLedger
from simbench.ledger.events import ClockStepped
from simbench.trace.trace import Trace

CONTRACT = load_contract()
WAITS = {"opt-outs": 3, "ported": 1, "ranges": 1, "campaign": 1, "sender-names": 1}  # of each, for a silence


def lasted_s(name: str) -> float:
    """Platform seconds without those that the clock was stepped, in virtual time."""
    select()
    trace = Trace(conduct_in_memory(EXERCISES[name], CONTRACT).run)
    stepped_s = sum(event.seconds or 0 for _, event in trace.events if isinstance(event, ClockStepped))
    return (trace.span[1] - trace.span[0]) / 1_000_000 - stepped_s


@pytest.mark.parametrize("name", WAITS)
def test_reported_withheld_messages_cost_no_time_and_unreported_ones_ten_seconds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported_s = lasted_s(name)
    heard = Bench.heard

    def deaf(bench: Bench, report: Report) -> None:
        if report.kind != "withheld":
            heard(bench, report)

    monkeypatch.setattr(Bench, "heard", deaf)
    unreported_s = lasted_s(name)
    assert reported_s < 60
    assert unreported_s <= reported_s + WAITS[name] * (QUIET_S + 2)


def test_accounts_of_a_running_client_may_have_other_names_than_its_codes() -> None:
    select()
    exercise = EXERCISES["session"].under(CONTRACT)
    given = AccountGiven(exercise.codes["first"], "gateway-7", "pass", exercise.rates[exercise.codes["first"]])
    scenario = exercise.scenario(CONTRACT, 1, Reach(accounts=(given,)))
    assert [(one.code, one.account, one.password) for one in scenario.codes] == [(given.code, "gateway-7", "pass")]
    smsc = LiveSmsc(scenario, CONTRACT, MemoryLedger())
    bench = Bench(smsc, Nobody(EVERYTHING), exercise.codes)
    assert [bench.account(name) for name in ("first", given.code, "gateway-7")] == ["gateway-7"] * 3
