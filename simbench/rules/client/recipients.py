"""Rules on who is written to and from whom: OPS-ACH-01, OPS-ACH-07, OPS-PRE-02, OPS-ENG-02, OPS-DEO-06.

What becomes of a recipient is worked out here from the story's subscriber truth, apart from the centre's routing.
"""

from __future__ import annotations

from typing import Any

from simbench.finding import Evidence
from simbench.rules.client.admission import REFUSED_AT_ONCE, expectation, objections
from simbench.rules.client.limits import option_unknown, options, owners, truth
from simbench.rules.rule import Case, Judged, missed, rule
from simbench.trace.view import View

SHOWN = 6
NOT_ORANGE = REFUSED_AT_ONCE | {"other-operator", "ported-out"}
FINAL_REFUSALS = {"02", "05", "06", "07", "22", "23", "24"}


def evidence_of(view: View, note: str) -> tuple[Evidence, ...]:
    """The first few frames of a view as evidence."""
    return tuple(
        Evidence(note, row.at, row.at, row.session, row.frame.hex().upper()) for row in view.where(slice(SHOWN)).rows()
    )


@rule(
    "OPS-ACH-07/served-recipients",
    "Each kind of recipient meets what the offer says: refused, reported undeliverable, or delivered",
    binds="platform",
    catches=("wrong-routing",),
    suites=("client", "audit"),
    reads=("recipients",),
    absence="anywhere",
)
def served_recipients(case: Case) -> Judged:
    """The platform's side: error code 06 at once, 53 with Dst 2, or Dst 0, by the subscriber's truth in the story."""
    known, reading, against = truth(case), case.reading, objections(case)
    told = {(row.subscriber, row.scts): row for row in reading.notices.rows() if row.outcome in {0, 2}}
    wrong, checked = [], 0
    for place, row in enumerate(reading.submits.rows()):
        fate = known.get(row.adc)
        if fate is None or row.result_at < 0 or against[place] - {"recipient"}:
            continue
        expected = expectation(fate, row.code, case.contract.terms.numbering.m2m_prefix.value)
        happened = row.ec if row.ack == "N" else _outcome(told.get((row.adc, row.scts)))
        if happened == "pending" and expected not in FINAL_REFUSALS:
            continue  # what was to be refused at once is wrong as soon as it is accepted
        happened = "accepted" if happened == "pending" else happened
        checked += 1
        if happened != expected:
            note = f"{fate['fate']}: expected {expected}, met {happened}"
            wrong.append(Evidence(note, row.at, row.at, row.session, row.frame.hex().upper()))
    if not checked:
        return Judged("inconclusive", "no recipient of known truth was written to", blame="bench")
    if wrong:
        summary = f"{len(wrong)} of {checked} messages met something else than their recipient's truth"
        return Judged("fail", summary, len(wrong), 0, "messages", "platform", (), tuple(wrong[:SHOWN]))
    return Judged("pass", f"{checked} messages met what their recipients' truth says", 0, 0, "messages")


def _outcome(notice: Any) -> str:
    if notice is None:
        return "pending"
    return "delivered" if notice.outcome == 0 else "undelivered"


@rule(
    "OPS-ACH-07/final-refusals",
    "What the platform refused for good is not sent again",
    catches=("retries-final-nack",),
    suites=("client", "audit"),
    reads=("requests",),
    counts_all=True,
    excused_by=("requests",),
)
def final_refusals(case: Case) -> Judged:
    """A message (by its mark) refused with a permanent error code must not come again."""
    submits = case.reading.submits
    refused_at: dict[tuple[str, str], int] = {}
    repeated: list[int] = []
    for position, row in enumerate(submits.rows()):
        if not row.mark:
            continue
        key = (row.mark, row.text)
        if key in refused_at and row.at > refused_at[key]:
            repeated.append(position)
        elif row.ack == "N" and row.ec in FINAL_REFUSALS:
            refused_at[key] = row.result_at
    if not refused_at:
        return Judged("unsupported", "the client sent nothing that is refused for good")
    told = f"{len(refused_at)} messages refused for good, {len(repeated)} sent again"
    if not repeated:
        return Judged("pass", told, 0, 0, "messages")
    evidence = evidence_of(submits.where(repeated), "sent again after a final refusal")
    return Judged("fail", told, len(repeated), 0, "messages", "client", (), evidence)


@rule(
    "OPS-ENG-02/non-orange-share",
    "Messages to users who are not Orange's stay a small share of what the client sends",
    catches=("sends-to-anyone",),
    capability="qualifies_recipients",
    suites=("client", "audit"),
    reads=("recipients",),
)
def non_orange_share(case: Case) -> Judged:
    """Share of submits to recipients whose truth in the story is another operator, overseas, fixed, foreign or none."""
    share_max = case.contract.terms.delivery.non_orange_share_max.value
    assumed = case.contract.assumed("delivery.non_orange_share_max")
    known, submits = truth(case), case.reading.submits
    if not len(submits):
        return Judged("inconclusive", "the client submitted nothing", blame="client")
    elsewhere = [p for p, adc in enumerate(submits.adc.tolist()) if known.get(adc, {}).get("fate") in NOT_ORANGE]
    share = len(elsewhere) / len(submits)
    told = f"{len(elsewhere)} of {len(submits)} submits ({share:.1%}) to recipients who are not Orange's"
    if share <= share_max:
        return Judged("pass", told, share, share_max, "share", "", assumed)
    evidence = evidence_of(submits.where(elsewhere), "recipient is not Orange's")
    outcome = missed(case.contract, "delivery.non_orange_share_max")
    return Judged(outcome, told, share, share_max, "share", "client", assumed, evidence)


@rule(
    "OPS-DEO-06/short-code-only",
    "Ordinary messages carry the allotted short code as originator and nothing else",
    catches=("alters-oadc",),
    suites=("client", "watched", "audit"),
    reads=("codes",),
)
def short_code_only(case: Case) -> Judged:
    """Submits that were asked for without another originator (AMB-10 leaves the option aside)."""
    return _originators(case, tempted=False)


@rule(
    "OPS-DEO-06/temptations",
    "Asked to send from another originator, the client does not",
    catches=("alters-oadc", "sends-any-oadc"),
    capability="keeps_oadc",
)
def temptations(case: Case) -> Judged:
    """Nothing forbidden may stand on the wire, whatever was asked for."""
    return _originators(case, tempted=True)


def _originators(case: Case, *, tempted: bool) -> Judged:
    submits = case.reading.submits
    sends = [row for row in case.reading.asked.rows() if row.kind == "send"]
    temptation = {row.mark for row in sends if row.detail.get("oadc")}
    if not tempted:
        submits = submits.where([p for p, mark in enumerate(submits.mark.tolist()) if mark not in temptation])
    if tempted and not temptation:
        return Judged("inconclusive", "nothing forbidden was asked of the client", blame="bench")
    if not len(submits):
        return Judged("inconclusive", "the client submitted nothing", blame="client")
    known, with_option, unknown = owners(case), options(case), option_unknown(case)
    wrong, named, open_ = [], 0, []
    for place, row in enumerate(submits.rows()):
        if not row.alphanumeric:
            wrong += [place] if row.oadc not in known[row.account] else []
        elif unknown(row.account):
            open_.append(place)
        elif tempted or row.account not in with_option:
            wrong.append(place)
        else:
            named += 1  # OPS-OPT-04 judges these
    assumed = case.contract.assumed("AMB-10")
    told = f"{len(wrong)} of {len(submits)} submits with another originator ({len(temptation)} were asked for)"
    told += f"; {named} under a name, which the option allows" if named else ""
    if wrong:
        evidence = evidence_of(submits.where(wrong), "originator is not the short code")
        return Judged("fail", told, len(wrong), 0, "messages", "client", assumed, evidence)
    if open_:
        told += f"; {len(open_)} under a name, and nobody says whether the account has the option"
        evidence = evidence_of(submits.where(open_), "under a name")
        return Judged("inconclusive", told, len(open_), 0, "messages", "bench", assumed, evidence)
    return Judged("pass", told, 0, 0, "messages", "", assumed)


@rule(
    "OPS-ACH-02/originator-in-service",
    "A submit from an originator that is not in service is refused with error code 04",
    binds="platform",
    catches=("accepts-any-originator",),
    suites=("client", "audit"),
    reads=("codes",),
)
def originator_in_service(case: Case) -> Judged:
    """The platform's side of OPS-ACH-02 and OPS-DEO-06. What else is wrong with a submit may be refused with its code.

    An originator that is empty is a field that lacks, and no originator out of service.
    """
    against = objections(case)
    foreign = [
        (row, against[place] - {"originator"})
        for place, row in enumerate(case.reading.submits.rows())
        if "originator" in against[place] and row.oadc and row.result_at >= 0
    ]
    if not foreign:
        return Judged("unsupported", "the client does not send from an originator out of service")
    wrong = [row for row, others in foreign if row.ack == "A" or (row.ec != "04" and not others)]
    told = f"{len(foreign) - len(wrong)} of {len(foreign)} refused with 04"
    if not wrong:
        return Judged("pass", told, 0, 0, "messages")
    evidence = tuple(Evidence("not refused", r.at, r.at, r.session, r.frame.hex().upper()) for r in wrong[:SHOWN])
    return Judged("fail", told, len(wrong), 0, "messages", "platform", (), evidence)


@rule(
    "OPS-ACH-01/accepted",
    "Outside outages every sound submit to a served recipient is accepted",
    binds="platform",
    catches=("wrong-routing",),
    suites=("client", "audit"),
    reads=("codes", "recipients", "accounts"),
)
def accepted(case: Case) -> Judged:
    """Only submits to which nothing can be objected count; recipients the events do not name are what the plan says."""
    against = objections(case)
    fair = [row for place, row in enumerate(case.reading.submits.rows()) if row.result_at >= 0 and not against[place]]
    if not fair:
        return Judged("inconclusive", "no submit that ought to have been accepted", blame="bench")
    wrong = [row for row in fair if row.ack != "A"]
    told = f"{len(fair) - len(wrong)} of {len(fair)} accepted"
    if not wrong:
        return Judged("pass", told, 1.0, 1.0, "share accepted")
    evidence = tuple(Evidence(f"EC {r.ec}", r.at, r.at, r.session, r.frame.hex().upper()) for r in wrong[:SHOWN])
    return Judged("fail", told, 1 - len(wrong) / len(fair), 1.0, "share accepted", "platform", (), evidence)


@rule(
    "OPS-PRE-02/ported-numbers",
    "Nothing is sent to a number that, by the portability data the client has, was ported away from Orange",
    catches=("ignores-portability", "sends-to-anyone"),
    capability="qualifies_recipients",
)
def ported_numbers(case: Case) -> Judged:
    """Numbers ported away are withheld; that those ported to Orange are served is told, not judged."""
    known = truth(case)
    asked = {row.recipient for row in case.reading.asked.rows() if row.kind == "send"}
    away = {number for number in asked if known.get(number, {}).get("fate") == "ported-out"}
    submits = case.reading.submits
    if not away:
        return Judged("inconclusive", "nothing was asked for to a number ported away", blame="bench")
    if not len(submits):
        return Judged("inconclusive", "the client submitted nothing", blame="client")
    wrong = [p for p, adc in enumerate(submits.adc.tolist()) if adc in away]
    here = {number for number in asked if known.get(number, {}).get("fate") == "orange"}
    served = here & set(submits.adc.tolist())
    told = f"{len(wrong)} messages to {len(away)} numbers ported away; {len(served)} of {len(here)} ported here served"
    if not wrong:
        return Judged("pass", told, 0, 0, "messages")
    evidence = evidence_of(submits.where(wrong), "ported away")
    return Judged("fail", told, len(wrong), 0, "messages", "client", (), evidence)
