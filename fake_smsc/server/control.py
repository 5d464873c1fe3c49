"""Control of a running SMSC by a test, an exercise or an operator: clock, sessions, subscribers, faults, outages.

Every action writes its event to the ledger before it takes effect.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

import msgspec

from fake_smsc.core.records import Notification
from fake_smsc.faults import fault_config, sentence
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
    print(problem, file=sys.stderr, flush=True)  # noqa: T201 - failed plans must always be visible


class SessionView(msgspec.Struct, frozen=True):
    """One connection: its number, account, state, and the unanswered operations of each side."""

    number: int
    account: str
    state: str
    unanswered_by_client: int
    unanswered_by_smsc: int


class Control:
    """Control functions of one server."""

    def __init__(self, server: SmscServer) -> None:
        self.server = server
        self._centre = server.gateway.centre
        self._limits = {code: limiter.limit for code, limiter in self._centre.limiters.items()}
        self._states = {name: account.state for name, account in self._centre.accounts.items()}
        self._speed = server.clock.speed
        self.on_trouble: Callable[[str], object] = _print
        """Called with each planned action that could not be carried out; prints to standard error by default."""

    # Clock -----------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the platform's present instant (us, UTC)."""
        return self.server.clock.now()

    def step(self, seconds: float) -> int:
        """Step the platform's clock forward. Raises ValueError for a step back."""
        now = self.server.clock.step(seconds)
        self._record(ClockStepped("step", seconds=seconds))
        self.server.clock_moved()
        return now

    def set_speed(self, speed: float) -> None:
        """Change the platform seconds per real second. Raises ValueError unless above 0."""
        self.server.clock.set_speed(speed)
        self._record(ClockStepped("speed", speed=speed))
        self.server.clock_moved()

    # Sessions --------------------------------------------------------------------------------------------------

    def sessions(self) -> list[SessionView]:
        """Return every connection, oldest first."""
        return [
            SessionView(
                number,
                line.account,
                line.session.state,
                line.own.count,
                len(line.session.peer.outstanding),
            )
            for number, line in sorted(self.server.gateway.lines.items())
        ]

    def drop(self, number: int, *, abruptly: bool = False) -> None:
        """Close one connection, with FIN or RST. Raises BadInput if there is no such session."""
        if number not in self.server.connections:
            raise BadInput(f"session {number}", "no such session", f"one of {sorted(self.server.connections)}")
        self._record(FaultActed(f"session:{number}", drop="rst" if abruptly else "fin"))
        self.server.end(number, "dropped by control", abruptly=abruptly)

    # Subscribers -----------------------------------------------------------------------------------------------

    def subscriber(self, address: str) -> Subscriber:
        """Return the platform's entry for an address."""
        return self._centre.base.find(address)

    def put(self, subscriber: Subscriber) -> None:
        """Set a subscriber's state."""
        who = subscriber
        self._record(SubscriberSet(who.msisdn, who.standing, who.operator, who.attached, who.roaming))
        self._centre.subscriber(subscriber, self.now())
        self.server.rearm()

    def attach(self, address: str) -> None:
        """Make the subscriber reachable: waiting messages are delivered."""
        self.put(msgspec.structs.replace(self.subscriber(address), attached=True))

    def detach(self, address: str) -> None:
        """Make the subscriber unreachable (phone off or out of coverage)."""
        self.put(msgspec.structs.replace(self.subscriber(address), attached=False))

    def port(self, address: str, operator: str) -> None:
        """Port the number to another operator (or to the own one)."""
        home = self._centre.base.plan.home
        standing = home if operator == home else "ported-out"
        self.put(msgspec.structs.replace(self.subscriber(address), standing=standing, operator=operator))

    # Traffic and limits ----------------------------------------------------------------------------------------

    def mo(self, sender: str, code: str, text: str) -> list[int]:
        """Send a text from a subscriber to a short code. Returns the SCTS (s) of each segment.

        Raises BadInput for a code without an account.
        """
        return [notification.scts for notification in self.originate(sender, code, text)]

    def originate(self, sender: str, code: str, text: str) -> list[Notification]:
        """Like `mo`, but returns the notifications, to be checked with `open_notifications`."""
        self._record(TextSent(sender, code, text))
        notifications = self.server.gateway.originate(sender, code, text, self.now())
        if not notifications:
            raise BadInput(f"short code {code}", "no account owns it", f"one of {sorted(self._centre.limiters)}")
        self.server.touch()
        return notifications

    @staticmethod
    def open_notifications(notifications: Sequence[Notification]) -> int:
        """Return how many of these notifications no application has acknowledged yet."""
        return sum(not notification.acknowledged for notification in notifications)

    def limit(self, code: str, rate_per_s: int, mode: LimitMode) -> None:
        """Change a code's rate and meter answer. Raises BadInput for an unknown code or a rate below 1."""
        limiter = self._centre.limiters.get(code)
        if limiter is None:
            raise BadInput(f"short code {code}", "not in service", f"one of {sorted(self._centre.limiters)}")
        if rate_per_s < 1:
            raise BadInput(f"rate {rate_per_s}", "below 1", "a rate in messages/s")
        limit = msgspec.structs.replace(limiter.limit, rate_per_s=rate_per_s, mode=mode)
        self._record(LimitSet(code, limit.rate_per_s, limit.mode))
        self._centre.retune(code, limit, self.now())
        self.server.rearm()

    def suspend(self, account: str) -> None:
        """Suspend an account (OPS-ENG-06). Raises BadInput for an unknown one."""
        known = self._centre.accounts.get(account)
        if known is None:
            raise BadInput(f"account {account}", "no such account", f"one of {sorted(self._centre.accounts)}")
        self._record(AccountSet(account, state="suspended"))
        self._centre.account_state(msgspec.structs.replace(known, state="suspended"), self.now())

    # Faults ----------------------------------------------------------------------------------------------------

    def fault(self, name: str, **parameters: object) -> None:
        """Start a wire fault, now or after `from_s`; faults can be combined. Names: docs/reference/faults.md.

        Raises BadInput for an unknown name, parameter or short code.
        """
        config = fault_config(name, parameters)
        if config.code and config.code not in self._centre.limiters:
            raise BadInput(f"fault of {config.code}", "not in service", f"one of {sorted(self._centre.limiters)}")
        self.server.faults.plan(config)
        self.server.rearm()

    @staticmethod
    def fault_sentence(name: str) -> str:
        """Describe a wire fault in one sentence."""
        return sentence(name)

    def clear(self, name: str = "") -> int:
        """End the wire faults of that name, or all, including planned ones. Returns how many there were."""
        ended = self.server.faults.clear(name)
        self.server.rearm()
        return ended

    # Outages ---------------------------------------------------------------------------------------------------

    async def outage(self, mode: Mode, scope: str = "total", *, planned: bool = False, for_s: float = 0) -> None:
        """Start an outage; `for_s` (platform seconds) announces its end in the ledger.

        Raises BadInput for an unknown scope, ValueError during another outage.
        """
        known = {"total", *self._centre.limiters, *(f"session:{number}" for number in self.server.connections)}
        if scope not in known:
            raise BadInput(f"outage of {scope}", "no such code or session", f"one of {', '.join(sorted(known))}")
        until = self.now() + int(for_s * SECOND_US) if for_s else None
        await self.server.outages.begin(Outage(mode, scope, planned), until)

    async def restore(self) -> None:
        """End the current outage."""
        await self.server.outages.end()

    async def restore_at(self, until: int) -> None:
        """End the present outage at a platform instant (us), unless it has been ended before.

        While the port is not available, this is reported and retried every second.
        """
        mine, reported = self.server.outages.current, ""
        await self.reach(until)
        while mine is not None and self.server.outages.current is mine:
            try:
                await self.server.outages.end(mine)  # while this waits, another one may have begun
            except Trouble as trouble:
                if str(trouble) != reported:
                    reported = str(trouble)
                    self.trouble(f"the outage ({mine.mode}, {mine.scope}) cannot end yet: {reported}", mine.scope)
                await asyncio.sleep(TRY_AGAIN_S)

    def trouble(self, problem: str, subject: str = "") -> None:
        """Report a planned action that could not be carried out, in the ledger and to the operator."""
        self._record(Troubled(subject, problem))
        self.on_trouble(problem)
        self.server.touch()

    def schedule(self, planned: OutageScheduled) -> None:
        """Record that an outage will start later, so that a resumed run knows it; the caller starts it."""
        self._record(planned)

    def unschedule(self, number: int) -> None:
        """Record that a scheduled outage is cancelled."""
        self._record(OutageUnscheduled(number))

    # Waiting and observing -------------------------------------------------------------------------------------

    async def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until a condition holds. Returns False after `timeout_s` (real seconds)."""
        return await self.server.waiters.until(condition, timeout_s)

    async def wait_for_session(self, account: str, timeout_s: float) -> bool:
        """Wait until the account is logged in. Returns False after `timeout_s` (real seconds)."""
        return await self.wait_until(lambda: any(view.account == account for view in self.sessions()), timeout_s)

    async def reach(self, instant: int) -> None:
        """Wait for a platform instant (us), even if the clock is stepped or its speed changes."""
        while left_s := self.server.clock.real_s(instant):
            speed = self.server.clock.speed
            await self.wait_until(lambda: self.now() >= instant or self.server.clock.speed != speed, left_s)  # noqa: B023 - used in this round

    async def pause(self, platform_s: float) -> None:
        """Wait for `platform_s` seconds of platform time."""
        await asyncio.sleep(platform_s / self.server.clock.speed)

    def answered(self) -> int:
        """Return the number of submits answered so far, positively or negatively."""
        return self._centre.decided

    def on_the_way(self) -> int:
        """Return the number of accepted messages without a final outcome."""
        return self._centre.delivery.on_the_way

    def unacknowledged(self, account: str = "") -> int:
        """Return the number of waiting or unanswered notifications, of one account or of all."""
        queue = self._centre.notification_queue
        waiting = sum(queue.count(name) for name in self._centre.accounts if account in ("", name))
        lines = self.server.gateway.lines.values()
        return waiting + sum(line.own.count for line in lines if account in ("", line.account))

    def snapshot(self) -> Run:
        """Return the ledger written so far."""
        return self.server.ledger.snapshot()

    async def reset(self) -> None:
        """Restore the initial state: no outage, no faults; initial limits, accounts, subscribers and speed.

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
                self._record(AccountSet(name, state=state))
                self._centre.account_state(msgspec.structs.replace(account, state=state), self.now())
        for subscriber in self._centre.base.restore():
            self.put(subscriber)
        if self.server.clock.speed != self._speed:
            self.set_speed(self._speed)

    def _record(self, event: Event) -> None:
        self.server.ledger.events.append(row_of(self.now(), event))
