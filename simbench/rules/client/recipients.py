"""Rules on recipients and originators: OPS-ACH-01, OPS-ACH-07, OPS-PRE-02, OPS-ENG-02, OPS-DEO-06.

The expected outcome of a recipient follows from the subscriber events alone, independent of the SMSC's routing.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from simbench.base.text import count
from simbench.finding import Evidence
from simbench.numbering.subscribers import NOT_TELEPHONES_HERE
from simbench.rules.arrays import combined, tokened
from simbench.rules.client.admission import NAMES, REFUSED_AT_ONCE, expectation, objections
from simbench.rules.client.limits import option_unknown, options, owners, truth
from simbench.rules.client.originators import name_of, number_of
from simbench.rules.evidence import first_frames, framed
from simbench.rules.meters import Operations
from simbench.rules.rule import Case, Verdict, missed, none_wrong, rule
from simbench.trace.rows import Notification, Notifications, Submits

SHOWN = 6
NO_OUTCOME_KNOWN = "no message went to a recipient whose expected outcome is known"
NOT_SERVED = REFUSED_AT_ONCE | {"other-operator", "ported-out"}
_KINDS = ("own", "named", "wrong", "open", "broken")  # of originators
FINAL_REFUSALS = {"02", "05", "06", "07", "22", "23", "24"}


def evidence_of(view: Submits | Operations, note: str) -> tuple[Evidence, ...]:
    """Return the first few frames of a view as evidence."""
    return first_frames(note, view.where(slice(SHOWN)).rows(), SHOWN)


@rule(
    "recipients.served-recipients",
    "Each message has the outcome the contract defines for its recipient: refused, undeliverable or delivered",
    usual_cause="The platform's routing or its table of numbers differs from the offer.",
    binds="platform",
    catches=("wrong-routing",),
    suites=("client", "audit"),
    reads=("recipients",),
    absence="anywhere",
)
def served_recipients(case: Case) -> Verdict:
    """Compare with the outcome expected from the subscriber event: error code 06 at once, Dst 2 or Dst 0."""
    known, trace = truth(case), case.trace
    if not known:
        return Verdict("inconclusive", NO_OUTCOME_KNOWN, blame="bench")
    against, submits = objections(case), trace.submits
    others = [name for name in NAMES if name != "recipient"]
    places = np.flatnonzero(trace.recipients.among(known) & (submits.result_at >= 0) & ~against.has(*others))
    final = _final(trace.notifications, known)
    machines = case.contract.terms.numbering.prefixes("machines")
    wrong, checked = [], 0
    for row in submits.where(places).rows():
        subscriber = known[row.recipient]
        expected = expectation(subscriber, row.code, machines)
        happened = row.ec if row.ack == "N" else _outcome(final.get((row.recipient, row.scts)))
        if happened == "pending" and expected not in FINAL_REFUSALS:
            continue  # a message to be refused at once is wrong as soon as it is accepted
        happened = "accepted" if happened == "pending" else happened
        checked += 1
        if happened != expected:
            note = f"{subscriber.standing}: expected {expected}, found {happened}"
            wrong.append(framed(note, row))
    if not checked:
        return Verdict("inconclusive", NO_OUTCOME_KNOWN, blame="bench")
    if wrong:
        summary = f"{len(wrong):,} of {count(checked, 'message')} had another outcome than expected for their recipient"
        return Verdict("fail", summary, len(wrong), 0, "messages", "platform", (), tuple(wrong[:SHOWN]))
    summary = f"{checked} of {count(checked, 'message')} had the outcome expected for their recipient"
    return Verdict("pass", summary, 0, 0, "messages")


def _final(notifications: Notifications, known: Collection[str]) -> dict[tuple[str, str], Notification]:
    """Return the last final notification for each of these recipients and SCTS."""
    final = np.isin(notifications.outcome, [0, 2]) & notifications.among("recipient", known)
    return {(row.recipient, row.scts): row for row in notifications.where(final).rows()}


def _outcome(notification: Notification | None) -> str:
    if notification is None:
        return "pending"
    return "delivered" if notification.outcome == 0 else "undelivered"


@rule(
    "recipients.final-refusals",
    "The client does not resend a message the platform refused with a permanent error code",
    usual_cause="Every negative result leads to another attempt, whatever its error code.",
    catches=("retries-final-nack",),
    suites=("client", "audit"),
    reads=("requests",),
    counts_all=True,
    excused_by=("requests",),
)
def final_refusals(case: Case) -> Verdict:
    """Identify a message by token and text."""
    submits = case.trace.submits
    refused_at: dict[tuple[str, str], int] = {}
    repeated: list[int] = []
    for position, row in tokened(submits):
        key = (row.token, row.text)
        if key in refused_at and row.at > refused_at[key]:
            repeated.append(position)
        elif row.ack == "N" and row.ec in FINAL_REFUSALS:
            refused_at[key] = row.result_at
    if not refused_at:
        return Verdict("unsupported", "the platform refused no message with a permanent error code")
    summary = f"{count(len(refused_at), 'message')} permanently refused, {len(repeated):,} sent again"
    evidence = evidence_of(submits.where(repeated), "sent again after a final refusal")
    return none_wrong(summary, len(repeated), "messages", evidence)


@rule(
    "recipients.other-operators-share",
    "Messages to users of other operators are at most a small share of the client's traffic",
    catches=("sends-to-anyone",),
    capability="qualifies_recipients",
    suites=("client", "audit"),
    reads=("recipients",),
)
def other_operators_share(case: Case) -> Verdict:
    """Measure the share of submits to recipients at another operator, overseas, abroad, on fixed lines or unknown."""
    share_max = case.contract.terms.delivery.other_operators_share_max.value
    assumed = case.contract.assumed("delivery.other_operators_share_max")
    known, submits, operator = truth(case), case.trace.submits, case.contract.party("operator").name
    if not len(submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    outside = {number for number, one in known.items() if one.standing in NOT_SERVED}
    elsewhere = np.flatnonzero(case.trace.recipients.among(outside))
    share = len(elsewhere) / len(submits)
    submitted = count(len(submits), "submit")
    summary = (
        f"{len(elsewhere):,} of {submitted} ({share:.1%}) to recipients outside {operator} (limit {share_max:.1%})"
    )
    if share <= share_max:
        return Verdict("pass", summary, share, share_max, "share", "", assumed)
    evidence = evidence_of(submits.where(elsewhere), f"the recipient is outside {operator}")
    outcome = missed(case.contract, "delivery.other_operators_share_max")
    return Verdict(outcome, summary, share, share_max, "share", "client", assumed, evidence)


@rule(
    "sender.short-code-only",
    "Ordinary messages carry the allotted short code as originator",
    catches=("alters-oadc",),
    suites=("client", "watched", "audit"),
    reads=("codes",),
)
def short_code_only(case: Case) -> Verdict:
    """Check submits requested without another originator; a sender name under the option (AMB-10) is allowed."""
    return _originators(case, forbidden_only=False)


@rule(
    "sender.forbidden-requests",
    "The client does not carry out requests to send from another originator",
    catches=("alters-oadc", "sends-any-oadc"),
    capability="keeps_oadc",
)
def forbidden_requests(case: Case) -> Verdict:
    """Check that every submit on the wire, requested or not, has an allotted originator."""
    return _originators(case, forbidden_only=True)


def _originators(case: Case, *, forbidden_only: bool) -> Verdict:
    submits = case.trace.submits
    forbidden = {one.token for one in case.trace.requests if one.oadc}
    if not forbidden_only and forbidden:
        submits = submits.where(~np.array([token in forbidden for token in submits.token.tolist()], np.bool_))
    elif forbidden_only and not forbidden:
        return Verdict("inconclusive", "no message from another originator was requested", blame="bench")
    if not len(submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    known, with_option, unknown = owners(case), options(case), option_unknown(case)

    def kind(account: str, oadc: str, alphanumeric: bool) -> str:
        if number := number_of(oadc, alphanumeric):
            return "own" if number in known[account] else "wrong"
        if not name_of(oadc, alphanumeric):
            return "broken"  # submits.violations reports the field
        if unknown(account):
            return "open"
        return "wrong" if forbidden_only or account not in with_option else "named"  # OPS-OPT-04 judges sender names

    rows, which = combined(submits, "account", "oadc", "alphanumeric")
    found = [kind(str(account), str(oadc), bool(named)) for account, oadc, named in rows]
    kinds = np.array([_KINDS.index(one) for one in found], np.int8)[which]
    own, named, wrong, open_, broken = (np.flatnonzero(kinds == place) for place in range(len(_KINDS)))
    assumed = case.contract.assumed("sender-name-option")
    judged = count(len(submits) - len(broken), "submit")
    summary = f"{len(wrong):,} of {judged} with another originator ({len(forbidden):,} requested)"
    summary += f"; {len(named):,} with a sender name, which the option allows" if len(named) else ""
    summary += f"; {count(len(broken), 'broken originator')} not counted" if len(broken) else ""
    if len(wrong):
        evidence = evidence_of(submits.where(wrong), "the originator is not an allotted short code")
        return Verdict("fail", summary, len(wrong), 0, "messages", "client", assumed, evidence)
    if len(open_):
        summary += f"; {len(open_):,} with a sender name, and whether the account has the option is unknown"
        evidence = evidence_of(submits.where(open_), "sender name")
        return Verdict("inconclusive", summary, len(open_), 0, "messages", "bench", assumed, evidence)
    if not len(own) + len(named) or (forbidden_only and len(broken)):  # a request may have been carried out with these
        evidence = evidence_of(submits.where(broken), "neither a number nor a sender name")
        return Verdict("inconclusive", summary, None, 0, "messages", "client", assumed, evidence)
    return Verdict("pass", summary, 0, 0, "messages", "", assumed)


@rule(
    "sender.originator-in-service",
    "A submit from an originator that is not in service is refused with error code 04",
    usual_cause="The platform treats any originator as the account's own code.",
    binds="platform",
    catches=("accepts-any-originator",),
    suites=("client", "audit"),
    reads=("codes",),
)
def originator_in_service(case: Case) -> Verdict:
    """Check the platform's refusals under OPS-ACH-02 and OPS-DEO-06.

    A submit with another fault may get the error code of that fault. An originator that is empty or broken is a fault
    of the field and does not count here.
    """
    against, submits = objections(case), case.trace.submits
    places = np.flatnonzero(against.has("originator") & (submits.result_at >= 0))
    foreign = [
        (row, against[place] - {"originator"})
        for place, row in zip(places.tolist(), submits.where(places).rows(), strict=True)
    ]
    if not foreign:
        return Verdict("unsupported", "the client sent nothing from an originator out of service")
    wrong = [row for row, others in foreign if row.ack == "A" or (row.ec != "04" and not others)]
    sent = count(len(foreign), "submit")
    summary = f"{len(foreign) - len(wrong):,} of {sent} from an originator out of service refused, as due, with EC 04"
    evidence = first_frames("not refused with EC 04", wrong)
    return none_wrong(summary, len(wrong), "messages", evidence, blame="platform")


@rule(
    "recipients.accepted",
    "Outside outages the platform accepts every valid submit to a served recipient",
    usual_cause="The platform's routing or its table of numbers lacks a range, or the code is not in service.",
    binds="platform",
    catches=("wrong-routing",),
    suites=("client", "audit"),
    reads=("codes", "recipients", "accounts"),
)
def accepted(case: Case) -> Verdict:
    """Count submits without an objection; the numbering plan classifies recipients that no event names."""
    against = objections(case)
    submits = case.trace.submits
    fair = (submits.result_at >= 0) & against.none
    if not fair.any():
        return Verdict("inconclusive", "no valid submit to a served recipient", blame="bench")
    wrong = submits.where(fair & ~submits.equal("ack", "A")).rows()
    summary = f"{int(fair.sum()) - len(wrong)} of {count(int(fair.sum()), 'valid submit')} accepted"
    if not wrong:
        return Verdict("pass", summary, 1.0, 1.0, "share accepted")
    evidence = tuple(framed(f"EC {r.ec}", r) for r in wrong[:SHOWN])
    return Verdict("fail", summary, 1 - len(wrong) / int(fair.sum()), 1.0, "share accepted", "platform", (), evidence)


@rule(
    "recipients.ported-numbers",
    "The client sends nothing to a number that its portability data shows as ported away from the operator",
    catches=("ignores-portability", "sends-to-anyone"),
    capability="qualifies_recipients",
)
def ported_numbers(case: Case) -> Verdict:
    """Count submits to numbers ported away. The summary also counts numbers ported to the operator that were served."""
    known, operator = truth(case), case.contract.party("operator").name
    asked = {one.recipient for one in case.trace.requests}
    away = {number for number in asked if number in known and known[number].standing == "ported-out"}
    submits = case.trace.submits
    if not away:
        return Verdict("inconclusive", "no message to a number ported away was requested", blame="bench")
    if not len(submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    wrong = np.flatnonzero(submits.among("recipient", away))
    here = {number for number in asked if number in known and known[number].standing not in NOT_TELEPHONES_HERE}
    served = {number for number in here if submits.among("recipient", [number]).any()}
    sent = f"{count(len(wrong), 'message')} to {count(len(away), 'number')} ported away from {operator}"
    summary = f"{sent}; {len(served):,} of {count(len(here), 'number')} ported to {operator} served"
    evidence = evidence_of(submits.where(wrong), "the number was ported away")
    return none_wrong(summary, len(wrong), "messages", evidence)
