"""Counts, rates and latest events of a running server, by following the ledger once a second.

It reads rows that are already on disk, without blocking the server's loop.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from typing import Any

import msgspec

from fake_smsc.server.control import Control
from simbench.base.units import SECOND_US
from simbench.service.log import EventLog

PERIOD_S = 1.0
KEPT = 120  # samples kept
STORIES = 2_000
TEXTS = 200  # kept per subscriber
SUBSCRIBERS = 10_000  # with texts kept
PIECE = 200  # events read at once, and shown in one turn of the loop


class Rates(msgspec.Struct, frozen=True):
    """Submits answered in one sample, per platform second."""

    at: int
    accepted_per_s: float
    refused_per_s: float


class _Found(msgspec.Struct, frozen=True):
    """One sample: decisions counted, events, and where the next sample starts."""

    decided: list[tuple[Any, ...]]
    events: list[dict[str, Any]]
    first: dict[str, int]


def _shown(detail: str) -> dict[str, Any]:
    """The details of an event without its password."""
    found: dict[str, Any] = json.loads(detail or "{}")
    found.pop("password", None)
    return found


class Watch:
    """Counts of the centre's decisions since the start, recent rates, and the latest events."""

    def __init__(self, control: Control, log: EventLog) -> None:
        self.control, self.log = control, log
        self.counts: Counter[tuple[str, str]] = Counter()  # (code, kind)
        self.history: dict[str, deque[Rates]] = defaultdict(lambda: deque(maxlen=KEPT))
        self.events: deque[dict[str, Any]] = deque(maxlen=STORIES)
        self.sent: dict[str, deque[tuple[int, str, str]]] = {}  # subscriber's number to (at, code, text)
        self._first = {"centre": 0, "events": 0}
        self._unseen: deque[dict[str, Any]] = deque()  # events of the latest look
        self._fresh: Counter[tuple[str, str]] = Counter()  # since rates were last taken
        self._rated_at, self._rated_s = control.now(), 0.0
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Follow the ledger until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.look()

    async def look(self) -> None:
        """Process the rows written since the last call; one call at a time, so that no row is processed twice."""
        async with self._looking:
            found = await asyncio.to_thread(self._read, dict(self._first))
            self._take(found)  # all of it, or nothing if cancelled while reading
            while self._unseen:  # clients can cause any number; what is left when cancelled comes with the next look
                for _ in range(min(len(self._unseen), PIECE)):
                    self._see(self._unseen.popleft())
                await asyncio.sleep(0)

    def _take(self, found: _Found) -> None:
        self._first = found.first
        for code, kind, count in found.decided:
            self.counts[code, kind] += count
            self._fresh[code, kind] += count
        now = self.control.now()
        if asyncio.get_running_loop().time() >= self._rated_s + PERIOD_S / 2:
            self._rate(now)
        self._unseen += found.events

    def _rate(self, now: int) -> None:
        passed_s = max(now - self._rated_at, 1) / SECOND_US
        for code in self.control.server.gateway.centre.limiters:
            fresh = (self._fresh[code, kind] / passed_s for kind in ("accepted", "refused"))
            self.history[code].append(Rates(now, *fresh))
        self._rated_at, self._rated_s = now, asyncio.get_running_loop().time()
        self._fresh.clear()

    def _read(self, first: dict[str, int]) -> _Found:
        ledger = self.control.server.ledger
        decided = ledger.tally("centre", first["centre"], ["code", "kind"])
        events: list[dict[str, Any]] = []
        at, until = first["events"], ledger.written["events"]
        while at < until:  # in pieces: Arrow makes rows without a pause for other threads
            rows = ledger.tail("events", at, ["at", "kind", "subject", "until", "detail"], PIECE).to_pylist()
            if not rows:
                break
            events += [{**row, "detail": _shown(row["detail"])} for row in rows]
            at += len(rows)
        return _Found(
            decided, events, {"centre": first["centre"] + sum(count for _, _, count in decided), "events": at}
        )

    def _see(self, row: dict[str, Any]) -> None:
        self.events.append(row)
        self.log.event("events", **row)
        if row["kind"] == "mo":
            texts = self.sent.pop(row["subject"], None) or deque(maxlen=TEXTS)
            texts.append((row["at"], row["detail"]["code"], row["detail"]["text"]))
            self.sent[row["subject"]] = texts
            if len(self.sent) > SUBSCRIBERS:
                self.sent.pop(next(iter(self.sent)))

    def rate(self, code: str) -> Rates:
        """Return the latest rates of a code."""
        seen = self.history.get(code)
        return seen[-1] if seen else Rates(self._rated_at, 0.0, 0.0)
