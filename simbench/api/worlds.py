"""A world for the simulation: built in Python or read from a file, checked against its contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from fake_smsc.built_scenario import Codes, Table, code_tables
from fake_smsc.scenario import LimitMode
from simbench.api.contracts import contract_in
from simbench.base.bundled import find_scenario
from simbench.base.errors import BadInput, ScenarioError
from simbench.base.python_tables import built
from simbench.contract import Contract
from simbench.contract.load import contract_beside
from simbench.simulation import plan as planned
from simbench.simulation.scenario import Campaign, Flow, WorldScenario, check_world, read_world

Span = tuple[str | date, str | date]
"""A period from one midnight or civil time up to, but not including, another."""


class World:
    """A world in virtual time: the platform, its clients, subscribers and incidents over a period.

    The arguments are the keys of a world's file (docs/reference/scenario.md) and are checked in the same way.
    `period` is (from, to), civil times of the contract's zone; `codes` maps short codes to rates in messages/s, tiers
    of the contract. `campaigns` and `flows` are the messages sent; at least one is needed. `settings` has the checked
    values, `contract` the contract.

    Raises ScenarioError or ContractError with place, value and expectation.

    >>> World(
    ...     ("2026-03-02", "2026-03-03"), {"36010": 10},
    ...     campaigns=[{"name": "news", "code": "36010", "start": "2026-03-02T09:00", "volume": 5000}],
    ... )
    <World world: 36010 at 10/s, 2026-03-02 to 2026-03-03>
    """

    def __init__(  # noqa: PLR0913 - the tables of a world
        self,
        period: Span,
        codes: Codes,
        *,
        campaigns: Sequence[Campaign | Table] = (),
        flows: Sequence[Flow | Table] = (),
        name: str = "world",
        seed: int = 1,
        contract: Contract | str = "",
        limit: LimitMode | None = None,
        incidents: Table | None = None,
        subscribers: Table | None = None,
        **tables: Any,
    ) -> None:
        if isinstance(period, Mapping):
            span: Any = period
        elif isinstance(period, str) or not isinstance(period, Sequence) or len(period) != 2:
            raise ScenarioError("World: period", f"is {period!r:.60}", "two times, from and to")
        else:
            span = {"from": period[0], "to": period[1]}
        known = contract_in(contract or None)
        given = {
            "period": span, "codes": code_tables(codes, limit), "campaigns": campaigns, "flows": flows, "name": name,
            "seed": seed, "contract": known.name, "incidents": incidents, "subscribers": subscribers, **tables,
        }  # fmt: skip
        self._set(built(WorldScenario, given, ScenarioError, "World"), known, "World")

    def _set(self, settings: WorldScenario, contract: Contract, place: str) -> None:
        check_world(settings, contract, place)
        self.settings, self.contract, self.place = settings, contract, place

    @classmethod
    def read(cls, path: Path | str, contract: Contract | Path | str | None = None) -> World:
        """Read the world of a file, or a bundled one by name ("year/01_quiet_day").

        Raises ScenarioError, ContractError.
        """
        file = find_scenario(Path(path))
        settings = read_world(file)
        known = contract_beside(settings.contract, file) if contract is None else contract_in(contract)
        return cls._made(settings, known, str(file))

    @classmethod
    def _made(cls, settings: WorldScenario, contract: Contract, place: str) -> World:
        made = cls.__new__(cls)
        made._set(settings, contract, place)
        return made

    def but(self, **changes: Any) -> World:
        """Return the same world with other values of its settings, such as `but(seed=2)`. Raises ScenarioError."""
        unknown = sorted(set(changes) - set(self.settings.__struct_fields__))
        if unknown:
            known = ", ".join(self.settings.__struct_fields__)
            raise ScenarioError(f"World: {unknown[0]}", "no such setting", f"one of {known}")
        return self._made(replace(self.settings, **changes), self.contract, self.place)

    def planned(self) -> planned.World:
        """Return the world in the form for the engines, with computed incidents, links and distributions."""
        return planned.plan(self.settings, self.contract, self.place)

    @property
    def codes(self) -> dict[str, int]:
        """The rate (messages/s) of each short code at the start."""
        default = self.contract.terms.throughput.default_per_s.value
        return {one.code: one.rate_per_s or default for one in self.settings.codes}

    def __repr__(self) -> str:
        codes = ", ".join(f"{code} at {rate}/s" for code, rate in self.codes.items())
        period = self.settings.period
        return f"<World {self.settings.name}: {codes}, {period.start} to {period.end}>"


def world_in(given: World | Path | str) -> World:
    """Return the world given as an object, a file or a name. Raises BadInput for anything else."""
    if isinstance(given, World):
        return given
    if isinstance(given, Path | str):
        return World.read(given)
    raise BadInput("world", f"is a {type(given).__name__}", "a World, a file, or the name of a bundled one")
