"""The tools of an exercise's script, and the record of requests and reports.

Every request to the client and every report from it is recorded before it takes effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zlib import crc32

from fake_smsc.server.live import LiveSmsc
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.bench.sut.protocol import (
    ClockGiven,
    HearsNotices,
    Maintenance,
    MovesClock,
    Report,
    SutFailed,
    SystemUnderTest,
    reach_of,
)
from simbench.client.messages import Outgoing
from simbench.ledger.events import Event, row_of
from simbench.ledger.stimuli import Announced, Reported, Request, Stimulus, stimulus_row
from simbench.numbering.plan import plan_of

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKENS = len(DIGITS) ** 5
TOKENS_APART = 10_000  # distance of two exercises' tokens, so that a late report of one does not match the other
PATIENCE = 2.5  # time limit of a script's waits, in result timers of the client
ASKS_AT_ONCE = 8  # messages submitted to the client concurrently
REST_S = 0.004  # pause after each message, because the SMSC runs on the same loop
PROBE_VALIDITY_S = 3600
QUIET_S = 10  # platform seconds without an answer after which no more answers are expected
APPROACH_S = 40  # platform seconds before an instant at which the client should be connected again
SETTLE_S = 0.5  # platform seconds until connections that ended with a step of the clock are gone


class Silent(SutFailed):
    """The client never connected, or did not log in."""


class Bench:
    """The parts of one exercise: the SMSC through Control, the client through its adapter, and the ledger."""

    def __init__(self, smsc: LiveSmsc, sut: SystemUnderTest, codes: Mapping[str, str] | None = None) -> None:
        self.control, self.sut, self.ledger, self.contract = smsc.control, sut, smsc.ledger, smsc.contract
        timer_s = sut.capabilities.result_timer_s or self.contract.terms.session.result_timer_max_s.value
        # A client may wait for its whole result timer before it acts, and again on the next connection.
        self.patience_s = PATIENCE * timer_s
        self.rates = {config.code: config.rate_per_s for config in smsc.scenario.codes}
        self._codes = dict(codes or {})
        self.plan = plan_of(self.contract)
        self._accounts = {config.code: config.account or config.code for config in smsc.scenario.codes}
        self._withheld: set[str] = set()
        self._first_token = crc32(smsc.scenario.name.encode()) % (TOKENS // TOKENS_APART) * TOKENS_APART
        self.asked = 0
        self._room = asyncio.Semaphore(ASKS_AT_ONCE)
        self._recipients = 0
        self._errors = 0
        self._trouble = ""  # the last error that the client or its adapter reported
        self.waits: Callable[[str], object] = lambda _: None
        """Called with the event that the script waits for, and with "" when the script continues."""

    # Requests --------------------------------------------------------------------------------------------------

    def token(self) -> str:
        """Return a new token, `#` and five characters, that identifies a text on the wire."""
        self.asked += 1
        number, letters = (self._first_token + self.asked) % TOKENS, ""
        for _ in range(5):
            number, digit = divmod(number, len(DIGITS))
            letters = DIGITS[digit] + letters
        return f"#{letters}"

    def code(self, name: str) -> str:
        """Return the code for an exercise's name; a code is returned unchanged."""
        return self._codes.get(name, name)

    def account(self, code: str) -> str:
        """Return the account of a code or of its name; an account is returned unchanged."""
        code = self.code(code)
        return self._accounts.get(code, code)

    def has(self, *names: str) -> bool:
        """Tell whether the contract has the ranges of these codes."""
        return all(name in self._codes for name in names)

    def subscriber(self) -> str:
        """Return a new subscriber of the operator from the fictional blocks."""
        self._recipients += 1
        return self.plan.own(self._recipients)

    def message(self, code: str, recipient: str = "", text: str = "Votre commande est prete", **more: Any) -> Outgoing:
        """Return a message to request; without a recipient, to a new subscriber."""
        token = self.token()
        return Outgoing(
            token=token, code=self.code(code), recipient=recipient or self.subscriber(), text=f"{text} {token}", **more
        )

    def marketing(self, code: str, recipient: str = "", text: str = "Soldes chez MARQUE", **more: Any) -> Outgoing:
        """Return a valid marketing message, except for the changes in `more`."""
        return self.message(code, recipient, text, **{"traffic_class": "marketing", "brand": "MARQUE", **more})

    def probe(self, code: str) -> Outgoing:
        """Return an ordinary message that shows the client's clock: its validity ends an hour after the request."""
        return self.message(code, validity_s=PROBE_VALIDITY_S)

    async def ask(self, ask: Outgoing) -> None:
        """Ask the client to send one message."""
        self._stimulus(
            Request(
                self.control.now(), ask.token, ask.code, ask.recipient, ask.text, ask.traffic_class, ask.brand,
                ask.opted_in, ask.oadc or "", ask.validity_s or 0, ask.traits,
            )
        )  # fmt: skip
        async with self._room:
            await self.sut.send(ask)

    async def ask_all(self, asks: Iterable[Outgoing]) -> None:
        """Request many messages in order, as fast as the client takes them.

        They form a steady stream: after a batch, Kannel's boxes would wait 40 ms for delayed acknowledgements, and the
        client would never have a backlog.
        """
        waiting = iter(asks)

        async def stream() -> None:
            for ask in waiting:
                await self.ask(ask)
                await asyncio.sleep(REST_S)

        streams = [asyncio.ensure_future(stream()) for _ in range(ASKS_AT_ONCE)]
        try:
            await asyncio.gather(*streams)
        finally:
            for one in streams:
                one.cancel()

    async def ask_paced(self, code: str, per_s: float, messages: int) -> None:
        """Request messages of one code one by one, at an even pace in platform time."""
        start = self.control.now()
        for number in range(messages):
            due = start + int(number * SECOND_US / per_s)
            wait = (due - self.control.now()) / SECOND_US
            if wait > 0:
                await self.control.pause(wait)
            await self.ask(self.message(code))

    # Clock and announcements -----------------------------------------------------------------------------------

    async def step_to(self, moment: datetime) -> None:
        """Move both clocks forward to a civil time by the contract's calendar, and wait for the client.

        Sessions idle for that long end in between. The first step ends some time before the moment, so that a slow
        client is connected again by then; the second is too short to end a session. The step waits for notifications
        first: an unanswered one would be repeated in between.
        """
        await self.reported(PATIENCE * SETTLE_S * 4)
        at = self.contract.calendar.from_civil(moment)
        await self._step((at - self.control.now()) / SECOND_US - APPROACH_S)
        await self.control.pause(SETTLE_S)
        await self.connected(self.rates)
        await self._step((at - self.control.now()) / SECOND_US)

    async def _step(self, seconds: float) -> None:
        """Move both clocks forward; a negative step does nothing."""
        if seconds <= 0:
            return
        self.control.step(seconds)
        if isinstance(self.sut, MovesClock):
            clock = self.control.server.clock
            await self.sut.move_clock(ClockGiven(*clock.basis(), clock.speed))

    async def until(self, moment: datetime) -> None:
        """Wait for a civil time by the contract's calendar."""
        at = self.contract.calendar.from_civil(moment)
        await self.control.pause(max(0, at - self.control.now()) / SECOND_US)

    def today(self) -> datetime:
        """Return midnight of the current day, by the platform's clock and the contract's calendar."""
        return self.contract.calendar.civil(self.control.now()).replace(
            hour=0, minute=0, second=0, microsecond=0, tzinfo=None
        )

    async def announce(self, start_us: int, end_us: int) -> None:
        """Announce maintenance to the client."""
        self._stimulus(Announced(self.control.now(), start_us, end_us))
        if isinstance(self.sut, HearsNotices):
            await self.sut.notice(Maintenance(start_us, end_us))

    def record(self, event: Event) -> None:
        """Record an event that only this exercise can know."""
        self.ledger.events.append(row_of(self.control.now(), event))

    def heard(self, report: Report) -> None:
        """Record a report of the client."""
        if report.kind == "withheld":
            self._withheld.add(report.token)
        if report.kind == "error":
            self._errors += 1
            self._trouble = f"; {report.detail}"
        self._stimulus(
            Reported(self.control.now(), report.kind, report.token, report.code, report.subscriber, report.detail)
        )

    @property
    def remark(self) -> str:
        """The number of errors that the client or its adapter reported, and the last one; "" without any."""
        return f"{count(self._errors, 'error')} reported, such as{self._trouble[1:]}" if self._errors else ""

    def _stimulus(self, stimulus: Stimulus) -> None:
        self.ledger.stimuli.append(stimulus_row(stimulus))

    # Waiting ---------------------------------------------------------------------------------------------------

    async def connected(self, accounts: Iterable[str]) -> None:
        """Wait until every account is logged in. Raises Silent."""
        wait_s = reach_of(self.sut).connect_wait_s
        for account in map(self.account, accounts):
            self.waits(f"the login of {account} (at most {wait_s:.0f} s)")
            if not await self.control.wait_for_session(account, wait_s):
                port = self.control.server.port
                problem = f"account {account} did not log in on port {port} within {wait_s:.0f} s"
                raise Silent(problem + self._trouble)
        self.waits("")

    async def back(self, accounts: Iterable[str]) -> bool:
        """Wait until every account is logged in again; False if one takes longer than the contract allows."""
        speed = self.control.server.clock.speed
        patience = self.contract.terms.session.reconnect_grace_s.value / speed
        self.waits(f"logins after a lost connection (at most {patience:.0f} s)")
        back = all([await self.control.wait_for_session(self.account(one), patience) for one in accounts])
        self.waits("")
        return back

    async def received(self, count: int, timeout_s: float) -> bool:
        """Wait until the SMSC has answered that many submits; False on time-out (platform s)."""
        wait_s = timeout_s / self.control.server.clock.speed
        self.waits(f"{self.control.answered()} of {count} submits to be answered (at most {wait_s:.0f} s)")
        enough = await self.control.wait_until(lambda: self.control.answered() >= count, wait_s)
        self.waits("")
        return enough

    async def settled(self) -> bool:
        """Wait until every request is answered or withheld; False after a time without any further answer.

        A client need not report withheld messages, so answers still missing after a silence are not expected.
        """
        done = seen = quiet_s = 0
        self.waits("every request to be answered or withheld")
        while quiet_s < QUIET_S and (done := self.control.answered() + len(self._withheld)) < self.asked:
            quiet_s = quiet_s + 1 if done == seen else 0
            seen = done
            await self.pause(1)
        self.waits("")
        return done >= self.asked

    async def reported(self, timeout_s: float) -> bool:
        """Wait until all accepted messages have outcomes and all notifications are acknowledged; False on time-out."""
        wait_s = timeout_s / self.control.server.clock.speed
        self.waits(f"notifications to be acknowledged (at most {wait_s:.0f} s)")
        reported = await self.control.wait_until(
            lambda: not self.control.on_the_way() and not self.control.unacknowledged(), wait_s
        )
        self.waits("")
        return reported

    async def pause(self, platform_s: float) -> None:
        """Wait in platform time."""
        await self.control.pause(platform_s)
