"""Rules on logins: OPS-CON-01, OPS-CON-04, OPS-ENG-06. Events record which passwords the client knows."""

from __future__ import annotations

from simbench.base.text import count
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.finding import Evidence
from simbench.ledger.events import AccountSet, LimitSet
from simbench.rules.arrays import holds
from simbench.rules.client.limits import FOREVER, suspensions
from simbench.rules.client.outages import pace_missed
from simbench.rules.client.refused_logins import BAD_LOGIN
from simbench.rules.evidence import first_frames, framed
from simbench.rules.rule import Case, Verdict, none_wrong, rule, worst
from simbench.trace.rows import Session
from simbench.ucp.codes import PASSWORD_CHANGES
from simbench.ucp.frame import Framer, WireError


def strangers(case: Case) -> set[str]:
    """Return the accounts whose password the client does not know."""
    accounts = (event for _, event in case.trace.events if isinstance(event, AccountSet))
    return {event.account for event in accounts if event.password_known is False}


def _accounts(case: Case) -> set[str]:
    return {event.account for _, event in case.trace.events if isinstance(event, LimitSet) and event.account}


def logins(case: Case) -> list[tuple[Session, str]]:
    """Return each session with a login attempt, and the account named in the one accepted, or else in the last."""
    frames, equal = case.trace.other_frames, case.trace.other_frames.equal
    tried: dict[int, str] = {}
    for row in frames.where(equal("direction", "in") & equal("ot", "60") & equal("kind", "O")).rows():
        for item in Framer(len(row.frame)).feed(row.frame):
            if not isinstance(item, WireError) and item.data and not PASSWORD_CHANGES.intersection(item.data[3:4]):
                tried[row.session] = item.data[0]
    sessions = [row for row in case.trace.sessions.rows() if row.session in tried]
    return [(row, row.account if row.login_ack == "A" else tried[row.session]) for row in sessions]


@rule(
    "sessions.every-account",
    "Every account connects to the address it was given, even after its logins were refused for a while",
    usual_cause="A refused login ends the loop that connects, for its account or for all.",
    catches=("gives-up-when-refused",),
)
def every_account(case: Case) -> Verdict:
    """Check that each account whose password the client knows has a session at the end of the run."""
    barred = {name for name, spans in suspensions(case).items() if spans[-1][1] == FOREVER}
    wanted = _accounts(case) - strangers(case) - barred
    sessions = [row for row in case.trace.sessions.rows() if row.login_ack]
    if not sessions:
        return Verdict("inconclusive", "the client attempted no login", blame="client")
    if not wanted:
        return Verdict("inconclusive", "no account could be connected at the end of the run", blame="bench")
    refused = [row for row, account in logins(case) if row.login_ack == "N" and account in wanted]
    if not refused:
        return _not_refused(case, wanted)
    lacking = sorted(wanted - {row.account for row in sessions if row.login_ack == "A"})
    summary = f"{len(wanted) - len(lacking):,} of {count(len(wanted), 'account')} connected"
    summary += f"; missing: {', '.join(lacking)}" if lacking else ""
    evidence = tuple(Evidence("refused and never retried", r.login_at, r.login_at, r.session) for r in refused[:6])
    return none_wrong(summary, len(lacking), "accounts", evidence)


def _not_refused(case: Case, wanted: set[str]) -> Verdict:
    """Why no login was refused: after the platform ended connections, clients stayed away, or none was ended."""
    sessions = case.trace.sessions.rows()
    ended = {row.account: row.closed_at for row in sessions if row.closed_by != "peer" and row.closed_at >= 0}
    gone = sorted(
        account
        for account in wanted & set(ended)
        if not any(row.opened_at > ended[account] for row in sessions if row.account in {account, ""})
    )
    if not gone:
        return Verdict("inconclusive", "the platform refused no login during the run", blame="bench")
    waited_s, grace_s = (case.trace.span[1] - ended[gone[0]]) / SECOND_US, case.contract.terms.session.reconnect_grace_s
    summary = (
        f"no login was refused, as {', '.join(gone)} did not return in the {waited_s:.0f} s "
        "after the platform closed the connection"
    )
    if waited_s < grace_s.value:
        summary += f" (a client may take {grace_s.value} s)"
    assumed = case.contract.assumed("session.reconnect_grace_s")
    return Verdict("inconclusive", f"{summary}; exercises with outages judge that", blame="client", assumed=assumed)


@rule(
    "sessions.refused-pace",
    "A client whose login is refused limits its retries per minute and submits nothing in the meantime",
    usual_cause="A refused login is repeated at once, as if the connection had been lost.",
    catches=("reconnect-storm", "login-storm"),
    suites=("client", "watched", "audit"),
    occasional=True,
    by_duration=True,
)
def refused_pace(case: Case) -> Verdict:
    """Count logins of each account within any minute, and operations on refused connections."""
    limit = case.contract.terms.session.reconnect_attempts_per_minute.value
    assumed = case.contract.assumed("session.reconnect_attempts_per_minute")
    tries = logins(case)
    refused = {row.session for row, _ in tries if row.login_ack == "N"}
    if not refused:
        return Verdict("inconclusive", "no login was refused", blame="bench")
    judged = []
    for account in sorted({account for _, account in tries}):
        tried = sorted(row.login_at for row, name in tries if name == account)
        most = max(sum(first <= at < first + MINUTE_US for at in tried) for first in tried)
        summary = f"{account}: at most {count(most, 'login')} in a minute (limit {limit})"
        if most <= limit:
            judged.append(Verdict("pass", summary, most, limit, "logins/min", "", assumed))
            continue
        storm = (Evidence(summary, tried[0], tried[-1]),)
        judged.append(
            Verdict(pace_missed(case, most, limit), summary, most, limit, "logins/min", "client", assumed, storm)
        )
    submits = case.trace.submits
    pushed = submits.where(holds(submits, lambda session: session in refused, "session")).rows()
    if pushed:
        evidence = first_frames("refused", pushed)
        summary = f"{count(len(pushed), 'submit')} on connections whose login was refused"
        judged.append(Verdict("fail", summary, len(pushed), 0, "submits", "client", assumed, evidence))
    return worst(judged)


@rule(
    "sessions.stranger-refused",
    "A login with a wrong password is refused with error code 07",
    usual_cause="The platform compares names only, or accepts every login while its accounts are loaded.",
    binds="platform",
    catches=("accepts-any-password",),
)
def stranger_refused(case: Case) -> Verdict:
    """Check logins of accounts whose password the client does not know."""
    unknown = strangers(case)
    tried = [row for row, account in logins(case) if account in unknown and row.login_ack]
    if not tried:
        return Verdict("inconclusive", "no login with a wrong password was attempted", blame="bench")
    wrong = [row for row in tried if (row.login_ack, row.login_ec) != ("N", BAD_LOGIN)]
    summary = (
        f"{len(tried) - len(wrong):,} of {count(len(tried), 'login')} with a wrong password refused with EC {BAD_LOGIN}"
    )
    evidence = tuple(Evidence("login accepted", r.login_at, r.login_at, r.session) for r in wrong[:6])
    return none_wrong(summary, len(wrong), "logins", evidence, blame="platform")


@rule(
    "sessions.suspended",
    "The platform refuses every submit and login of a suspended account",
    usual_cause="The platform checks the state of an account only at its login, or never.",
    binds="platform",
    catches=("ignores-suspension",),
    suites=("client", "audit"),
    reads=("accounts",),
    occasional=True,
)
def suspended(case: Case) -> Verdict:
    """Check that none is accepted during a suspension in the events; a refusal may have another reason as well."""
    spans = suspensions(case, "suspended")
    own = holds(case.trace.submits, lambda account, ack: account in spans and ack, "account", "ack")
    submits = [r for r in case.trace.submits.where(own).rows() if _within(spans, r.account, r.at)]
    tries = [row for row, name in logins(case) if row.login_ack and _within(spans, name, row.login_at)]
    if not submits and not tries:
        return Verdict("inconclusive", "a suspended account sent neither submits nor logins", blame="bench")
    wrong = [framed("accepted", r) for r in submits if r.ack == "A"]
    wrong += [Evidence("login accepted", r.login_at, r.login_at, r.session) for r in tries if r.login_ack == "A"]
    operations = f"{count(len(submits), 'submit')} and {count(len(tries), 'login')}"
    refused = len(submits) + len(tries) - len(wrong)
    summary = f"{operations} on a suspended account, {refused} refused"
    return none_wrong(summary, len(wrong), "operations", tuple(wrong[:6]), blame="platform")


def _within(spans: dict[str, list[tuple[int, int]]], account: str, at: int) -> bool:
    return any(start < at < end for start, end in spans.get(account, ()))
