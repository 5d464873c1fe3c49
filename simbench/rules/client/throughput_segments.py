"""Further rules on rate: long messages by segment, several codes at once. OPS-ACH-04, OPS-ENG-01."""

from __future__ import annotations

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.rules.client.throughput import code_rates, held_against, if_waited
from simbench.rules.evidence import framed
from simbench.rules.requests import sends
from simbench.rules.rule import Case, Verdict, rule, worst
from simbench.trace.rows import Submits

TOGETHER_US = 5 * SECOND_US


def within(case: Case, code: str, operations: Submits, rate: int) -> Verdict:
    """Judge a code's operations: fail beyond tau and the bench's timing error, inconclusive between the two."""
    assumed = case.contract.assumed("throughput.jitter_ms", "rate-meter")
    strict, lenient = held_against(case, operations, rate)
    summary = f"{code}: {count(len(operations), 'operation')}, {strict.peak} in the busiest second (limit {rate}/s)"
    if not strict.early:
        return Verdict("pass", summary, 0, 0, "operations too early", "", assumed)
    outcome, blame = ("fail", "client") if lenient.early else ("inconclusive", "bench")
    wrong = operations.where((lenient.early or strict.early).array)
    evidence = tuple(
        framed(f"{code}: too early for {rate}/s", r, since=r.at - SECOND_US) for r in wrong.where(slice(5)).rows()
    )
    return Verdict(outcome, summary, len(wrong), 0, "operations too early", blame, assumed, evidence)  # type: ignore[arg-type]  # pairs of literals


@rule(
    "rate.long-messages",
    "Long messages count by segment against the rate",
    usual_cause="The limiter counts messages instead of segments.",
    catches=("counts-messages", "no-pacing"),
    capability="limits_rate",
)
def long_messages(case: Case) -> Verdict:
    """Judge texts of several segments, each of which counts (AMB-05)."""
    submits = case.trace.submits
    asked = {row.code for row in sends(case).values()}
    judged = []
    for code, rate in code_rates(case).items():
        of_code = submits.where(submits.equal("code", code))
        if code not in asked or not len(of_code):
            continue
        if not any(not token for token in of_code.token.tolist()):
            judged.append(
                Verdict("inconclusive", f"{code}: the client sent no message of several segments", blame="client")
            )
        else:
            judged.append(within(case, code, of_code, rate))
    return worst(judged, "the client submitted nothing")


@rule(
    "rate.several-codes",
    "With a backlog on several codes, each code uses and keeps its own rate",
    usual_cause="One limiter serves all codes, so that one waits for another.",
    catches=("one-tier-for-all", "no-pacing"),
    capability="limits_rate",
)
def several_codes(case: Case) -> Verdict:
    """Judge the time in which all codes had a backlog: above its rate is a failure, far below it is weak."""
    submits, share = case.trace.submits, case.contract.terms.throughput.use_share.value
    rates = (
        {code: rate for code, rate in code_rates(case).items() if submits.equal("code", code).any()}
        if len(submits)
        else {}
    )
    if len(rates) < 2 or len(set(rates.values())) < 2:
        return Verdict("inconclusive", "no two codes of different rates had a backlog", blame="client")
    start = max(int(submits.at[submits.equal("code", code)][0]) for code in rates)
    end = min(int(submits.at[submits.equal("code", code)][-1]) for code in rates)
    judged = []
    for code, rate in rates.items():
        common = submits.where(submits.equal("code", code) & (submits.at >= start) & (submits.at <= end))
        if end - start < TOGETHER_US:
            found = within(case, code, submits.where(submits.equal("code", code)), rate)
            summary = f"the codes had a common backlog for less than {TOGETHER_US / SECOND_US:.0f} s"
            judged.append(found if found.outcome == "fail" else Verdict("inconclusive", summary, blame="bench"))
            continue
        found = within(case, code, common, rate)
        reached = len(common) * SECOND_US / (end - start)
        if found.outcome == "pass" and reached < share * rate:
            summary = f"{code}: {reached:.1f}/s of {rate}/s while other codes had a backlog"
            found = Verdict("weak", summary, round(reached, 2), rate, "messages/s", "client")
        judged.append(if_waited(case, code, rate, found))
    return worst(judged)
