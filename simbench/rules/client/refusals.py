"""Rules on refusals and late results of submits: OPS-ACH-03. A table gives the duty for each error code.

Sources: EMI-UCP 4.0 section 9 and the reference of codes (`simbench.ucp.codes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np
from msgspec.structs import replace

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Outcome
from simbench.ledger.stimuli import LATER, Reported
from simbench.rules.arrays import FOREVER_US, tokened, unanswered
from simbench.rules.client.outages import interruptions
from simbench.rules.evidence import first_frames, framed
from simbench.rules.kernels.queues import ASTRAY, IN_USE, SAME, out_of_order
from simbench.rules.rule import Case, Verdict, none_wrong, rule
from simbench.trace.rows import FrameSeen, Submit
from simbench.trace.single_frames import REUSED
from simbench.ucp.frame import WIRE_ERRORS

_FEW: Final = 49  # with fewer unanswered operations, a number among the fifty after the last one is free
Duty = Literal["give up", "try again", "either"]

# The duty of a client after a refusal: give the message up if the reason lies in the message and will recur, try again
# if the reason is temporary. No source gives the duty for other codes, and none obliges a client to try again.
DUTIES: dict[str, Duty] = {
    "01": "try again",  # damaged in transit
    "02": "give up",
    "03": "give up",
    "04": "try again",  # not allowed at this point in time
    "05": "give up",
    "06": "give up",
    "07": "give up",
    "22": "give up",
    "23": "give up",
    "24": "give up",
    "26": "give up",
    "28": "give up",
    "55": "either",  # a system error
    "90": "either",  # defined by the operator
}


def _refused(case: Case, duty: Duty) -> Iterator[tuple[Submit, int]]:
    """Yield the first refusal of each message with a code of this duty, and how often it was sent afterwards."""
    first: dict[tuple[str, str], Submit] = {}
    again: dict[tuple[str, str], int] = {}
    for _, row in tokened(case.trace.submits):
        key = (row.token, row.text)
        if key in first and row.at > first[key].result_at:
            again[key] = again.get(key, 0) + 1
        elif row.ack == "N" and DUTIES.get(row.ec) == duty:
            first.setdefault(key, row)
    return ((row, again.get(key, 0)) for key, row in first.items())


def _judged(refused: list[tuple[Submit, int]], wrong: list[Submit], verb: str, outcome: Outcome = "fail") -> Verdict:
    codes = ", ".join(sorted({row.ec for row, _ in refused}))
    summary = f"{len(wrong):,} of {count(len(refused), 'refused message')} (EC {codes}) {verb}"
    evidence = tuple(framed(f"EC {r.ec}, {verb}", r, until=r.result_at) for r in wrong[:6])
    return none_wrong(summary, len(wrong), "messages", evidence, outcome=outcome)


@rule(
    "submits.given-up",
    "The client gives up a message that was refused for a reason in the message itself",
    usual_cause="Every negative result leads to another attempt, whatever its error code.",
    catches=("retries-final-nack",),
)
def given_up(case: Case) -> Verdict:
    """Check messages refused with codes after which the client must give up."""
    refused = list(_refused(case, "give up"))
    if not refused:
        return Verdict("inconclusive", "the platform refused no message for a lasting reason", blame="bench")
    return _judged(refused, [row for row, again in refused if again], "sent again")


@rule(
    "submits.tried-again",
    "The client sends a message again after a refusal for a temporary reason",
    usual_cause="Every negative result is treated as final.",
    catches=("gives-up-on-nack",),
    at_worst="weak",
)
def tried_again(case: Case) -> Verdict:
    """Check messages refused with temporary codes and later acceptable. No clause obliges the client: weak.

    A client that reports another attempt may make it after the end of the record: inconclusive.
    """
    refused = list(_refused(case, "try again"))
    if not refused:
        return Verdict("inconclusive", "the platform refused no message for a temporary reason", blame="bench")
    waiting, end = _waiting(case), case.trace.span[1]
    missing = [row for row, again in refused if not again]
    watched = f" within {min(end - row.result_at for row in missing) // SECOND_US:,} s" if missing else ""
    found = _judged(refused, missing, f"not sent again{watched}", "weak")
    if missing and all(row.token in waiting for row in missing):
        summary = f"{found.summary}; the client reported another attempt"
        return replace(found, outcome="inconclusive", summary=summary, blame="bench")
    return found


def _waiting(case: Case) -> set[str]:
    """Return the tokens of refused messages that the client, by its last report, will send again."""
    last = {one.token: one for one in case.trace.stimuli if isinstance(one, Reported)}
    return {token for token, one in last.items() if one.kind == "refused" and one.detail.endswith(LATER)}


@rule(
    "submits.late-results",
    "When a result is late but within the result timer, the client neither resends nor disconnects",
    usual_cause="The result timer is shorter than documented, or a missing result is treated as a refusal.",
    catches=("impatient",),
)
def late_results(case: Case) -> Verdict:
    """Check that every message is submitted once; an interrupted connection makes the rule inconclusive."""
    limit_us = case.contract.terms.session.result_timer_max_s.value * SECOND_US
    assumed = case.contract.assumed("session.result_timer_max_s")
    submits = list(case.trace.submits.rows())
    late = [row for row in submits if limit_us // 10 < row.result_at - row.at < limit_us]
    never = any(row.result_at < 0 for row in submits)
    if not late and not never:
        return Verdict("inconclusive", "no result was late", blame="bench")
    seen: dict[tuple[str, str], Submit] = {}
    again = [row for row in submits if row.token and seen.setdefault((row.token, row.text), row) is not row]
    summary = f"{count(len(late), 'late result')}, {count(len(again), 'message')} sent again"
    if interruptions(case):
        return Verdict("inconclusive", f"{summary}, but connections were interrupted", blame="bench")
    if not again:
        return Verdict("pass" if late else "inconclusive", summary, 0, 0, "messages", "", assumed)
    evidence = first_frames("sent again", again)
    return Verdict("fail", summary, len(again), 0, "messages", "client", assumed, evidence)


def left_out(case: Case) -> tuple[int, int, list[FrameSeen]]:
    """Return the numbers of operations and connections, and the operations before which a free number was left out.

    A broken frame, or one whose number is in use, takes its number and is no step in the order, because its number may
    be misread.
    """
    frames = case.trace.frames
    open_: dict[int, set[str]] = defaultdict(set)
    broken: dict[int, set[str]] = defaultdict(set)  # numbers of broken frames since the last sound operation
    last: dict[int, int] = {}
    total, gaps = 0, list[FrameSeen]()
    for row in frames.where(frames.ot != "60").rows():
        if row.direction == "out":
            if row.kind == "R":
                open_[row.session].discard(row.trn)
            continue
        if row.kind != "O" or not row.trn.isdigit():
            continue
        open_[row.session].add(row.trn)
        if row.problem == REUSED or row.problem in WIRE_ERRORS:
            broken[row.session].add(row.trn)
            continue
        number, before = int(row.trn), last.get(row.session)
        total += 1
        if before is not None:
            between = ((before + step) % 100 for step in range(1, (number - before) % 100))
            taken = open_[row.session] | broken[row.session]
            if any(f"{one:02d}" not in taken for one in between):
                gaps.append(row)
        broken[row.session].clear()
        last[row.session] = number
    return total, len(last), gaps


def _many_unanswered(case: Case) -> bool:
    """Return whether unanswered operations may occupy all fifty numbers after another one."""
    others = case.trace.other_frames
    broken = len(others.where(others.equal("direction", "in") & ~others.equal("problem", "")))
    alerts = sum(row.result_at < 0 for row in case.trace.alerts.rows())
    return bool(unanswered(case.trace.submits, FOREVER_US).max(initial=0) + broken + alerts >= _FEW)


@rule(
    "submits.trn-discipline",
    "Transaction numbers of a connection rise from 00 to 99 and start again at 00; none is reused while in use",
    usual_cause="Numbers are random, or are counted without regard to those still in use.",
    catches=("reuses-trn",),
    suites=("client", "watched", "audit"),
    absence="session",
)
def trn_discipline(case: Case) -> Verdict:
    """Fail for reuse of a number in use; numbers out of order are weak. The login may have any number."""
    operations = case.trace.numbers()
    if not len(operations.order):
        return Verdict("inconclusive", "the client sent no operation", blame="client")
    broken = np.zeros(len(operations.order), np.int8)
    last = np.full(int(operations.line.max()) + 1, -1)
    out_of_order.at_scale(len(broken))(operations.line, operations.trn, operations.in_use, last, broken)
    if ASTRAY in broken and _many_unanswered(case):
        # So many unanswered operations may occupy all numbers up to the one chosen.
        free = {(row.session, row.at, row.trn) for row in left_out(case)[2]}
        places = np.flatnonzero(broken == ASTRAY)
        rows = case.trace.operations_at(operations.order[places].tolist())
        broken[
            [place for place, row in zip(places, rows, strict=True) if (row.session, row.at, row.trn) not in free]
        ] = 0
    in_use, odd, same = (operations.order[broken == kind] for kind in (IN_USE, ASTRAY, SAME))
    summary = (
        f"{count(len(operations.order), 'operation')}, {len(in_use):,} with a number in use, {len(odd):,} out of order"
    )
    if len(same):
        summary += f", {len(same):,} with the number of the previous one"
    wrong = next((orders for orders in (in_use, odd, same) if len(orders)), None)
    if wrong is None:
        return Verdict("pass", summary, 0, 0, "operations")
    evidence = tuple(framed(f"TRN {r.trn}", r) for r in case.trace.operations_at(wrong[:6].tolist()))
    outcome: Outcome = "fail" if len(in_use) else "weak"
    return Verdict(outcome, summary, len(wrong), 0, "operations", "client", (), evidence)
