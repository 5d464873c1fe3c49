"""The event-driven engine: the SMSC core of the live server with its clients and subscribers, on SimPy's clock.

The vectorised engine is tested against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

from fake_smsc.core.centre import Centre
from fake_smsc.core.records import Limit, Notification
from simbench.base.units import HOUR_US, NEVER
from simbench.kernels.delivery_outcome import running_at
from simbench.ledger import AnyLedger, Ledger
from simbench.ledger.rows import Row
from simbench.simulation.clients import CodeClient, Request
from simbench.simulation.demand import Source, spans
from simbench.simulation.ground_truth import event_rows
from simbench.simulation.minutes import EachRow, MinuteRows
from simbench.simulation.plan import World
from simbench.simulation.replies import ReplyLaw
from simbench.simulation.timeline import Action, Alarm, Rank, Timeline

Detail = Literal["rows", "minute"]
Progress = Callable[[float], None]
"""Called at intervals with the share of the run that is done, 0 to 1."""

A_SPAN = 200_000  # messages of a code generated at once
MOST_BACKLOG = 100_000  # rows in memory, in virtual time
ROOM = 1 << 30  # notifications taken at once: all that wait


class _Rows(EachRow):
    """The table "centre" that the SMSC writes to: passes each row on and reports each delivery."""

    def __init__(self, append: Callable[[Row], None], delivered: Callable[[Row], None] | None) -> None:
        self._append, self._delivered = append, delivered

    def append(self, row: Row) -> None:
        """Append a row."""
        self._append(row)
        if row[1] == "delivered" and self._delivered is not None:
            self._delivered(row)


class Sink:
    """A ledger with only the table that the SMSC writes."""

    def __init__(self, centre: Any) -> None:
        self.centre = centre


class Drive:
    """One event-driven run. `run` may be called once."""

    def __init__(self, world: World, ledger: AnyLedger, detail: Detail, progress: Progress = lambda _: None) -> None:
        self.world, self.ledger, self.detail, self._progress = world, ledger, detail, progress
        self.minutes = MinuteRows() if detail == "minute" else None
        append = ledger.centre.append if self.minutes is None else self.minutes.append
        self._laws = {one.code: ReplyLaw(world, one.code) for one in world.scenario.replies}
        self.rows = _Rows(append, self._delivered if self._laws else None)
        self.timeline = Timeline(world.start)
        self.centre = Centre(world.settings, world.base(), cast(AnyLedger, Sink(self.rows)))
        self.clients = {code: CodeClient(world, code, self.centre, self.minutes) for code in world.codes}
        self._owners: dict[int, CodeClient] = {}
        self._deadline = Alarm(self.timeline, Rank.CENTRE, self._advance)
        self._turns = {code: Alarm(self.timeline, Rank.CLIENT, self._turn(code)) for code in world.codes}
        self._notifying = False
        self._downs = tuple(zip(*world.downs, strict=True)) or ((), ())

    def run(self) -> None:
        """Run the world and write its ledger."""
        self.ledger.events.extend(event_rows(self.world))
        self._arrange()
        for code, client in self.clients.items():
            client.ask(_demand(self.world, code))
            self._turns[code].set(self.world.start)
        keep_house(self.world, self.ledger, self.timeline, self._progress)
        self.timeline.run(self.world.end)
        finish(self.world, self.ledger, self.minutes, self._progress)

    # Scheduled before the run -----------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Schedule incidents, cuts, changes of tier and logins; at one instant they happen in this order."""
        world, planned = self.world, {one.start for one in self.world.incidents if one.planned}
        for _, end in world.downs:
            self._enter(end, Rank.WORLD, lambda now: self.centre.go("up", now))
        for start, _ in world.downs:
            state: Literal["maintenance", "down"] = "maintenance" if start in planned else "down"
            self._enter(max(start, world.start), Rank.WORLD, lambda now, to=state: self.centre.go(to, now))  # type: ignore[misc]
        for code in world.codes:
            for number, (login, cut) in enumerate(world.link(code).up):
                self._enter(cut, Rank.WORLD, self._cut(code))
                self._enter(login, Rank.LOGIN, self._login(code, number))
            for at, limit in world.tiers(code)[1:]:
                self._enter(at, Rank.WORLD, self._retune(code, limit))

    def _enter(self, at: int, rank: Rank, action: Action) -> None:
        def act(now: int) -> None:
            action(now)
            self._after(now)

        if self.world.start <= at < self.world.end:
            self.timeline.at(at, rank, act)

    def _login(self, code: str, number: int) -> Action:
        client, config = self.clients[code], self.world.config(code)
        session = client.link.first_session + number

        def login(now: int) -> None:
            refused = self.centre.login(session, client.link.account, config.password, now)
            if refused is None:
                self._owners[session] = client
                client.connected(session)
                self._turns[code].set(now)

        return login

    def _cut(self, code: str) -> Action:
        client = self.clients[code]

        def cut(now: int) -> None:
            if client.session:
                self.centre.logout(client.session, (), now)
                self._settle()
                self._owners.pop(client.session)
                client.lost()

        return cut

    def _retune(self, code: str, limit: Limit) -> Action:
        def retune(now: int) -> None:
            self.centre.retune(code, limit, now)
            self.clients[code].retune(limit, now)
            self._turns[code].set(now)

        return retune

    # Events -----------------------------------------------------------------------------------------------------

    def _advance(self, now: int) -> None:
        self.centre.advance(now)
        self._after(now)

    def _turn(self, code: str) -> Action:
        def turn(now: int) -> None:
            due = self.clients[code].turn(now)
            if due < min(self.world.end, NEVER):
                self._turns[code].set(due)
            self._after(now)

        return turn

    def _after(self, now: int) -> None:
        """Handle the results of a call of the SMSC: answers, deadlines, notifications."""
        self._settle()
        deadline = self.centre.next_deadline()
        if deadline < self.world.end:
            self._deadline.set(max(now, deadline))
        if self.centre.notification_queue.fresh and not self._notifying:
            self._notifying = True
            self.timeline.at(now, Rank.NOTICES, self._notify)

    def _settle(self) -> None:
        if self.centre.answers:
            answers, self.centre.answers = self.centre.answers, []
            for answer in answers:
                if answer.session in self._owners:
                    self._owners[answer.session].answered(answer)

    def _notify(self, now: int) -> None:
        """Give connected clients their waiting notifications; they acknowledge them at once."""
        self._notifying = False
        queue = self.centre.notification_queue
        fresh = sorted(queue.fresh)
        queue.fresh.clear()
        for account in fresh:
            session = next((number for number, one in self._owners.items() if one.link.account == account), 0)
            for notification in queue.pull(account, ROOM) if session else ():
                self.rows.append(notification_row(session, notification, now))
                self.centre.acknowledge(session, notification, True, now)

    def _delivered(self, row: Row) -> None:
        """Schedule the recipient's reply; while the platform is down it waits in the network."""
        at, _, _, code, recipient, entity, *_ = row
        law = self._laws.get(str(code))
        if law is None:
            return
        assert isinstance(entity, int)
        assert isinstance(at, int)
        answered_at = law.answered_at(entity, at)
        due = running_at(answered_at, *self._downs)
        if answered_at and due < self.world.end:
            self.timeline.at(due, Rank.SUBSCRIBER, self._originate(str(recipient), str(code)))

    def _originate(self, sender: str, code: str) -> Action:
        def originate(now: int) -> None:
            self.centre.originate(sender, code, None, now)
            self._after(now)

        return originate


def keep_house(world: World, ledger: AnyLedger, timeline: Timeline, progress: Progress) -> None:
    """Flush a ledger with many rows, and report progress, every hour of simulated time."""

    def turn(now: int) -> None:
        if isinstance(ledger, Ledger) and ledger.backlog > MOST_BACKLOG:
            ledger.flush()
        progress((now - world.start) / (world.end - world.start))
        if now + HOUR_US < world.end:
            timeline.at(now + HOUR_US, Rank.NOTICES, turn)

    turn(world.start)


def finish(world: World, ledger: AnyLedger, minutes: MinuteRows | None, progress: Progress) -> None:
    """Write the minutes of a run, if it counts them."""
    if minutes is not None:
        ledger.minute.extend(minutes.rows(world.codes, world.start, world.end))
    progress(1.0)


def notification_row(session: int, notification: Notification, now: int) -> Row:
    """Return the row of table "centre" for an MO or a notification (operation 52 or 53) that a client took."""
    kind = "notification" if notification.kind == "notification" else "mo-taken"
    return (
        now, kind, session, notification.code, notification.subscriber, notification.message, notification.tries,
        notification.outcome, notification.scts, 0, 0, 0
    )  # fmt: skip


def run_events(world: World, ledger: AnyLedger, detail: Detail, progress: Progress = lambda _: None) -> None:
    """Run a world with the event-driven engine."""
    Drive(world, ledger, detail, progress).run()


def _demand(world: World, code: str) -> list[Iterator[Request]]:
    """Return the requests of a code by queue, generated span by span."""
    source = Source(world, code)
    volume = source.volume()

    def queue(number: int) -> Iterator[Request]:
        for start, end in spans(world, A_SPAN, volume):
            demand = source.between(start, end)[number]
            yield from zip(demand.at.tolist(), demand.entity.tolist(), demand.recipient.tolist(), strict=True)

    return [queue(number) for number in range(source.queues)]
