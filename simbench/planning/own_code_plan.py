"""A code plan given by a planner, as `36010=50,36020=20`, checked against the contract and the plan."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from simbench.base.toml_files import shown
from simbench.planning.campaign import CampaignError, Holding, Plan, check_code, checked
from simbench.planning.code_plan import CodePlan, code_plan_of

PLACE = "--mix"


def own_code_plan(text: str, plan: Plan) -> CodePlan:
    """Read short codes and their rates, held in every month of the period. Raises CampaignError."""
    held: dict[str, Counter[int]] = {prefix: Counter() for prefix in plan.groups}
    for code, rate in codes_of(text, plan, PLACE).items():
        held[code[:2]][rate] += 1
    for prefix, counts in held.items():
        if not counts:
            raise CampaignError(PLACE, f"no code of {prefix}ABC", "one for each range the plan needs")
    return code_plan_of({prefix: [dict(counts)] * len(plan.months) for prefix, counts in held.items()})


def codes_of(text: str, plan: Plan, place: str) -> dict[str, int]:
    """Read the rate of each code, written as CODE=RATE,CODE=RATE. Raises CampaignError."""
    found: dict[str, int] = {}
    for part in text.split(","):
        code, equals, rate = (each.strip() for each in part.partition("="))
        if not (equals and code.isdecimal() and code.isascii() and rate.isdecimal() and rate.isascii()):
            raise CampaignError(place, f"{shown(part)} is not a code with a rate", "CODE=RATE, such as 36010=50")
        check_code(plan, code, int(rate[:9]), place)
        if code in found:
            raise CampaignError(place, f"{code} appears twice", "each code once")
        found[code] = int(rate[:9])
    return found


def with_held(plan: Plan, text: str) -> Plan:
    """Return the plan with codes already held, besides those of its file. Raises CampaignError."""
    more = tuple(Holding(code, rate) for code, rate in codes_of(text, plan, "--held").items())
    return checked(replace(plan.campaign, held=(*plan.campaign.held, *more)), plan.contract, "--held")


def held_code_plan(plan: Plan) -> CodePlan | None:
    """Return the codes already held, unchanged; None if a range needed by the plan has none."""
    if {code[:2] for code in plan.held} != set(plan.groups):
        return None
    return own_code_plan(",".join(f"{code}={rate}" for code, rate in plan.held.items()), plan)
