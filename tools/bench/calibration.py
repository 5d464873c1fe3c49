"""How often the interval stated by a plan contains the true share: drawn plans, each scored again in new futures.

    python -m tools.bench.calibration [PLANS]

The true share of a code plan is its share in ten thousand futures not used for finding, choosing or scoring it.
"""

from __future__ import annotations

import random
import sys
from typing import Any, NamedTuple

from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.candidates import Pool, code_plans_of
from simbench.planning.evaluate import evaluate
from simbench.planning.loads import CHOOSING, SCORING, Group, replications
from simbench.planning.required_rates import required_rates_of
from tests.planning.plans import plan_of, sending

TRUTH, TRUE_FUTURES, FRESH = 1 << 22, 10_000, 1000


class Stated(NamedTuple):
    """The interval a plan stated, and the true share."""

    low: float
    high: float
    holds: bool
    truth: float
    asked: float


def drawn(number: int) -> Plan:
    """A plan of one sending a week with volumes and outages of its own."""
    chance = random.Random(number)
    outage: dict[str, Any] = {
        "name": "p", "between": {"mean_h": chance.uniform(60, 700)}, "lasting": {"mean_h": chance.uniform(0.5, 3)},
    }  # fmt: skip
    one = sending(
        volume=chance.randint(50_000, 1_500_000), every="week-ouvrable", deadline_h=chance.choice([3, 6, 10]),
        **{chance.choice(["sigma", "sigma_period"]): chance.choice([0, 0.05, 0.15])},
    )  # fmt: skip
    return plan_of(
        sendings=[one], outages={"drawn": [outage]}, seed=number, replications=40,
        probability=chance.choice([0.5, 0.8, 0.9, 0.95]),
    )  # fmt: skip


def stated(plan: Plan, true_futures: int = TRUE_FUTURES, fresh: int = FRESH) -> Stated | None:
    """Return the interval of the code plan chosen for a plan, and its true share; None if none keeps the promise."""
    groups = [Group(plan, prefix) for prefix in plan.groups]
    pool = Pool(plan, groups, replications(plan, fresh, CHOOSING), replications(plan, fresh, SCORING))
    try:
        needs = [required_rates_of(group, replications(plan)) for group in groups]
    except CampaignError:
        return None
    mix = pool.choose([one for one, _ in code_plans_of(plan, needs, lambda: None).values()])
    if mix is None:
        return None
    share = pool.candidate(mix).score.promised
    truth = evaluate(groups, replications(plan, true_futures, TRUTH), mix).promised.share
    return Stated(share.low, share.high, share.low >= plan.campaign.probability, truth, plan.campaign.probability)


def main(plans: int) -> None:
    """Print how many intervals contain the true share, and how many promises stated as kept are kept."""
    found = []
    for number in range(plans):
        one = stated(drawn(number))
        if one is not None:
            found.append(one)
            if not one.low <= one.truth <= one.high:
                print(f"plan {number}: {one.truth:.4%} is not within {one.low:.4%} to {one.high:.4%}", flush=True)
    inside = sum(one.low <= one.truth <= one.high for one in found)
    promised = [one for one in found if one.holds]
    kept = sum(one.truth >= one.asked for one in promised)
    print(f"{len(found)} of {plans} plans have an advice; {inside} intervals of 95 % hold the truth")
    print(f"{len(promised)} promises are said to hold, {kept} of them do")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
