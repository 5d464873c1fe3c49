"""Rules on several connections and reconnections: keepalives, windows, transaction numbers and rate on each.

They repeat purposes of other files in exercises that test them after a reconnection, so that a fault is named once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Blame, Evidence, Outcome
from simbench.rules.client.connection_sessions import keepalive, window_kept
from simbench.rules.client.limits import windows
from simbench.rules.client.refusals import left_out, trn_discipline
from simbench.rules.client.throughput import backlog_at_tier
from simbench.rules.evidence import first_frames
from simbench.rules.requests import sends
from simbench.rules.rule import Case, Verdict, missed, none_wrong, rule

LEAST_RETURNS: Final = 2  # logins of one account needed to judge behaviour after a reconnection
SLACK: Final = 1.5  # multiple of the result timer within which a client must act; many check timers rarely


def _returned(case: Case) -> Verdict | None:
    """Return an inconclusive verdict, or None if an account logged in twice and the client submitted."""
    logins: dict[str, int] = defaultdict(int)
    for row in case.trace.sessions.rows():
        logins[row.account] += row.login_ack == "A"
    if max(logins.values(), default=0) >= LEAST_RETURNS and len(case.trace.submits):
        return None
    return Verdict("inconclusive", "no account reconnected", blame="client")


@rule(
    "sessions.keepalive-on-each",
    "With several accounts the client keeps every connection alive, after a reconnection as well",
    usual_cause="One timer serves all connections, or the timer of a lost connection is not started again.",
    catches=("keeps-one-alive",),
)
def keepalive_on_each(case: Case) -> Verdict:
    """Judge as `sessions.keepalive` with several connections."""
    return keepalive(case)


@rule(
    "sessions.window-after-return",
    "The client keeps its window on each connection anew after a reconnection",
    usual_cause="Operations of a lost connection count as answered, or the window is not reset with it.",
    catches=("window-grows",),
)
def window_after_return(case: Case) -> Verdict:
    """Judge as `sessions.window` when connections end with unanswered operations."""
    return _returned(case) or window_kept(case, reuse=False)


@rule(
    "submits.trn-after-return",
    "The client numbers its operations correctly on each connection after a reconnection",
    usual_cause="The numbering continues across connections, while numbers of the lost one count as in use.",
    catches=("reuses-trn-after-return",),
)
def trn_after_return(case: Case) -> Verdict:
    """Judge as `submits.trn-discipline` when connections end with unanswered operations."""
    return _returned(case) or trn_discipline(case)


@rule(
    "rate.after-each-return",
    "The client keeps its tier after every reconnection, not only after the first",
    usual_cause="The limiter belongs to the connection and is reset with each.",
    catches=("bursts-after-second-return",),
    capability="limits_rate",
)
def after_each_return(case: Case) -> Verdict:
    """Judge the tier over the whole run: submits on the old connection count on the new one."""
    return _returned(case) or backlog_at_tier(case)


@rule(
    "rate.turn-of-the-second",
    "The client keeps its tier across the turn of a second and of a minute",
    usual_cause="The limiter counts by the second of the clock, so that two bursts meet at its turn.",
    catches=("counts-by-the-second", "starts-anew-each-minute"),
    capability="limits_rate",
)
def turn_of_the_second(case: Case) -> Verdict:
    """A limiter that counts by the second or the minute of the clock sends up to twice its rate around the turn."""
    return backlog_at_tier(case)


@rule(
    "submits.trn-in-order",
    "Transaction numbers of a connection follow one another, 00 after 99, and none is left out",
    usual_cause="The counter starts at 01, or one counter serves several connections.",
    catches=("skips-trn-00",),
    at_worst="weak",
)
def trn_in_order(case: Case) -> Verdict:
    """Find free numbers left out; numbers in use may be. No clause requires the order, so a gap is weak.

    Logins are exempt.
    """
    total, connections, gaps = left_out(case)
    if total <= connections:
        return Verdict("inconclusive", "the client sent no two operations on a connection", blame="client")
    summary = f"{count(total, 'operation')}, {count(len(gaps), 'time')} a free number was left out"
    return none_wrong(
        summary, len(gaps), "operations", first_frames("a number was left out before", gaps), outcome="weak"
    )


@rule(
    "sessions.window-freed",
    "A client whose window is full of operations that are never answered continues after its result timer",
    usual_cause="An operation without a result has no timer, so it occupies the window for ever.",
    catches=("waits-for-ever",),
)
def window_freed(case: Case) -> Verdict:
    """Measure the time from the last unanswered submit in the full window to the client's next act."""
    timer_s = case.contract.terms.session.result_timer_max_s.value
    assumed = case.contract.assumed("session.result_timer_max_s")
    known, size = windows(case), case.contract.terms.session.window.value
    lost: dict[int, list[int]] = defaultdict(list)
    accounts: dict[int, str] = {}
    for row in case.trace.submits.rows():
        accounts[row.session] = row.account
        if row.result_at < 0:
            lost[row.session].append(row.at)
    full = {one: at[-1] for one, at in lost.items() if len(at) >= known.get(accounts[one], size)}
    if not full:
        summary = "the client never filled its window with unanswered operations"
        return Verdict("inconclusive", summary, blame="client" if len(case.trace.submits) else "bench")
    stuck, waited_us = [], 0
    for session, since in full.items():
        acted, end = _next_act(case, session, accounts[session], since)
        waited_us = max(waited_us, end - since)
        if not acted and end < since + round(SLACK * timer_s * SECOND_US):
            return Verdict("inconclusive", "the record ended before the client's result timer", blame="bench")
        if not acted:
            note = f"{accounts[session]}: window full, nothing further sent"
            stuck.append(Evidence(note, since, end, session))
    waiting = sum(1 for token in sends(case) if token not in set(case.trace.submits.token.tolist()))
    summary = f"window full of unanswered operations on {count(len(full), 'connection')}; "
    if not stuck:
        summary += f"the client continued after {waited_us / SECOND_US:.1f} s (result timer {timer_s} s)"
        late = waited_us > SLACK * timer_s * SECOND_US
        outcome: Outcome = missed(case.contract, "session.result_timer_max_s") if late else "pass"
        blame: Blame = "client" if late else ""
        return Verdict(outcome, summary, round(waited_us / SECOND_US, 1), SLACK * timer_s, "s", blame, assumed)
    summary += f"nothing sent for {waited_us / SECOND_US:.0f} s, {count(waiting, 'message')} never sent"
    return Verdict(
        "fail", summary, round(waited_us / SECOND_US, 1), SLACK * timer_s, "s", "client", assumed, tuple(stuck)
    )


def _next_act(case: Case, session: int, account: str, since: int) -> tuple[bool, int]:
    """Return whether the client acted for that account before the platform closed the connection, and when.

    If it did not act, the second value is the end of observation.
    """
    rows = case.trace.sessions.rows()
    closed = next((row.closed_at for row in rows if row.session == session and row.closed_by != "peer"), -1)
    last = closed if closed >= 0 else case.trace.span[1]
    acts = [row.at for row in case.trace.submits.rows() if row.account == account and row.at > since]
    acts += [row.closed_at for row in rows if row.session == session and row.closed_by == "peer"]
    first = min(acts, default=last)
    return first < last, min(first, last)
