"""Rules on when marketing may leave and arrive: OPS-PRO-03. The hours are judged by the contract's calendar.

The client's own clock is proved, not believed: what is forbidden by the platform's time but allowed by some time the
client may have believed in is nobody's failure.
"""

from __future__ import annotations

from simbench.base.calendar import civil
from simbench.contract.hours import marketing_hours
from simbench.finding import Evidence
from simbench.numbering.written import address_key
from simbench.rules.client.client_clock import believed, prove
from simbench.rules.requests import MARKETING, sends, shown, wholes
from simbench.rules.rule import Case, Judged, RuleFunction, rule

SPECIAL = "special"  # the trait of the clause's "cas particuliers"
READINGS = ("AMB-16", "AMB-20")


def allowed(case: Case, at: int) -> bool:
    """Whether marketing may leave at an instant, by the contract's readings."""
    contract = case.contract
    return marketing_hours(
        at,
        contract.terms,
        closed=contract.reading("AMB-20") == "closed",
        alsace_moselle=contract.reading("AMB-16") == "alsace_moselle",
    )


def _bound(row: object) -> bool:
    return getattr(row, "klass", "") == MARKETING and SPECIAL not in getattr(row, "detail", {}).get("traits", ())


def in_hours(case: Case) -> Judged:
    """Nothing asked for as marketing leaves out of hours, though it was asked for out of hours."""
    assumed = case.contract.assumed(*READINGS)
    tempted = [row for row in sends(case).values() if _bound(row) and not allowed(case, row.at)]
    if not tempted:
        return Judged("inconclusive", "no marketing was asked for out of hours", blame="bench")
    proof = prove(case)
    sent = [one for one in wholes(case) if one.asked is not None and _bound(one.asked)]
    outside = [one for one in sent if not allowed(case, one.at)]
    wrong = [one for one in outside if not any(allowed(case, at) for at in believed(proof, one.at))]
    told = (
        f"marketing asked for {len(tempted)} times out of hours; {len(outside)} of {len(sent)} sent were out of hours"
    )
    if wrong:
        at = civil(wrong[0].at).strftime("%A %d %B %Y, %H:%M:%S")
        evidence = shown(wrong, "marketing out of hours")
        return Judged("fail", f"{told}, the first on {at}", len(wrong), 0, "messages", "client", assumed, evidence)
    if outside:
        evidence = shown(outside, "out of hours, but perhaps not by the client's clock")
        return Judged("inconclusive", told, len(outside), 0, "messages", "bench", assumed, evidence)
    if not sent:
        return Judged("inconclusive", f"{told}: the client sent no marketing at all", blame="client", assumed=assumed)
    return Judged("pass", told, 0, 0, "messages", "", assumed)


PLACES = {
    "morning-edge": ("Marketing does not leave before the hours begin", ("opens-early", "ignores-quiet-hours")),
    "evening-edge": ("Marketing does not leave once the hours are over", ("closes-late", "ignores-quiet-hours")),
    "sundays": ("Marketing does not leave on a Sunday", ("works-on-sundays", "ignores-quiet-hours")),
    "holidays": ("Marketing leaves on none of the eleven holidays", ("works-on-holidays", "ignores-quiet-hours")),
    "summer-time": ("After the change to summer time the hours are those of the new time", ("keeps-winter-time",)),
    "winter-time": ("After the change to winter time the hours are those of the new time", ("keeps-summer-time",)),
}


def _enter(slug: str, sentence: str, catches: tuple[str, ...]) -> RuleFunction:
    return rule(f"OPS-PRO-03/{slug}", sentence, catches=catches, capability="keeps_quiet_hours")(in_hours)


for _slug, (_sentence, _catches) in PLACES.items():
    _enter(_slug, _sentence, _catches)


@rule(
    "OPS-PRO-03/delivered-in-hours",
    "Marketing that could not be delivered within the hours is not delivered after them",
    catches=("night-delivery",),
    capability="keeps_quiet_hours",
    at_worst="weak",
)
def delivered_in_hours(case: Case) -> Judged:
    """By the notifications of delivery; a warning, unless the reading of AMB-06 binds the delivery."""
    binds = case.contract.reading("AMB-06") == "delivery"
    assumed = case.contract.assumed("AMB-06", *READINGS)
    marketing = {mark for mark, row in sends(case).items() if _bound(row)}
    sent = {(address_key(r.adc), r.scts) for r in case.reading.submits.rows() if r.mark in marketing and r.ack == "A"}
    first = {
        (address_key(r.subscriber), r.scts): r for r in reversed([*case.reading.notices.rows()]) if r.outcome in {0, 2}
    }
    told = [row for key, row in first.items() if key in sent]
    late = [r for r in told if r.outcome == 0 and not allowed(case, r.at)]
    over = [r for r in told if not allowed(case, r.at)]
    if not over:
        return Judged("inconclusive", "no marketing was still under way when the hours were over", blame="bench")
    summary = f"{len(over)} marketing messages were under way after the hours, {len(late)} were delivered then"
    if not late:
        return Judged("pass", summary, 0, 0, "messages", "", assumed)
    evidence = tuple(Evidence("delivered out of hours", r.at, r.at, r.session, r.frame.hex().upper()) for r in late[:6])
    return Judged("fail" if binds else "weak", summary, len(late), 0, "messages", "client", assumed, evidence)
