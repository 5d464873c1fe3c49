"""Key figures for an executive: which commitments are met, the margins, and the outlook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simbench.base.units import DAY_US, HOUR_US
from simbench.sla.availability import LOST_AS, decided, lost_until
from simbench.sla.purposes import AVAILABILITY
from simbench.sla.report.translations import Words
from simbench.sla.report.view import View, longest_of
from simbench.sla.restoration import restored_within
from simbench.sla.rolling_window import share_of

BURN_DAYS: Final = 90  # the days over which the burn rate of the error budget is measured
LEAST_BURN_DAYS: Final = 30  # the days from which a rate may be extrapolated


@dataclass(frozen=True)
class KeyFigure:
    """One figure: its name, its value, a remark, and whether it is good ("pass"), bad ("fail") or neither.
    """  # fmt: skip

    name: str
    value: str
    note: str = ""
    tone: str = ""


def key_figures(view: View, words: Words) -> tuple[KeyFigure, ...]:
    """Return the figures at the head of the report."""
    return (*_availability(view, words), _longest(view, words), *_budget(view, words), _change(view, words))


def _availability(view: View, words: Words) -> list[KeyFigure]:
    year, found = view.year, decided(view.year)
    lost, may = round(found.loss * found.length), int(found.length * year.allowed)
    broken = may < lost
    outcome = next((one.outcome for one in view.findings if one.purpose == AVAILABILITY), "pass")
    unsure = outcome not in {"pass", "fail", "weak"} and not found.provisional
    tone = "" if found.provisional or (unsure and not broken) else "fail" if broken else "pass"
    if found.provisional:
        may = int(int(year.windows.length_at(np.array([found.at]))[0]) * year.allowed)
        note = words("key.provisional_note", left=words.lasting(may - lost), allowed=words.lasting(may))
    else:
        key = "key.missed_by" if broken else "key.open" if unsure else "key.met_by"
        note = words(key, time=words.lasting(abs(may - lost)))
    share, target = words.share(float(1 - found.loss)), words.share(float(1 - year.allowed))
    since = max(int(year.windows.begins(np.array([found.at]))[0]), view.service.period.known_from)
    return [
        KeyFigure(words(f"key.{'so_far' if found.provisional else 'availability'}", target=target), share, note, tone),
        KeyFigure(
            words("key.lost"), words.lasting(lost),
            words("key.lost_note", allowed=words.lasting(may)), tone
        ),
        KeyFigure(words("key.worst"), words.days(since, found.at), words("key.worst_note")),
    ]  # fmt: skip


def _longest(view: View, words: Words) -> KeyFigure:
    limit = view.case.contract.terms.quality.restoration_h.value
    name = words("key.longest")
    longest = longest_of(view.service)
    if longest is None:
        return KeyFigure(name, words("key.none"), words("key.longest_limit", limit=words.hours(limit)), "pass")
    end = view.service.period.end
    answers = [restored_within(one, limit * HOUR_US, end) for one in view.outages]
    note = words("key.longest_note", ticket=words.short(longest.ticket), limit=words.hours(limit))
    tone = "fail" if False in answers else "pass" if all(answers) else ""
    return KeyFigure(name, words.lasting(longest.lasted(end)), note, tone)


@dataclass(frozen=True)
class Burn:
    """The error budget lost (us) over the last `days`, and the instant (us) at which the rest runs out at that rate.

    `out` is None if the budget lasts for twelve months. `enough`: the days are enough for an extrapolation.
    """

    lost: int
    days: float
    enough: bool
    out: int | None = None


def burn(view: View) -> Burn:
    """Measure the burn rate of the budget, by the contract's formula.

    An outage that leaves the window returns its time.
    """
    end, known = view.service.period.end, view.service.period.known_from
    since, year = max(known, end - BURN_DAYS * DAY_US), view.year
    lost = float(np.diff(lost_until(year, np.array([since, end])))[0])
    days = (end - since) / DAY_US
    if days < LEAST_BURN_DAYS:
        return Burn(round(lost), days, enough=False)
    rate = lost / (end - since)
    ahead = end + DAY_US * np.arange(1, 366, dtype=np.int64)
    begins = np.maximum.accumulate(np.maximum(year.windows.begins(ahead), known))
    now = np.array([end])
    kept = np.maximum(0, lost_until(year, now)[0] - lost_until(year, begins))
    lengths = year.windows.length_at(ahead).astype(np.float64)
    if year.formula == "V3":
        lengths -= np.maximum(0, year.downtime.until(now)[1][0] - year.downtime.until(begins)[1])
    over = kept + rate * (ahead - np.maximum(end, begins)) > float(year.allowed) * lengths
    places = np.flatnonzero(over & (rate > 0))
    return Burn(round(lost), days, enough=True, out=int(ahead[places[0]]) if len(places) else None)


def burn_text(view: View, words: Words) -> str:
    """Return the state of the budget in words."""
    if len(view.allowed_h) and view.spent_h[-1] > view.allowed_h[-1]:
        return words("key.budget_gone")
    found = burn(view)
    lost, days = words.lasting(found.lost), words.number(found.days, 1)
    if not found.lost:
        return words("key.budget_unused", days=days)
    if not found.enough:
        return words("key.budget_short", lost=lost, days=days)
    rate = words.hours(found.lost / HOUR_US / found.days * 30)
    if found.out is None:
        return words("key.budget_lasts", rate=rate)
    return words("key.budget_out", rate=rate, date=words.day(found.out))


def _budget(view: View, words: Words) -> list[KeyFigure]:
    if not len(view.allowed_h):
        return []
    left = float((view.allowed_h - view.spent_h)[-1])
    tone = "fail" if left < 0 or burn(view).out is not None else ""
    found = [KeyFigure(words("key.budget"), words.signed_hours(left), burn_text(view, words), tone)]
    returns = _next_return(view)
    if returns is not None:
        at, us = returns
        found.append(KeyFigure(words("key.returns"), words.day(at), words("key.returns_note", time=words.lasting(us))))
    return found


def _next_return(view: View) -> tuple[int, int] | None:
    """Return when the next outage has completely left the window, and its down time (us)."""
    end, windows = view.service.period.end, view.year.windows
    classes = LOST_AS[view.year.formula]
    longest = int(windows.length.max())
    coming = [
        (windows.leaves(one.incident.end), int(one.incident.lasted(end) * share_of(one)))
        for one in view.service.counted
        if one.counted_as in classes and one.incident.end is not None and end - longest <= one.incident.end <= end
    ]
    return min((one for one in coming if one[0] > end), default=None)


def _change(view: View, words: Words) -> KeyFigure:
    """Compare the down time of the period with the same time before it, if that is known."""
    period = view.service.period
    before = period.start - (period.end - period.start)
    name = words("key.change")
    edges = np.array([before, period.start, period.end])
    first, middle, last = (round(lost) for lost in lost_until(view.year, edges).tolist())
    if period.known_from > before:
        return KeyFigure(name, "–", words("key.change_unknown", since=words.day(period.known_from)))
    now, then = last - middle, middle - first
    sign = "+" if now > then else "−" if now < then else "±"
    note = words("key.change_note", now=words.lasting(now), then=words.lasting(then))
    return KeyFigure(name, f"{sign}\u00a0{words.lasting(abs(now - then))}", note, "fail" if now > then else "")


def overdrawn_early(view: View) -> tuple[int, int, int] | None:
    """Return the first instant (us) at which an incomplete window lost more than a complete one may, with the lost and
    the allowed time (us); None if the verdict is based on a complete window.
    """  # fmt: skip
    found, known = decided(view.year), view.service.period.known_from
    if found.provisional or int(view.year.windows.begins(np.array([found.at]))[0]) >= known:
        return None
    return found.at, round(found.loss * found.length), int(found.length * view.year.allowed)


def seen_worst(view: View) -> tuple[int, float] | None:
    """Return the instant and availability of the lowest complete window; without any, of the known time at the end."""
    rolled, formula = view.rolled, view.year.formula
    if not len(rolled.at):
        return None
    chosen = rolled.where(rolled.full) if rolled.full.any() else rolled.where(np.array([len(rolled.at) - 1]))
    place = chosen.worst(formula)
    return int(chosen.at[place]), float(1 - chosen.loss(place, formula))
