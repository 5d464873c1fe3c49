"""The scenario and options of a served run, kept in its folder so that `serve --resume` needs no other option."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from fake_smsc.scenario import Scenario
from simbench.base.errors import LedgerError
from simbench.base.json_files import read_json, write_json
from simbench.base.units import HOUR_US
from simbench.contract import Contract

if TYPE_CHECKING:
    from fake_smsc.server.clock import PlatformClock
    from fake_smsc.server.saved_state import SavedState

SCRIPT = "served.json"


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario with its options applied, its contract by name or file, and the base folder of its files."""

    scenario: Scenario
    contract: str
    contract_digest: str
    place: str = ""

    @classmethod
    def of(cls, scenario: Scenario, contract: Contract, place: Path | None, contract_name: str | None) -> Self:
        """Return the script of a run to serve."""
        name = contract_name or scenario.contract
        if name.endswith(".toml"):
            name = str((Path(name) if contract_name else (place or Path()) / name).resolve())
        return cls(scenario, name, contract.digest, str(place) if place else "")


def write_script(folder: Path, script: Script) -> None:
    """Write a script. Raises BadInput or Trouble if that is impossible."""
    write_json(folder / SCRIPT, script)


def read_script(folder: Path) -> Script:
    """Read a script. Raises LedgerError if `serve` has written none."""
    written = "the script that `simbench serve` writes into its run folder"
    return read_json(folder / SCRIPT, Script, "the folder of a served run", written, LedgerError)


def clock_of(saved_state: SavedState, scenario: Scenario) -> PlatformClock:
    """The clock of a resumed run."""
    from fake_smsc.server.clock import PlatformClock

    return PlatformClock(*saved_state.clock(bool(scenario.server.epoch), scenario.server.speed))


def saved_state_of(folder: Path, scenario: Scenario, contract: Contract) -> SavedState:
    """The saved state of the run in this folder."""
    from fake_smsc.server.saved_state import read_saved_state
    from fake_smsc.ucp_gateway.times import UcpTimes

    owners = {config.code: config.account or config.code for config in scenario.codes}
    names, terms = set(owners.values()), contract.terms.delivery
    hours = (terms.validity_default_h.value, terms.validity_max_h.value)
    return read_saved_state(
        folder, lambda address: address if address in names else owners.get(address, ""),
        (hours[0] * HOUR_US, hours[1] * HOUR_US), UcpTimes(contract.calendar),
    )  # fmt: skip
