"""Rules on who may connect: OPS-CON-01, OPS-CON-04, OPS-ENG-06. Read the story for what the client was told."""

from __future__ import annotations

from typing import Any

from simbench.base.units import MINUTE_US
from simbench.finding import Evidence
from simbench.rules.rule import Case, Judged, missed, rule, worst
from simbench.ucp.frame import Framer, WireError

BAD_LOGIN, NOT_ALLOWED = "07", "04"


def strangers(case: Case) -> set[str]:
    """Accounts whose password the client was not told."""
    return {
        row.subject
        for row in case.reading.story.rows()
        if row.kind == "account" and row.detail.get("password_known") is False
    }


def _accounts(case: Case) -> set[str]:
    owners = {row.detail.get("account") for row in case.reading.story.rows() if row.kind == "limit"}
    return {owner for owner in owners if owner}


def _logins(case: Case) -> list[tuple[Any, str]]:
    """Each session on which a login was tried, with the account it was tried for."""
    frames = case.reading.frames
    tried: dict[int, str] = {}
    for row in frames.where((frames.direction == "in") & (frames.ot == "60") & (frames.kind == "O")).rows():
        for item in Framer(len(row.frame)).feed(row.frame):
            if not isinstance(item, WireError) and item.data:
                tried.setdefault(row.session, item.data[0])
    return [(row, tried[row.session]) for row in case.reading.sessions.rows() if row.session in tried]


@rule(
    "OPS-CON-01/every-account",
    "Every account connects at the point it was given, also after it was refused for a while",
    catches=("gives-up-when-refused",),
)
def every_account(case: Case) -> Judged:
    """Each account whose password the client knows has a session in the end."""
    wanted = _accounts(case) - strangers(case)
    sessions = [row for row in case.reading.sessions.rows() if row.login_ack]
    if not sessions or not wanted:
        return Judged("inconclusive", "nobody tried to log in", blame="client")
    refused = [row for row, account in _logins(case) if row.login_ack == "N" and account in wanted]
    if not refused:
        return Judged("inconclusive", "no login was refused for a while", blame="bench")
    lacking = sorted(wanted - {row.account for row in sessions if row.login_ack == "A"})
    told = f"{len(wanted) - len(lacking)} of {len(wanted)} accounts connected"
    if not lacking:
        return Judged("pass", told, 0, 0, "accounts")
    evidence = tuple(Evidence("refused, and never tried again", r.login_at, r.login_at, r.session) for r in refused[:6])
    return Judged("fail", f"{told}, not {', '.join(lacking)}", len(lacking), 0, "accounts", "client", (), evidence)


@rule(
    "OPS-CON-04/refused-pace",
    "A client whose login is refused tries again at a measured pace, and asks for nothing else meanwhile",
    catches=("reconnect-storm",),
    suites=("client", "watched", "audit"),
    occasional=True,
    by_duration=True,
)
def refused_pace(case: Case) -> Judged:
    """The most logins any account tried within a minute; operations on refused connections."""
    limit = case.contract.terms.session.reconnect_attempts_per_minute.value
    assumed = case.contract.assumed("session.reconnect_attempts_per_minute")
    logins = _logins(case)
    refused = {row.session for row, _ in logins if row.login_ack == "N"}
    if not refused:
        return Judged("inconclusive", "no login was refused", blame="bench")
    judged = []
    for account in sorted({account for _, account in logins}):
        tried = sorted(row.login_at for row, name in logins if name == account)
        most = max(sum(first <= at < first + MINUTE_US for at in tried) for first in tried)
        told = f"{account}: at most {most} logins in a minute"
        if most <= limit:
            judged.append(Judged("pass", told, most, limit, "logins/min", "", assumed))
            continue
        storm = (Evidence(told, tried[0], tried[-1]),)
        outcome = missed(case.contract, "session.reconnect_attempts_per_minute")
        judged.append(Judged(outcome, told, most, limit, "logins/min", "client", assumed, storm))
    pushed = [row for row in case.reading.submits.rows() if row.session in refused]
    if pushed:
        evidence = tuple(Evidence("refused", r.at, r.at, r.session, r.frame.hex().upper()) for r in pushed[:6])
        told = f"{len(pushed)} submits on connections whose login was refused"
        judged.append(Judged("fail", told, len(pushed), 0, "submits", "client", assumed, evidence))
    return worst(judged)


@rule(
    "OPS-CON-04/stranger-refused",
    "A login with a wrong password is refused with error code 07",
    binds="platform",
    catches=("accepts-any-password",),
)
def stranger_refused(case: Case) -> Judged:
    """Logins of accounts whose password the client was not told."""
    unknown = strangers(case)
    tried = [row for row, account in _logins(case) if account in unknown and row.login_ack]
    if not tried:
        return Judged("inconclusive", "nobody tried to log in with a wrong password", blame="bench")
    wrong = [row for row in tried if (row.login_ack, row.login_ec) != ("N", BAD_LOGIN)]
    told = f"{len(tried)} logins with a wrong password, {len(wrong)} not refused with {BAD_LOGIN}"
    if not wrong:
        return Judged("pass", told, 0, 0, "logins")
    evidence = tuple(Evidence("login accepted", r.login_at, r.login_at, r.session) for r in wrong[:6])
    return Judged("fail", told, len(wrong), 0, "logins", "platform", (), evidence)


@rule(
    "OPS-ENG-06/suspended",
    "Nothing is accepted of a suspended account: neither submits nor logins",
    binds="platform",
    catches=("ignores-suspension",),
    suites=("client", "audit"),
    reads=("accounts",),
    occasional=True,
)
def suspended(case: Case) -> Judged:
    """Each is refused with error code 04 from the instant the story tells."""
    since = {
        row.subject: row.at
        for row in case.reading.story.rows()
        if row.kind == "account" and row.detail.get("state") == "suspended"
    }
    submits = [r for r in case.reading.submits.rows() if r.ack and r.at > since.get(r.account, r.at)]
    logins = [
        (row, name) for row, name in _logins(case) if row.login_ack and row.login_at > since.get(name, row.login_at)
    ]
    if not submits and not logins:
        return Judged("inconclusive", "nothing was asked for on a suspended account", blame="bench")
    wrong = [Evidence("accepted", r.at, r.at, r.session, r.frame.hex().upper()) for r in submits if r.ec != NOT_ALLOWED]
    wrong += [
        Evidence("login accepted", r.login_at, r.login_at, r.session) for r, _ in logins if r.login_ec != NOT_ALLOWED
    ]
    told = f"{len(submits)} submits and {len(logins)} logins on a suspended account, {len(wrong)} not refused"
    if not wrong:
        return Judged("pass", told, 0, 0, "operations")
    return Judged("fail", told, len(wrong), 0, "operations", "platform", (), tuple(wrong[:6]))
