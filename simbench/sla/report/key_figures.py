"""What an executive reads in half a minute: met or not, by how much, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from simbench.base.units import DAY_US, HOUR_US
from simbench.sla.availability import decided
from simbench.sla.purposes import AVAILABILITY
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View
from simbench.sla.restoration import restored_within
from simbench.sla.rolling_window import Instants

BURN_DAYS: Final = 90  # over which the burn rate of the error budget is taken


@dataclass(frozen=True)
class KeyFigure:
    """One figure: its name, its value, what to know beside it, and whether it is good ("pass"), bad ("fail") or
    neither.
    """  # fmt: skip

    name: str
    value: str
    note: str = ""
    tone: str = ""


def key_figures(view: View, words: Words) -> tuple[KeyFigure, ...]:
    """The figures at the head of the report."""
    return (*_availability(view, words), _longest(view, words), *_budget(view, words), _change(view, words))


def _availability(view: View, words: Words) -> list[KeyFigure]:
    quality = view.case.contract.terms.quality
    allowed = 1 - Fraction(str(quality.availability.value))
    found = decided(view.year, view.case.contract)
    windows, place = found.windows, found.worst[found.formula]
    length, at = int(windows.length[place]), int(windows.at[place])
    lost = round(windows.loss(place, found.formula) * length)
    spare = int(length * allowed) - lost
    broken = spare < 0
    outcome = next((one.outcome for one in view.findings if one.purpose == AVAILABILITY), "pass")
    unsure = outcome not in {"pass", "fail", "weak"} and not found.provisional
    tone = "" if found.provisional or (unsure and not broken) else "fail" if broken else "pass"
    may = int(length * allowed)
    if found.provisional:
        may = int(int(view.year.windows.length_at(windows.at[place : place + 1])[0]) * allowed)
        note = words("key.provisional_note", left=words.lasting(may - lost), allowed=words.lasting(may))
    else:
        key = "key.missed_by" if broken else "key.open" if unsure else "key.met_by"
        note = words(key, time=words.lasting(abs(spare)))
    share = words.share(float(1 - windows.loss(place, found.formula)))
    target = words.share(quality.availability.value)
    since = max(int(view.year.windows.begins(np.array([at]))[0]), view.service.period.known_from)
    return [
        KeyFigure(words("key.availability", target=target), share, note, tone),
        KeyFigure(
            words("key.lost"), words.lasting(lost),
            words("key.lost_note", allowed=words.lasting(may)), tone,
        ),
        KeyFigure(words("key.worst"), words.days(since, at), words("key.worst_note")),
    ]  # fmt: skip


def _longest(view: View, words: Words) -> KeyFigure:
    limit = view.case.contract.terms.quality.restoration_h.value
    name = words("key.longest")
    if not view.outages:
        return KeyFigure(name, words("key.none"), words("key.longest_limit", limit=words.hours(limit)), "pass")
    end = view.service.period.end
    longest = max(view.outages, key=lambda one: (one.incident.end or end) - one.incident.start)
    length = (longest.incident.end or end) - longest.incident.start
    answers = [restored_within(one, limit * HOUR_US, end) for one in view.outages]
    note = words("key.longest_note", ticket=longest.incident.ticket, limit=words.hours(limit))
    return KeyFigure(name, words.lasting(length), note, "fail" if False in answers else "pass" if all(answers) else "")


def burn(view: View) -> tuple[float, int | None]:
    """Hours lost each 30 days, over the last `BURN_DAYS`; and when the budget runs out if that goes on (us).

    None: not within twelve months. What leaves the window gives its time back.
    """
    end, known = view.service.period.end, view.service.period.known_from
    since = max(known, end - BURN_DAYS * DAY_US)
    lost = int(np.diff(view.year.downtime.until(np.array([since, end]))[0])[0])
    rate = lost / max(1, end - since)
    ahead = end + DAY_US * np.arange(1, 366, dtype=np.int64)
    lengths = view.year.windows.length_at(ahead)
    total = int(view.year.downtime.until(np.array([end]))[0][0])
    kept = total - view.year.downtime.until(_sorted(np.maximum(view.year.windows.begins(ahead), known)))[0]
    allowed = (1 - view.case.contract.terms.quality.availability.value) * lengths
    over = np.flatnonzero((kept + rate * (ahead - end) > allowed) & (rate > 0))
    return rate * 30 * 24, int(ahead[over[0]]) if len(over) else None


def _sorted(at: Instants) -> Instants:
    return np.maximum.accumulate(at)


def _budget(view: View, words: Words) -> list[KeyFigure]:
    if not len(view.allowed_h):
        return []
    left = float((view.allowed_h - view.spent_h)[-1])
    rate, out = burn(view)
    if left < 0:
        note = words("key.budget_gone")
    elif out is None:
        note = words("key.budget_lasts", rate=words.hours(rate))
    else:
        note = words("key.budget_out", rate=words.hours(rate), date=words.day(out))
    tone = "fail" if left < 0 or out is not None else ""
    found = [KeyFigure(words("key.budget"), words.signed_hours(left), note, tone)]
    returns = _next_return(view)
    if returns is not None:
        at, us = returns
        found.append(KeyFigure(words("key.returns"), words.day(at), words("key.returns_note", time=words.lasting(us))))
    return found


def _next_return(view: View) -> tuple[int, int] | None:
    """When the next outage has wholly left the window, and the down time (us) that leaves with it."""
    end, windows = view.service.period.end, view.year.windows
    longest = int(windows.length.max())
    coming = [
        (windows.leaves(one.incident.end), one.incident.end - one.incident.start)
        for one in view.service.counted
        if one.counted_as == "unplanned" and one.incident.end is not None and end - longest <= one.incident.end <= end
    ]
    return min((one for one in coming if one[0] > end), default=None)


def _change(view: View, words: Words) -> KeyFigure:
    """Down time of the period against the same time before it, where that is known."""
    period = view.service.period
    before = period.start - (period.end - period.start)
    name = words("key.change")
    first, middle, last = view.year.downtime.until(np.array([before, period.start, period.end]))[0].tolist()
    if period.known_from > before:
        return KeyFigure(name, "–", words("key.change_unknown", since=words.day(period.known_from)))
    now, then = last - middle, middle - first
    sign = "+" if now > then else "−" if now < then else "±"
    note = words("key.change_note", now=words.lasting(now), then=words.lasting(then))
    return KeyFigure(name, f"{sign}\u00a0{words.lasting(abs(now - then))}", note, "fail" if now > then else "")


def overdrawn_early(view: View) -> tuple[int, int, int] | None:
    """The instant (us) at which a window of which too little is known has lost more already than a whole one may, with
    what is lost and what may be (us); None where the verdict rests on a whole window.
    """  # fmt: skip
    found = decided(view.year, view.case.contract)
    windows, place = found.windows, found.worst[found.formula]
    at, known = int(windows.at[place]), view.service.period.known_from
    if found.provisional or int(view.year.windows.begins(np.array([at]))[0]) >= known:
        return None
    length, quality = int(windows.length[place]), view.case.contract.terms.quality
    may = int(length * (1 - Fraction(str(quality.availability.value))))
    return at, round(windows.loss(place, found.formula) * length), may


def seen_worst(view: View) -> tuple[int, float] | None:
    """The instant and the availability of the lowest point of the curve that the verdict is about."""
    full = view.rolled.full
    chosen = view.rolled.where(full) if full.any() else view.rolled
    if not len(chosen.at):
        return None
    place = chosen.worst("V1")
    return int(chosen.at[place]), float(1 - chosen.loss(place, "V1"))
