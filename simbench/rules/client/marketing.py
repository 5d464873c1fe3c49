"""Rules on text, recipients and frequency of marketing: OPS-PRE-07, OPS-DEO-04, -13, -14, OPS-PRO-04, -07.

Rules on texts read whole messages, all segments joined. The requests contain the declarations of the campaigns.
"""

from __future__ import annotations

import re
from collections import defaultdict

from simbench.base.text import count
from simbench.base.units import DAY_US
from simbench.ledger.stimuli import Request
from simbench.rules.evidence import first_frames
from simbench.rules.requests import MARKETING, Whole, not_sent, of_marketing, wholes
from simbench.rules.rule import Case, Verdict, none_wrong, rule
from simbench.ucp.content import compose

FREE = re.compile(r"\bservices?\s+gratuits?\b", re.IGNORECASE)
ALL_FREE, INFORMED = "all-free", "optout-told"


def marketed(case: Case) -> list[tuple[Whole, Request]]:
    """Return whole marketing messages on the wire, each with its request."""
    return [(one, one.asked) for one in wholes(case) if one.asked is not None and of_marketing(one.asked)]


@rule(
    "marketing.opted-in-only",
    "The client sends marketing only to users who agreed to it",
    catches=("ignores-consent",),
    capability="keeps_consent",
)
def opted_in_only(case: Case) -> Verdict:
    """Use the consent that each request states for its recipient."""
    return not_sent(case, lambda row: of_marketing(row) and not row.opted_in, "marketing without consent")


@rule(
    "marketing.free-service",
    "A text calls a service free only if everything it promotes is free",
    catches=("calls-anything-free",),
    capability="checks_content",
)
def free_service(case: Case) -> Verdict:
    """Search for the words in upper or lower case, in messages of campaigns that do not declare "all-free"."""
    return not_sent(
        case,
        lambda row: bool(FREE.search(row.text)) and ALL_FREE not in row.traits,
        "texts that call a paid service free",
    )


@rule(
    "marketing.brand-named",
    "A marketing message names its brand in its text or its sender name",
    catches=("names-no-brand",),
    capability="checks_content",
)
def brand_named(case: Case) -> Verdict:
    """Judge on the wire, because a client may add the name itself."""
    requested = [one for one in case.trace.requests if of_marketing(one) and one.brand]
    nameless = [one for one in requested if one.brand.casefold() not in one.text.casefold()]
    if not nameless:
        return Verdict("inconclusive", "no marketing without a brand name was requested", blame="bench")
    sent = marketed(case)
    if not sent:
        return Verdict("inconclusive", "the client sent no marketing", blame="client")
    wrong = [one for one, asked in sent if asked.brand.casefold() not in f"{one.text} {one.oadc}".casefold()]
    named = f"{len(sent) - len(wrong):,} of {count(len(sent), 'marketing message')} named their brand"
    summary = f"{named} ({len(nameless):,} requested without)"
    return none_wrong(summary, len(wrong), "messages", first_frames("the brand is missing", wrong))


def names_stop(case: Case, text: str) -> bool:
    """Return whether a text names the opt-out word and a short code."""
    word, pattern = case.contract.terms.marketing.stop_word.value, case.contract.terms.numbering.code_pattern
    return re.search(rf"\b{word}\b.*?\b{pattern}\b", text, re.IGNORECASE | re.DOTALL) is not None


def _stop_mention(case: Case, *, pushed: bool) -> Verdict:
    """Judge marketing whose text leaves no room for the mention in one segment (`pushed`), or all other marketing."""
    uninformed = [(one, asked) for one, asked in marketed(case) if INFORMED not in asked.traits]
    sent = [one for one, asked in uninformed if (len(compose(asked.text)) == 1 and one.segments > 1) == pushed]
    if not sent:
        return Verdict("inconclusive", "the client sent no such marketing", blame="client")
    wrong = [one for one in sent if one.missing or not names_stop(case, one.text)]
    summary = f"{len(sent) - len(wrong):,} of {count(len(sent), 'marketing message')} named STOP and a short code"
    return none_wrong(summary, len(wrong), "messages", first_frames("the opt-out mention is missing", wrong))


@rule(
    "marketing.stop-mention",
    "A marketing message names the opt-out word and the short code, unless the user was informed before",
    catches=("omits-stop",),
    capability="names_stop",
)
def stop_mention(case: Case) -> Verdict:
    """Judge the whole text, as the user reads it."""
    return _stop_mention(case, pushed=False)


@rule(
    "marketing.second-segment",
    "When one segment has no room for the whole mention, the client sends a second segment",
    catches=("cuts-mention-off", "omits-stop"),
    capability="names_stop",
)
def second_segment(case: Case) -> Verdict:
    """Judge texts that almost fill one segment."""
    full = [one for one, _ in marketed(case) if len(one.text) > 150 and one.segments == 1]
    if cut := [one for one in full if not names_stop(case, one.text)]:
        summary = f"{count(len(cut), 'marketing message')} of one full segment without the opt-out mention"
        return none_wrong(summary, len(cut), "messages", first_frames("the opt-out mention is cut off", cut))
    return _stop_mention(case, pushed=True)


def _per_user(case: Case, *, by_brand: bool) -> tuple[dict[tuple[str, str, int], list[Whole]], int]:
    """Return marketing by user, brand (or all brands) and day, and the number of brands. AMB-17 defines a day."""
    days: dict[tuple[str, str, int], list[Whole]] = defaultdict(list)
    brands: set[str] = set()
    rolling = case.contract.reading("marketing-day") == "rolling_24h"
    for one, asked in marketed(case):
        brands.add(asked.brand)
        who = (case.plan.key(one.recipient), asked.brand if by_brand else "")
        day = case.contract.calendar.civil(one.at).date().toordinal()
        if rolling:
            last = max((key[2] for key in days if key[:2] == who), default=0)
            day = last if last and one.at - last < DAY_US else one.at
        days[*who, day].append(one)
    return days, len(brands)


@rule(
    "marketing.once-a-day",
    "The client sends a user no more marketing messages per brand and day than the contract allows",
    catches=("repeats-campaign",),
    capability="keeps_daily_limit",
    at_worst="weak",
)
def once_a_day(case: Case) -> Verdict:
    """Count messages per day; one of several segments counts once. The clause is a recommendation."""
    limit = case.contract.terms.marketing.per_user_brand_day.value
    asks: dict[tuple[str, str], int] = defaultdict(int)
    for request in case.trace.requests:
        if of_marketing(request):
            asks[request.recipient, request.brand] += 1
    if not any(requested > limit for requested in asks.values()):
        return Verdict("inconclusive", "no second message of a brand to a user was requested", blame="bench")
    days, _ = _per_user(case, by_brand=True)
    if not days:
        return Verdict("inconclusive", "the client sent no marketing", blame="client")
    wrong = [one for day in days.values() for one in day[limit:]]
    most, assumed = max(map(len, days.values())), case.contract.assumed("marketing-day")
    summary = f"at most {count(most, 'marketing message')} of one brand to one user in a day (limit {limit})"
    if not wrong:
        return Verdict("pass", summary, most, limit, "messages/day", "", assumed)
    evidence = first_frames("a further message of that brand on that day", wrong)
    return Verdict("weak", summary, most, limit, "messages/day", "client", assumed, evidence)


@rule(
    "marketing.solicitation",
    "The client solicits a user no more often a day, over all brands, than the contract allows for each brand",
    catches=("repeats-campaign",),
    capability="keeps_daily_limit",
    at_worst="weak",
)
def solicitation(case: Case) -> Verdict:
    """Measure the busiest day of any user."""
    days, brands = _per_user(case, by_brand=False)
    if not days:
        return Verdict("inconclusive", f"the client sent no {MARKETING}", blame="client")
    limit = brands * case.contract.terms.marketing.per_user_brand_day.value
    most = max(days.values(), key=len)
    counts = sorted(map(len, days.values()))
    summary = (
        f"{count(len(counts), 'user-day')}: median {counts[len(counts) // 2]}, maximum {len(most):,} (limit {limit})"
    )
    if len(most) <= limit:
        return Verdict("pass", summary, len(most), limit, "messages/day")
    evidence = first_frames("on the busiest day of a user", most)
    return Verdict("weak", summary, len(most), limit, "messages/day", "client", evidence=evidence)
