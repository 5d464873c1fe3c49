"""Control: everything a test, an exercise or an operator may do to a running SMSC, as one typed object.

Writes the story before anything takes effect. Reaches no socket itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

import msgspec

from fake_smsc.core.records import Notice
from fake_smsc.faults import fault_config
from fake_smsc.scenario import LimitMode
from fake_smsc.server.outage import Mode, Outage
from fake_smsc.server.server import SmscServer
from simbench.base.errors import BadInput, Trouble
from simbench.base.units import SECOND_US
from simbench.ledger.events import (
    AccountSet,
    ClockStepped,
    Event,
    FaultActed,
    LimitSet,
    OutageScheduled,
    OutageUnscheduled,
    SubscriberSet,
    TextSent,
    Troubled,
    row_of,
)
from simbench.ledger.reader import Run
from simbench.numbering.subscribers import Subscriber

TRY_AGAIN_S = 1.0


def _print(problem: str) -> None:
    print(problem, file=sys.stderr, flush=True)  # noqa: T201 - what a plan fails at must never pass in silence


class SessionView(msgspec.Struct, frozen=True):
    """One connection: its number, account, state, and how many operations each side has unanswered."""

    number: int
    account: str
    state: str
    unanswered_by_client: int
    unanswered_by_smsc: int


class Control:
    """Handles of one server."""

    def __init__(self, server: SmscServer) -> None:
        self.server = server
        self._centre = server.gateway.centre
        self._limits = {code: limiter.limit for code, limiter in self._centre.limiters.items()}
        self._states = {name: account.state for name, account in self._centre.accounts.items()}
        self._speed = server.clock.speed
        self.on_trouble: Callable[[str], object] = _print
        """Told of what was planned and does not happen; by default standard error is."""

    # Clock -----------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """The platform's present instant (us, UTC)."""
        return self.server.clock.now()

    def step(self, seconds: float) -> int:
        """Let the platform's clock jump forward. Raises ValueError for a step back."""
        now = self.server.clock.step(seconds)
        self._tell(ClockStepped("step", seconds=seconds))
        self.server.clock_moved()
        return now

    def set_speed(self, speed: float) -> None:
        """Change how many platform seconds a real second is worth. Raises ValueError unless above 0."""
        self.server.clock.set_speed(speed)
        self._tell(ClockStepped("speed", speed=speed))
        self.server.clock_moved()

    # Sessions --------------------------------------------------------------------------------------------------

    def sessions(self) -> list[SessionView]:
        """Every connection, oldest first."""
        return [
            SessionView(
                number,
                line.account,
                line.session.state,
                len(line.session.own.outstanding),
                len(line.session.peer.outstanding),
            )
            for number, line in sorted(self.server.gateway.lines.items())
        ]

    def drop(self, number: int, *, abruptly: bool = False) -> None:
        """End one connection, with FIN or RST. Raises BadInput when there is no such session."""
        if number not in self.server.connections:
            raise BadInput(f"session {number}", "no such session", f"one of {sorted(self.server.connections)}")
        self._tell(FaultActed(f"session:{number}", drop="rst" if abruptly else "fin"))
        self.server.end(number, "dropped by control", abruptly=abruptly)

    # Subscribers -----------------------------------------------------------------------------------------------

    def subscriber(self, address: str) -> Subscriber:
        """What the platform knows of an address."""
        return self._centre.base.find(address)

    def put(self, subscriber: Subscriber) -> None:
        """Set one subscriber's truth."""
        who = subscriber
        self._tell(SubscriberSet(who.msisdn, who.fate, who.operator, who.attached, who.roaming))
        self._centre.subscriber(subscriber, self.now())
        self.server.rearm()

    def attach(self, address: str) -> None:
        """The subscriber's phone is reachable again: what waits for it is delivered."""
        self.put(msgspec.structs.replace(self.subscriber(address), attached=True))

    def detach(self, address: str) -> None:
        """The subscriber's phone is off or out of coverage."""
        self.put(msgspec.structs.replace(self.subscriber(address), attached=False))

    def port(self, address: str, operator: str) -> None:
        """The number moves to another operator (or to "orange")."""
        fate = "orange" if operator == "orange" else "ported-out"
        self.put(msgspec.structs.replace(self.subscriber(address), fate=fate, operator=operator))

    # Traffic and limits ----------------------------------------------------------------------------------------

    def mo(self, sender: str, code: str, text: str) -> list[int]:
        """A subscriber sends a text to a short code: the SCTS (s) of each segment.

        Raises BadInput for a code nobody owns.
        """
        return [notice.scts for notice in self.originate(sender, code, text)]

    def originate(self, sender: str, code: str, text: str) -> list[Notice]:
        """As `mo`: the notices that carry it, to be asked after with `open_notices`."""
        self._tell(TextSent(sender, code, text))
        notices = self.server.gateway.originate(sender, code, text, self.now())
        if not notices:
            raise BadInput(f"short code {code}", "no account owns it", f"one of {sorted(self._centre.limiters)}")
        self.server.touch()
        return notices

    def open_notices(self, notices: Sequence[Notice]) -> int:
        """How many of these notices no application has acknowledged yet."""
        carried = {id(wait.subject) for line in self.server.gateway.lines.values()
                   for wait in line.session.own.outstanding.values()}  # fmt: skip
        missing = [n for n in notices if id(n) not in carried and n not in self._centre.board.waiting[n.account]]
        total = len(notices)
        if not missing:
            return total
        resting = {id(subject) for subject in self._centre.agenda.subjects()}  # offered again after a while
        return total - sum(id(notice) not in resting for notice in missing)

    def limit(self, code: str, rate_per_s: int, mode: LimitMode) -> None:
        """Change a code's rate and how its meter answers. Raises BadInput for a code not in service or a rate of 0."""
        limiter = self._centre.limiters.get(code)
        if limiter is None:
            raise BadInput(f"short code {code}", "not in service", f"one of {sorted(self._centre.limiters)}")
        if rate_per_s < 1:
            raise BadInput(f"rate {rate_per_s}", "below 1", "a rate in messages/s")
        limit = msgspec.structs.replace(limiter.limit, rate_per_s=rate_per_s, mode=mode)
        self._tell(LimitSet(code, limit.rate_per_s, limit.mode))
        self._centre.retune(code, limit, self.now())
        self.server.rearm()

    def suspend(self, account: str) -> None:
        """Suspend an account (OPS-ENG-06). Raises BadInput for an unknown one."""
        known = self._centre.accounts.get(account)
        if known is None:
            raise BadInput(f"account {account}", "no such account", f"one of {sorted(self._centre.accounts)}")
        self._tell(AccountSet(account, state="suspended"))
        self._centre.account_state(msgspec.structs.replace(known, state="suspended"), self.now())

    # Faults ----------------------------------------------------------------------------------------------------

    def fault(self, name: str, **parameters: object) -> None:
        """Let a wire fault begin, now or after `from_s`; several stack. docs/reference/faults.md has their names.

        Raises BadInput for an unknown name, parameter or short code.
        """
        config = fault_config(name, parameters)
        if config.code and config.code not in self._centre.limiters:
            raise BadInput(f"fault of {config.code}", "not in service", f"one of {sorted(self._centre.limiters)}")
        self.server.faults.plan(config)
        self.server.rearm()

    def clear(self, name: str = "") -> int:
        """End the wire faults of that name, or all of them, also those yet to begin; how many there were."""
        ended = self.server.faults.clear(name)
        self.server.rearm()
        return ended

    # Outages ---------------------------------------------------------------------------------------------------

    async def outage(self, mode: Mode, scope: str = "total", *, planned: bool = False, for_s: float = 0) -> None:
        """Begin an outage; with `for_s` (platform seconds) announce its end in the story, else it is open.

        Raises BadInput for a scope nobody answers to, ValueError while another outage holds.
        """
        known = {"total", *self._centre.limiters, *(f"session:{number}" for number in self.server.connections)}
        if scope not in known:
            raise BadInput(f"outage of {scope}", "no such code or session", f"one of {', '.join(sorted(known))}")
        until = self.now() + int(for_s * SECOND_US) if for_s else None
        await self.server.outages.begin(Outage(mode, scope, planned), until)

    async def restore(self) -> None:
        """End the outage that holds."""
        await self.server.outages.end()

    async def restore_at(self, until: int) -> None:
        """End the outage that holds now at a platform instant (us), unless somebody has ended it before.

        While the port cannot be had again, that is told and tried once more every second.
        """
        mine, told = self.server.outages.current, ""
        await self.reach(until)
        while mine is not None and self.server.outages.current is mine:
            try:
                await self.restore()
            except Trouble as trouble:
                if str(trouble) != told:
                    told = str(trouble)
                    self.trouble(f"the outage ({mine.mode}, {mine.scope}) cannot end yet: {told}", mine.scope)
                await asyncio.sleep(TRY_AGAIN_S)

    def trouble(self, problem: str, subject: str = "") -> None:
        """Something planned does not happen: into the story, and to whoever runs the server."""
        self._tell(Troubled(subject, problem))
        self.on_trouble(problem)
        self.server.touch()

    def schedule(self, planned: OutageScheduled) -> None:
        """Write down that an outage is to begin later, so that a run that is resumed knows; whoever asked begins it."""
        self._tell(planned)

    def unschedule(self, number: int) -> None:
        """Write down that it will not."""
        self._tell(OutageUnscheduled(number))

    # Waiting and looking ---------------------------------------------------------------------------------------

    async def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for something that happens on the server; False when `timeout_s` (real) went by first."""
        return await self.server.wait_until(condition, timeout_s)

    async def wait_for_session(self, account: str, timeout_s: float) -> bool:
        """Wait until the account is logged in."""
        return await self.wait_until(lambda: any(view.account == account for view in self.sessions()), timeout_s)

    async def reach(self, instant: int) -> None:
        """Wait for a platform instant (us), however the clock is stepped or sped up meanwhile."""
        while left_s := self.server.clock.real_s(instant):
            speed = self.server.clock.speed
            await self.wait_until(lambda: self.now() >= instant or self.server.clock.speed != speed, left_s)  # noqa: B023 - of this round

    async def pause(self, platform_s: float) -> None:
        """Let platform time go by."""
        await asyncio.sleep(platform_s / self.server.clock.speed)

    def answered(self) -> int:
        """How many submits were answered so far, whichever way."""
        return self._centre.decided

    def on_the_way(self) -> int:
        """How many accepted messages have not met their fate yet."""
        return self._centre.delivery.on_the_way

    def untold(self, account: str = "") -> int:
        """How many notices wait or are unanswered, of one account or of all."""
        waiting = sum(len(q) for name, q in self._centre.board.waiting.items() if account in ("", name))
        return waiting + sum(view.unanswered_by_client for view in self.sessions() if account in ("", view.account))

    def snapshot(self) -> Run:
        """The ledger as it stands."""
        return self.server.ledger.snapshot()

    async def reset(self) -> None:
        """As at the start: no outage, no faults; limits, accounts, subscribers and speed as they were.

        Messages, sessions and the ledger stay, and the clock does not go back.
        """
        await self.restore()
        self.clear()
        for code, limit in self._limits.items():
            if self._centre.limiters[code].limit != limit:
                self.limit(code, limit.rate_per_s, limit.mode)
        for name, state in self._states.items():
            account = self._centre.accounts[name]
            if account.state != state:
                self._tell(AccountSet(name, state=state))
                self._centre.account_state(msgspec.structs.replace(account, state=state), self.now())
        for subscriber in self._centre.base.restore():
            self.put(subscriber)
        if self.server.clock.speed != self._speed:
            self.set_speed(self._speed)

    def _tell(self, event: Event) -> None:
        self.server.ledger.story.append(row_of(self.now(), event))
