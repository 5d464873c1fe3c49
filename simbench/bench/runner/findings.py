"""From conducted exercises to findings. Starts no client and no server."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.runner.run_exercise import Conducted
from simbench.bench.sut.protocol import WITHIN_REACH, Capabilities, Reach
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.ledger import Run
from simbench.rules.audit import without_occasion
from simbench.rules.client.client_clock import doubt
from simbench.rules.rule import Case, judge, load
from simbench.trace.trace import Reading


def judge_exercise(
    conducted: Conducted,
    purposes: Iterable[str],
    contract: Contract,
    capabilities: Capabilities,
    reach: Reach = WITHIN_REACH,
) -> list[Finding]:
    """One finding a purpose: unsupported without the capability, an error when the bench broke, else the rule's.

    Where the client broke off, what it was seen to do wrong stands; the rest cannot be told.
    """
    case = Case(Reading(conducted.run), contract)
    return [_finding(purpose, conducted, case, (capabilities, reach)) for purpose in purposes]


def unsupported(purpose: str, exercise: Exercise, capabilities: Capabilities, reach: Reach = WITHIN_REACH) -> str:
    """Why a purpose cannot be judged with a client of these capabilities, "" when it can.

    A clock that cannot be moved leaves out what depends on the time of day: nothing of that can pass.
    """
    if beyond := out_of_reach(exercise, reach):
        return beyond
    needs = load()[purpose].capability
    declared = getattr(capabilities, needs) if needs else True
    # What a client that is only watched does by itself binds it, whether or not it says that it can do better.
    if not declared and (exercise.asks or declared is False):
        said = "does not say that it does" if declared is None else "says that it does not"
        return f"needs the capability {needs}; the client {said} have it"
    if exercise.setup.clock == "moved" and capabilities.clock not in {"offset", "speed"}:
        return "the client's clock cannot be moved"
    return ""


def out_of_reach(exercise: Exercise, reach: Reach) -> str:
    """Why an exercise cannot be run with a client the bench does not start, "" when it can."""
    if not reach.asks and exercise.asks:
        return "the client is only watched: it cannot be asked to send"
    if reach.accounts is None:
        return ""
    if exercise.setup.wrong_password or exercise.setup.ported:
        return "needs a client that can be told of other passwords, or of ported numbers"
    known = {account.code: (account.rate_per_s, account.oadc_option) for account in reach.accounts}
    for code, rate in exercise.rates.items():
        wanted = (rate, code in exercise.setup.oadc_option)
        if known.get(code) != wanted:
            option = "with" if wanted[1] else "without"
            return f"the client has no account for {code} at {rate} SMS/s {option} the OAdC option"
    return ""


def bench_was_late(findings: Iterable[Finding], run: Run) -> str:
    """Which outcome the bench's own lateness left open, and by how much it was late there; "" when it left none.

    A failure counts whatever else is open, so that no client fares better for the bench's trouble.
    """
    findings = list(findings)
    opened = [one for one in findings if one.outcome == "inconclusive" and one.blame == "bench"]
    if not opened or any(one.outcome == "fail" for one in findings):
        return ""
    reading = Reading(run)
    for one in opened:
        late_us = max((reading.local_grain(shown.start, shown.end) for shown in one.evidence), default=0)
        if late_us:
            return f"{one.purpose} stayed open, the bench was {late_us / 1000:.1f} ms late"
    return ""


def _finding(purpose: str, conducted: Conducted, case: Case, client: tuple[Capabilities, Reach]) -> Finding:
    exercise, rule = conducted.exercise, load()[purpose]
    clause = rule.clause
    why = unsupported(purpose, exercise, *client) or conducted.left_out
    if why:
        return Finding(purpose, clause, "unsupported", why, exercise=exercise.name)
    if conducted.blame == "client":
        return _as_far_as_seen(judge(purpose, case, exercise.name), conducted.trouble)
    if conducted.trouble:
        return Finding(purpose, clause, "error", conducted.trouble, blame=conducted.blame, exercise=exercise.name)
    # What an exercise is not for, but reveals all the same, hangs on no clock.
    if exercise.setup.clock == "moved" and purpose in exercise.purposes and (why := doubt(case)):
        summary = f"the client's clock is not proved: {why}"
        return Finding(purpose, clause, "unsupported", summary, exercise=exercise.name)
    found = judge(purpose, case, exercise.name)
    return found if exercise.asks else without_occasion(rule, found)


def _as_far_as_seen(finding: Finding, trouble: str) -> Finding:
    """A finding on a client that broke off: a fault that was seen stays one, all else is inconclusive."""
    if finding.outcome == "fail" and finding.blame == "client":
        return msgspec.structs.replace(finding, summary=f"{finding.summary}; and {trouble}")
    return Finding(finding.purpose, finding.clause, "inconclusive", trouble, blame="client", exercise=finding.exercise)
