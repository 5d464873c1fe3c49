"""Finds changes to a campaign whose promise no code plan keeps."""

from __future__ import annotations

import numpy as np

from simbench.base.text import count
from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.loads import Group, Replication
from simbench.planning.optimizer import enough


def unattainable(plan: Plan, groups: list[Group], futures: list[Replication], wholes: list[float]) -> CampaignError:
    """Return the error if no rate keeps the promise, with the changes that would."""
    target = plan.campaign.probability
    rates = (plan.campaign.codes_max * plan.tiers[-1],) * len(plan.months)
    problem, needed = "", []
    for group in groups:
        runs = [group.run(rates, future) for future in futures]
        lateness: dict[str, list[float]] = {}
        for done, waits in runs:
            for at, one in zip(done, group.occasions, strict=True):
                took_h = (at * 1e6 + plan.span[0] - one.start) / 3.6e9
                lateness.setdefault(one.demand.name, []).append(took_h - one.demand.deadline_h)
            for flow, row in zip(group.flows, waits, strict=True):
                lateness.setdefault(flow.name, []).extend((row / 3600 - flow.within_min / 60).tolist())
        for name, over in lateness.items():
            late_h = sorted(over)[enough(target, len(over)) - 1]
            kept = float(np.mean(np.array(over) <= 0))
            if kept < target:
                problem = f"even {rates[0]:,}/s keep only {kept:.2%} of {name!r} in time, {target:.2%} are asked for"
                needed.append(f"{late_h:.1f} h more for {name!r}")
    if not problem:
        best = max(wholes, default=0.0)
        problem = f"no plan of {count(plan.campaign.codes_max, 'code')} keeps the promise; at best {best:.2%} of it"
        needed = []
    expected = " and ".join(needed) if needed else "a lower probability or more codes_max"
    return CampaignError("probability", problem, expected + (", or a lower probability" if needed else ""))
