"""Rules on messages from users: the client honours opt-outs (OPS-PRO-08), and MO messages arrive (OPS-OPT-01).

The rules recognise an opt-out by their own definition, independent of any client.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from simbench.base.text import count
from simbench.base.units import HOUR_US, SECOND_US
from simbench.finding import Evidence
from simbench.ledger.events import TextSent
from simbench.ledger.stimuli import Request
from simbench.rules.evidence import first_frames
from simbench.rules.requests import MARKETING, of_marketing, sends, wholes
from simbench.rules.rule import Case, Verdict, missed, none_wrong, rule

BUSY_US = SECOND_US  # a submit this close to an opt-out shows that the client was busy
OPT_OUT = re.compile(r"\W*s\W*t\W*o\W*p(\W|\d|sms|pub|$)", re.IGNORECASE)
GRACE = "marketing.stop_grace_h"


class OptOut(msgspec.Struct, frozen=True):
    """A user's opt-out that reached the client: its user, code and brands, and whether the client was busy."""

    at: int
    user: str
    code: str
    brands: frozenset[str]
    busy: bool


def is_opt_out(text: str) -> bool:
    """Return whether a user's text is an opt-out: it begins with STOP in any spelling."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return OPT_OUT.match(plain) is not None


def opt_outs(case: Case) -> list[OptOut]:
    """Return every opt-out that the client acknowledged, with the brands that had used the code before."""
    asked = [row for row in sends(case).values() if of_marketing(row)]
    departures = case.trace.submits
    found = []
    for row in case.trace.mo.rows():
        if row.ack == "A" and is_opt_out(row.text):
            brands = frozenset(one.brand for one in asked if one.code == row.code and one.at <= row.at)
            near = (departures.code == row.code) & (abs(departures.at - row.at) <= BUSY_US) if len(departures) else []
            found.append(OptOut(row.at, case.plan.key(row.sender), row.code, brands, int(sum(near)) > 1))
    return found


Scope = Callable[[OptOut, str], bool]  # an opt-out and the code of a message requested to its user


def _bound(case: Case, in_scope: Scope, grace_us: int) -> Iterator[tuple[Request, OptOut]]:
    """Yield marketing requested to users whose opt-out was longer ago than the grace period."""
    outs = opt_outs(case)
    for row in sends(case).values():
        for out in outs:
            same = row.code == out.code or row.brand in out.brands
            if of_marketing(row) and out.user == case.plan.key(row.recipient) and same and row.at > out.at + grace_us:
                if in_scope(out, row.code):
                    yield row, out
                break


def honoured(case: Case, in_scope: Scope) -> Verdict:
    """Check that no marketing went to opted-out users after the grace period."""
    grace_us = case.contract.terms.marketing.stop_grace_h.value * HOUR_US
    assumed = case.contract.assumed(GRACE)
    forbidden = {one.token: out for one, out in _bound(case, in_scope, grace_us)}
    if not forbidden:
        return Verdict(
            "inconclusive", "no marketing to opted-out users after the grace period was requested", blame="bench"
        )
    sent = [(one, one.asked) for one in wholes(case) if one.asked is not None]
    wrong = [one for one, asked in sent if asked.token in forbidden]
    bound = {row.token for row, _ in _bound(case, in_scope, 0)} - set(forbidden)
    within = [one for one, asked in sent if asked.token in bound]
    summary = (
        f"{count(len(forbidden), 'marketing message')} to opted-out users requested, {len(wrong):,} sent "
        f"({len(within):,} more within the grace period)"
    )
    if wrong:
        evidence = first_frames("the user had opted out", wrong)
        return Verdict(missed(case.contract, GRACE), summary, len(wrong), 0, "messages", "client", assumed, evidence)
    if not any(of_marketing(asked) for _, asked in sent):
        return Verdict("inconclusive", f"{summary}; the client sent no {MARKETING} at all", blame="client")
    return Verdict("pass", summary, 0, 0, "messages", "", assumed)


@rule(
    "opt-out.every-spelling",
    "The client honours an opt-out in any spelling",
    catches=("ignores-stop", "knows-one-stop"),
    capability="keeps_stop_list",
)
def every_spelling(case: Case) -> Verdict:
    """Judge marketing on the code of the opt-out, for opt-outs that arrived while the client was idle."""
    return honoured(case, lambda out, code: out.code == code and not out.busy)


@rule(
    "opt-out.while-busy",
    "The client honours an opt-out that arrives while it is busy",
    usual_cause="Users' messages wait behind submits, or are read only while no result is awaited.",
    catches=("ignores-stop", "forgets-stop-when-busy"),
    capability="keeps_stop_list",
)
def while_busy(case: Case) -> Verdict:
    """Judge opt-outs that arrived within a second of several submits."""
    return honoured(case, lambda out, code: out.code == code and out.busy)


@rule(
    "opt-out.every-code",
    "The client honours an opt-out on every code of the brand",
    usual_cause="The opt-out is kept for the code that received it, not for the brand.",
    catches=("ignores-stop", "stops-one-code-only"),
    capability="keeps_stop_list",
)
def every_code(case: Case) -> Verdict:
    """Judge marketing of the brand requested on another code than that of the opt-out."""
    return honoured(case, lambda out, code: out.code != code)


@rule(
    "mo.mo-delivered",
    "The platform delivers every MO message to the client that owns the code",
    usual_cause="A queue of the platform drops messages while no connection of their account is open.",
    binds="platform",
    catches=("drops-mo",),
)
def mo_delivered(case: Case) -> Verdict:
    """Compare MO messages in the events with operations 52, for accounts connected at the end of the run."""
    events = [(at, event) for at, event in case.trace.events if isinstance(event, TextSent)]
    written = Counter((case.plan.key(mo.sender), mo.code, mo.text) for _, mo in events)
    if not written or not any(row.login_ack == "A" for row in case.trace.sessions.rows()):
        return Verdict("inconclusive", "no MO message for a connected client", blame="bench")
    arrived = Counter((case.plan.key(row.sender), row.code, row.text) for row in case.trace.mo.rows())
    lost = written - arrived
    sent = written.total()
    summary = f"{sent - lost.total()} of {count(sent, 'MO message')} reached the client"
    when = {(case.plan.key(mo.sender), mo.code, mo.text): at for at, mo in events}
    evidence = tuple(Evidence(f"to {key[1]}: {key[2]}", when[key], when[key]) for key in list(lost)[:6])
    return none_wrong(summary, sum(lost.values()), "messages", evidence, blame="platform")


@rule(
    "mo.mo-passed-on",
    "The client passes on every MO message it acknowledged exactly once, even while it is busy",
    usual_cause="A message is acknowledged before it is kept, or is read only while no result is awaited.",
    catches=("swallows-mo",),
    capability="reports_outcomes",
)
def mo_passed_on(case: Case) -> Verdict:
    """Compare with the MO messages that the client reports; one that the platform sent twice counts once."""
    mo = [row for row in case.trace.mo.rows() if row.ack == "A"]
    if not mo:
        return Verdict("inconclusive", "the client acknowledged no MO message", blame="client")
    first = {(case.plan.key(row.sender), row.code, row.scts, row.text): row for row in reversed(mo)}
    due = Counter((who, code) for who, code, _, _ in first)
    reported = Counter((case.plan.key(one.recipient), one.code) for one in case.trace.reports if one.kind == "mo")
    lacking, repeated = due - reported, reported - Counter((case.plan.key(row.sender), row.code) for row in mo)
    received = count(len(first), "MO message")
    summary = f"{received}, {sum(lacking.values())} not passed on, {sum(repeated.values())} passed on too often"
    wrong = [row for row in first.values() if (case.plan.key(row.sender), row.code) in (lacking + repeated)]
    evidence = first_frames("not passed on exactly once", wrong)
    return none_wrong(summary, sum((lacking + repeated).values()), "messages", evidence)
