"""Evaluation of a code plan in every replication, with the fluid model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.planning.campaign import Plan
from simbench.planning.loads import Group, Replication
from simbench.planning.mix import Mix


def evaluate(groups: list[Group], futures: list[Replication], mix: Mix) -> tuple[dict[str, float], float]:
    """Share of each demand's occasions in time, and of replications without anything late."""
    late: dict[str, list[NDArray[np.bool_]]] = {}
    whole = np.ones(len(futures), bool)
    for group in groups:
        rates = mix.rates(group.prefix)
        mine = {
            demand.name: np.array([one.demand.name == demand.name for one in group.occasions])
            for demand in group.sendings
        }
        for number, future in enumerate(futures):
            sendings, days = group.late(*group.run(rates, future))
            whole[number] &= not (sendings.any() or days.any())
            for name, which in mine.items():
                late.setdefault(name, []).append(sendings[which])
            for flow, each in zip(group.flows, days, strict=True):
                late.setdefault(flow.name, []).append(each)
    kept = {name: 1 - float(np.concatenate(parts).mean()) for name, parts in late.items()}
    return kept, float(whole.mean())


def sure(plan: Plan, kept: dict[str, float], whole: float) -> float:
    """The probability that the plan's promise speaks of."""
    return whole if plan.asked.promise == "period" else min(kept.values())


def meets(plan: Plan, kept: dict[str, float], whole: float) -> bool:
    """Whether the promise is kept often enough."""
    return sure(plan, kept, whole) >= plan.asked.probability - 1e-9
