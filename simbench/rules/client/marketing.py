"""Rules on what marketing may say, to whom and how often: OPS-PRE-07, OPS-DEO-04, -13, -14, OPS-PRO-04, -07.

Text rules read whole messages, all segments together. What a campaign declares stands in what was asked for.
"""

from __future__ import annotations

import re
from collections import defaultdict

from simbench.base.calendar import civil
from simbench.base.units import DAY_US
from simbench.numbering.written import address_key
from simbench.rules.requests import MARKETING, Whole, not_sent, of_marketing, shown, wholes
from simbench.rules.rule import Case, Judged, rule
from simbench.ucp.content import compose

FREE = re.compile(r"\bservices?\s+gratuits?\b", re.IGNORECASE)
ALL_FREE, TOLD = "all-free", "optout-told"


def marketed(case: Case) -> list[Whole]:
    """Whole marketing messages that stand on the wire."""
    return [one for one in wholes(case) if one.asked is not None and of_marketing(one.asked)]


@rule(
    "OPS-PRE-07/opted-in-only",
    "Marketing goes to nobody who did not agree to it",
    catches=("ignores-consent",),
    capability="keeps_consent",
)
def opted_in_only(case: Case) -> Judged:
    """Against what was asked for: the bench says of each recipient whether he agreed."""
    return not_sent(case, lambda row: of_marketing(row) and not row.opted_in, "marketing without consent")


@rule(
    "OPS-DEO-04/free-service",
    "No text says that a service is free unless everything it promotes is free",
    catches=("calls-anything-free",),
    capability="checks_content",
)
def free_service(case: Case) -> Judged:
    """The words in any spelling, in messages of campaigns that do not declare it."""
    return not_sent(
        case,
        lambda row: bool(FREE.search(row.text)) and ALL_FREE not in row.detail.get("traits", ()),
        "a service called free that is not",
    )


@rule(
    "OPS-PRO-04/brand-named",
    "A marketing message tells who sends it, in its text or its sender's name",
    catches=("names-no-brand",),
    capability="checks_content",
)
def brand_named(case: Case) -> Judged:
    """Judged on what stands on the wire: a client may well add the name itself."""
    tempted = [row for row in case.reading.asked.rows() if row.kind == "send" and of_marketing(row) and row.brand]
    tempted = [row for row in tempted if row.brand.casefold() not in row.text.casefold()]
    if not tempted:
        return Judged("inconclusive", "no marketing was asked for that names no brand", blame="bench")
    sent = marketed(case)
    if not sent:
        return Judged("inconclusive", "the client sent no marketing", blame="client")
    wrong = [one for one in sent if one.asked.brand.casefold() not in f"{one.text} {one.oadc}".casefold()]
    told = f"{len(wrong)} of {len(sent)} marketing messages do not name their brand; {len(tempted)} were asked for"
    if not wrong:
        return Judged("pass", told, 0, 0, "messages")
    return Judged("fail", told, len(wrong), 0, "messages", "client", (), shown(wrong, "brand is not named"))


def _without_stop(case: Case, one: Whole) -> bool:
    word, pattern = case.contract.terms.marketing.stop_word.value, case.contract.terms.numbering.code_pattern.value
    return re.search(rf"\b{word}\b.*?\b{pattern}\b", one.text, re.IGNORECASE | re.DOTALL) is None


def _one_segment(text: str) -> bool:
    return len(compose(text)) == 1


def _stop_mention(case: Case, *, pushed: bool) -> Judged:
    """Marketing whose text (`pushed`) had no room left for the mention in its only segment, or the others."""
    sent = [one for one in marketed(case) if TOLD not in one.asked.detail.get("traits", ())]
    sent = [one for one in sent if (_one_segment(one.asked.text) and one.segments > 1) == pushed]
    if not sent:
        return Judged("inconclusive", "the client sent no such marketing", blame="client")
    wrong = [one for one in sent if one.missing or _without_stop(case, one)]
    told = f"{len(wrong)} of {len(sent)} marketing messages do not name STOP and their code"
    if not wrong:
        return Judged("pass", told, 0, 0, "messages")
    return Judged("fail", told, len(wrong), 0, "messages", "client", (), shown(wrong, "no way to opt out is named"))


@rule(
    "OPS-PRO-07/stop-mention",
    "A marketing message names STOP and the short code, unless the user was told before",
    catches=("omits-stop",),
    capability="names_stop",
)
def stop_mention(case: Case) -> Judged:
    """In the text as the user reads it."""
    return _stop_mention(case, pushed=False)


@rule(
    "OPS-PRO-07/second-segment",
    "Where the mention finds no room in the one segment of a text, it goes into a second one and is not cut off",
    catches=("cuts-mention-off", "omits-stop"),
    capability="names_stop",
)
def second_segment(case: Case) -> Judged:
    """The texts asked for fill one segment to the last characters."""
    cut = [one for one in marketed(case) if len(one.text) > 150 and one.segments == 1 and _without_stop(case, one)]
    if cut:
        told = f"{len(cut)} marketing messages fill one segment and name no way to opt out"
        return Judged("fail", told, len(cut), 0, "messages", "client", (), shown(cut, "mention cut off"))
    return _stop_mention(case, pushed=True)


def _per_user(case: Case, *, by_brand: bool) -> tuple[dict[tuple[str, str, int], list[Whole]], int]:
    """Marketing by user, brand (or all of them) and day; and how many brands there are. AMB-17 says what a day is."""
    days: dict[tuple[str, str, int], list[Whole]] = defaultdict(list)
    brands: set[str] = set()
    rolling = case.contract.reading("AMB-17") == "rolling_24h"
    for one in marketed(case):
        brands.add(one.asked.brand)
        who = (address_key(one.recipient), one.asked.brand if by_brand else "")
        day = civil(one.at).date().toordinal()
        if rolling:
            last = max((key[2] for key in days if key[:2] == who), default=0)
            day = last if last and one.at - last < DAY_US else one.at
        days[*who, day].append(one)
    return days, len(brands)


@rule(
    "OPS-DEO-14/once-a-day",
    "No user gets more than one marketing message a day of one brand",
    catches=("repeats-campaign",),
    capability="keeps_daily_limit",
    at_worst="weak",
)
def once_a_day(case: Case) -> Judged:
    """A recommendation; all segments of a message are one."""
    limit = case.contract.terms.marketing.per_user_brand_day.value
    asks: dict[tuple[str, str], int] = defaultdict(int)
    for row in case.reading.asked.rows():
        if row.kind == "send" and of_marketing(row):
            asks[row.recipient, row.brand] += 1
    if not any(count > limit for count in asks.values()):
        return Judged("inconclusive", "nobody asked for a brand's second message", blame="bench")
    days, _ = _per_user(case, by_brand=True)
    if not days:
        return Judged("inconclusive", "the client sent no marketing", blame="client")
    wrong = [one for day in days.values() for one in day[limit:]]
    most, assumed = max(map(len, days.values())), case.contract.assumed("AMB-17")
    told = f"at most {most} marketing messages of one brand to one user in a day"
    if not wrong:
        return Judged("pass", told, most, limit, "messages/day", "", assumed)
    evidence = shown(wrong, "one more of that brand that day")
    return Judged("weak", told, most, limit, "messages/day", "client", assumed, evidence)


@rule(
    "OPS-DEO-13/solicitation",
    "Users are not solicited more often than once a day for each brand there is",
    catches=("repeats-campaign",),
    capability="keeps_daily_limit",
    at_worst="weak",
)
def solicitation(case: Case) -> Judged:
    """The brochure gives no figure: what is measured is the user who got most."""
    days, brands = _per_user(case, by_brand=False)
    if not days:
        return Judged("inconclusive", f"the client sent no {MARKETING}", blame="client")
    limit = brands * case.contract.terms.marketing.per_user_brand_day.value
    most = max(days.values(), key=len)
    counts = sorted(map(len, days.values()))
    told = f"{len(counts)} days of users: half got {counts[len(counts) // 2]} at most, the busiest {len(most)}"
    if len(most) <= limit:
        return Judged("pass", told, len(most), limit, "messages/day")
    return Judged("weak", told, len(most), limit, "messages/day", "client", (), shown(most, "of the busiest user's"))
