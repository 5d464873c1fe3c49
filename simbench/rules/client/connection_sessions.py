"""Rules on the connection: OPS-CON-02, OPS-CON-03. They read the frames recorded on the wire.

Sources: the UCP reference, sections 1.3 (frames), 1.5 (keepalive), 5 (login) and 7 (notifications).
"""

from __future__ import annotations

import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Blame, Evidence
from simbench.rules.arrays import slices, some_of
from simbench.rules.client.limits import captured, window_sizes
from simbench.rules.client.refused_logins import BAD_LOGIN, excused
from simbench.rules.evidence import framed
from simbench.rules.kernels.metering import LONG_AGO
from simbench.rules.kernels.queues import BEYOND, IN_USE, most_unanswered
from simbench.rules.rule import Case, Verdict, missed, rule, worst
from simbench.trace.rows import Mo, Notification

SHOWN = 5
_AT_END = 4


@rule(
    "sessions.well-formed",
    "Every frame of the client is a well-formed UCP frame with the fields its operation requires",
    usual_cause="Length, checksum or fields are composed by hand.",
    catches=("bad-checksum", "bad-length", "missing-field", "extra-field"),
    suites=("client", "watched", "audit"),
    absence="session",
)
def well_formed(case: Case) -> Verdict:
    """Fail for malformed frames and wrong fields; deviations that the SMSC tolerates are weak."""
    seen, frames = case.trace.frames_seen("in"), case.trace.other_frames
    if not seen:
        return Verdict("inconclusive", "the client sent nothing", blame="client")
    wrong = frames.where(frames.equal("direction", "in") & ~frames.equal("problem", ""))
    evidence = tuple(framed(row.problem, row) for row in wrong.where(slice(SHOWN)).rows())
    hard = not wrong.tolerated.all()
    if not len(wrong):
        return Verdict("pass", f"all {count(seen, 'frame')} well-formed", 0, 0, "frames")
    problems, which = wrong.distinct("problem")
    named = ", ".join(sorted(problems[number] for number in np.unique(which).tolist())[:4])
    summary = f"{len(wrong):,} of {count(seen, 'frame')} malformed: {named}"
    return Verdict("fail" if hard else "weak", summary, len(wrong), 0, "frames", "client", (), evidence)


@rule(
    "sessions.login-first",
    "Every connection begins with a session-open operation, and no other operation precedes its acceptance",
    usual_cause="Submits are written as soon as the connection is open, without waiting for the result of 60.",
    catches=("submit-before-login",),
    suites=("client", "watched", "audit"),
    absence="session",
)
def login_first(case: Case) -> Verdict:
    """Check the first operation of each connection.
    Connections without an operation, such as those that an outage closed at once, and those whose beginning is not
    recorded do not count.
    """
    sessions = [row for row in case.trace.sessions.rows() if row.first]
    if not sessions:
        return Verdict("inconclusive", "the client sent no operation on any connection", blame="client")
    wrong = [row for row in sessions if row.first != "60" or row.early_at >= 0]
    refused = [row for row in sessions if row.login_ack == "N"]
    if wrong:
        evidence = tuple(
            Evidence(
                "another operation before the login was accepted", r.first_at, max(r.first_at, r.early_at), r.session
            )
            for r in wrong
        )
        summary = f"operations before the accepted login on {len(wrong):,} of {count(len(sessions), 'connection')}"
        return Verdict("fail", summary, len(wrong), 0, "connections", "client", (), evidence[:SHOWN])
    if refused:
        reasons = excused(case)
        own = [r for r in refused if r.login_ec == BAD_LOGIN and r.session not in reasons and not captured(case)]
        codes = ", ".join(sorted({r.login_ec for r in own or refused}))
        summary = f"{len(own or refused):,} of {count(len(sessions), 'login')} refused with EC {codes}"
        if own:
            return Verdict("fail", summary, len(own), 0, "connections", "client")
        shown = {reasons.get(r.session, "") for r in refused if r.login_ec == BAD_LOGIN}
        doubt = "the wire does not show whether the client or the platform caused it"
        doubt = f"{summary}; {', '.join(sorted(shown - {''})) or doubt}"
        return Verdict("inconclusive", doubt, len(refused), 0, "connections", "bench")
    return Verdict("pass", f"{count(len(sessions), 'connection')}, each with the login first", 0, 0, "connections")


@rule(
    "sessions.keepalive",
    "The client sends keepalives on a connection without traffic",
    usual_cause="No operation 31 is sent, or everything the platform sends restarts its timer.",
    catches=("no-keepalive",),
    suites=("client", "watched", "audit"),
    absence="session",
    by_duration=True,
)
def keepalive(case: Case) -> Verdict:
    """Measure the longest silence of the client on sessions open long enough to need a keepalive."""
    limit_s = case.contract.terms.session.keepalive_expected_s.value
    assumed = case.contract.assumed("session.keepalive_expected_s")
    judged = []
    for row in case.trace.sessions.rows():
        if row.login_ack != "A":
            continue
        end = row.closed_at if row.closed_at >= 0 else case.trace.span[1]
        longest, since, last = case.trace.silence(row.session)
        if last >= 0 and end - last > longest:
            longest, since = end - last, last
        longest = max(longest, 0)
        if longest <= limit_s * SECOND_US and end - row.login_at <= limit_s * SECOND_US:
            continue  # the session is too short to need a keepalive
        summary = f"session {row.session}: silent for at most {longest / SECOND_US:.1f} s (limit {limit_s} s)"
        if longest <= limit_s * SECOND_US:
            judged.append(Verdict("pass", summary, longest / SECOND_US, limit_s, "s", "", assumed))
            continue
        evidence = (Evidence("silent", since, since + longest, row.session),)
        late = case.trace.largest_timing_error(since, since + longest)  # the end of the silence was read late
        excused = longest - late <= limit_s * SECOND_US
        outcome = "inconclusive" if excused else missed(case.contract, "session.keepalive_expected_s")
        summary += f"; the bench was up to {late / SECOND_US:.1f} s late" if excused else ""
        blame: Blame = "bench" if excused else "client"
        judged.append(Verdict(outcome, summary, longest / SECOND_US, limit_s, "s", blame, assumed, evidence))
    return worst(judged, f"no session stayed open longer than {limit_s} s")


@rule(
    "sessions.answers-notifications",
    "The client answers every 52 and 53 with a positive result in the layout of that operation",
    usual_cause="Notifications are read only while a result is awaited, or answered without their number.",
    catches=("no-ack-53", "wrong-trn-ack"),
    suites=("client", "watched", "audit"),
    absence="session",
    by_duration=True,
)
def answers_notices(case: Case) -> Verdict:
    """Check every 52 and 53, except those written within the last second of the run or of their connection."""
    trace, limit_s = case.trace, case.contract.terms.session.result_timer_max_s.value
    grace = SECOND_US  # a round trip at the end of a run or connection
    closed = {row.session: row.closed_at if row.closed_at >= 0 else trace.span[1] for row in trace.sessions.rows()}
    unanswered = refused = late = total = 0
    first: list[list[Notification | Mo]] = [[], [], []]  # of each kind
    for view in (trace.notifications, trace.mo):
        (sessions, which), positive = view.numbers("session"), view.equal("ack", "A")
        ends = np.array([closed.get(session, 0) for session in sessions], np.int64)
        kinds = np.zeros(len(view), np.int8)
        for rows in slices(len(view)):
            at, result_at = some_of(view, rows, "at", "result_at")
            at_end = (result_at < 0) & (ends[which[rows]] - at <= grace)
            late_ = result_at - at > limit_s * SECOND_US
            kinds[rows] = np.select([at_end, result_at < 0, ~positive[rows], late_], [_AT_END, 1, 2, 3], 0)
        total += int((kinds != _AT_END).sum())
        unanswered, refused, late = (
            so_far + int((kinds == kind).sum()) for kind, so_far in enumerate((unanswered, refused, late), 1)
        )
        for kind, shown in enumerate(first, 1):
            shown.extend(view.where(np.flatnonzero(kinds == kind)[:SHOWN]).rows())
    if not total:
        return Verdict("inconclusive", "the platform sent no operation 52 or 53", blame="bench")
    bad = unanswered + refused + late
    assumed = case.contract.assumed("session.result_timer_max_s")
    if not bad:
        return Verdict("pass", f"{count(total, 'operation')} 52 or 53 answered", 0, 0, "operations", "", assumed)
    summary = (
        f"{count(total, 'operation')} 52 or 53: {unanswered:,} unanswered, {refused:,} refused, {late:,} answered late"
    )
    evidence = tuple(framed("no valid answer in time", r) for rows in first for r in rows)
    # Only the time limit of an answer is our assumption; an answer itself is required.
    outcome = "fail" if unanswered or refused else missed(case.contract, "session.result_timer_max_s")
    return Verdict(outcome, summary, bad, 0, "notices", "client", assumed, evidence[:SHOWN])


@rule(
    "sessions.window",
    "The client never exceeds its window of unanswered operations and never reuses a transaction number in use",
    usual_cause="Operations in flight are not counted, or numbers are reused before their result.",
    catches=("ignores-window", "reuses-trn"),
    suites=("client", "watched", "audit"),
    absence="session",
    counts_all=True,
)
def window(case: Case) -> Verdict:
    """Count on the wire: an operation is outstanding until its result is written or the result timer ends."""
    return window_kept(case, reuse=True)


def window_kept(case: Case, *, reuse: bool) -> Verdict:
    """Compare the most unanswered operations with the window; with `reuse`, a number in use is a violation too."""
    size = case.contract.terms.session.window.value
    timer_us = case.contract.terms.session.result_timer_max_s.value * SECOND_US
    submits, (sizes, account) = case.trace.submits, window_sizes(case)
    (sessions, session), (trns, trn) = submits.numbers("session"), submits.texts("trn")
    broken, most = np.zeros(len(submits), np.int8), np.zeros((len(sessions), 2), np.int64)
    waiting = np.full((len(sessions), len(trns)), LONG_AGO)
    for rows in slices(len(submits)):
        at, result_at = some_of(submits, rows, "at", "result_at")
        most_unanswered.at_scale(len(submits))(
            at, result_at, session[rows], trn[rows], sizes[account[rows]], timer_us, waiting, most, broken[rows]
        )
    highest, allowed = 0, size
    for _, (count_, window_) in sorted(zip(sessions, most.tolist(), strict=True)):
        highest, allowed = (count_, window_) if count_ > highest else (highest, allowed)
    if not len(submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    summary = f"at most {count(highest, 'unanswered operation')}, window {allowed}"
    wrong = np.flatnonzero(broken if reuse else broken == BEYOND)
    if not len(wrong):
        return Verdict("pass", summary, highest, allowed, "operations")
    summary += f"; {count(len(wrong), 'violation')}"
    wrong = wrong[np.argsort(submits.values("session", wrong), kind="stable")[:SHOWN]]
    notes = ["TRN in use" if kind == IN_USE else "beyond the window" for kind in broken[wrong].tolist()]
    evidence = tuple(framed(note, row) for note, row in zip(notes, submits.where(wrong).rows(), strict=True))
    return Verdict("fail", summary, highest, allowed, "operations", "client", (), evidence)
