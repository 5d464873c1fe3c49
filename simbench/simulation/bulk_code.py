"""One code through the bulk way: every message from the client's spool to its last notice. Writes through an output."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fake_smsc.core.centre import mo_message_id
from simbench.base.units import NEVER, SECOND_US
from simbench.simulation.bulk import Batch, Walker, spans_of
from simbench.simulation.columns import Happening, Output, taken
from simbench.simulation.kernels.delivery import END_AT, REASON, answers, stamps
from simbench.simulation.plan import FIRST_MSISDN, World
from simbench.simulation.replies import ReplyLaw

Integers = NDArray[np.int64]


class CodeRun:
    """One run of one code."""

    def __init__(
        self, world: World, code: str, walker: Walker, output: Output, progress: Callable[[int], None]
    ) -> None:
        self.world, self.code, self.walker, self.output, self._progress = world, code, walker, output, progress
        self._law = ReplyLaw(world, code)
        self._answers: list[tuple[Integers, Integers]] = []

    def run(self) -> None:
        """Everything that happens to the code."""
        self._sessions()
        for asked, batches in spans_of(self.world, self.code):
            for queue in asked:
                self.output.offered(queue.at)
            for batch in batches:
                self.walker.walk(batch)
                self.output.batch(batch)
                if self._law.bound:
                    self._answer(batch)
                self._progress(len(batch))
        if self._answers:
            self._originate()

    def _sessions(self) -> None:
        link = self.world.link(self.code)
        up, sessions = np.array(link.up, np.int64).reshape(-1, 2), link.first_session + np.arange(len(link.up))
        self.output.take(Happening("login", up[:, 0], sessions, link.account, segments=0))
        self.output.take(Happening("logout", up[:, 1], sessions, link.account, segments=0))

    def _answer(self, batch: Batch) -> None:
        """Remember who answers when."""
        delivered = (batch.codes == 0) & (batch.fates[:, END_AT] != NEVER) & (batch.fates[:, REASON] == 0)
        law, keys = self._law, np.array([self._law.answers_key, self._law.after_key], np.uint64)
        at = answers(
            batch.entity[delivered], batch.fates[delivered, END_AT], keys, law.bound, np.array(law.table_us),
            self.walker.laws.downs,
        )  # fmt: skip
        which = (at > 0) & (at < self.world.end)
        self._answers.append((at[which], batch.recipient[delivered][which]))

    def _originate(self) -> None:
        """The answers of subscribers, in order of instant."""
        at, sender = (np.concatenate(parts) for parts in zip(*self._answers, strict=True))
        order = np.argsort(at, kind="stable")
        at, sender = at[order], sender[order]
        last = np.full(self.world.scenario.subscribers.count, -1, np.int32)
        ahead = self.world.settings.scts_ahead_max_s
        scts = stamps(at, sender - FIRST_MSISDN, self.world.start // SECOND_US, ahead, last)
        numbers = np.array([mo_message_id(self.code, str(one)) for one in sender.tolist()], np.int64)
        posted = Happening("mo", at, -1, sender, numbers, scts=scts)
        self.output.take(posted)
        self.output.take(taken("mo-notice", posted, 0, self.world.link(self.code)))
