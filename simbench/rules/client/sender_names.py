"""Rules on sender names and on the codes of the contract: OPS-OPT-04, OPS-PRE-08. Names are judged by the contract."""

from __future__ import annotations

import re
from typing import Any

from simbench.finding import Evidence
from simbench.rules.client.limits import option_unknown, options
from simbench.rules.requests import sends
from simbench.rules.rule import Case, Judged, rule


def _evidence(rows: list[Any], note: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(note, r.at, r.at, r.session, r.frame.hex().upper()) for r in rows[:6])


@rule(
    "OPS-OPT-04/sender-names",
    "A name stands in the sender field only where the option is active, and keeps the rules of such names",
    catches=("sends-any-name", "sends-any-oadc"),
    capability="keeps_oadc",
    suites=("client", "watched", "audit"),
    reads=("codes",),
    occasional=True,
)
def sender_names(case: Case) -> Judged:
    """At most eleven letters and digits, at least one letter; on codes with the option, and nowhere else."""
    pattern = re.compile(case.contract.terms.numbering.oadc_alpha_pattern.value, re.ASCII)
    with_option, unknown = options(case), option_unknown(case)
    named = [row for row in case.reading.submits.rows() if row.alphanumeric]
    asked = [row for row in sends(case).values() if row.detail.get("oadc")]
    bad = [row for row in asked if row.code not in with_option or not pattern.fullmatch(row.detail["oadc"])]
    wrong = [row for row in named if not pattern.fullmatch(row.oadc)]
    wrong += [row for row in named if row not in wrong and row.account not in with_option and not unknown(row.account)]
    if asked:  # else OPS-DEO-06 judges other numbers
        known = set(case.reading.limits)
        wrong += [row for row in case.reading.submits.rows() if not row.alphanumeric and row.oadc not in known]
    told = f"{len(named)} messages under a name; {len(wrong)} of all under a wrong one, {len(bad)} were asked for"
    assumed = case.contract.assumed("AMB-10")
    if wrong and (named or with_option):
        return Judged("fail", told, len(wrong), 0, "messages", "client", assumed, _evidence(wrong, "wrong sender name"))
    if asked and (not with_option or not bad):
        return Judged("inconclusive", "no wrong name was asked for on a code with the option", blame="bench")
    if not named:
        return Judged("inconclusive", "the client sent under no name", blame="client")
    if any(unknown(row.account) for row in named):
        told += "; nobody says whether the accounts have the option"
        return Judged("inconclusive", told, 0, 0, "messages", "bench", assumed)
    return Judged("pass", told, 0, 0, "messages", "", assumed)


@rule(
    "OPS-PRE-08/allotted-codes",
    "The client logs in and sends as the codes of its contract, and as nobody else",
    catches=("alters-oadc",),
    suites=("client", "watched", "audit"),
    reads=("codes",),
)
def allotted_codes(case: Case) -> Judged:
    """Every login and every numeric originator is one of those the story names, temptations set aside."""
    owners = {row.detail.get("account") for row in case.reading.story.rows() if row.kind == "limit"}
    codes, reading = set(case.reading.limits), case.reading
    if not len(reading.submits):
        return Judged("inconclusive", "the client submitted nothing", blame="client")
    strangers = [row for row in reading.sessions.rows() if row.account and row.account not in owners]
    tempted = {mark for mark, row in sends(case).items() if row.detail.get("oadc")}
    own = [row for row in reading.submits.rows() if not row.alphanumeric and row.mark not in tempted]
    wrong = [row for row in own if row.oadc not in codes]
    told = f"{len(strangers)} sessions and {len(wrong)} of {len(own)} submits under other codes"
    if not strangers and not wrong:
        return Judged("pass", told, 0, 0, "messages")
    evidence = _evidence(wrong, "not a code of the contract")
    evidence += tuple(Evidence(f"logged in as {r.account}", r.login_at, r.login_at, r.session) for r in strangers[:6])
    return Judged("fail", told, len(wrong) + len(strangers), 0, "messages", "client", (), evidence)
