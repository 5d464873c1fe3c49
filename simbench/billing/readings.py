"""The ambiguities on which a bill depends, and the contract under their other readings."""

from __future__ import annotations

from collections.abc import Iterator

from simbench.contract import Contract

SWITCHES = (
    "band-overlap",
    "band-scope",
    "tier-price",
    "high-rates",
    "sender-name-acts",
    "billed-message",
    "rounding",
    "range-price",
)


def other_readings(contract: Contract) -> Iterator[tuple[str, str, Contract]]:
    """Yield each other reading of the contract's switches: (topic, reading, the contract under that reading)."""
    for topic in SWITCHES:
        for reading in contract.ambiguity(topic).readings:
            if reading != contract.reading(topic):
                yield topic, reading, contract.read_as(topic, reading)
