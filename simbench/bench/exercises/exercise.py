"""Exercises: scripts that drive a client and produce a ledger.

An exercise states its purposes, the setup of its SMSC and its duration; exercises that measure rates run separately.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

import msgspec

from fake_smsc.scenario import CodeConfig, DeliveryConfig, LimitMode, Scenario, ServerConfig
from simbench.bench.exercises.codes import codes_under
from simbench.bench.exercises.tester import Bench
from simbench.bench.sut.protocol import WITHIN_REACH, Capabilities, Reach
from simbench.contract import Contract
from simbench.numbering.plan import NumberingPlan

QUICK_MS = 200  # median delivery time where clocks are stepped
Script = Callable[[Bench], Awaitable[None]]


class Setup(msgspec.Struct, frozen=True):
    """Settings of an exercise besides its codes.

    `clock`: "any"; "daytime": a working day at ten if the client's clock can be moved; "moved": a moved clock is
    required for a verdict. `epoch` is civil time by the contract's calendar; `moment` computes it from the contract
    instead. `speed` is the speed of both clocks, if the client's can run fast. `ported` returns the numbers with
    operator and day that the client receives; `wrong_password` names codes for which it receives a wrong password.
    """

    clock: Literal["any", "daytime", "moved"] = "any"
    epoch: str = "2026-03-02T10:00:00"
    moment: Callable[[Contract], datetime] | None = None
    speed: float = 1.0
    keepalive_s: int = 50
    result_timer_s: int = 0  # 0: the contract's maximum
    oadc_option: tuple[str, ...] = ()
    wrong_password: tuple[str, ...] = ()
    ported: Callable[[NumberingPlan], tuple[tuple[str, str, str], ...]] | None = None


class Exercise(msgspec.Struct, frozen=True):
    """One exercise: its script, its purposes, its codes with their rates, and the mode of the meter.

    `names` are the names of its codes, for which the contract gives codes and rates: `under` fills in `rates`, `codes`
    and the instant at which the clock starts. `seconds` is the duration with a correct client, for progress. With
    `alone` only other such exercises with low rates run at the same time.
    """

    name: str
    title: str
    purposes: tuple[str, ...]
    rates: dict[str, int]
    script: Script
    seconds: float
    limit: LimitMode = "monitor"
    alone: bool = False
    setup: Setup = Setup()
    asks: bool = True  # False: it observes a client that runs on its own
    names: tuple[str, ...] = ()
    codes: dict[str, str] = {}
    epoch_us: int = 0  # the start of its clock, if it is moved (us, UTC)

    def under(self, contract: Contract) -> Exercise:
        """Return the exercise with the codes, rates and clock of a contract; unchanged if it already has them."""
        if self.epoch_us:
            return self
        setup, given = self.setup, codes_under(self.names, contract)
        codes = {name: code for name, (code, _) in given.items()}
        moment = setup.moment(contract) if setup.moment else datetime.fromisoformat(setup.epoch)
        option, wrong = (
            tuple(codes.get(name, name) for name in of) for of in (setup.oadc_option, setup.wrong_password)
        )
        return msgspec.structs.replace(
            self,
            rates={**self.rates, **dict(given.values())},
            codes=codes,
            epoch_us=contract.calendar.from_civil(moment),
            setup=msgspec.structs.replace(setup, oadc_option=option, wrong_password=wrong),
        )

    def expected_s(self, capabilities: Capabilities) -> float:
        """Return the duration by the machine's clock with a correct client of these capabilities."""
        return self.seconds / (self.setup.speed if capabilities.clock == "speed" else 1.0)

    def scenario(self, contract: Contract, seed: int, reach: Reach = WITHIN_REACH) -> Scenario:
        """Return the scenario of this exercise's SMSC. Its request reference is one of the bench, not of a contract.

        It serves every account given to the client before, including those the exercise does not use.
        """
        if not self.epoch_us:
            return self.under(contract).scenario(contract, seed, reach)
        names = contract.terms.numbering.sender_names.value
        given = {account.code: account for account in reach.accounts or ()}
        rates = {**{code: account.rate_per_s for code, account in given.items()}, **self.rates}
        codes = []
        for code, rate in rates.items():
            option = given[code].oadc_option if code in given else code in self.setup.oadc_option
            option = names == "always" or (names == "option" and option)
            config = CodeConfig(code, rate, limit=self.limit, request_id="bench", oadc_option=option)
            if code in given:
                login, password = given[code].account, given[code].password
                config = msgspec.structs.replace(config, account=login, password=password)
            codes.append(config)
        # A step of the clock needs an idle SMSC: pending deliveries would be retried throughout the step.
        delivery = DeliveryConfig(latency_median_ms=QUICK_MS if self.setup.clock == "moved" else 0)
        server = ServerConfig(port=reach.port)
        return Scenario(
            name=self.name, title=self.title, seed=seed, contract=contract.name, codes=tuple(codes), delivery=delivery,
            server=server,
        )  # fmt: skip


EXERCISES: dict[str, Exercise] = {}

Chosen = dict[str, tuple[Exercise, tuple[str, ...]]]  # by name: an exercise and the purposes it is run for


def exercise(  # noqa: PLR0913 - one argument per field
    title: str, purposes: tuple[str, ...], names: tuple[str, ...], *, seconds: float, limit: LimitMode = "monitor",
    alone: bool = False, setup: Setup = Setup(),  # noqa: B008 - frozen, so one for all is safe
) -> Callable[[Script], Script]:  # fmt: skip
    """Register a script as an exercise under its function's name. Raises ValueError if the name is taken."""

    def enter(script: Script) -> Script:
        name = getattr(script, "__name__", "").replace("_", "-")
        if name in EXERCISES:
            raise ValueError(f"exercise {name} exists already")
        EXERCISES[name] = Exercise(name, title, purposes, {}, script, seconds, limit, alone, setup, names=names)
        return script

    return enter
