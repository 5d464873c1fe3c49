"""The rules on the service level: importing this module registers them."""

from __future__ import annotations

from simbench.sla import availability, granted_rate, maintenance_notice, restoration  # noqa: F401 - entering is the purpose
