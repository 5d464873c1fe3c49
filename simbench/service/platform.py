"""One running SMSC as used by API and console: control, watch, search, schedule and log in one place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from fake_smsc.server.control import Control
from fake_smsc.server.live import LiveSmsc
from simbench.base.errors import SimbenchError
from simbench.base.units import SECOND_US
from simbench.ledger.events import OutageScheduled
from simbench.service import records
from simbench.service.feed import Exchange, Feed
from simbench.service.judge_kernels import Preparation
from simbench.service.judging import judge_live
from simbench.service.log import EventLog, frame_id
from simbench.service.messages import Query
from simbench.service.observed import Observed
from simbench.service.problems import Refusal
from simbench.service.settings import ServiceSettings
from simbench.service.turns import Turns

if TYPE_CHECKING:
    from fake_smsc.core.records import Notification
    from fake_smsc.server.saved_state import SavedState

MOST_SCHEDULED = 100
VERDICTS_S = 5.0  # shortest interval between two automatic judgements
MOST_TEXTS = 10_000  # segments of texts to one code that no application has acknowledged
MOST_EVENTS = 100  # of the feed
MOST_DETAIL = 120  # characters of an event's details
EVENTS_S = 0.5  # between two looks at the latest exchanges
VERDICTS_REST = 10  # automatic judgements pause this many times their own duration


def _event(row: dict[str, Any]) -> records.EventSeen:
    """An event of the platform as the feed shows it."""
    detail = ", ".join(f"{name} {value}" for name, value in row["detail"].items())[:MOST_DETAIL]
    event = f"{row['kind']} {row['subject']}".rstrip()
    return records.EventSeen(id="", at=row["at"], session=0, account="", event=event, answer="", decided_by=detail)


@contextmanager
def _searching() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refusal(503, f"messages cannot be searched: {error.strerror or error}", "query") from None


class ServedPlatform:
    """Functions for routes and pages. Use as an async context manager while the platform is served."""

    def __init__(self, smsc: LiveSmsc, settings: ServiceSettings, observed: Observed | None = None) -> None:
        self.smsc, self.settings = smsc, settings
        self.control: Control = smsc.control
        self._observed = observed or Observed(smsc, EventLog(), settings.limits.searched_s)
        self.log = self._observed.log
        self.watch, self.search = self._observed.watch, self._observed.search
        self._feed = Feed(self.control, smsc.ledger, smsc.contract)
        self._exchanges: list[Exchange] = []  # the latest
        self._shown: dict[str, bytes] = {}  # their frames
        self._looking, self._look_again_s = asyncio.Lock(), 0.0
        self.judgements: records.Judgements | None = None
        self._evidence: dict[str, bytes] = {}  # frames of the latest judgement, by id
        self._reported: dict[str, str] = {}  # last logged outcome of each purpose
        self._judged_rows, self._judge_again_s = 0, 0.0
        self._judging, self._preparation = asyncio.Lock(), Preparation()
        self.turns = Turns()  # of all requests
        self._texts: dict[str, list[Notification]] = {}  # by code: segments sent by request, most unacknowledged
        self._schedule: dict[int, tuple[records.Scheduled, asyncio.Task[None]]] = {}
        self._ordinal = 0

    async def __aenter__(self) -> ServedPlatform:
        await self._observed.__aenter__()
        if self.smsc.saved_state is not None:
            self._plan_again(self.smsc.saved_state)
        return self

    async def __aexit__(self, *exc: object) -> None:
        tasks = [task for _, task in self._schedule.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._observed.__aexit__(*exc)

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
            rows=self.smsc.ledger.written,
        )

    def _code(self, code: str) -> records.CodeRate:
        centre = self.control.server.gateway.centre
        limit, rate, counts = centre.limiters[code].limit, self.watch.rate(code), self.watch.counts
        return records.CodeRate(
            code=code, account=centre.account_registry.owner_of(code), tier_per_s=limit.rate_per_s, mode=limit.mode,
            accepted_per_s=round(rate.accepted_per_s), refused_per_s=round(rate.refused_per_s),
            accepted=counts[code, "accepted"], refused=counts[code, "refused"],
        )  # fmt: skip

    async def sessions(self) -> list[records.SessionRecord]:
        """Return every connection, oldest first."""
        lines, views = self.control.server.gateway.lines, self.control.sessions()
        windows = [lines[view.number].session.own.size for view in views]

        def found() -> list[records.SessionRecord]:  # in a thread: there may be thousands
            return [
                records.SessionRecord(window=window, **msgspec.structs.asdict(view))
                for view, window in zip(views, windows, strict=True)
            ]

        return await asyncio.to_thread(found)

    async def messages(self, query: Query, *, fresh: bool = True) -> records.Messages:
        """Search all messages up to now; without `fresh`, only those on disk, which costs little. Raises Refusal."""
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
        """Return the octets of a frame by the parts of its id, None if unknown. Raises Refusal.

        Known are the frames of all submissions, and of the latest findings and exchanges.
        """
        id_ = frame_id(session, at, trn)
        known = self._evidence.get(id_) or self._shown.get(id_)
        if known is not None:
            return known

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
            await self._preparation.before(min(rows, self.smsc.ledger.written["wire"]))
            smsc, now, began_s = self.smsc, self.smsc.clock.now(), time.monotonic()
            judged, self._evidence, self._judged_rows = await asyncio.to_thread(
                judge_live, smsc.ledger, smsc.contract, rows, now
            )
            self.judgements = judged.model_copy(update={"judged_at": now})
            self._log_findings(judged)
            self._judge_again_s = time.monotonic() + max(VERDICTS_S, VERDICTS_REST * (time.monotonic() - began_s))
            return self._latest()

    async def verdicts(self) -> records.Judgements:
        """Return the latest findings, judged again if there is new traffic and the last judgement is old enough.

        Judging takes at most one part in VERDICTS_REST of the time, for any number of open pages.
        """
        if self._judging.locked() or time.monotonic() < self._judge_again_s or self._latest().up_to_date:
            return self._latest()
        return await self.judged()

    def _latest(self) -> records.Judgements:
        """The latest findings, and whether they are on everything that is on disk."""
        known = self.judgements or records.Judgements(since=0, until=0, findings=[])
        is_judged = self.judgements is not None and self.smsc.ledger.written["wire"] == self._judged_rows
        return known.model_copy(update={"up_to_date": is_judged})

    def _log_findings(self, judgements: records.Judgements) -> None:
        """Log each failed, weak or erroneous finding when it is new or its outcome changed."""
        for each in judgements.findings:
            before, self._reported[each.purpose] = self._reported.get(each.purpose), each.outcome
            if each.outcome in {"fail", "weak", "error"} and before != each.outcome:
                said = each.model_dump(include={"purpose", "outcome", "blame", "summary"})
                self.log.event("finding", ids=each.frames, **said)

    async def events(self, most: int) -> list[records.EventSeen]:
        """Return the latest exchanges and events, the latest first; all who ask within a moment see the same."""
        async with self._looking:
            if time.monotonic() >= self._look_again_s:
                self._exchanges = await asyncio.to_thread(self._feed.latest, MOST_EVENTS, list(self.watch.events))
                self._shown = {each.id: each.octets for each in self._exchanges if each.id}
                self._look_again_s = time.monotonic() + EVENTS_S
        found = [
            records.EventSeen(
                id=each.id, at=each.at, session=each.session, account=each.account, event=each.came,
                answer=each.answered, decided_by=each.decided,
            )
            for each in self._exchanges[:most]
        ]  # fmt: skip
        found += [_event(row) for row in list(self.watch.events)[-most:]]
        return sorted(found, key=lambda each: each.at, reverse=True)[:most]

    def rates(self, since: int) -> records.RateHistory:
        """Return the rates of every code after an instant (us)."""
        history = self.watch.history
        at = [each.at for each in next(iter(history.values()), ()) if each.at > since]
        accepted = {
            code: [each.accepted_per_s for each in list(kept)[len(kept) - len(at) :]] for code, kept in history.items()
        }
        return records.RateHistory(at=at, accepted_per_s=accepted)

    def known(self, address: str) -> str:
        """Return the address if it is a valid phone number. Raises Refusal."""
        if self.control.subscriber(address).standing == "malformed":
            raise Refusal(422, "not a valid phone number", "path.address")
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
        texts = self._texts.get(asked.code, [])
        if len(texts) >= MOST_TEXTS:
            texts = [text for text in texts if not text.acknowledged]
            if len(texts) >= MOST_TEXTS:
                problem = f"{MOST_TEXTS} segments to {asked.code} wait for its application already"
                raise Refusal(503, problem, "body.code")
        notices = control.originate(asked.sender, asked.code, asked.text)
        self._texts[asked.code] = texts + notices
        done = await self.wait_until(lambda: not control.open_notifications(notices), asked.wait_s)
        return records.MoSent(scts=[notice.scts for notice in notices], acknowledged=done)

    async def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for a condition, then for a turn: many that wait may end at the same moment, and each is answered."""
        reached = await self.control.wait_until(condition, timeout_s)
        await self.turns.turn()
        return reached

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
        """Schedule again the outages that a resumed run had planned; overdue ones that are not over start now."""
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
        self._texts.clear()
        await self.control.reset()

    def _give_up(self, number: int) -> None:
        entry, task = self._schedule.pop(number)
        task.cancel()
        if entry.at > self.control.now():  # otherwise it has already begun
            self.control.unschedule(number)
