"""Runs one code in the vectorised engine: every message from the client's queue to its last notification."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fake_smsc.core.message_id import mo_message_id
from simbench.base.units import SECOND_US
from simbench.simulation.bulk import Batch, BulkSmsc, spans_of
from simbench.simulation.columns import Happening, Output, notifications
from simbench.simulation.kernels.delivery import replies, stamps
from simbench.simulation.kernels.layout import NEVER
from simbench.simulation.plan import World
from simbench.simulation.replies import ReplyLaw

Integers = NDArray[np.int64]


class CodeRun:
    """One run of one code."""

    def __init__(
        self, world: World, code: str, smsc: BulkSmsc, output: Output, progress: Callable[[int], None]
    ) -> None:
        self.world, self.code, self.smsc, self.output, self._progress = world, code, smsc, output, progress
        self._law = ReplyLaw(world, code)
        self._replies: list[tuple[Integers, Integers]] = []

    def run(self) -> None:
        """Write everything that happens to the code."""
        self._sessions()
        for requested, batches in spans_of(self.world, self.code):
            for queue in requested:
                self.output.offered(queue.at)
            for batch in batches:
                self.smsc.process(batch)
                self.output.batch(batch)
                if self._law.bound:
                    self._reply(batch)
                self._progress(len(batch))
        if self._replies:
            self._originate()

    def _sessions(self) -> None:
        link = self.world.link(self.code)
        up, sessions = np.array(link.up, np.int64).reshape(-1, 2), link.first_session + np.arange(len(link.up))
        self.output.take(Happening("login", up[:, 0], sessions, link.account, segments=0))
        self.output.take(Happening("logout", up[:, 1], sessions, link.account, segments=0))

    def _reply(self, batch: Batch) -> None:
        """Record which recipients reply, and when."""
        ended = batch.outcomes["end_at"]
        delivered = (batch.codes == 0) & (ended != NEVER) & (batch.outcomes["reason"] == 0)
        law, tables = self._law, self.smsc.tables
        at = replies(
            batch.entity[delivered], ended[delivered], np.uint64(law.answers_key), np.uint64(law.after_key), law.bound,
            np.array(law.table_us), tables.down_starts, tables.down_ends,
        )  # fmt: skip
        which = (at > 0) & (at < self.world.end)
        self._replies.append((at[which], batch.recipient[delivered][which]))

    def _originate(self) -> None:
        """Write the replies of subscribers in order of instant."""
        at, sender = (np.concatenate(parts) for parts in zip(*self._replies, strict=True))
        order = np.argsort(at, kind="stable")
        at, sender = at[order], sender[order]
        last = np.full(self.world.scenario.subscribers.count, -1, np.int32)
        ahead = self.world.settings.scts_ahead_max_s
        scts = stamps(at, sender - self.world.first_msisdn, self.world.start // SECOND_US, ahead, last)
        numbers = np.array([mo_message_id(self.code, str(one)) for one in sender.tolist()], np.int64)
        posted = Happening("mo", at, -1, sender, numbers, scts=scts)
        self.output.take(posted)
        self.output.take(notifications("mo-taken", posted, 0, self.world.link(self.code)))
