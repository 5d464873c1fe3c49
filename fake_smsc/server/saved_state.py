"""The state in which an earlier run ended, read from its ledger: messages, notifications, subscribers, clock, faults.

`fake_smsc.server.restore_state` applies it to the server of a resumed run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fake_smsc.core.delivery import KINDS, NT_BITS
from fake_smsc.core.records import UNDELIVERED, Message, Notification, Special
from fake_smsc.server.pending_notifications import PendingNotifications
from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.base.units import SECOND_US
from simbench.ledger import scan
from simbench.ledger.events import At, ClockStepped, OutageScheduled, OutageUnscheduled, TermsTaken, TextSent, events_of
from simbench.ledger.reader import Run, read_run
from simbench.ucp import content

OUTCOMES = {**{kind: outcome for outcome, kind in KINDS.items()}, "replaced": UNDELIVERED}
_ENDED: Final = ("delivered", "undelivered", "replaced", "deleted")
_MESSAGE: Final = ("message", "scts")  # together they name a message; an id alone can come again on another day
_ACCEPTED: Final = (
    "at", "session", "code", "recipient", "message", "notify", "valid_until", "scts", "segments",
)  # fmt: skip
_OUTCOME: Final = ("at", "kind", "code", "recipient", "message", "value", "scts")
_WIRE: Final = ("at", "session", "direction", "octets")
_EVENT: Final = ("at", "kind", "subject", "until", "detail")

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Terms = Mapping[tuple[int, int], TermsTaken]


class SavedState(msgspec.Struct, frozen=True):
    """The initial state of a resumed run. `lines` are the connections without a recorded end."""

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


def read_saved_state(
    folder: Path, owner_of: Callable[[str], str], validity_us: tuple[int, int], times: UcpTimes
) -> SavedState:
    """Read a run that has ended in any way; `validity_us` is (default, maximum), `times` are those of the wire.

    Raises LedgerError.
    The caller holds the lock of the folder.
    """
    run = read_run(folder)
    events = list(events_of(zip(*(run.events[name].to_pylist() for name in _EVENT), strict=True)))
    terms = {(int(event.entity), event.scts): event for _, event in events if isinstance(event, TermsTaken)}
    texts = [(at, event) for at, event in events if isinstance(event, TextSent)]
    ended, connections, lines = _lines(run)
    return SavedState(
        events[0].at if events else ended, ended, not run.info.closed, connections, lines,
        list(_messages(run, terms, owner_of, validity_us)), _notifications(run, texts, terms, owner_of, times), events,
    )  # fmt: skip


def _lines(run: Run) -> tuple[int, int, tuple[int, ...]]:
    """Return the last instant (us), the number of connections, and those without a recorded end."""
    passed = {name: scan.where_else_0(scan.among("direction", name)) for name in ("open", "close")}
    wire = scan.sums_of(run, "wire", scan.field("session"), passed, maxima=scan.field("at"))
    decided = scan.sums_of(run, "centre", scan.field("kind"), {}, maxima=scan.field("at"))
    last = np.concatenate([wire["at"], decided["at"], run.events["at"].to_numpy()])
    lines = wire["session"][(wire["open"] > 0) & (wire["close"] == 0)]
    return int(last.max(initial=0)), int(wire["session"].max(initial=0)), tuple(lines.tolist())


class _Messages:
    """The messages with a row of some kinds, compact for millions, and the NT masks of their rows."""

    def __init__(self, run: Run, *kinds: str) -> None:
        found = scan.columns_of(run, "centre", scan.field(*_MESSAGE, "notify"), scan.among("kind", *kinds))
        self._parts = [np.unique(found[name]) for name in _MESSAGE]
        places = [np.searchsorted(part, found[name]) for part, name in zip(self._parts, _MESSAGE, strict=True)]
        keys = self._keys(places)
        order = np.argsort(keys, kind="stable")
        self._known, self._masks = keys[order], found["notify"][order]

    def _keys(self, places: list[Numbers]) -> Numbers:
        """Return one number per message, from the indices of its id and its SCTS among all ids and SCTS."""
        return places[0] * len(self._parts[1]) + places[1]

    def find(self, batch: pa.RecordBatch) -> tuple[Flags, Numbers]:
        """Mark the rows of a batch that belong to a message of this set, with their NT masks (0 for the others)."""
        if not len(self._known):
            return np.zeros(batch.num_rows, bool), np.zeros(batch.num_rows, np.int64)
        columns = [batch.column(name).fill_null(-1).to_numpy() for name in _MESSAGE]
        places = [_place(part, column) for part, column in zip(self._parts, columns, strict=True)]
        at = _place(self._known, keys := self._keys(places))
        found = self._known[at] == keys
        for part, place, column in zip(self._parts, places, columns, strict=True):
            found &= part[place] == column
        return found, np.where(found, self._masks[at], 0)


def _place(known: Numbers, wanted: Numbers) -> Numbers:
    """Return the index of a number in a sorted array, if present."""
    return np.minimum(np.searchsorted(known, wanted), len(known) - 1)


def _messages(
    run: Run, terms: Terms, owner_of: Callable[[str], str], validity_us: tuple[int, int]
) -> Iterator[Message]:
    """The accepted messages without a final outcome, in order."""
    ended, buffered = _Messages(run, *_ENDED), _Messages(run, "buffered")
    for batch in scan.in_order(run, "centre", scan.field(*_ACCEPTED), scan.among("kind", "accepted")):
        waiting = batch.filter(pa.array(~ended.find(batch)[0]))
        held = buffered.find(waiting)[0].tolist()
        for row, in_buffer in zip(scan.rows([waiting]), held, strict=True):
            message = _message((*row, in_buffer), terms, owner_of, validity_us)
            if message is not None:
                yield message


def _message(
    row: tuple[Any, ...],
    terms: Terms,
    owner_of: Callable[[str], str],
    validity_us: tuple[int, int],
) -> Message | None:
    """Return the message of an accepted row; None if its code has no account any more."""
    at, session, code, recipient, entity, notify, asked_us, scts, segments, buffered = row
    account, (default_us, longest_us) = owner_of(code), validity_us
    if not account:
        return None
    expires_at = min(asked_us, at + longest_us) if asked_us else at + default_us
    special = None
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
    run: Run,
    texts: list[tuple[int, TextSent]],
    terms: Terms,
    owner_of: Callable[[str], str],
    times: UcpTimes,
) -> list[Notification]:
    """Return the notifications not acknowledged on the wire, oldest first."""
    parts = _Parts(texts)
    octets = scan.in_order(run, "wire", scan.field(*_WIRE), scan.among("direction", "in", "out", "close"))
    waiting, wire = PendingNotifications(times), scan.rows(octets)
    chunk = next(wire, None)
    for row in _outcomes(run):
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


def _outcomes(run: Run) -> Iterator[tuple[Any, ...]]:
    """The rows of outcomes and of MO texts in order, each with its message's NT mask."""
    accepted = _Messages(run, "accepted")
    for batch in scan.in_order(run, "centre", scan.field(*_OUTCOME), scan.among("kind", *OUTCOMES, "mo")):
        masks = accepted.find(batch)[1].tolist()
        yield from ((*row, mask) for row, mask in zip(scan.rows([batch]), masks, strict=True))


def _notification(row: tuple[Any, ...], terms: Terms, owner_of: Callable[[str], str]) -> Notification | None:
    at, kind, code, recipient, entity, reason, scts, notify = row
    outcome, own = OUTCOMES[kind], terms.get((entity, scts))
    to = str((own.special or {}).get("notify_at", "")) if own else ""
    notify = own.notify if own else notify
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
        at, _, code, sender, entity, _, scts, _ = row
        key = (sender, code)
        if not self._begun.get(key):
            texts = self._texts.get(key)
            if not texts or texts[0][0] > at:
                return None
            self._begun[key] = list(content.compose(texts.pop(0)[1].text))
        payload = self._begun[key].pop(0)
        return Notification("mo", owner_of(code), code, sender, scts, at, payload=payload, message=entity)
