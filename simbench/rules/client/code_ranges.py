"""Rules on the use of each range of short codes: OPS-DEO-07 to OPS-DEO-12. The contract defines the ranges."""

from __future__ import annotations

from simbench.base.text import count
from simbench.base.units import HOUR_US
from simbench.rules.arrays import holds
from simbench.rules.client.limits import captured
from simbench.rules.evidence import first_frames
from simbench.rules.requests import not_sent, of_marketing, sends
from simbench.rules.rule import Case, Verdict, missed, none_wrong, rule, worst
from simbench.trace.rows import Submit

PRESENCE = "presence"


def _sessions_of_users(case: Case) -> dict[tuple[str, str], list[int]]:
    """Return the instants at which each user wrote to a code, by (user, code)."""
    written: dict[tuple[str, str], list[int]] = {}
    for row in case.trace.mo.rows():
        written.setdefault((case.plan.key(row.sender), row.code), []).append(row.at)
    return written


def _replies(case: Case) -> list[tuple[Submit, int]]:
    """Return submits from the reply range, each with the time (us) since its user wrote to the code (-1: never)."""
    prefixes, written, submits = _reply(case), _sessions_of_users(case), case.trace.submits
    found = []
    for row in submits.where(holds(submits, lambda code: code.startswith(prefixes), "code")).rows():
        before = [at for at in written.get((case.plan.key(row.recipient), row.code), ()) if at <= row.at]
        found.append((row, row.at - max(before) if before else -1))
    return found


@rule(
    "ranges.begun-by-user",
    "A code of a range for replies sends to a user only after that user has written to it",
    catches=("begins-reply-sessions",),
    capability="keeps_ranges",
    suites=("client", "watched", "audit"),
    occasional=True,
    by_duration=True,
)
def begun_by_user(case: Case) -> Verdict:
    """Check every submit of the range, requested or not. Users' messages before the start of a capture are unknown."""
    replies = _replies(case)
    if not replies and not any(row.code.startswith(_reply(case)) for row in sends(case).values()):
        return Verdict("inconclusive", "no message from the reply range was requested or sent", blame="bench")
    if not replies:
        return Verdict("inconclusive", "the client sent no message from the reply range", blame="client")
    wrong = [row for row, since in replies if since < 0]
    sent = f"{count(len(replies), 'message')} from range {' or '.join(_reply(case))}"
    summary = f"{sent}, {len(wrong):,} to users who had not written to the code"
    evidence = first_frames("the user had not written before", wrong)
    if wrong and captured(case):
        summary += " since the capture began"
        return Verdict("inconclusive", summary, len(wrong), 0, "messages", "bench", (), evidence)
    return none_wrong(summary, len(wrong), "messages", evidence)


@rule(
    "ranges.session-over",
    "A code of a range for replies sends nothing to a user whose session has ended",
    catches=("begins-reply-sessions",),
    capability="keeps_ranges",
    suites=("client", "audit"),
    occasional=True,
    by_duration=True,
)
def session_over(case: Case) -> Verdict:
    """Compare with the length of a session, which is our assumption until a contract states it."""
    term = "marketing.reply_session_h"
    limit_us = case.contract.terms.marketing.reply_session_h.value * HOUR_US
    written = _sessions_of_users(case)
    late = [
        row
        for row in sends(case).values()
        if row.code.startswith(_reply(case))
        and (before := [at for at in written.get((case.plan.key(row.recipient), row.code), ()) if at <= row.at])
        and row.at - max(before) > limit_us
    ]
    wrong = [row for row, since in _replies(case) if since > limit_us]
    if not late and not wrong:
        return Verdict("inconclusive", "no message after the end of a session was requested or sent", blame="bench")
    summary = f"messages after the end of a session: {len(late):,} requested, {len(wrong):,} sent"
    evidence, assumed = first_frames("the session had ended", wrong), case.contract.assumed(term)
    return none_wrong(summary, len(wrong), "messages", evidence, outcome=missed(case.contract, term), assumed=assumed)


def _reply(case: Case) -> tuple[str, ...]:
    return case.contract.terms.numbering.prefixes("reply")


def _machines(case: Case) -> str:
    return " or ".join(case.contract.terms.numbering.prefixes("machines"))


@rule(
    "ranges.marketing-range",
    "Marketing is sent from codes of a range that may carry it",
    catches=("markets-on-any-range",),
    capability="keeps_ranges",
)
def marketing_range(case: Case) -> Verdict:
    """Allow ranges for replies and presence lists too; other rules check their further conditions."""
    fit = case.contract.terms.numbering.prefixes("marketing", "presence", "reply", "ordinary")
    return not_sent(
        case, lambda row: of_marketing(row) and not row.code.startswith(fit), "marketing from another range"
    )


@rule(
    "ranges.presence-range",
    "Codes of a range for presence lists send only to users of such a list",
    catches=("ignores-presence-list",),
    capability="keeps_ranges",
)
def presence_range(case: Case) -> Verdict:
    """Use the source of the recipients that the campaign declares."""
    prefixes = case.contract.terms.numbering.prefixes("presence")
    return not_sent(
        case,
        lambda row: row.code.startswith(prefixes) and PRESENCE not in row.traits,
        f"messages from range {' or '.join(prefixes)} without a presence list",
    )


@rule(
    "ranges.web2sms-range",
    "Interpersonal messages from the web are sent from codes of a range for them",
    catches=("web2sms-on-any-range",),
    capability="keeps_ranges",
)
def web2sms_range(case: Case) -> Verdict:
    """Use the requested traffic class."""
    prefixes = case.contract.terms.numbering.prefixes("interpersonal", "ordinary")
    return not_sent(
        case,
        lambda row: row.traffic_class == "web2sms" and not row.code.startswith(prefixes),
        "web2sms from another range",
    )


@rule(
    "ranges.machines-only",
    "Codes of a range for machines send to machines only",
    catches=("people-on-machine-codes",),
    capability="keeps_ranges",
)
def machines_only(case: Case) -> Verdict:
    """Classify recipients by the numbering plan; otherwise read, AMB-12 allows transactional messages."""
    if not case.contract.reads_as_usual("machine-codes"):
        question = case.contract.ambiguity_id("machine-codes")
        other = f"range {_machines(case)} is for transactional messages in the reading of {question} in force"
        return Verdict("unsupported", other)
    prefixes = case.contract.terms.numbering.prefixes("machines")
    return not_sent(
        case,
        lambda row: row.code.startswith(prefixes) and case.plan.classify(row.recipient).kind != "m2m",
        f"messages from range {_machines(case)} to recipients other than machines",
        assumed=case.contract.assumed("machine-codes"),
    )


@rule(
    "sender.no-subscriber-number",
    "The client sends no message with a subscriber's number as originator",
    catches=("sends-any-oadc",),
    capability="keeps_oadc",
)
def no_subscriber_number(case: Case) -> Verdict:
    """Fail for any originator on the wire that is a mobile number of the numbering plan."""

    def subscriber(oadc: str) -> bool:
        return case.plan.classify(oadc).kind in {"mobile", "m2m", "overseas"}

    on_request = not_sent(case, lambda row: subscriber(row.oadc), "messages with a subscriber's number as originator")
    submits = case.trace.submits
    wrong = submits.where(
        holds(submits, lambda oadc, named: not named and subscriber(oadc), "oadc", "alphanumeric")
    ).rows()
    if not wrong:
        return on_request
    summary = f"{count(len(wrong), 'message')} with a subscriber's number as originator"
    evidence = first_frames("the originator is a mobile number", wrong)
    return worst([on_request, none_wrong(summary, len(wrong), "messages", evidence)])
