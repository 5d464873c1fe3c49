"""A running SMSC for a scenario: ledger, clock, gateway and server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from fake_smsc.scenario import OutageConfig, Scenario, allowed_networks, epoch_us
from fake_smsc.server.assembly import assemble
from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.control import Control
from fake_smsc.server.network import Network, Tcp
from fake_smsc.server.restore_state import outage_held, put_back
from fake_smsc.server.server import SmscServer
from simbench.base.errors import SimbenchError
from simbench.base.units import SECOND_US
from simbench.contract import Contract
from simbench.ledger import AnyLedger, Ledger
from simbench.ledger.events import AccountSet, LimitSet, RunEnded, row_of

if TYPE_CHECKING:
    from fake_smsc.server.saved_state import SavedState


class LiveSmsc:
    """Serves one scenario. Use as an async context manager."""

    def __init__(  # noqa: PLR0913 - what a server is made of
        self,
        scenario: Scenario,
        contract: Contract,
        ledger: AnyLedger,
        *,
        clock: PlatformClock | None = None,
        network: Network | None = None,
        place: Path | None = None,
        fast: bool = True,
    ) -> None:
        """`fast`: whether `load_fast_path` may be called."""
        config = scenario.server
        self.scenario, self.contract, self.ledger = scenario, contract, ledger
        self.saved_state: SavedState | None = None  # of a run that is resumed; set before the server is entered
        self.clock = clock or PlatformClock(
            epoch_us(scenario, contract.calendar) if config.epoch else None, config.speed
        )
        gateway = assemble(scenario, contract, ledger, place, fast=fast)
        self.server = SmscServer(
            gateway,
            ledger,
            self.clock,
            network=network,
            heartbeat=network is None or isinstance(network, Tcp),
            durable=config.durable,
        )
        self.server.faults.seed = scenario.seed
        self.server.intake.policy = config.when_unwritable
        self.server.allowed = allowed_networks(config)
        self.server.throttle_logins(config.failed_logins_per_min)
        self.control = Control(self.server)
        self._tasks: list[asyncio.Task[None] | asyncio.Task[bool]] = []

    async def __aenter__(self) -> LiveSmsc:
        if self.saved_state is not None:
            put_back(self.server, self.saved_state, self.scenario.faults)
        now = self.clock.now()
        for config in self.scenario.codes:
            limit = self.server.gateway.centre.limiters[config.code].limit
            account = config.account or config.code
            window = config.window or self.contract.terms.session.window.value
            change = LimitSet(config.code, limit.rate_per_s, limit.mode, limit.meter, account, window)
            self.ledger.events.append(row_of(now, change))
            state = self.server.gateway.centre.accounts[account].state  # a resumed run may have changed it
            if config.oadc_option or state != "active":
                set_to = AccountSet(account, state=state, oadc_option=config.oadc_option)
                self.ledger.events.append(row_of(now, set_to))
        if self.saved_state is None:
            for fault in self.scenario.faults:
                self.server.faults.plan(fault)
        if self.scenario.faults or self.saved_state is not None:
            self.server.rearm()
        if isinstance(self.ledger, Ledger):  # its files are open before anything can be acknowledged
            await asyncio.to_thread(self.ledger.flush)
        await self.server.listen(self.scenario.server.host, self.scenario.server.port)
        began = self.saved_state.began if self.saved_state is not None else now
        if self.saved_state is not None:
            await self._resume_outage(self.saved_state)
        self._tasks += [
            asyncio.create_task(self._play(outage, began + int(outage.at_s * SECOND_US)))
            for outage in self.scenario.outages
            if self.saved_state is None or began + outage.at_s * SECOND_US > self.saved_state.ended
        ]
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.ledger.events.append(row_of(self.clock.now(), RunEnded()))
        await self.server.close()

    def load_fast_path(self) -> asyncio.Task[bool]:
        """Load the fast path beside the running server; until then, and without a compiler, the core serves."""
        from fake_smsc.server.fast_path import load_beside  # noqa: PLC0415 - only a server that stays needs it

        task = asyncio.create_task(load_beside())
        self._tasks.append(task)
        return task

    async def _resume_outage(self, saved_state: SavedState) -> None:
        """Continue an interrupted outage until its announced end, or until the platform is restored."""
        held = outage_held(saved_state)
        if held is None or held[0].scope.startswith("session:"):
            return
        outage, until = held
        if until is None or until > self.clock.now():
            await self.server.outages.begin(outage, until)
            if until is not None:
                self._tasks.append(asyncio.create_task(self.control.restore_at(until)))

    async def _play(self, outage: OutageConfig, at: int) -> None:
        """Run one scripted outage in platform time, even if the clock is stepped or its speed changes."""
        await self.control.reach(at)
        try:
            await self.control.outage(outage.mode, outage.scope, for_s=outage.for_s)
        except (SimbenchError, ValueError) as error:  # another outage is active, or there is no such session
            self.control.trouble(f"the outage at {outage.at_s:g} s does not start: {error}", outage.scope)
            return
        await self.control.restore_at(at + int(outage.for_s * SECOND_US))
