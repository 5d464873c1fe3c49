"""The rate that each occasion needs to be on time, in every replication, by the fluid model.

An occasion is a sending, or a civil day of steady traffic. Its required rate is the lowest in a list of rates at
and above which it is on time; the list contains multiples of the standard rate, because every tier is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.planning.campaign import LEGAL, CampaignError, Plan
from simbench.planning.loads import Group, Replication, legal_of, up_of, widths

MOST_LEVELS = 60
AMPLE = 6  # times the rate sufficient without incidents; a higher rate compensates no outage
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Step = Callable[[int], None]


class RequiredRates(msgspec.Struct, frozen=True):
    """Rates of one group: those tried; the demand's name and month of each occasion; need[replication, occasion]: index
    of the required rate, or the number of rates if none is sufficient. `quiet`: index required by each month without
    incidents.
    """  # fmt: skip

    prefix: str
    levels: tuple[int, ...]
    demands: tuple[str, ...]
    months: tuple[int, ...]
    need: Ints
    quiet: tuple[int, ...]

    def kept(self, demand: str) -> NDArray[np.bool_]:
        """Mark the occasions of a demand."""
        return np.array([one == demand for one in self.demands])


def late_of(group: Group, rates: tuple[int, ...], replication: Replication) -> Bools:
    """Mark the late occasions of a group, sendings first, then the days of each flow."""
    sendings, days = group.late(*group.run(rates, replication))
    return np.concatenate([sendings, days.ravel()])


def required_rates_of(group: Group, futures: Sequence[Replication], progress: Step = lambda _: None) -> RequiredRates:
    """Try every level in every replication.

    Raises CampaignError for a demand that no plan meets even without outages.
    """
    plan, step = group.plan, group.plan.contract.terms.throughput.default_per_s.value
    most = plan.campaign.codes_max * plan.tiers[-1]
    months = len(plan.months)
    quiet = _quiet(group)
    first = _least(step, most, lambda rate: not late_of(group, (rate,) * months, quiet).all())
    base = _least(step, most, lambda rate: not late_of(group, (rate,) * months, quiet).any())
    if base > most:
        raise _impossible(group, quiet, most)
    low = min((float(one.min()) for each in futures for one in each.factors.values() if len(one)), default=1.0)
    levels = _levels(max(step, int(first * min(1, low)) // step * step), base, most, step)
    width = len(group.occasions) + len(group.flows) * len(group.days)
    need = np.zeros((len(futures), width), np.int64)
    for row, future in enumerate(futures):
        need[row] = _places(group, levels, future)
        progress(row)
    demands = [one.demand.name for one in group.occasions]
    demands += [flow.name for flow in group.flows for _ in group.days]
    month = [one.month for one in group.occasions] + list(group.days) * len(group.flows)
    undisturbed = _places(group, levels, quiet)
    by_month = [
        max((int(p) for p, at in zip(undisturbed, month, strict=True) if at == m), default=-1) for m in range(months)
    ]
    return RequiredRates(group.prefix, tuple(levels), tuple(demands), tuple(month), need, tuple(by_month))


def _places(group: Group, levels: Sequence[int], future: Replication) -> Ints:
    """Return the index of the level that each occasion needs. A higher rate makes nothing later, so no level is tried
    between two levels with the same late occasions.
    """  # fmt: skip

    def late(place: int) -> Bools:
        return late_of(group, (levels[place],) * len(group.plan.months), future)

    top = len(levels) - 1
    lowest, highest = late(0), late(top)
    need = np.where(highest, top + 1, 0)
    waiting = [(0, top, lowest, highest)]
    while waiting:
        low, high, late_low, late_high = waiting.pop()
        between = late_low & ~late_high  # occasions that need a level in between
        if not between.any():
            continue
        if high - low == 1:
            need[between] = high
            continue
        middle = (low + high) // 2
        late_middle = late(middle)
        waiting += [(low, middle, late_low, late_middle), (middle, high, late_middle, late_high)]
    return need


def _levels(low: int, base: int, most: int, step: int) -> list[int]:
    high = min(most, max(base * AMPLE, base + 10 * step))
    every = range(low, high + 1, step)
    if len(every) <= MOST_LEVELS:
        return list(every)
    rough = {round(each / step) * step for each in np.geomspace(low, high, MOST_LEVELS - 10)}
    return sorted(rough | {base + place * step for place in range(10)} & set(range(low, high + 1, step)))


def _least(step: int, most: int, holds: Callable[[int], bool]) -> int:
    """Return the lowest multiple of `step` at which a monotonic condition holds; above `most` if there is none."""
    low, high = 0, most // step + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle * step) else (middle, high)
    return high * step


def _quiet(group: Group) -> Replication:
    """Return a future without any interruption, every volume as planned."""
    factors = {name: np.ones(wide) for name, wide in widths(group.plan).items()}
    return Replication(-1, (), factors, up_of((), *group.plan.span))


def _by_clause(plan: Plan) -> str:
    """Return the clause of the marketing hours, in brackets."""
    hours = plan.contract.terms.hours.get("marketing")
    return f" ({hours.opens_at_h.clause})" if hours and hours.opens_at_h.clause else ""


def _impossible(group: Group, quiet: Replication, most: int) -> CampaignError:
    """Return the error for traffic that no plan can carry, with the required rates or hours."""
    plan = group.plan
    done, waits = group.run((most,) * len(plan.months), quiet)
    late, _ = group.late(done, waits)
    what = f"{count(plan.campaign.codes_max, 'code')} {group.prefix}ABC at {plan.tiers[-1]}/s, {most:,}/s in all"
    for place in np.flatnonzero(late):
        one = group.occasions[place]
        when, due = (f"{plan.calendar.civil(at):%Y-%m-%d %H:%M}" for at in (one.start, one.due))
        problem = f"{one.volume:,} messages of {when} cannot all leave by {due} with {what}"
        legal_s = _open_s(group, one.start, one.due)
        if done[place] < 1e17:
            until = plan.calendar.civil(plan.span[0] + int(done[place] * 1e6))
            needed = f"a deadline from {until:%Y-%m-%d %H:%M} on"
        else:
            needed = "a longer period or a later deadline"
        if legal_s:
            needed += (
                f", or {-(-one.volume // legal_s):,}/s ({legal_s / 3600:.1f} h of allowed hours), or fewer messages"
            )
        else:
            needed += f": no allowed hour lies between start and deadline{_by_clause(plan)}"
            if one.demand.every == "week":
                needed += '; `every = "week-ouvrable"` leaves such weeks out'
        return CampaignError(f"sendings {one.demand.name!r}", problem, needed)
    slow = int(np.flatnonzero(group.late(done, waits)[1].any(axis=1))[0])
    flow, longest_min = group.flows[slow], math.ceil(waits[slow].max() / 60)
    problem = f"{flow.per_day:,.0f} a day cannot leave within {flow.within_min:g} min with {what}"
    busiest = math.ceil(group.load.flows[slow].max())
    needed = f"within_min from {longest_min:,} on"
    if busiest > most:
        needed += f", or {busiest:,}/s for its busiest hour, or fewer messages"
    elif flow.kind in LEGAL:
        needed += f": that long no hour is allowed{_by_clause(plan)}"
    else:
        needed += ", fewer messages, or a higher codes_max"
    return CampaignError(f"flows {flow.name!r}", problem, needed)


def _open_s(group: Group, start: int, due: int) -> int:
    """Return the allowed seconds between two instants for messages bound to legal hours, otherwise all."""
    if not any(one.start == start and one.demand.kind in LEGAL for one in group.occasions):
        return (due - start) // SECOND_US
    begin, end = ((at - group.plan.span[0]) / 1e6 for at in (start, due))
    legal = legal_of(group.plan)
    return int(np.clip(np.minimum(legal[1], end) - np.maximum(legal[0], begin), 0, None).sum())
