"""Rules on how a client lives through an outage: what it keeps, what it repeats, how it comes back.

Submits between the start of an outage and its detection are nobody's fault; a result is *known received* only when
the client showed it on that connection or told it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from simbench.finding import Evidence
from simbench.units import MINUTE_US, SECOND_US
from simbench.verdict.meters import counted
from simbench.verdict.recipients import SHOWN, evidence_of
from simbench.verdict.rule import Case, Judged, missed, rule, worst
from simbench.verdict.throughput import code_rates, held_against

SETTLE_US = 5 * SECOND_US  # within this a platform that heard nobody learns that a connection is gone


def total_outages(case: Case) -> list[tuple[int, int]]:
    """Start and end of each total outage the story tells."""
    return [(start, end) for start, end, scope, _ in case.reading.outages if scope == "total"]


def interruptions(case: Case) -> list[int]:
    """When the story begins an outage of any scope or drops a connection: what can part a message from its result."""
    drops = [row.at for row in case.reading.story.rows() if row.kind == "fault" and "drop" in row.detail]
    return sorted([start for start, *_ in case.reading.outages] + drops)


def _none(case: Case) -> Judged | None:
    return None if total_outages(case) else Judged("inconclusive", "the platform was never down", blame="bench")


@rule(
    "OPS-PRE-03/nothing-lost",
    "Everything the client took over before and during an outage or a lost connection is accepted in the end",
    catches=("forgets-on-reconnect", "never-reconnects"),
)
def nothing_lost(case: Case) -> Judged:
    """By marks: taken over by the client, not withheld or refused for good, yet never accepted on the wire."""
    asked, submits = case.reading.asked, case.reading.submits
    taken = set(asked.mark[asked.kind == "send"].tolist())
    excused = set(asked.mark[(asked.kind == "withheld") | (asked.kind == "refused")].tolist())
    arrived = set(submits.mark[submits.ack == "A"].tolist())
    refused = set(submits.mark[submits.ack == "N"].tolist())
    lost = sorted(taken - arrived - (excused | refused))
    if not taken:
        return Judged("inconclusive", "nothing was asked of the client", blame="bench")
    if not interruptions(case):
        return Judged("inconclusive", "the platform was never down and no connection was dropped", blame="bench")
    told = f"{len(taken) - len(lost)} of {len(taken)} messages accepted, {len(lost)} lost"
    if not lost:
        return Judged("pass", told, 0, 0, "messages")
    when = {row.mark: row.at for row in asked.rows() if row.kind == "send"}
    evidence = tuple(Evidence(f"asked for {mark}, never accepted", when[mark], when[mark]) for mark in lost[:SHOWN])
    return Judged("fail", told, len(lost), 0, "messages", "client", (), evidence)


@rule(
    "OPS-PRE-03/no-duplicates",
    "Nothing known to be accepted is sent again",
    catches=("resend-known-received",),
)
def no_duplicates(case: Case) -> Judged:
    """Repetitions of accepted messages: known received are failures, doubtful ones are counted and allowed."""
    submits = case.reading.submits
    accepted: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    known: list[int] = []
    doubtful: list[int] = []
    shown = received_results(case)
    for position, row in enumerate(submits.rows()):
        if not row.mark:
            continue
        before = accepted.get(key := (row.mark, row.adc, row.text), [])
        if before:
            instants = (shown.get((one.session, one.at, one.trn)) for one in before)
            (known if any(at is not None and at <= row.at for at in instants) else doubtful).append(position)
        if row.ack == "A":
            accepted[key].append(row)
    if not accepted:
        return Judged("inconclusive", "nothing was accepted", blame="client")
    told = f"{len(accepted)} accepted, {len(known)} repeated although known received, {len(doubtful)} in doubt"
    if not known:
        return Judged("pass", told, 0, 0, "messages")
    evidence = evidence_of(submits.where(known), "repeated although its result was received")
    return Judged("fail", told, len(known), 0, "messages", "client", (), evidence)


def received_results(case: Case) -> dict[tuple[int, int, str], int]:
    """Submits (session, instant, TRN) whose positive result the client showed to have, and from when on.

    It shows it by using the TRN again on that connection, by going on with a window that only that result could have
    freed (results arrive in the order in which they were written), or by telling the bench.
    """
    submits, size = case.reading.submits, case.contract.terms.session.window.value
    told: dict[str, int] = {}
    for row in case.reading.asked.rows():
        if row.kind in {"accepted", "delivered", "undelivered", "buffered"} and row.mark:
            told.setdefault(row.mark, row.at)
    shown: dict[tuple[int, int, str], int] = {}
    by_session: dict[int, list[Any]] = defaultdict(list)
    for row in submits.rows():
        if row.ack == "A" and row.mark in told:
            shown[row.session, row.at, row.trn] = max(told[row.mark], row.result_at)
        by_session[row.session].append(row)
    for rows in by_session.values():
        unshown: list[Any] = []
        for row in rows:
            reused = [one for one in unshown if one.trn == row.trn and 0 <= one.result_at < row.at]
            # With this one the window would be over-full unless the oldest answered ones were known to the client.
            surplus = max(0, len(unshown) + 1 - size)
            answered = [one for one in unshown if 0 <= one.result_at < row.at]
            freed = sorted(answered, key=lambda one: one.result_at)[:surplus]
            for one in {id(o): o for o in (*reused, *freed)}.values():
                unshown.remove(one)
                if one.ack == "A":
                    key = (one.session, one.at, one.trn)
                    shown[key] = min(row.at, shown.get(key, row.at))
            if not any(one.trn == row.trn for one in unshown):  # else the SMSC discards it: the number is in use
                unshown.append(row)
    return shown


@rule(
    "OPS-CON-03/reconnect-pace",
    "While the platform is down the client does not storm it with connection attempts",
    catches=("reconnect-storm",),
)
def reconnect_pace(case: Case) -> Judged:
    """The most connections any account's worth of links opened within a minute of an outage."""
    unavailable = _none(case)
    if unavailable is not None:
        return unavailable
    tried, accounts = case.reading.attempts, max(1, len(set(case.reading.asked.code.tolist()) - {""}))
    limit = case.contract.terms.session.reconnect_attempts_per_minute.value * accounts
    assumed = case.contract.assumed("session.reconnect_attempts_per_minute")
    attempts, evidence = 0, []
    for start, end in total_outages(case):
        opened = [at for at in tried.at.tolist() if start < at <= end]
        for position, first in enumerate(opened):
            within = sum(at < first + MINUTE_US for at in opened[position:])
            if within > attempts:
                attempts = within
                evidence = [Evidence(f"{within} connection attempts", first, min(first + MINUTE_US, end))]
    told = f"at most {attempts} connection attempts in a minute over {accounts} links"
    if attempts <= limit:
        return Judged("pass", told, attempts, limit, "attempts/min", "", assumed)
    outcome = missed(case.contract, "session.reconnect_attempts_per_minute")
    return Judged(outcome, told, attempts, limit, "attempts/min", "client", assumed, tuple(evidence))


@rule(
    "OPS-PRE-03/comes-back",
    "After a total outage every account that was connected is connected again in time",
    catches=("never-reconnects",),
)
def comes_back(case: Case) -> Judged:
    """From the end of the outage to the accepted login of each account that had a session before."""
    unavailable = _none(case)
    if unavailable is not None:
        return unavailable
    limit_s = case.contract.terms.session.reconnect_grace_s.value
    assumed = case.contract.assumed("session.reconnect_grace_s")
    logins = [row for row in case.reading.sessions.rows() if row.login_ack == "A"]
    last = case.reading.span[1]
    judged = []
    for start, end in total_outages(case):
        for account in sorted({row.account for row in logins if row.login_at < start}):
            before = [r for r in logins if r.account == account and r.login_at < start]
            alive = any(not 0 <= r.closed_at <= end + SETTLE_US for r in before)
            back = min((r.login_at for r in logins if r.account == account and r.login_at >= end), default=-1)
            if alive:
                judged.append(Judged("pass", f"{account} kept its session", 0, limit_s, "s", "", assumed))
            elif back >= 0 and back - end <= limit_s * SECOND_US:
                told = f"{account} back after {(back - end) / SECOND_US:.1f} s"
                judged.append(Judged("pass", told, (back - end) / SECOND_US, limit_s, "s", "", assumed))
            elif back < 0 and last - end < limit_s * SECOND_US:
                told = f"{account} not back, but watched for only {(last - end) / SECOND_US:.0f} s"
                judged.append(Judged("inconclusive", told, None, limit_s, "s", "bench", assumed))
            else:
                told = f"{account} " + (
                    "never came back" if back < 0 else f"back after {(back - end) / SECOND_US:.1f} s"
                )
                outcome = "fail" if back < 0 else missed(case.contract, "session.reconnect_grace_s")
                evidence = (Evidence(told, end, back if back >= 0 else last),)
                judged.append(Judged(outcome, told, None, limit_s, "s", "client", assumed, evidence))
    return worst(judged, "no account was connected before the outage")


@rule(
    "OPS-ENG-01/after-reconnection",
    "With the backlog of an outage, the client comes back within its tier",
    catches=("no-pacing", "bursts-after-return"),
    needs="limits_rate",
)
def after_reconnection(case: Case) -> Judged:
    """Each code's submits from the end of the outage on, held against its rate."""
    unavailable = _none(case)
    if unavailable is not None:
        return unavailable
    submits = counted(case.contract, case.reading)
    assumed = case.contract.assumed("throughput.jitter_ms", "AMB-05")
    judged = []
    for _, end in total_outages(case):
        for code, rate in code_rates(case).items():
            after = submits.where((submits.code == code) & (submits.at >= end))
            if not len(after):
                continue
            strict, lenient = held_against(case, after, rate)
            told = f"{code}: {strict.peak} in the busiest second after the return ({rate}/s)"
            if not strict.early:
                judged.append(Judged("pass", told, 0, 0, "operations too early", "", assumed))
                continue
            evidence = evidence_of(after.where(list(lenient.early or strict.early)), f"too early for {rate}/s")
            count, unit = len(lenient.early or strict.early), "operations too early"
            if lenient.early:
                judged.append(Judged("fail", told, count, 0, unit, "client", assumed, evidence))
            else:
                judged.append(Judged("inconclusive", told, count, 0, unit, "bench", assumed, evidence))
    return worst(judged, "the client submitted nothing after the outage")
