"""The memory that a plan needs, checked before anything is drawn."""

from __future__ import annotations

from typing import Final

from simbench.base.text import count
from simbench.base.units import HOUR_US
from simbench.planning.campaign import CampaignError, Plan
from simbench.planning.loads import widths

LARGEST: Final = 4_000_000_000  # octets
_OF_AN_OCCASION: Final = 18  # octets in each future: its volume, the rate it needs, whether it is late
_OF_AN_OUTAGE: Final = 400


def octets_needed(plan: Plan, futures: int) -> int:
    """Return the approximate number of octets of a plan's futures."""
    hours = (plan.span[1] - plan.span[0]) / HOUR_US
    outages = sum(hours / one.between.mean_h for one in plan.campaign.outages.drawn)
    return round(futures * (sum(widths(plan).values()) * _OF_AN_OCCASION + outages * _OF_AN_OUTAGE))


def check_size(plan: Plan, futures: int) -> None:
    """Raise CampaignError, which names the sizes, for a plan whose futures do not fit into memory."""
    needed = octets_needed(plan, futures)
    if needed <= LARGEST:
        return
    occasions = sum(widths(plan).values())
    problem = (
        f"needs about {needed / 1e9:,.0f} GB: {futures:,} futures of {occasions:,} sendings and days over "
        f"{count(len(plan.months), 'month')}"
    )
    raise CampaignError("campaign", problem, f"at most {LARGEST / 1e9:,.0f} GB: fewer replications, months or outages")
