"""The state in which an earlier run ended, read from its ledger: messages, notifications, subscribers, clock, faults.

`fake_smsc.server.restore_state` applies it to the server of a resumed run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fake_smsc.core.delivery import KINDS, NT_BITS
from fake_smsc.core.records import UNDELIVERED, Message, Notification, Special
from fake_smsc.server.pending_notifications import PendingNotifications
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.events import At, ClockStepped, OutageScheduled, OutageUnscheduled, TermsTaken, TextSent, events_of
from simbench.ledger.query import connected
from simbench.ledger.reader import read_run
from simbench.ucp import content

if TYPE_CHECKING:
    from simbench.ledger.query import Connection

OUTCOMES = {**{kind: outcome for outcome, kind in KINDS.items()}, "replaced": UNDELIVERED}
_ENDED = "('delivered', 'undelivered', 'replaced', 'deleted')"
_WAITING = f"""
    select a."at", a.session, a.code, a.recipient, a.message, a.value, a.scts, a.segments, b.message is not null
    from centre a
    anti join (select message, scts from centre where kind in {_ENDED}) e on e.message = a.message and e.scts = a.scts
    left join (select distinct message, scts from centre where kind = 'buffered') b
      on b.message = a.message and b.scts = a.scts
    where a.kind = 'accepted' order by a."at", a.n
"""  # noqa: S608 - nothing but our own names
_OUTCOMES = f"""
    select o."at", o.kind, o.code, o.recipient, o.message, o.value, o.scts, a.value & 7, o.n
    from centre o
    left join (select message, scts, value from centre where kind = 'accepted') a
      on a.message = o.message and a.scts = o.scts
    where o.kind in {(*OUTCOMES, "mo")} order by o."at", o.n
"""  # noqa: S608 - as above
_WIRE = """
    select "at", session, direction, octets from wire where direction in ('in', 'out', 'close') order by "at", n
"""
_LAST = """
    select max("at")
    from (select "at" from wire union all select "at" from events union all select "at" from centre)
"""


Terms = Mapping[tuple[int, int], TermsTaken]


class SavedState(msgspec.Struct, frozen=True):
    """Everything a resumed run starts from. `lines` are the connections without a recorded end."""

    began: int
    ended: int
    killed: bool
    connections: int
    lines: tuple[int, ...]
    messages: list[Message]
    notifications: list[Notification]
    events: list[At]

    def clock(self, own_epoch: bool, speed: float) -> tuple[int, float]:
        """Return (instant, speed) to continue with.

        A platform on the wall clock returns to it, keeping its steps; any other clock continues from its last
        instant, without the time the server was stopped.
        """
        moves = [event for _, event in self.events if isinstance(event, ClockStepped)]
        speeds = [move.speed for move in moves if move.speed is not msgspec.UNSET]
        if own_epoch or speed != 1 or speeds:
            return self.ended + 1, speeds[-1] if speeds else speed
        steps_us = sum(int(move.seconds * SECOND_US) for move in moves if move.seconds is not msgspec.UNSET)
        return max(self.ended + 1, time.time_ns() // 1000 + steps_us), speed

    def scheduled(self) -> list[OutageScheduled]:
        """Return the scheduled outages that were neither started nor cancelled."""
        gone = {event.id for _, event in self.events if isinstance(event, OutageUnscheduled)}
        asked = [event for _, event in self.events if isinstance(event, OutageScheduled) and event.id not in gone]
        return [event for event in asked if event.at > self.ended]


def read_saved_state(folder: Path, owner_of: Callable[[str], str], validity_us: tuple[int, int]) -> SavedState:
    """Read a run that has ended in any way; `validity_us` is (default, maximum). Raises LedgerError.

    The caller holds the lock of the folder.
    """
    run = read_run(folder)
    with connected(run) as ledger, connected(run, ("wire",)) as octets:
        events = list(
            events_of(_rows(ledger, 'select "at", kind, subject, until, detail from events order by "at", n'))
        )
        terms = {(int(event.entity), event.scts): event for _, event in events if isinstance(event, TermsTaken)}
        messages = [
            message for row in _rows(ledger, _WAITING) if (message := _message(row, terms, owner_of, validity_us))
        ]
        texts = [(at, event) for at, event in events if isinstance(event, TextSent)]
        (ended,) = next(_rows(ledger, _LAST))
        (connections,) = next(_rows(ledger, "select coalesce(max(session), 0) from wire"))
        open_ = _rows(
            ledger,
            "select session from wire where direction = 'open' except select session from wire where "
            "direction = 'close' order by session",
        )
        return SavedState(
            events[0].at if events else ended or 0, ended or 0, not run.info.closed, connections,
            tuple(number for (number,) in open_), messages,
            _notifications((ledger, octets), texts, terms, owner_of), events,
        )  # fmt: skip


def _rows(ledger: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Iterate over the rows of a query; a connection runs one query at a time."""
    found = ledger.execute(query)
    while rows := found.fetchmany(10_000):
        yield from rows


def _message(
    row: tuple[Any, ...],
    terms: Terms,
    owner_of: Callable[[str], str],
    validity_us: tuple[int, int],
) -> Message | None:
    """Return the message of an accepted row; None if its code has no account any more."""
    at, session, code, recipient, entity, value, scts, segments, buffered = row
    account, asked_us, (default_us, longest_us) = owner_of(code), (value >> 3) * MINUTE_US, validity_us
    if not account:
        return None
    expires_at = min(asked_us, at + longest_us) if asked_us else at + default_us
    notify, special = value & 7, None
    own = terms.get((entity, scts))
    if own is not None:
        expires_at, notify = own.expires_at, own.notify
        special = msgspec.convert(own.special, Special) if own.special is not None else None
        if special is not None and special.begins_at and buffered:
            special.begins_at = 0
    return Message(
        entity, account, code, recipient, scts, at, expires_at, notify, segments, session,
        1 if buffered else 0, buffered, special,
    )  # fmt: skip


def _notifications(
    ledgers: tuple[Connection, Connection],
    texts: list[tuple[int, TextSent]],
    terms: Terms,
    owner_of: Callable[[str], str],
) -> list[Notification]:
    """Return the notifications not acknowledged on the wire, oldest first."""
    parts = _Parts(texts)
    waiting, wire = PendingNotifications(), _rows(ledgers[1], _WIRE)
    chunk = next(wire, None)
    for row in _rows(ledgers[0], _OUTCOMES):
        while chunk is not None and chunk[0] < row[0]:
            waiting.chunk(*chunk[1:])
            chunk = next(wire, None)
        notification = parts.notification(row, owner_of) if row[1] == "mo" else _notification(row, terms, owner_of)
        if notification is not None and notification.account:
            waiting.post(notification)
    while chunk is not None:
        waiting.chunk(*chunk[1:])
        chunk = next(wire, None)
    return waiting.left()


def _notification(row: tuple[Any, ...], terms: Terms, owner_of: Callable[[str], str]) -> Notification | None:
    at, kind, code, recipient, entity, reason, scts, notify, _ = row
    outcome, own = OUTCOMES[kind], terms.get((entity, scts))
    to = str((own.special or {}).get("notify_at", "")) if own else ""
    notify = own.notify if own else notify or 0
    if not notify & NT_BITS[outcome]:
        return None
    return Notification(
        "notification", owner_of(to or code), code, recipient, scts, at, outcome, reason, None, entity
    )  # fmt: skip


class _Parts:
    """The segments of mobile-originated messages, from the texts recorded as sent."""

    def __init__(self, texts: list[tuple[int, TextSent]]) -> None:
        self._texts: dict[tuple[str, str], list[tuple[int, TextSent]]] = {}
        self._begun: dict[tuple[str, str], list[object]] = {}
        for at, event in texts:
            self._texts.setdefault((event.sender, event.code), []).append((at, event))

    def notification(self, row: tuple[Any, ...], owner_of: Callable[[str], str]) -> Notification | None:
        """Return the notification of one segment; None if its text was not recorded."""
        at, _, code, sender, entity, _, scts, _, _ = row
        key = (sender, code)
        if not self._begun.get(key):
            texts = self._texts.get(key)
            if not texts or texts[0][0] > at:
                return None
            self._begun[key] = list(content.compose(texts.pop(0)[1].text))
        payload = self._begun[key].pop(0)
        return Notification("mo", owner_of(code), code, sender, scts, at, payload=payload, message=entity)
