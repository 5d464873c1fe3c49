"""Rules on recorded traffic: originators, ranges, and marketing as its campaigns declare it.

Rows of `stimuli` identify marketing, so a capture with declared campaigns is judged like a run. These rules pass if
nothing forbidden was sent; the rules of exercises also need a forbidden request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from simbench.base.text import count
from simbench.base.units import DAY_US, HOUR_US
from simbench.finding import Evidence, Outcome
from simbench.ledger.stimuli import Request, Unrequested
from simbench.rules.arrays import holds
from simbench.rules.client.deferral import due
from simbench.rules.client.marketing import INFORMED, names_stop
from simbench.rules.client.marketing_hours import READINGS, SPECIAL, figures, hours_missed
from simbench.rules.client.opt_outs import is_opt_out
from simbench.rules.evidence import first_frames
from simbench.rules.requests import MARKETING
from simbench.rules.rule import Case, Verdict, missed, none_wrong, rule
from simbench.trace.rows import Message, Submit

Declared = Request | Unrequested
SHOWN = 6


def marketed(case: Case) -> list[tuple[Message, Declared]]:
    """Return marketing messages on the wire in order of time, each with the stimulus that declares it."""
    stimuli = (one for one in case.trace.stimuli if isinstance(one, Request | Unrequested))
    declared = {one.token: one for one in stimuli if one.traffic_class == MARKETING}
    if not declared:
        return []
    return [(one, declared[one.token]) for one in case.trace.messages.rows() if one.token in declared]


def _judged(
    case: Case, sent: list[tuple[Message, Declared]], wrong: Sequence[Message], what: str,
    assumed: tuple[str, ...] = (), outcome: Outcome | None = None,
) -> Verdict:  # fmt: skip
    """Return the verdict of a rule that counts wrong marketing messages; a breach of `assumed` limits is weak."""
    if not sent:
        return Verdict("unsupported", "no such marketing on the wire")
    summary = f"{len(wrong):,} of {count(len(sent), 'marketing message')} {what}"
    hangs = case.contract.assumed(*assumed)
    frames = case.trace.submits.frame
    evidence = tuple(
        Evidence(what, one.at, one.at, one.session, frames[one.rows_of[0]].hex().upper()) for one in wrong[:SHOWN]
    )
    outcome = outcome or missed(case.contract, *(name for name in assumed if "." in name))  # a reading is no limit
    return none_wrong(summary, len(wrong), "messages", evidence, outcome=outcome, assumed=hangs)


@rule(
    "hours.hours-on-the-wire",
    "Marketing on the wire was sent within the hours, and on days on which the contract allows it",
    catches=("night-marketing",),
    suites=("audit",),
    reads=("classes",),
)
def hours(case: Case) -> Verdict:
    """Use the clock of the capture, and of a deferred message also the instant to which it is deferred.

    A message with one of the two instants outside the hours is weak while AMB-06 is open. Special cases do not count.
    """
    contract, frames = case.contract, case.trace.submits.frame
    sent = [(one, asked) for one, asked in marketed(case) if SPECIAL not in asked.traits]
    stated = "" if contract.assumed("hours-bind") else contract.reading("hours-bind")
    wrong, doubtful = list[Message](), list[Message]()
    for one, _ in sent:
        instants = one.at, due(case, one.at, frames[one.rows_of[0]])
        handed_in, delivered = (contract.may_send(MARKETING, at) for at in instants)
        if (not handed_in and (stated or not delivered)) or (not delivered and stated == "delivery"):
            wrong.append(one)
        elif not handed_in or not delivered:
            doubtful.append(one)
    topics = (*figures(case), *READINGS)
    if doubtful and not wrong:
        what = "either handed in or deferred to outside the hours"
        return _judged(case, sent, doubtful, what, (*topics, "hours-bind"), "weak")
    instants_of = (at for one in wrong for at in (one.at, due(case, one.at, frames[one.rows_of[0]])))
    outcome = hours_missed(case, (at for at in instants_of if not contract.may_send(MARKETING, at)))
    return _judged(case, sent, wrong, "sent outside the hours", topics, outcome)


@rule(
    "marketing.consent-on-the-wire",
    "Marketing on the wire went only to users who had agreed to it",
    catches=("marketing-without-consent",),
    suites=("audit",),
    reads=("classes", "consent"),
    excused_by=("consents",),
)
def consent(case: Case) -> Verdict:
    """Use the consent that the campaigns declare."""
    sent = marketed(case)
    return _judged(case, sent, [one for one, asked in sent if not asked.opted_in], "sent to users who had not agreed")


@rule(
    "ranges.range-on-the-wire",
    "Marketing on the wire was sent from codes of a range that may carry it",
    catches=("marketing-on-machine-codes",),
    suites=("audit",),
    reads=("classes",),
)
def ranges(case: Case) -> Verdict:
    """Compare the code with the contract's ranges."""
    fit, sent = case.contract.terms.numbering.prefixes("marketing", "presence", "reply", "ordinary"), marketed(case)
    return _judged(case, sent, [one for one, _ in sent if not one.code.startswith(fit)], "sent from another range")


@rule(
    "marketing.stop-on-the-wire",
    "Marketing on the wire names the opt-out word and a short code",
    catches=("marketing-without-stop",),
    suites=("audit",),
    reads=("classes",),
)
def stop_named(case: Case) -> Verdict:
    """Check messages that are complete and whose users were not informed before."""
    sent = [(one, asked) for one, asked in marketed(case) if not one.missing and INFORMED not in asked.traits]
    return _judged(case, sent, [one for one, _ in sent if not names_stop(case, one.text)], "without STOP and a code")


@rule(
    "marketing.daily-on-the-wire",
    "No user received more marketing messages per brand and day than the contract allows",
    catches=("marketing-twice-a-day",),
    suites=("audit",),
    reads=("classes",),
    counts_all=True,
)
def daily(case: Case) -> Verdict:
    """Count messages per day; one of several segments counts once, and AMB-17 defines a day. A recommendation: weak.

    A deferred message counts on the day to which it is deferred. A message that was refused did not reach its user. A
    campaign without a brand is a brand of its own.
    """
    limit, rolling = case.contract.terms.marketing.per_user_brand_day.value, case.contract.reading("marketing-day")
    refused, frames, wrong = case.trace.submits.equal("ack", "N"), case.trace.submits.frame, []
    sent = [(one, asked) for one, asked in marketed(case) if not refused[[*one.rows_of, *one.doubles]].all()]
    before: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one, asked in sent:
        brand = asked.brand or asked.campaign or one.code
        seen, now = before[case.plan.key(one.recipient), brand], due(case, one.at, frames[one.rows_of[0]])
        if rolling == "rolling_24h":
            same = sum(abs(now - at) < DAY_US for at in seen)
        else:
            civil = case.contract.calendar.civil
            same = sum(civil(at).date() == civil(now).date() for at in seen)
        seen.append(now)
        if same >= limit:
            wrong.append(one)
    return _judged(case, sent, wrong, "beyond the daily one of their brand", ("marketing-day",), "weak")


@rule(
    "opt-out.opt-outs-on-the-wire",
    "No user received marketing of a brand later than the grace period after an opt-out",
    catches=("marketing-after-stop",),
    suites=("audit",),
    reads=("classes",),
    counts_all=True,
)
def opt_outs(case: Case) -> Verdict:
    """Find MO messages that begin with STOP and that the client acknowledged; each binds the code and its brands."""
    term = "marketing.stop_grace_h"
    grace_us, sent = case.contract.terms.marketing.stop_grace_h.value * HOUR_US, marketed(case)
    acks = [row.ack for row in case.trace.mo.rows()]
    replies = [one for one in case.trace.replies.rows() if all(acks[place] == "A" for place in one.rows_of)]
    stops = [r for r in replies if r.token == "" and is_opt_out(r.text)]
    if sent and not stops:
        return Verdict("unsupported", "no opt-out on the wire")
    wrong = []
    for one, asked in sent:
        for stop in stops:
            brands = {a.brand for o, a in sent if o.code == stop.code and o.at <= stop.at} - {""}
            bound = one.code == stop.code or asked.brand in brands
            if bound and case.plan.key(stop.sender) == case.plan.key(one.recipient) and one.at > stop.at + grace_us:
                wrong.append(one)
                break
    return _judged(case, sent, wrong, f"sent to users who had opted out ({count(len(stops), 'opt-out')})", (term,))


@rule(
    "ranges.machines-on-the-wire",
    "Codes of a range for machines on the wire sent to machines only",
    catches=("people-on-machine-codes",),
    suites=("audit",),
)
def machines(case: Case) -> Verdict:
    """Classify the recipient's number, whether or not the message was requested."""
    prefixes, assumed = case.contract.terms.numbering.prefixes("machines"), case.contract.assumed("machine-codes")
    if not case.contract.reads_as_usual("machine-codes"):
        question = case.contract.ambiguity_id("machine-codes")
        other = f"range {' or '.join(prefixes)} also serves people in the reading of {question} in force"
        return Verdict("unsupported", other, assumed=assumed)
    submits = case.trace.submits
    chosen = holds(submits, lambda oadc, named: oadc.startswith(prefixes) and not named, "oadc", "alphanumeric")
    sent = submits.where(chosen).rows()
    return _of_submits(
        sent, [row for row in sent if case.plan.classify(row.recipient).kind != "m2m"], "to people", assumed
    )


@rule(
    "sender.senders-on-the-wire",
    "No message on the wire has a subscriber's number as originator",
    catches=("sends-any-oadc",),
    suites=("audit",),
)
def senders(case: Case) -> Verdict:
    """Classify the digits of the originator, written as a number or as a name."""
    submits = case.trace.submits
    wrong = submits.where(
        holds(submits, lambda oadc: case.plan.classify(oadc).kind in {"mobile", "m2m", "overseas"}, "oadc")
    )
    return _of_submits(submits.rows(), wrong.rows(), "with a subscriber's number as originator")


def _of_submits(sent: Sequence[Submit], wrong: Sequence[Submit], what: str, assumed: tuple[str, ...] = ()) -> Verdict:
    if not sent:
        return Verdict("unsupported", "no such submit on the wire")
    summary = f"{len(wrong):,} of {count(len(sent), 'submit')} {what}"
    evidence = first_frames(what, wrong)
    return none_wrong(summary, len(wrong), "messages", evidence, assumed=assumed)
