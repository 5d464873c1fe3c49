"""A scenario of the SMSC as an object: built in Python or read from a file, checked against its contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fake_smsc.scenario import (
    CodeConfig,
    FaultConfig,
    LimitMode,
    OutageConfig,
    SubscribersConfig,
    check_scenario,
    read_scenario,
)
from fake_smsc.scenario import Scenario as Settings
from simbench.base.arguments import checked
from simbench.base.bundled import find_scenario
from simbench.base.errors import BadInput, ScenarioError
from simbench.base.python_tables import built, plain
from simbench.contract import Contract, load_contract
from simbench.contract.load import contract_beside

Table = Mapping[str, Any]
"""A table of a scenario file, by the names of its keys."""
Codes = Mapping[str, int] | Sequence[CodeConfig | Table]
"""Short codes with their rates (messages/s, tiers of the contract; 0: its default), or a table for each code."""

TABLES = 'short codes with their rates, {"36010": 10}, or a list of tables'


class Scenario:
    """Settings of a fake SMSC: short codes, contract, subscribers, outages and wire faults.

    The arguments are the keys of a scenario file (docs/reference/scenario.md) and are checked in the same way.
    `codes` maps short codes to their rates in messages/s, tiers of the contract; `limit` is the treatment of messages
    above a rate. `settings` has the checked values, `contract` the contract; names of files are relative to `folder`
    (None: the working folder).

    Raises ScenarioError or ContractError with place, value and expectation.

    >>> Scenario(codes={"36010": 10}, limit="nack")
    <Scenario scenario: 36010 at 10/s>
    >>> Scenario(codes={"36010": 11})
    Traceback (most recent call last):
    simbench.base.errors.ScenarioError: Scenario: codes[0].rate_per_s: 11; expected one of the tiers ...
    """

    def __init__(  # noqa: PLR0913 - the tables of a scenario
        self,
        codes: Codes,
        *,
        name: str = "scenario",
        contract: Contract | str = "",
        limit: LimitMode = "delay",
        seed: int = 1,
        subscribers: SubscribersConfig | Table | None = None,
        outages: Sequence[OutageConfig | Table] = (),
        faults: Sequence[FaultConfig | Table] = (),
        **tables: Any,
    ) -> None:
        known = contract if isinstance(contract, Contract) else load_contract(contract) if contract else load_contract()
        given = {
            "name": name, "contract": known.name, "seed": seed, "codes": code_tables(codes, limit),
            "subscribers": subscribers, "outages": outages, "faults": faults, **tables,
        }  # fmt: skip
        self._set(built(Settings, given, ScenarioError, "Scenario"), known, None, "Scenario")

    def _set(self, settings: Settings, contract: Contract, folder: Path | None, place: str) -> None:
        check_scenario(settings, contract, place)
        self.settings, self.contract, self.folder = settings, contract, folder

    @classmethod
    @checked
    def read(cls, path: Path | str) -> Scenario:
        """Read the scenario of a file, or a bundled one by name ("03_outage"). Raises ScenarioError, ContractError."""
        file = find_scenario(Path(path))
        settings = read_scenario(file)
        return cls._made(settings, contract_beside(settings.contract, file), file.parent.resolve(), str(file))

    @classmethod
    def of(cls, settings: Settings, contract: Contract | None = None) -> Scenario:
        """Return the scenario of existing settings. Raises ScenarioError, ContractError."""
        return cls._made(settings, contract or contract_beside(settings.contract), None, "Scenario")

    @classmethod
    def _made(cls, settings: Settings, contract: Contract, folder: Path | None, place: str) -> Scenario:
        made = cls.__new__(cls)
        made._set(settings, contract, folder, place)
        return made

    def under(self, contract: Contract) -> Scenario:
        """Return the same scenario under another contract. Raises ScenarioError if it does not fit."""
        return self._made(self.settings, contract, self.folder, "Scenario")

    @property
    def codes(self) -> dict[str, int]:
        """The rate (messages/s) of each short code."""
        default = self.contract.terms.throughput.default_per_s.value
        return {one.code: one.rate_per_s or default for one in self.settings.codes}

    def __repr__(self) -> str:
        codes = ", ".join(f"{code} at {rate}/s" for code, rate in self.codes.items())
        return f"<Scenario {self.settings.name}: {codes}>"


def code_tables(codes: Codes, limit: LimitMode | None = None) -> list[Any]:
    """Return short codes as tables of a scenario. Raises BadInput if there are none."""
    if not isinstance(codes, Mapping | Sequence) or isinstance(codes, str):
        raise BadInput("codes", f"is {codes!r:.60}", TABLES)
    if not codes:
        raise BadInput("codes", "is empty", "one short code or more with its rate in messages/s")
    more = {} if limit is None else {"limit": limit}
    if isinstance(codes, Mapping):
        asked = {"request_id": "python"}  # for rates that must be requested: the caller has done so
        return [{"code": code, "rate_per_s": rate, **asked, **more} for code, rate in codes.items()]
    for one in codes:
        if not isinstance(one, CodeConfig | Mapping):
            raise BadInput("codes", f"has {one!r:.60}", TABLES)
    return [plain(one) if isinstance(one, CodeConfig) else {**more, **one} for one in codes]
