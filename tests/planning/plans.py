"""Small plans for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from simbench.contract import Contract, load_contract
from simbench.planning.campaign import CampaignPlan, Plan, checked

OUTAGES = {
    "drawn": [
        {"name": "p", "between": {"mean_h": 60}, "lasting": {"mean_h": 1.5, "law": "lognormal", "sigma": 0.7}},
    ]
}


def plan_of(contract: Contract | None = None, **tables: Any) -> Plan:
    """March 2026 and nothing to send unless said otherwise."""
    given = {"period": {"from": "2026-03", "months": 1}, "replications": 10, **tables}
    return checked(msgspec.convert(given, CampaignPlan), contract or load_contract())


def sending(**more: Any) -> dict[str, Any]:
    """A campaign on Tuesday the third at eight, to be done within four hours."""
    return {"name": "s", "class": "marketing", "start": "2026-03-03T08:00", "volume": 1000, "deadline_h": 4, **more}


def flow(**more: Any) -> dict[str, Any]:
    """Passwords, the day's profile as everywhere."""
    return {"name": "f", "class": "transactional", "per_day": 1000, "within_min": 30, **more}
