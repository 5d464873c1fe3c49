"""Findings of exercises that ran."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.runner.run_exercise import Conducted
from simbench.bench.sut.protocol import WITHIN_REACH, Capabilities, Reach, moves_clock
from simbench.contract import Contract
from simbench.finding import Finding, prose
from simbench.ledger import Run
from simbench.rules.audit import without_occasion
from simbench.rules.client.client_clock import doubt, prove
from simbench.rules.rule import Case, judge, load
from simbench.trace.trace import Trace


def judge_exercise(
    conducted: Conducted, purposes: Iterable[str], contract: Contract, capabilities: Capabilities,
    reach: Reach = WITHIN_REACH,
) -> list[Finding]:  # fmt: skip
    """Return one finding per purpose: unsupported without the capability, error if the bench failed, else the rule's.

    If the client ended early, violations already recorded fail and the rest is inconclusive.
    """
    case = Case(Trace(conducted.run), contract)
    return [_finding(purpose, conducted, case, (capabilities, reach)) for purpose in purposes]


def unsupported(purpose: str, exercise: Exercise, capabilities: Capabilities, reach: Reach = WITHIN_REACH) -> str:
    """Return why a purpose cannot be judged with a client of these capabilities, "" if it can.

    Without a movable clock, purposes on the time of day are unsupported.
    """
    if beyond := out_of_reach(exercise, reach):
        return beyond
    needs = load()[purpose].capability
    declared = getattr(capabilities, needs) if needs else True
    # An observed client is judged by its traffic, whether or not it claims the capability.
    if not declared and (exercise.asks or declared is False):
        return f"capability {needs} {'not claimed' if declared is None else 'disclaimed'} by the client"
    if exercise.setup.clock == "moved" and not moves_clock(capabilities):
        return "the client's clock cannot be moved"
    return ""


def out_of_reach(exercise: Exercise, reach: Reach) -> str:
    """Return why the bench cannot run an exercise with a client that it does not start, "" if it can."""
    if not reach.asks and exercise.asks:
        return "the client is only observed and takes no requests"
    if reach.accounts is None:
        return ""
    if exercise.setup.wrong_password or exercise.setup.ported:
        return "needs a client that the bench can give other passwords or ported numbers"
    known = {account.code: (account.rate_per_s, account.oadc_option) for account in reach.accounts}
    for code, rate in exercise.rates.items():
        wanted = (rate, code in exercise.setup.oadc_option)
        if known.get(code) != wanted:
            option = "with" if wanted[1] else "without"
            return f"the client has no account for {code} at {rate} SMS/s {option} the OAdC option"
    return ""


def bench_was_late(findings: Iterable[Finding], run: Run) -> str:
    """Return the purpose left inconclusive by the bench's own lateness, with the lateness; "" if there is none.

    A failure remains one even if other purposes are inconclusive.
    """
    findings = list(findings)
    opened = [one for one in findings if one.outcome == "inconclusive" and one.blame == "bench"]
    if not opened or any(one.outcome == "fail" for one in findings):
        return ""
    trace = Trace(run)
    for one in opened:
        late_us = max((trace.largest_timing_error(shown.start, shown.end) for shown in one.evidence), default=0)
        if late_us:
            return f"{one.purpose} inconclusive, bench {late_us / 1000:.1f} ms late"
    return ""


def _finding(purpose: str, conducted: Conducted, case: Case, client: tuple[Capabilities, Reach]) -> Finding:
    exercise, rule = conducted.exercise, load()[purpose]
    clause = case.contract.clause_of(purpose)
    why = unsupported(purpose, exercise, *client) or conducted.left_out
    if why:
        return Finding(purpose, clause, "unsupported", why, exercise=exercise.name)
    if conducted.blame == "client":
        return _as_far_as_seen(judge(purpose, case, exercise.name), conducted.trouble)
    if conducted.trouble:
        return Finding(purpose, clause, "error", conducted.trouble, blame=conducted.blame, exercise=exercise.name)
    # Only the exercise's own purposes depend on the client's clock.
    if exercise.setup.clock == "moved" and purpose in exercise.purposes and (why := doubt(case)):
        summary = f"the client's clock is not proved: {why}"
        if (proof := prove(case)) is not None and proof.open:  # the messages that show it were late
            return Finding(purpose, clause, "inconclusive", summary, blame="bench", exercise=exercise.name)
        return Finding(purpose, clause, "unsupported", summary, exercise=exercise.name)
    found = judge(purpose, case, exercise.name)
    return found if exercise.asks else without_occasion(rule, found)


def _as_far_as_seen(finding: Finding, trouble: str) -> Finding:
    """Return the finding on a client that ended early: recorded failures remain, the rest is inconclusive."""
    if finding.outcome == "fail" and finding.blame == "client":
        parts = (*finding.parts, trouble)
        return msgspec.structs.replace(finding, summary=prose(parts), parts=parts)
    return Finding(finding.purpose, finding.clause, "inconclusive", trouble, blame="client", exercise=finding.exercise)
