"""The rules on the service level, in the order of the report; importing this module registers them."""

from __future__ import annotations

from simbench.sla import availability, granted_rate, maintenance_notice, restoration  # noqa: F401 - entering is the purpose

SERVICE_LEVEL = (
    "OPS-QOS-01/rolling-year",
    "OPS-QOS-02/six-hours",
    "OPS-QOS-03/five-days",
    "OPS-QOS-04/rate-with-backlog",
    "OPS-ENG-04/five-days",
)
