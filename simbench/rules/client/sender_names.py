"""Rules on sender names and on the codes of the contract: OPS-OPT-04, OPS-PRE-08. The contract defines valid names."""

from __future__ import annotations

import re

import numpy as np

from simbench.base.text import count
from simbench.finding import Evidence
from simbench.ledger.events import LimitSet
from simbench.rules.client.connection_logins import logins
from simbench.rules.client.limits import option_unknown, options
from simbench.rules.client.originators import name_in, number_in, number_of, numeric
from simbench.rules.evidence import first_frames, framed
from simbench.rules.requests import sends
from simbench.rules.rule import Case, Verdict, none_wrong, rule


@rule(
    "sender.sender-names",
    "The client uses sender names only where the option is active, and only valid ones",
    catches=("sends-any-name", "sends-any-oadc"),
    capability="keeps_oadc",
    suites=("client", "watched", "audit"),
    reads=("codes",),
    occasional=True,
)
def sender_names(case: Case) -> Verdict:
    """Check names against the contract's pattern, and that the account has the option."""
    pattern = re.compile(case.contract.terms.numbering.oadc_alpha_pattern.value, re.ASCII)
    with_option, unknown = options(case), option_unknown(case)
    named = [row for row in case.trace.submits.where(~numeric(case)).rows() if name_in(row)]
    asked = [one for one in sends(case).values() if one.oadc]
    bad = [row for row in asked if row.code not in with_option or not pattern.fullmatch(row.oadc)]
    wrong = [row for row in named if not pattern.fullmatch(name_in(row))]
    wrong += [row for row in named if row not in wrong and row.account not in with_option and not unknown(row.account)]
    if asked:  # without such requests OPS-DEO-06 judges numeric originators
        known = set(case.trace.limits)
        wrong += [row for row in case.trace.submits.where(numeric(case)).rows() if number_in(row) not in known]
    sent = f"{count(len(named), 'message')} with a sender name"
    summary = f"{sent}; invalid or unauthorised originators: {len(bad):,} requested, {len(wrong):,} sent"
    assumed = case.contract.assumed("sender-name-option")
    if wrong and (named or with_option):
        evidence = first_frames("invalid or unauthorised originator", wrong)
        return none_wrong(summary, len(wrong), "messages", evidence, assumed=assumed)
    if asked and (not with_option or not bad):
        return Verdict("inconclusive", "no invalid name was requested on a code with the option", blame="bench")
    if not named:
        return Verdict("inconclusive", "the client used no sender name", blame="client")
    if any(unknown(row.account) for row in named):
        summary += "; whether the accounts have the option is unknown"
        return Verdict("inconclusive", summary, 0, 0, "messages", "bench", assumed)
    return Verdict("pass", summary, 0, 0, "messages", "", assumed)


@rule(
    "sender.names-as-requested",
    "A message that was requested from a sender name carries this name, or is not sent",
    catches=("cuts-names",),
)
def names_as_requested(case: Case) -> Verdict:
    """Compare the name on the wire with the requested one, character by character."""
    asked = {token: one for token, one in sends(case).items() if one.oadc}
    if not asked:
        return Verdict("inconclusive", "no message from a sender name was requested", blame="bench")
    sent = [row for row in case.trace.submits.rows() if row.token in asked and name_in(row)]
    wrong = [row for row in sent if name_in(row) != asked[row.token].oadc]
    summary = (
        f"{count(len(asked), 'message')} from a sender name requested, {len(sent):,} sent, {len(wrong):,} from another"
    )
    if not sent:
        return Verdict("inconclusive", summary, 0, 0, "messages", "client")
    evidence = tuple(framed(f"{asked[row.token].oadc!r} requested, {name_in(row)!r} sent", row) for row in wrong[:6])
    return none_wrong(summary, len(wrong), "messages", evidence)


@rule(
    "sender.allotted-codes",
    "The client uses only the accounts and codes of its contract",
    catches=("alters-oadc",),
    suites=("client", "watched", "audit"),
    reads=("codes",),
)
def allotted_codes(case: Case) -> Verdict:
    """Check that events name every account and numeric originator.

    Submits requested with another originator do not count. Sender names and broken fields are judged elsewhere; they
    alone do not show which codes the client uses.
    """
    owners = {event.account for _, event in case.trace.events if isinstance(event, LimitSet)}
    codes, trace = set(case.trace.limits), case.trace
    submits = trace.submits
    if not len(submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    strangers = [row for row in trace.sessions.rows() if row.account and row.account not in owners]
    forbidden = {token for token, one in sends(case).items() if one.oadc}
    own = numeric(case)
    if forbidden:
        own &= np.array([token not in forbidden for token in submits.token.tolist()], np.bool_)
    oadcs, which = submits.texts("oadc")
    foreign = np.array([number_of(oadc, alphanumeric=False) not in codes for oadc in oadcs], np.bool_)[which]
    wrong = submits.where(own & foreign).rows()
    sessions = count(len(strangers), "session")
    summary = f"{sessions} of other accounts, {len(wrong):,} of {count(int(own.sum()), 'submit')} from other codes"
    if not strangers and not own.any():
        summary = f"{sessions} of other accounts, and no submit of the client's own choice from a number"
        return Verdict("inconclusive", summary, blame="client")
    others = sorted({name for row, name in logins(case) if not row.login_ack and name not in owners})
    if others and not wrong and not strangers:
        summary += f"; the result of the login to {', '.join(others)} is not recorded"
        return Verdict("inconclusive", summary, 0, 0, "messages", "bench")
    evidence = first_frames("the originator is not a code of the contract", wrong)
    evidence += tuple(Evidence(f"logged in as {r.account}", r.login_at, r.login_at, r.session) for r in strangers[:6])
    return none_wrong(summary, len(wrong) + len(strangers), "messages", evidence)
