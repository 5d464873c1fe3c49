"""What is shown of a server while it runs: counts and rates by code, and the story. Follows the ledger once a second.

Puts nothing in the server's way: it reads what is on disk already, beside the loop.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

import msgspec

from fake_smsc.control import Control
from simbench.service.log import EventLog
from simbench.units import SECOND_US

if TYPE_CHECKING:
    import pyarrow as pa

PERIOD_S = 1.0
KEPT = 120  # looks back that are remembered
STORIES = 2_000
TEXTS = 200  # of one subscriber
SUBSCRIBERS = 10_000  # whose texts are remembered


class Rates(msgspec.Struct, frozen=True):
    """What the platform answered at one look, per platform second."""

    at: int
    accepted_per_s: float
    refused_per_s: float


class Watch:
    """Counts of the centre's decisions since the start, the rates of late, and the latest of the story."""

    def __init__(self, control: Control, log: EventLog) -> None:
        self.control, self.log = control, log
        self.counts: Counter[tuple[str, str]] = Counter()  # (code, kind)
        self.history: dict[str, deque[Rates]] = defaultdict(lambda: deque(maxlen=KEPT))
        self.story: deque[dict[str, Any]] = deque(maxlen=STORIES)
        self.sent: dict[str, deque[tuple[int, str, str]]] = {}  # subscriber's number: at, code, text
        self._first = {"centre": 0, "story": 0, "wire": 0}
        self._looked_at = control.now()
        self._looking = asyncio.Lock()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            await self.look()

    async def look(self) -> None:
        """Take in what has been written since the last look; one look at a time, or two would take in the same rows."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        found = await asyncio.to_thread(self._read)
        now = self.control.now()
        passed_s = max(now - self._looked_at, 1) / SECOND_US
        self._looked_at = now
        fresh: Counter[tuple[str, str]] = Counter()
        for code, kind, count in found["centre"]:
            fresh[code, kind] += count
        self.counts += fresh
        for code in self.control.server.gateway.centre.limiters:
            rates = Rates(now, fresh[code, "accepted"] / passed_s, fresh[code, "refused"] / passed_s)
            self.history[code].append(rates)
        for row in found["story"]:
            self._tell(row)
        for row in found["wire"]:
            self.log.event(f"session {row['direction']}", at=row["at"], session=row["session"], peer=row["octets"])

    def _read(self) -> dict[str, list[Any]]:
        ledger = self.control.server.ledger
        decided = ledger.tally("centre", self._first["centre"], ["code", "kind"])
        self._first["centre"] += sum(count for _, _, count in decided)
        story = self._tail("story", ["at", "kind", "subject", "until", "detail"])
        rows: list[Any] = []
        if self.log.enabled:
            wire = self._tail("wire", ["at", "session", "direction", "octets"])
            rows = [row for row in wire.to_pylist() if row["direction"] in {"open", "close"}]
            rows = [{**row, "octets": row["octets"].decode("utf-8", "replace")} for row in rows]
        else:
            self._first["wire"] = ledger.written["wire"]
        return {
            "centre": decided,
            "story": story.to_pylist(),
            "wire": rows,
        }

    def _tail(self, table: str, columns: list[str]) -> pa.Table:
        found = self.control.server.ledger.tail(table, self._first[table], columns)
        self._first[table] += found.num_rows
        return found

    def _tell(self, row: dict[str, Any]) -> None:
        row["detail"] = json.loads(row["detail"] or "{}")
        self.story.append(row)
        self.log.event("story", **row)
        if row["kind"] == "mo":
            texts = self.sent.pop(row["subject"], None) or deque(maxlen=TEXTS)
            texts.append((row["at"], row["detail"]["code"], row["detail"]["text"]))
            self.sent[row["subject"]] = texts
            if len(self.sent) > SUBSCRIBERS:
                self.sent.pop(next(iter(self.sent)))

    def rate(self, code: str) -> Rates:
        """The latest rates of a code."""
        seen = self.history.get(code)
        return seen[-1] if seen else Rates(self._looked_at, 0.0, 0.0)
