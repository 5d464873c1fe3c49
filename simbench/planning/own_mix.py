"""A mix a planner writes down, as `36010=50,36020=20`: checked against the contract and what the plan needs."""

from __future__ import annotations

from collections import Counter

from simbench.base.toml_files import shown
from simbench.planning.campaign import CampaignError, Plan, check_code
from simbench.planning.mix import Mix, mix_of

PLACE = "--mix"


def own_mix(text: str, plan: Plan) -> Mix:
    """Short codes and their rates, held in every month of the period. Raises CampaignError."""
    held: dict[str, Counter[int]] = {prefix: Counter() for prefix in plan.groups}
    seen: set[str] = set()
    for part in text.split(","):
        code, equals, rate = (each.strip() for each in part.partition("="))
        if not (equals and code.isdecimal() and code.isascii() and rate.isdecimal() and rate.isascii()):
            raise CampaignError(PLACE, f"{shown(part)} is no code with a rate", "CODE=RATE, such as 36010=50")
        check_code(plan, code, int(rate), PLACE)
        if code in seen:
            raise CampaignError(PLACE, f"{code} appears twice", "each code once")
        seen.add(code)
        held[code[:2]][int(rate)] += 1
    for prefix, counts in held.items():
        if not counts:
            raise CampaignError(PLACE, f"no code of {prefix}ABC", "one for each range the plan needs")
    return mix_of({prefix: [dict(counts)] * len(plan.months) for prefix, counts in held.items()})


def held_mix(plan: Plan) -> Mix | None:
    """The codes that are held already, kept as they are; None if a range the plan needs has none."""
    if {code[:2] for code in plan.held} != set(plan.groups):
        return None
    return own_mix(",".join(f"{code}={rate}" for code, rate in plan.held.items()), plan)
