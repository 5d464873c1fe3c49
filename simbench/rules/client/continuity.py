"""Rules on continuity: outages of every mode and of one code, maintenance, validity periods, lasting sessions.

OPS-PRE-03, OPS-CON-05, OPS-ACH-07. `losses` measures lost and repeated messages, `outages` late returns.
"""

from __future__ import annotations

from simbench.base.text import count
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.finding import Evidence
from simbench.ledger.events import ExerciseEnded
from simbench.ledger.stimuli import Announced
from simbench.rules.client.limits import owners
from simbench.rules.client.losses import no_duplicates, nothing_lost
from simbench.rules.client.outages import comes_back, returns
from simbench.rules.evidence import first_frames, framed
from simbench.rules.requests import sends
from simbench.rules.rule import Case, RuleFunction, Verdict, none_wrong, rule, worst

SETTLE_US = SECOND_US  # octets in flight when an outage begins still arrive

MODES = {
    "cut": "that closes connections in order (FIN) and then accepts none",
    "reset": "that resets every connection (RST) and then accepts none",
    "refuse": "that leaves connections open but silent and accepts no new one",
    "silent": "during which the platform reads and answers nothing",
    "deaf-results": "during which the platform reads everything and answers nothing",
}


def _enter_mode(mode: str, how: str) -> RuleFunction:
    def judge(case: Case) -> Verdict:
        """The worst of `outage.comes-back`, `outage.nothing-lost` and `outage.no-duplicates` after such an outage."""
        if not any(one == mode for *_, one in case.trace.outages):
            return Verdict("inconclusive", f"there was no outage of mode {mode}", blame="bench")
        return worst(measure(case) for measure in (comes_back, nothing_lost, no_duplicates))

    sentence = f"After an outage {how}, the client reconnects, loses no message and repeats none"
    catches = ("never-reconnects", "forgets-on-reconnect", "resend-known-received")
    shown = {"reset": catches[:2], "deaf-results": (catches[0], catches[2])}.get(mode, catches[:1])
    return rule(f"outage.after-{mode}", sentence, catches=shown)(judge)


for _mode, _how in MODES.items():
    _enter_mode(_mode, _how)


@rule(
    "outage.partial-outage",
    "While one code is out of service the others keep working, and that code returns with all its messages",
    usual_cause="One account's lost connection ends or blocks those of the others.",
    catches=("never-reconnects", "forgets-on-reconnect", "hangs-up-together"),
)
def partial_outage(case: Case) -> Verdict:
    """Check outages of a single code: its account's return, the sessions of other codes, and lost messages."""
    outages = [(start, end, scope) for start, end, scope, _ in case.trace.outages if scope in case.trace.limits]
    if not outages:
        return Verdict("inconclusive", "there was no outage of a single code", blame="bench")
    limit_s = case.contract.terms.session.reconnect_grace_s.value
    judged = [nothing_lost(case), no_duplicates(case)]
    sessions = [row for row in case.trace.sessions.rows() if row.login_ack == "A"]
    for start, end, code in outages:
        mine = {account for account, codes in owners(case).items() if account and code in codes} or {code}
        back = [r for r in sessions if r.account in mine and end <= r.login_at <= end + limit_s * SECOND_US]
        if not back and any(r.account in mine and r.login_at < start for r in sessions):
            summary = f"{code} did not reconnect within {limit_s} s"
            judged.append(Verdict("fail", summary, None, limit_s, "s", "client", (), (Evidence(summary, end, end),)))
        left = [r for r in sessions if r.account not in mine and r.closed_by == "peer" and start <= r.closed_at <= end]
        if left:
            evidence = tuple(
                Evidence(f"{r.account} closed its connection", r.closed_at, r.closed_at, r.session) for r in left[:6]
            )
            summary = f"the client closed {count(len(left), 'session')} of other codes"
            judged.append(Verdict("fail", summary, len(left), 0, "sessions", "client", (), evidence))
    return worst(judged)


@rule(
    "outage.announced-maintenance",
    "For an announced maintenance the client drains its window, disconnects, and returns afterwards",
    usual_cause="The announcement starts no timer, or the client does not reconnect afterwards.",
    catches=("ignores-notices",),
    capability="heeds_notices",
)
def announced_maintenance(case: Case) -> Verdict:
    """Check for submits and connections in the announced time, unanswered submits at its start, and the return."""
    announced = [one for one in case.trace.stimuli if isinstance(one, Announced)]
    if not announced:
        return Verdict("inconclusive", "no maintenance was announced", blame="bench")
    submits = list(case.trace.submits.rows())
    if not submits:
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    wrong: list[Evidence] = []
    for one in announced:
        start, end = one.start, one.end
        during = [r for r in submits if start <= r.at < end]
        undone = [r for r in submits if r.at < start and not 0 <= r.result_at < start + SETTLE_US]
        for note, rows in (("submitted during maintenance", during), ("unanswered when maintenance began", undone)):
            wrong += [framed(note, r) for r in rows]
        dialled = [r for r in case.trace.sessions.rows() if start + SETTLE_US <= r.opened_at < end - SETTLE_US]
        wrong += [Evidence("connected during maintenance", r.opened_at, r.opened_at, r.session) for r in dialled]
    against = count(len(wrong), "operation or connection", "operations or connections")
    summary = f"{count(len(announced), 'announcement')}, {against} against it"
    if wrong:
        return Verdict("fail", summary, len(wrong), 0, "operations", "client", (), tuple(wrong[:6]))
    return worst([Verdict("pass", summary, 0, 0, "operations"), returns(case, asked_to_leave=True), nothing_lost(case)])


@rule(
    "validity.validity-kept",
    "A message held back by an outage keeps the validity requested, and is not sent after that has ended",
    usual_cause="The validity is counted from the late submit instead of the request.",
    catches=("renews-validity", "leaves-validity-out"),
    capability="keeps_validity",
)
def validity_kept(case: Case) -> Verdict:
    """Compare instants of submits and their VP, which has a resolution of one minute, with the requested end."""
    asked = {token: one for token, one in sends(case).items() if one.validity_s}
    ends = {token: one.at + one.validity_s * SECOND_US for token, one in asked.items()}
    outages = [(start, end) for start, end, *_ in case.trace.outages]
    over = [token for token, at in ends.items() if any(start <= at <= end for start, end in outages)]
    if not over:
        return Verdict("inconclusive", "no validity ended during an outage", blame="bench")
    submits = [row for row in case.trace.submits.rows() if row.token in ends]
    if not submits:
        return Verdict("inconclusive", "the client submitted nothing with a validity", blame="client")
    late = [row for row in submits if row.at > ends[row.token] + SECOND_US]
    default_us = case.contract.terms.delivery.validity_default_h.value * HOUR_US  # of a submit without a VP
    parse_minute = case.contract.calendar.parse_minute
    until = [parse_minute(row.validity) or row.at + default_us for row in submits]
    longer = [row for row, end in zip(submits, until, strict=True) if end > ends[row.token] + MINUTE_US]
    wrong = [row for row in submits if row in late or row in longer]
    messages = f"{count(len(ends), 'message')} with a validity"
    summary = f"{messages}: {len(late):,} sent after its end, {len(longer):,} with a later end than requested"
    evidence = first_frames("validity", wrong)
    return none_wrong(summary, len(wrong), "messages", evidence)


@rule(
    "sessions.sessions-last",
    "The client keeps every healthy connection open",
    usual_cause="A timer closes idle connections, or each message has its own connection.",
    catches=("hangs-up-when-quiet",),
)
def sessions_last(case: Case) -> Verdict:
    """Count accepted sessions that the client closed, except in an outage or at the end of the run."""
    limit_s = case.contract.terms.session.keepalive_expected_s.value
    ended = [at for at, event in case.trace.events if isinstance(event, ExerciseEnded)]
    last = min(ended, default=case.trace.span[1])
    sessions = [row for row in case.trace.sessions.rows() if row.login_ack == "A"]
    watched = max((min(last, r.closed_at if r.closed_at >= 0 else last) - r.login_at for r in sessions), default=0)
    down = [(start, end) for start, end, *_ in case.trace.outages]
    left = [
        r
        for r in sessions
        if r.closed_by == "peer" and r.closed_at < last and not any(s <= r.closed_at <= e for s, e in down)
    ]
    closed = f"{count(len(sessions), 'session')}, {len(left):,} closed by the client"
    summary = f"{closed}; the longest lasted {watched / SECOND_US:.0f} s"
    if left:
        evidence = tuple(Evidence("closed by the client", r.closed_at, r.closed_at, r.session) for r in left[:6])
        return Verdict("fail", summary, len(left), 0, "sessions", "client", (), evidence)
    if not len(case.trace.submits) or watched < limit_s * SECOND_US:
        return Verdict("inconclusive", f"{summary}, less than the {limit_s} s needed", blame="bench")
    return Verdict("pass", summary, 0, 0, "sessions")
