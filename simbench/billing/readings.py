"""The ambiguities that a bill depends on, and the contract under their other readings."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from simbench.contract import Contract

SWITCHES = ("AMB-01", "AMB-02", "AMB-03", "AMB-07", "AMB-08", "AMB-11", "AMB-15", "AMB-19")


def other_readings(contract: Contract) -> Iterator[tuple[str, str, Contract]]:
    """Each switch read otherwise than the contract does: (ambiguity, reading, the contract read so)."""
    for name in SWITCHES:
        for reading in contract.ambiguities[name].readings:
            if reading != contract.reading(name):
                yield name, reading, read_as(contract, name, reading)


def read_as(contract: Contract, ambiguity: str, reading: str) -> Contract:
    """The same contract with one ambiguity read so."""
    changed = msgspec.structs.replace(contract.ambiguities[ambiguity], reading=reading)
    return msgspec.structs.replace(contract, ambiguities={**contract.ambiguities, ambiguity: changed})
