"""Rules on the connection: OPS-CON-02, OPS-CON-03. They read the frames recorded on the wire.

Sources: the UCP reference, sections 1.3 (frames), 1.5 (keepalive), 5 (login) and 7 (notifications).
"""

from __future__ import annotations

import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.rules.arrays import unanswered
from simbench.rules.client.limits import windows
from simbench.rules.evidence import framed
from simbench.rules.rule import Case, Verdict, missed, rule, worst
from simbench.trace.rows import Mo, Notification, Submits

SHOWN = 5


@rule(
    "sessions.well-formed",
    "Every frame of the client is a well-formed UCP frame with the fields its operation requires",
    catches=("bad-checksum", "bad-length", "missing-field", "extra-field"),
    suites=("client", "watched", "audit"),
    absence="session",
)
def well_formed(case: Case) -> Verdict:
    """Malformed frames and wrong fields fail; deviations that the SMSC tolerates are weak."""
    frames = case.trace.frames
    incoming = frames.where(frames.direction == "in")
    if not len(incoming):
        return Verdict("inconclusive", "the client sent nothing", blame="client")
    wrong = incoming.where(incoming.problem != "")
    evidence = tuple(framed(row.problem, row) for row in wrong.where(slice(SHOWN)).rows())
    hard = sum(not tolerated for tolerated in wrong.tolerated.tolist())
    if not len(wrong):
        return Verdict("pass", f"all {count(len(incoming), 'frame')} well-formed", 0, 0, "frames")
    named = ", ".join(sorted(set(wrong.problem.tolist()))[:4])
    summary = f"{len(wrong)} of {count(len(incoming), 'frame')} malformed: {named}"
    return Verdict("fail" if hard else "weak", summary, len(wrong), 0, "frames", "client", (), evidence)


@rule(
    "sessions.login-first",
    "Every connection begins with a session-open operation, and no other operation precedes its acceptance",
    catches=("submit-before-login",),
    suites=("client", "watched", "audit"),
    absence="session",
)
def login_first(case: Case) -> Verdict:
    """Connections without any operation, such as those an outage closed at once, and those whose beginning is not
    recorded, do not count.
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
        summary = f"operations before the accepted login on {len(wrong)} of {count(len(sessions), 'connection')}"
        return Verdict("fail", summary, len(wrong), 0, "connections", "client", (), evidence[:SHOWN])
    if refused:
        codes = ", ".join(sorted({r.login_ec for r in refused}))
        summary = f"{len(refused)} of {count(len(sessions), 'login')} refused with EC {codes}"
        return Verdict("fail", summary, len(refused), 0, "connections", "client")
    return Verdict("pass", f"{count(len(sessions), 'connection')}, each with the login first", 0, 0, "connections")


@rule(
    "sessions.keepalive",
    "The client sends keepalives on a connection without traffic",
    catches=("no-keepalive",),
    suites=("client", "watched", "audit"),
    absence="session",
    by_duration=True,
)
def keepalive(case: Case) -> Verdict:
    """The longest silence of the client on a session open long enough to need a keepalive."""
    limit_s = case.contract.terms.session.keepalive_expected_s.value
    assumed = case.contract.assumed("session.keepalive_expected_s")
    frames = case.trace.frames
    judged = []
    for row in case.trace.sessions.rows():
        if row.login_ack != "A":
            continue
        end = row.closed_at if row.closed_at >= 0 else case.trace.span[1]
        instants = frames.at[(frames.session == row.session) & (frames.direction == "in")].tolist()
        silences = [later - earlier for earlier, later in zip(instants, [*instants[1:], end], strict=True)]
        longest = max(silences, default=0)
        if longest <= limit_s * SECOND_US and end - row.login_at <= limit_s * SECOND_US:
            continue  # the session is too short to need a keepalive
        summary = f"session {row.session}: silent for at most {longest / SECOND_US:.1f} s (limit {limit_s} s)"
        if longest <= limit_s * SECOND_US:
            judged.append(Verdict("pass", summary, longest / SECOND_US, limit_s, "s", "", assumed))
        else:
            start = instants[silences.index(longest)]
            evidence = (Evidence("silent", start, start + longest, row.session),)
            outcome = missed(case.contract, "session.keepalive_expected_s")
            judged.append(Verdict(outcome, summary, longest / SECOND_US, limit_s, "s", "client", assumed, evidence))
    return worst(judged, f"no session stayed open longer than {limit_s} s")


@rule(
    "sessions.answers-notices",
    "The client answers every 52 and 53 with a positive result in the layout of that operation",
    catches=("no-ack-53", "wrong-trn-ack"),
    suites=("client", "watched", "audit"),
    absence="session",
    by_duration=True,
)
def answers_notices(case: Case) -> Verdict:
    """A 52 or 53 written within the last second of the run or of its connection may stay unanswered."""
    trace, limit_s = case.trace, case.contract.terms.session.result_timer_max_s.value
    grace = SECOND_US  # a round trip at the end of a run or connection
    closed = {row.session: row.closed_at if row.closed_at >= 0 else trace.span[1] for row in trace.sessions.rows()}
    unanswered, refused, late = (list[Notification | Mo]() for _ in range(3))
    total = 0
    for view in (trace.notifications, trace.mo):
        sessions, which = np.unique(view.session, return_inverse=True)
        ends = np.array([closed.get(session, 0) for session in sessions.tolist()], np.int64)[which]
        open_, positive = view.result_at < 0, view.equal("ack", "A")
        counted = ~(open_ & (ends - view.at <= grace))
        total += int(counted.sum())
        unanswered += view.where(counted & open_).rows()
        refused += view.where(~open_ & ~positive).rows()
        late += view.where(~open_ & positive & (view.result_at - view.at > limit_s * SECOND_US)).rows()
    if not total:
        return Verdict("inconclusive", "the platform sent no operation 52 or 53", blame="bench")
    bad = unanswered + refused + late
    assumed = case.contract.assumed("session.result_timer_max_s")
    if not bad:
        return Verdict("pass", f"{count(total, 'operation')} 52 or 53 answered", 0, 0, "operations", "", assumed)
    summary = (
        f"{count(total, 'operation')} 52 or 53: {len(unanswered)} unanswered, {len(refused)} refused, "
        f"{len(late)} answered late"
    )
    evidence = tuple(framed("no valid answer in time", r) for r in bad)
    # The time limit of an answer is our assumption; that an answer is due is not.
    outcome = "fail" if unanswered or refused else missed(case.contract, "session.result_timer_max_s")
    return Verdict(outcome, summary, len(bad), 0, "notices", "client", assumed, evidence[:SHOWN])


@rule(
    "sessions.window",
    "The client never exceeds its window of unanswered operations and never reuses a transaction number in use",
    catches=("ignores-window", "reuses-trn"),
    suites=("client", "watched", "audit"),
    absence="session",
    counts_all=True,
)
def window(case: Case) -> Verdict:
    """Counted on the wire: an operation is outstanding until its result is written or the result timer ends."""
    return window_kept(case, reuse=True)


def window_kept(case: Case, *, reuse: bool) -> Verdict:
    """The most unanswered operations against the window; with `reuse` a number in use is a violation as well."""
    size = case.contract.terms.session.window.value
    timer_us = case.contract.terms.session.result_timer_max_s.value * SECOND_US
    submits, sessions = case.trace.submits, set(case.trace.submits.session.tolist())
    known = windows(case)
    broken: list[Evidence] = []
    highest, allowed = 0, size
    for session in sorted(sessions):
        mine = submits.where(submits.session == session)
        most = _most_at_once(mine, known, case.contract.terms.session.window.value, timer_us)
        if most is not None:
            highest, allowed = most if most[0] > highest else (highest, allowed)
            continue
        outstanding: dict[str, int] = {}
        for row in mine.rows():
            # A written result frees its place, whether or not the client has read it yet.
            outstanding = {t: until for t, until in outstanding.items() if until > row.at}
            size = known.get(row.account, case.contract.terms.session.window.value)
            if row.trn in outstanding:
                broken += [framed("TRN in use", row)] * reuse
                continue  # the SMSC discards it, so it does not fill the window
            outstanding[row.trn] = row.result_at if row.result_at >= 0 else row.at + timer_us
            if len(outstanding) > highest:
                highest, allowed = len(outstanding), size
            if len(outstanding) > size:
                broken.append(framed("beyond the window", row))
    if not len(submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    summary = f"at most {count(highest, 'unanswered operation')}, window {allowed}"
    if not broken:
        return Verdict("pass", summary, highest, allowed, "operations")
    summary += f"; {count(len(broken), 'violation')}"
    return Verdict("fail", summary, highest, allowed, "operations", "client", (), tuple(broken[:SHOWN]))


def _most_at_once(submits: Submits, known: dict[str, int], size: int, timer_us: int) -> tuple[int, int] | None:
    """The most unanswered operations of a session, and its window then; None where one is beyond it or a TRN in use."""
    until = np.where(submits.result_at >= 0, submits.result_at, submits.at + timer_us)
    accounts, account = submits.distinct("account")
    sizes = np.array([known.get(name, size) for name in accounts], np.int64)[account]
    counts = unanswered(submits.session, submits.at, until) + 1
    order = np.argsort(submits.distinct("trn")[1], kind="stable")
    trn = submits.distinct("trn")[1][order]
    in_use = (trn[1:] == trn[:-1]) & (until[order[:-1]] > submits.at[order[1:]])
    if not len(submits) or in_use.any() or (counts > sizes).any():
        return None
    place = int(counts.argmax())
    return int(counts[place]), int(sizes[place])
