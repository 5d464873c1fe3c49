"""One running SMSC as used by API and console: control, watch, search, schedule and log in one place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from fake_smsc.server.control import Control
from fake_smsc.server.live import LiveSmsc
from simbench.base.errors import SimbenchError
from simbench.base.units import SECOND_US
from simbench.ledger.events import OutageScheduled
from simbench.service import records
from simbench.service.judging import judge_live
from simbench.service.log import EventLog, frame_id
from simbench.service.messages import MessageSearch, Query
from simbench.service.problems import Refusal
from simbench.service.settings import ServiceSettings
from simbench.service.watch import Watch

if TYPE_CHECKING:
    from fake_smsc.server.saved_state import SavedState

MOST_SCHEDULED = 100
LOOK_S = 0.5  # pause between two looks at the ledger for the log


@contextmanager
def _searching() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal(503, f"messages cannot be searched: {error.strerror or error}", "query") from None


class ServedPlatform:
    """Functions for routes and pages. Use as an async context manager while the platform is served."""

    def __init__(self, smsc: LiveSmsc, settings: ServiceSettings) -> None:
        self.smsc, self.settings = smsc, settings
        self.control: Control = smsc.control
        self.log = EventLog(settings.log, unmasked=settings.unmasked)
        self.watch = Watch(self.control, self.log)
        self.search = MessageSearch(smsc.ledger, self.log, smsc.contract)
        self.judgements: records.Judgements | None = None
        self._judging = asyncio.Lock()
        self._schedule: dict[int, tuple[records.Scheduled, asyncio.Task[None]]] = {}
        self._ordinal = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> ServedPlatform:
        self._tasks = [asyncio.create_task(self.watch.run()), asyncio.create_task(self._follow())]
        self.smsc.server.intake.on_problem = lambda problem: self.log.event("ledger", problem=problem)
        if self.smsc.saved_state is not None:
            self._plan_again(self.smsc.saved_state)
        return self

    async def __aexit__(self, *exc: object) -> None:
        tasks = [*self._tasks, *(task for _, task in self._schedule.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.log.enabled:
            await self.watch.look()
            await asyncio.to_thread(self.search.follow)
        self.search.forget()
        self.log.close()

    async def _follow(self) -> None:
        """Read refusals for the log; without one, give back what searches used once nobody searches any more."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if self.log.enabled:
                    await asyncio.to_thread(self.search.follow)
                elif self.search.holds() and self.search.idle_s() > self.settings.limits.searched_s:
                    await asyncio.to_thread(self.search.forget)
            except Exception as error:  # whatever happens, the SMSC continues
                self.control.trouble(f"the log names no more refusals: {error}")
                return

    # Reading ---------------------------------------------------------------------------------------------------

    def platform(self) -> records.Platform:
        """Return the platform's state."""
        control, server = self.control, self.control.server
        outage = server.outages.current
        return records.Platform(
            now=control.now(),
            speed=server.clock.speed,
            state=server.gateway.centre.state,
            outage=records.Outage(mode=outage.mode, scope=outage.scope, planned=outage.planned) if outage else None,
            faults=[fault.config.name for fault in server.faults.active],
            scheduled=self.scheduled(),
            sessions=len(server.connections),
            answered=control.answered(),
            on_the_way=control.on_the_way(),
            untold=control.unacknowledged(),
            codes=[self._code(code) for code in server.gateway.centre.limiters],
            ledger=server.intake.problem,
        )

    def _code(self, code: str) -> records.CodeRate:
        centre = self.control.server.gateway.centre
        limit, rate, counts = centre.limiters[code].limit, self.watch.rate(code), self.watch.counts
        return records.CodeRate(
            code=code, account=centre.account_registry.owner_of(code), tier_per_s=limit.rate_per_s, mode=limit.mode,
            accepted_per_s=round(rate.accepted_per_s), refused_per_s=round(rate.refused_per_s),
            accepted=counts[code, "accepted"], refused=counts[code, "refused"],
        )  # fmt: skip

    def sessions(self) -> list[records.SessionRecord]:
        """Return every connection, oldest first."""
        lines = self.control.server.gateway.lines
        return [
            records.SessionRecord(
                number=view.number, account=view.account, state=view.state,
                window=lines[view.number].session.own.size,
                unanswered_by_client=view.unanswered_by_client, unanswered_by_smsc=view.unanswered_by_smsc,
            )
            for view in self.control.sessions()
        ]  # fmt: skip

    async def messages(self, query: Query, *, fresh: bool = True) -> records.Messages:
        """Search all messages up to now; without `fresh` only those on disk, which costs little. Raises Refusal."""
        return await asyncio.to_thread(self._found, query, fresh)

    def _found(self, query: Query, fresh: bool) -> records.Messages:
        with _searching():
            rows, count = self.search.search(replace(query, limit=query.limit + 1), flush=fresh)
        found = [
            records.MessageRecord(
                id=frame_id(row["session"], row["at"], row["trn"]),
                **{name: row[name] for name in records.MessageRecord.model_fields if name != "id"},
            )
            for row in rows[: query.limit]
        ]
        return records.Messages(messages=found, more=len(rows) > query.limit, indexed=count)

    async def frame(self, session: int, at: int, trn: str) -> bytes | None:
        """Return the octets of a submission by the parts of its id, None if there is none. Raises Refusal."""

        def found() -> bytes | None:
            with _searching():
                return self.search.frame(session, at, trn)

        return await asyncio.to_thread(found)

    async def phone(self, msisdn: str, *, fresh: bool = True) -> list[records.TextSeen]:
        """Return the texts a subscriber received and sent, oldest first."""
        found = await self.messages(Query(recipient=msisdn, outcome="delivered", limit=100), fresh=fresh)
        texts = [records.TextSeen(at=m.at, way="in", code=m.code, text=m.text) for m in found.messages]
        if fresh:
            await self.watch.look()
        number = self.control.subscriber(msisdn).msisdn
        for sender, sent in self.watch.sent.items():
            if self.control.subscriber(sender).msisdn == number:
                texts += [records.TextSeen(at=at, way="out", code=code, text=text) for at, code, text in sent]
        return sorted(texts, key=lambda text: text.at)

    async def judged(self) -> records.Judgements:
        """Return the findings so far; one judgement at a time."""
        async with self._judging:
            rows = self.settings.limits.judged_rows
            smsc, now = self.smsc, self.smsc.clock.now()
            self.judgements = await asyncio.to_thread(judge_live, smsc.ledger, smsc.contract, rows, self.log, now)
            return self.judgements

    def known(self, address: str) -> str:
        """Return the address if it is a valid phone number. Raises Refusal."""
        if self.control.subscriber(address).standing == "malformed":
            raise Refusal(422, "no telephone number", "path.address")
        return address

    def served(self, address: str) -> str:
        """Return the address if it has a phone on this network. Raises Refusal."""
        if self.control.subscriber(self.known(address)).operator != self.smsc.contract.operator:
            raise Refusal(409, "not served here: it has no phone on this network", "path.address")
        return address

    # Acting ----------------------------------------------------------------------------------------------------

    async def mo(self, asked: records.Mo) -> records.MoSent:
        """Send a subscriber's text and wait for its acknowledgement as long as requested."""
        control = self.control
        notices = control.originate(asked.sender, asked.code, asked.text)
        done = await control.wait_until(lambda: not control.open_notifications(notices), asked.wait_s)
        return records.MoSent(scts=[notice.scts for notice in notices], acknowledged=done)

    async def outage(self, asked: records.AskedOutage) -> records.Scheduled | None:
        """Start an outage now (returns None), or schedule it. Raises Refusal during another one."""
        if not asked.in_s:
            await self._begin(asked)
            if asked.for_s:
                self._plan(asked, self.control.now(), begun=True)
            return None
        if len(self._schedule) >= MOST_SCHEDULED:
            raise Refusal(409, f"{MOST_SCHEDULED} outages are planned already", "body.in_s")
        return self._plan(asked, self.control.now() + round(asked.in_s * SECOND_US), begun=False)

    async def _begin(self, asked: records.AskedOutage) -> None:
        try:
            await self.control.outage(asked.mode, asked.scope, planned=asked.planned, for_s=asked.for_s)
        except ValueError as error:
            raise Refusal(409, str(error), "body.mode") from None

    def _plan(self, asked: records.AskedOutage, at: int, *, begun: bool) -> records.Scheduled:
        self._ordinal += 1
        until = at + round(asked.for_s * SECOND_US) if asked.for_s else 0
        entry = records.Scheduled(
            id=self._ordinal, at=at, until=until, mode=asked.mode, scope=asked.scope, planned=asked.planned
        )
        if not begun:
            self.control.schedule(OutageScheduled(entry.scope, **entry.model_dump(exclude={"scope"})))
        self._start(entry, asked, begun=begun)
        return entry

    def _start(self, entry: records.Scheduled, asked: records.AskedOutage, *, begun: bool) -> None:
        task = asyncio.create_task(self._play(entry, asked, begun=begun))
        self._schedule[entry.id] = (entry, task)

    def _plan_again(self, saved_state: SavedState) -> None:
        """Schedule again what a resumed run had planned; overdue outages that are not over start now."""
        self._ordinal = max(
            (event.id for _, event in saved_state.events if isinstance(event, OutageScheduled)), default=0
        )
        now = self.control.now()
        for event in saved_state.scheduled():
            entry = records.Scheduled.model_validate(msgspec.structs.asdict(event))
            if entry.scope.startswith("session:") or 0 < entry.until <= now:
                continue
            for_s = (entry.until - max(entry.at, now)) / SECOND_US if entry.until else 0
            asked = records.AskedOutage(mode=entry.mode, scope=entry.scope, planned=entry.planned, for_s=for_s)
            self._start(entry, asked, begun=False)

    async def _play(self, entry: records.Scheduled, asked: records.AskedOutage, *, begun: bool) -> None:
        try:
            if not begun:
                await self.control.reach(entry.at)
                await self._begin(asked)
            if entry.until:
                await self.control.restore_at(entry.until)
        except (SimbenchError, Refusal) as error:  # another outage is active, or its session has gone
            self.control.trouble(f"planned outage {entry.id} does not start: {error}", entry.scope)
        finally:
            self._schedule.pop(entry.id, None)

    def scheduled(self) -> list[records.Scheduled]:
        """Return the scheduled outages."""
        now = self.control.now()
        return [entry for entry, _ in self._schedule.values() if entry.at > now]

    def cancel(self, number: int) -> None:
        """Cancel a scheduled outage. Raises Refusal if there is none with that number."""
        if all(entry.id != number for entry in self.scheduled()):
            raise Refusal(404, f"no outage {number} is planned", "path.number")
        self._give_up(number)

    async def reset(self) -> None:
        """Restore the initial state and cancel everything scheduled."""
        for number in list(self._schedule):
            self._give_up(number)
        await self.control.reset()

    def _give_up(self, number: int) -> None:
        entry, task = self._schedule.pop(number)
        task.cancel()
        if entry.at > self.control.now():  # else it has begun, and was perhaps never planned
            self.control.unschedule(number)
