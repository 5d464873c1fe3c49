"""Rules on what each range of short codes is there for: OPS-DEO-07 to OPS-DEO-12. Ranges are terms of the contract."""

from __future__ import annotations

from typing import Any

from simbench.base.units import HOUR_US
from simbench.finding import Evidence
from simbench.numbering.plan import classify
from simbench.numbering.written import address_key
from simbench.rules.client.limits import captured
from simbench.rules.requests import of_marketing, sends, withstood
from simbench.rules.rule import Case, Judged, missed, rule, worst

PRESENCE = "presence"


def _sessions_of_users(case: Case) -> dict[tuple[str, str], list[int]]:
    """(user, code) to the instants at which he wrote to it."""
    written: dict[tuple[str, str], list[int]] = {}
    for row in case.reading.mo.rows():
        written.setdefault((address_key(row.sender), row.code), []).append(row.at)
    return written


def _replies(case: Case) -> list[tuple[Any, int]]:
    """Submits from the range of replies, each with how long ago its user last wrote to that code (us, -1: never)."""
    prefix, written = case.contract.terms.numbering.reply_prefix.value, _sessions_of_users(case)
    found = []
    for row in case.reading.submits.rows():
        if row.code.startswith(prefix):
            before = [at for at in written.get((address_key(row.adc), row.code), ()) if at <= row.at]
            found.append((row, row.at - max(before) if before else -1))
    return found


@rule(
    "OPS-DEO-07/begun-by-user",
    "From a code of range 34 a user hears nothing before he has written to it",
    catches=("begins-34-sessions",),
    capability="keeps_ranges",
    suites=("client", "watched", "audit"),
    occasional=True,
    by_duration=True,
)
def begun_by_user(case: Case) -> Judged:
    """Every submit of the range, asked for as a temptation or not; who wrote before a capture began is not known."""
    replies = _replies(case)
    tempted = [row for row in sends(case).values() if row.code.startswith(_prefix(case))]
    if not replies and not tempted:
        return Judged("inconclusive", "nothing was asked for on the range of replies, and nothing sent", blame="bench")
    if not replies:
        return Judged("inconclusive", "the client sent nothing from the range of replies", blame="client")
    wrong = [row for row, since in replies if since < 0]
    told = f"{len(replies)} messages from range {_prefix(case)}, {len(wrong)} to users who had not written to the code"
    if not wrong:
        return Judged("pass", told, 0, 0, "messages")
    evidence = _evidence(wrong, "no message came before")
    if captured(case):
        told += " since the capture began"
        return Judged("inconclusive", told, len(wrong), 0, "messages", "bench", (), evidence)
    return Judged("fail", told, len(wrong), 0, "messages", "client", (), evidence)


@rule(
    "OPS-DEO-07/session-over",
    "From a code of range 34 a user hears nothing once the session he began is over",
    catches=("begins-34-sessions",),
    capability="keeps_ranges",
    suites=("client", "audit"),
    occasional=True,
    by_duration=True,
)
def session_over(case: Case) -> Judged:
    """How long a session lasts is our assumption until a contract says so."""
    term = "marketing.reply_session_h"
    limit_us = case.contract.terms.marketing.reply_session_h.value * HOUR_US
    written = _sessions_of_users(case)
    late = [
        row
        for row in sends(case).values()
        if row.code.startswith(_prefix(case))
        and (before := [at for at in written.get((address_key(row.recipient), row.code), ()) if at <= row.at])
        and row.at - max(before) > limit_us
    ]
    wrong = [row for row, since in _replies(case) if since > limit_us]
    if not late and not wrong:
        return Judged("inconclusive", "nothing was asked for or sent after a session was over", blame="bench")
    told, assumed = (
        f"{len(wrong)} messages after the session was over, {len(late)} asked for",
        case.contract.assumed(term),
    )
    if not wrong:
        return Judged("pass", told, 0, 0, "messages", "", assumed)
    evidence = _evidence(wrong, "session was over")
    return Judged(missed(case.contract, term), told, len(wrong), 0, "messages", "client", assumed, evidence)


def _prefix(case: Case) -> str:
    return case.contract.terms.numbering.reply_prefix.value


def _evidence(rows: list[Any], note: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(note, r.at, r.at, r.session, r.frame.hex().upper()) for r in rows[:6])


@rule(
    "OPS-DEO-08/marketing-range",
    "Marketing leaves from codes of range 36, or of those for presence and replies",
    catches=("markets-on-any-range",),
    capability="keeps_ranges",
)
def marketing_range(case: Case) -> Judged:
    """Ranges 34 and 35 have conditions of their own."""
    terms = case.contract.terms.numbering
    fit = (terms.marketing_prefix.value, terms.geo_prefix.value, terms.reply_prefix.value)
    return withstood(case, lambda row: of_marketing(row) and not row.code.startswith(fit), "marketing on another range")


@rule(
    "OPS-DEO-09/presence-range",
    "Codes of range 35 write only to users who come from a presence list",
    catches=("uses-35-without-list",),
    capability="keeps_ranges",
)
def presence_range(case: Case) -> Judged:
    """The campaign declares where its recipients come from."""
    prefix = case.contract.terms.numbering.geo_prefix.value
    return withstood(
        case,
        lambda row: row.code.startswith(prefix) and PRESENCE not in row.detail.get("traits", ()),
        f"range {prefix} without a presence list",
    )


@rule(
    "OPS-DEO-10/web2sms-range",
    "Interpersonal messages from the web leave from codes of range 37",
    catches=("web2sms-on-any-range",),
    capability="keeps_ranges",
)
def web2sms_range(case: Case) -> Judged:
    """By the class asked for."""
    prefix = case.contract.terms.numbering.interpersonal_prefix.value
    return withstood(
        case, lambda row: row.klass == "web2sms" and not row.code.startswith(prefix), "web2sms on another range"
    )


@rule(
    "OPS-DEO-11/machines-only",
    "Codes of range 38 write to machines and to nobody else",
    catches=("people-on-38",),
    capability="keeps_ranges",
)
def machines_only(case: Case) -> Judged:
    """By the numbering plan; with the reading of today's plan (AMB-12) the range is for other things."""
    if case.contract.reading("AMB-12") != "brochure_2016":
        return Judged("unsupported", "range 38 is for transactional messages in the reading in force")
    prefix = case.contract.terms.numbering.m2m_prefix.value
    return withstood(
        case,
        lambda row: row.code.startswith(prefix) and classify(row.recipient).kind != "m2m",
        f"range {prefix} to somebody who is no machine",
        assumed=case.contract.assumed("AMB-12"),
    )


@rule(
    "OPS-DEO-12/no-subscriber-number",
    "No message is sent from a subscriber's number",
    catches=("sends-any-oadc",),
    capability="keeps_oadc",
)
def no_subscriber_number(case: Case) -> Judged:
    """Nothing on the wire has an originator that the numbering plan knows as a mobile number."""

    def subscriber(oadc: str) -> bool:
        return classify(oadc).kind in {"mobile", "m2m", "overseas"}

    tempted = withstood(case, lambda row: subscriber(row.detail.get("oadc") or ""), "a subscriber's number as sender")
    wrong = [row for row in case.reading.submits.rows() if not row.alphanumeric and subscriber(row.oadc)]
    if not wrong:
        return tempted
    told = f"{len(wrong)} messages from a subscriber's number"
    from_number = Judged("fail", told, len(wrong), 0, "messages", "client", (), _evidence(wrong, "a mobile number"))
    return worst([tempted, from_number])
