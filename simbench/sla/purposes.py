"""Purposes of the service level that records other than ledgers refer to by name."""

from typing import Final

AVAILABILITY: Final = "sla.availability"
RESTORATION: Final = "sla.restoration"
GRANTED_RATE: Final = "sla.rate-with-backlog"
