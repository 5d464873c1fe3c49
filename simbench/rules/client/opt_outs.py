"""Rules on what users write: opt-outs are honoured (OPS-PRO-08), messages of users arrive (OPS-OPT-01).

What an opt-out is, is decided here apart from any client.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from simbench.base.units import HOUR_US, SECOND_US
from simbench.finding import Evidence
from simbench.numbering.written import address_key
from simbench.rules.requests import MARKETING, of_marketing, sends, shown, wholes
from simbench.rules.rule import Case, Judged, missed, rule

BUSY_US = SECOND_US  # a submit this near an opt-out means that the client had its hands full
OPT_OUT = re.compile(r"\W*s\W*t\W*o\W*p(\W|\d|sms|pub|$)", re.IGNORECASE)
GRACE = "marketing.stop_grace_h"


class OptOut(msgspec.Struct, frozen=True):
    """A user's opt-out that reached the client: whom it binds, over which codes and brands, and whether it was busy."""

    at: int
    user: str
    code: str
    brands: frozenset[str]
    busy: bool


def is_opt_out(text: str) -> bool:
    """Whether a user's text asks for no more: STOP leads it, in whatever spelling."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return OPT_OUT.match(plain) is not None


def opt_outs(case: Case) -> list[OptOut]:
    """Every opt-out the client acknowledged. The brands it binds are those that had written over the code by then."""
    asked = [row for row in sends(case).values() if of_marketing(row)]
    departures = case.reading.submits
    found = []
    for row in case.reading.mo.rows():
        if row.ack == "A" and is_opt_out(row.text):
            brands = frozenset(one.brand for one in asked if one.code == row.code and one.at <= row.at)
            near = (departures.code == row.code) & (abs(departures.at - row.at) <= BUSY_US) if len(departures) else []
            found.append(OptOut(row.at, address_key(row.sender), row.code, brands, int(sum(near)) > 1))
    return found


Scope = Callable[[OptOut, str], bool]  # an opt-out and the code that a message to its user was asked for on


def _bound(case: Case, in_scope: Scope, grace_us: int) -> Iterator[tuple[Any, OptOut]]:
    """Marketing asked for to who had opted out of it, longer ago than the grace."""
    outs = opt_outs(case)
    for row in sends(case).values():
        for out in outs:
            same = row.code == out.code or row.brand in out.brands
            if of_marketing(row) and out.user == address_key(row.recipient) and same and row.at > out.at + grace_us:
                if in_scope(out, row.code):
                    yield row, out
                break


def honoured(case: Case, in_scope: Scope) -> Judged:
    """No marketing to who opted out, once the grace is over; within it there may be."""
    grace_us = case.contract.terms.marketing.stop_grace_h.value * HOUR_US
    assumed = case.contract.assumed(GRACE)
    tempted = {row.mark: out for row, out in _bound(case, in_scope, grace_us)}
    if not tempted:
        return Judged("inconclusive", "nobody asked for marketing to who had opted out before the grace", blame="bench")
    sent = [one for one in wholes(case) if one.asked is not None]
    wrong = [one for one in sent if one.asked.mark in tempted]
    within = [one for one in sent if one.asked.mark in _marks(_bound(case, in_scope, 0)) - set(tempted)]
    told = (
        f"asked {len(tempted)} times for marketing to who had opted out, sent {len(wrong)}; "
        f"{len(within)} more within the grace"
    )
    if wrong:
        evidence = shown(wrong, "had opted out")
        return Judged(missed(case.contract, GRACE), told, len(wrong), 0, "messages", "client", assumed, evidence)
    if not any(of_marketing(one.asked) for one in sent):
        return Judged("inconclusive", f"{told}: the client sent no {MARKETING} at all", blame="client")
    return Judged("pass", told, 0, 0, "messages", "", assumed)


def _marks(bound: Iterator[tuple[Any, OptOut]]) -> set[str]:
    return {row.mark for row, _ in bound}


@rule(
    "OPS-PRO-08/every-spelling",
    "An opt-out is honoured however it is written",
    catches=("ignores-stop", "knows-one-stop"),
    capability="keeps_stop_list",
)
def every_spelling(case: Case) -> Judged:
    """On the code it was sent to, from users who wrote while little else happened."""
    return honoured(case, lambda out, code: out.code == code and not out.busy)


@rule(
    "OPS-PRO-08/while-busy",
    "An opt-out that comes while the client has its hands full is honoured as well",
    catches=("ignores-stop", "forgets-stop-when-busy"),
    capability="keeps_stop_list",
)
def while_busy(case: Case) -> Judged:
    """Opt-outs around which submits were leaving."""
    return honoured(case, lambda out, code: out.code == code and out.busy)


@rule(
    "OPS-PRO-08/every-code",
    "An opt-out binds the brand on every code it markets over",
    catches=("ignores-stop", "stops-one-code-only"),
    capability="keeps_stop_list",
)
def every_code(case: Case) -> Judged:
    """Marketing of the brand asked for on another code than the opt-out came to."""
    return honoured(case, lambda out, code: out.code != code)


@rule(
    "OPS-OPT-01/mo-delivered",
    "Every message a user writes to a code reaches the client that has it",
    binds="platform",
    catches=("drops-mo",),
)
def mo_delivered(case: Case) -> Judged:
    """Messages the story tells against operations 52, for accounts that were connected when the run ended."""
    written = Counter((address_key(row.subject), row.detail.get("code"), row.detail.get("text")) for row in _mo(case))
    if not written or not any(row.login_ack == "A" for row in case.reading.sessions.rows()):
        return Judged("inconclusive", "no user wrote to a client that was connected", blame="bench")
    arrived = Counter((address_key(row.sender), row.code, row.text) for row in case.reading.mo.rows())
    lost = written - arrived
    told = f"{sum(written.values())} messages of users, {sum(lost.values())} never reached the client"
    if not lost:
        return Judged("pass", told, 0, 0, "messages")
    when = {(address_key(row.subject), row.detail.get("code"), row.detail.get("text")): row.at for row in _mo(case)}
    evidence = tuple(Evidence(f"to {key[1]}: {key[2]}", when[key], when[key]) for key in list(lost)[:6])
    return Judged("fail", told, sum(lost.values()), 0, "messages", "platform", (), evidence)


def _mo(case: Case) -> list[Any]:
    return [row for row in case.reading.story.rows() if row.kind == "mo" and "code" in row.detail]


@rule(
    "OPS-OPT-01/mo-passed-on",
    "Every message of a user that the client acknowledged is passed on, once, also while it is busy",
    catches=("swallows-mo",),
    capability="reports_outcomes",
)
def mo_passed_on(case: Case) -> Judged:
    """By what the client tells of messages of users; one that the platform sent again counts once."""
    mo = [row for row in case.reading.mo.rows() if row.ack == "A"]
    if not mo:
        return Judged("inconclusive", "the client acknowledged no message of a user", blame="client")
    first = {(address_key(row.sender), row.code, row.scts, row.text): row for row in reversed(mo)}
    due = Counter((who, code) for who, code, _, _ in first)
    clock_defects = Counter((_user(row), row.code) for row in case.reading.asked.rows() if row.kind == "mo")
    lacking, repeated = due - clock_defects, clock_defects - Counter((address_key(row.sender), row.code) for row in mo)
    told = f"{len(first)} messages of users, {sum(lacking.values())} not passed on, {sum(repeated.values())} too often"
    if not lacking and not repeated:
        return Judged("pass", told, 0, 0, "messages")
    wrong = [row for row in first.values() if (address_key(row.sender), row.code) in (lacking + repeated)]
    evidence = tuple(Evidence("not passed on once", r.at, r.at, r.session, r.frame.hex().upper()) for r in wrong[:6])
    return Judged("fail", told, sum((lacking + repeated).values()), 0, "messages", "client", (), evidence)


def _user(row: Any) -> str:
    return address_key(str(row.recipient))
