"""Rules on the return from an outage: rate of connection attempts, time to reconnect, rate afterwards."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from simbench.base.text import count
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.finding import Evidence, Outcome
from simbench.ledger.events import FaultActed
from simbench.ledger.stimuli import Reported, Request, Unrequested
from simbench.rules.client.limits import rate_periods
from simbench.rules.client.recipients import evidence_of
from simbench.rules.client.throughput import held_against
from simbench.rules.meters import Operations, counted
from simbench.rules.rule import Case, Verdict, missed, rule, worst
from simbench.trace.rows import Session

SETTLE_US = 5 * SECOND_US  # a platform that reads nothing notices a closed connection within this time
CLOSED_PORT = {"cut", "reset", "refuse"}  # modes without a listening port
BEYOND_DOUBT = 10  # multiple of the assumed rate that breaks the clause in any reading


def total_outages(case: Case) -> list[tuple[int, int]]:
    """Return start and end of each total outage in the events."""
    return [(start, end) for start, end, scope, _ in case.trace.outages if scope == "total"]


def interruptions(case: Case) -> list[int]:
    """Return the instants of outages of any scope and dropped connections, at which results may be lost."""
    drops = [at for at, event in case.trace.events if isinstance(event, FaultActed) and event.drop]
    return sorted([start for start, *_ in case.trace.outages] + drops)


def _none(case: Case) -> Verdict | None:
    return None if total_outages(case) else Verdict("inconclusive", "no outage in the record", blame="bench")


@rule(
    "sessions.reconnect-pace",
    "While the platform is down the client limits its connection attempts per minute",
    usual_cause="The client connects again at once after each failure.",
    catches=("reconnect-storm",),
    suites=("client", "watched", "audit"),
    occasional=True,
    counts_all=True,
    by_duration=True,
)
def reconnect_pace(case: Case) -> Verdict:
    """Count connections during outages and failed attempts within any minute.

    A capture shows failed attempts; a server with a closed port does not see them, so its count is a lower bound.
    """
    every, outages = case.trace.attempts, total_outages(case)
    failed = every.at[every.outcome != "session"].tolist()
    if not outages and not failed:
        return Verdict("inconclusive", "no outage in the record", blame="bench")
    each = case.contract.terms.session.reconnect_attempts_per_minute.value
    assumed = case.contract.assumed("session.reconnect_attempts_per_minute")
    taken = every.at[every.outcome == "session"].tolist()
    tried = sorted([*failed, *(at for start, end in outages for at in taken if start < at <= end)])
    most, first = _busiest_minute(tried)
    losses = (start for start, end in outages if start <= first <= end or not tried)
    paces = [(most, first, _links(case, next(losses, _begun(tried, first))))]
    for start, end in outages:  # another one may have had fewer attempts, over fewer links
        found = _busiest_minute(tried[bisect_left(tried, start) : bisect_left(tried, end + 1)])
        paces += [(*found, _links(case, start))] if found[0] > each else []
    most, first, links = max(paces, key=lambda pace: pace[0] / pace[2])
    limit = each * links
    summary = f"at most {count(most, 'connection attempt')} in a minute over {count(links, 'link')} (limit {limit})"
    if most > limit:
        outcome = pace_missed(case, most, limit)
        evidence = (Evidence(f"{most} connection attempts", first, min(first + MINUTE_US, tried[-1])),)
        return Verdict(outcome, summary, most, limit, "attempts/min", "client", assumed, evidence)
    if not failed and any(mode in CLOSED_PORT and scope == "total" for *_, scope, mode in case.trace.outages):
        summary += "; attempts made while the server's port was closed are not recorded"
        return Verdict("inconclusive", summary, most, limit, "attempts/min", "bench", assumed)
    return Verdict("pass", summary, most, limit, "attempts/min", "", assumed)


def pace_missed(case: Case, most: int, limit: int) -> Outcome:
    """Return the outcome of so many attempts per minute; the limit may be our assumption."""
    return "fail" if most > BEYOND_DOUBT * limit else missed(case.contract, "session.reconnect_attempts_per_minute")


def _links(case: Case, loss: int) -> int:
    """Return the number of links: of accounts seen or of codes requested, whichever is greater.

    An account with several sessions at a time before the `loss` of connections counts as many links, as far as the
    contract allows them: the client has to open each of them again.
    """
    messages = (one for one in case.trace.stimuli if isinstance(one, Request | Unrequested | Reported))
    codes = {one.code for one in messages} - {""}
    steps: dict[str, list[tuple[int, int]]] = {}
    for row in case.trace.sessions.rows():
        own = steps.setdefault(row.account, []) if row.account else []
        if row.login_ack == "A" and row.login_at < loss:
            own += [(row.login_at, 1), *([(row.closed_at, -1)] if row.closed_at >= 0 else [])]
    most = case.contract.terms.session.sessions_per_code.value
    links = (min(most, max([1, *accumulate(step for _, step in sorted(own))])) for own in steps.values())
    return max(1, len(codes), sum(links))


def _begun(tried: list[int], at: int) -> int:
    """Return the first of the attempts before `at` that have no minute without another between them."""
    for one in reversed(tried[: bisect_left(tried, at)]):
        if at - one > MINUTE_US:
            break
        at = one
    return at


def _busiest_minute(tried: list[int]) -> tuple[int, int]:
    """Return the highest number of these instants within a minute, and the start of that minute."""
    most = first = 0
    for place, at in enumerate(tried):
        within = bisect_left(tried, at + MINUTE_US) - place
        if within > most:
            most, first = within, at
    return most, first


@rule(
    "outage.comes-back",
    "After a total outage every account that was connected reconnects in time",
    usual_cause="One failed attempt ends the loop that connects, or the pause between attempts grows without a bound.",
    catches=("never-reconnects",),
    suites=("client", "audit"),
    reads=("outages",),
    absence="anywhere",
    by_duration=True,
)
def comes_back(case: Case) -> Verdict:
    """Measure the time from the end of the outage to the login of each account that was connected when it began.

    An account that disconnected before the outage need not return; a record that ends too early is inconclusive.
    """
    return returns(case)


def returns(case: Case, *, asked_to_leave: bool = False) -> Verdict:
    """Judge `comes_back`; with `asked_to_leave`, accounts that disconnected before the outage must return too."""
    unavailable = _none(case)
    if unavailable is not None:
        return unavailable
    limit_s = case.contract.terms.session.reconnect_grace_s.value
    assumed = case.contract.assumed("session.reconnect_grace_s")
    logins = [row for row in case.trace.sessions.rows() if row.login_ack == "A"]
    last = case.trace.span[1]
    judged = []
    for start, end in total_outages(case):
        connected = [row for row in logins if row.login_at < start and (asked_to_leave or not _had_left(row, start))]
        for account in sorted({row.account for row in connected}):
            before = [r for r in connected if r.account == account]
            alive = any(not 0 <= r.closed_at <= end + SETTLE_US for r in before)
            back = min((r.login_at for r in logins if r.account == account and r.login_at >= end), default=-1)
            if alive:
                judged.append(Verdict("pass", f"{account} kept its session", 0, limit_s, "s", "", assumed))
            elif back >= 0 and back - end <= limit_s * SECOND_US:
                summary = f"{account} reconnected after {(back - end) / SECOND_US:.1f} s (limit {limit_s} s)"
                judged.append(Verdict("pass", summary, (back - end) / SECOND_US, limit_s, "s", "", assumed))
            elif back < 0 and last - end < limit_s * SECOND_US:
                summary = f"{account} had not reconnected when the record ended {(last - end) / SECOND_US:.0f} s later"
                judged.append(Verdict("inconclusive", summary, None, limit_s, "s", "bench", assumed))
            else:
                late = f"reconnected after {(back - end) / SECOND_US:.1f} s (limit {limit_s} s)"
                summary = f"{account} " + ("never reconnected" if back < 0 else late)
                outcome = "fail" if back < 0 else missed(case.contract, "session.reconnect_grace_s")
                evidence = (Evidence(summary, end, back if back >= 0 else last),)
                judged.append(Verdict(outcome, summary, None, limit_s, "s", "client", assumed, evidence))
    return worst(judged, "no account was connected before the outage")


def _had_left(session: Session, start: int) -> bool:
    """Return whether the client had closed a session well before an outage began, so that it need not return."""
    return session.closed_by == "peer" and 0 <= session.closed_at < start - SECOND_US


@rule(
    "rate.after-reconnection",
    "The client keeps its tier while it clears the backlog of an outage",
    usual_cause="The backlog is sent at once, or the limiter is reset with the connection.",
    catches=("no-pacing", "bursts-after-return"),
    capability="limits_rate",
    suites=("client", "audit"),
    reads=("codes", "outages"),
    counts_all=True,
    by_duration=True,
)
def after_reconnection(case: Case) -> Verdict:
    """Compare each code's submits after the end of the outage with its rate."""
    unavailable = _none(case)
    if unavailable is not None:
        return unavailable
    submits = counted(case.contract, case.trace)
    assumed = case.contract.assumed("throughput.jitter_ms", "rate-meter")
    judged = []
    for _, end in total_outages(case):
        for code in case.trace.limits:
            for period in rate_periods(case, code):
                first, last = max(end, period.start), period.end
                after = submits.where(submits.equal("code", code) & (submits.at >= first) & (submits.at < last))
                if len(after):
                    judged.append(_after(case, code, period.rate, after, assumed))
    return worst(judged, "the client submitted nothing after the outage")


def _after(case: Case, code: str, rate: int, after: Operations, assumed: tuple[str, ...]) -> Verdict:
    """Compare a code's operations after the return with its rate."""
    strict, lenient = held_against(case, after, rate)
    summary = f"{code}: {strict.peak} in the busiest second after the outage (limit {rate}/s)"
    if not strict.early:
        return Verdict("pass", summary, 0, 0, "operations too early", "", assumed)
    evidence = evidence_of(after.where((lenient.early or strict.early).array), f"too early for {rate}/s")
    early = len(lenient.early or strict.early)
    outcome, blame = ("fail", "client") if lenient.early else ("inconclusive", "bench")
    return Verdict(outcome, summary, early, 0, "operations too early", blame, assumed, evidence)  # type: ignore[arg-type]  # pairs of literals
