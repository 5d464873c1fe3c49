"""Exercises: scripted stories that drive a client and leave a ledger. They judge nothing.

An exercise says which purposes it reveals, how its SMSC is set up, and how long it takes; rate exercises run alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from simbench.conformance.bench import Bench
from simbench.contract import Contract
from simbench.scenario import CodeConfig, LimitMode, Scenario, ServerConfig

Script = Callable[[Bench], Awaitable[None]]


class Exercise(msgspec.Struct, frozen=True):
    """One exercise: its script, the purposes it reveals, its codes with their rates, and how the meter answers.

    `seconds` is what a client that does nothing wrong takes, for progress; `alone` keeps the others off the machine.
    """

    name: str
    title: str
    purposes: tuple[str, ...]
    rates: dict[str, int]
    script: Script
    seconds: float
    limit: LimitMode = "monitor"
    alone: bool = False

    def scenario(self, contract: Contract, seed: int, port: int = 0) -> Scenario:
        """The SMSC this exercise runs against. The request reference is that of a bench, not of a contract."""
        del contract  # every exercise so far takes the contract's own defaults
        codes = tuple(
            CodeConfig(code=code, rate_per_s=rate, limit=self.limit, request_id="bench")
            for code, rate in self.rates.items()
        )
        return Scenario(name=self.name, title=self.title, seed=seed, codes=codes, server=ServerConfig(port=port))


EXERCISES: dict[str, Exercise] = {}


def exercise(
    title: str, purposes: tuple[str, ...], rates: dict[str, int], *, seconds: float, limit: LimitMode = "monitor",
    alone: bool = False,
) -> Callable[[Script], Script]:  # fmt: skip
    """Enter a script as an exercise under its function's name. Raises ValueError when the name is taken."""

    def enter(script: Script) -> Script:
        name = getattr(script, "__name__", "").replace("_", "-")
        if name in EXERCISES:
            raise ValueError(f"exercise {name} exists already")
        EXERCISES[name] = Exercise(name, title, purposes, rates, script, seconds, limit, alone)
        return script

    return enter
