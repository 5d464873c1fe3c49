"""One code through the bulk way: every message from the client's spool to its last notice. Writes through an output."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simbench.centre.core import identity_of_mo
from simbench.centre.records import BUFFERED, DELIVERED, UNDELIVERED
from simbench.kernels.delivery import (
    ATTEMPT,
    BUFFERED_AT,
    BUFFERED_FOR,
    BUFFERED_TRY,
    END_AT,
    REASON,
    answers,
    carried,
    stamps,
)
from simbench.kernels.submission import LOST, NEVER
from simbench.world.bulk import Submitted, Walker, spans_of
from simbench.world.columns import Happening, Output
from simbench.world.plan import FIRST_MSISDN, STREAM_SHIFT, World
from simbench.world.replies import ReplyLaw

Integers = NDArray[np.int64]
SECOND_US = 1_000_000
BIT = {DELIVERED: 1, UNDELIVERED: 2, BUFFERED: 4}


class CodeRun:
    """One run of one code."""

    def __init__(self, world: World, code: str, output: Output, progress: Callable[[int], None]) -> None:
        self.world, self.code, self.output, self._progress = world, code, output, progress
        self.link, self.config = world.link(code), world.config(code)
        self.walker = Walker(world, code)
        self._up = np.array(self.link.up, np.int64).reshape(-1, 2).T.copy()
        self._law = ReplyLaw(world, code)
        self._answers: list[tuple[Integers, Integers]] = []

    def run(self) -> None:
        """Everything that happens to the code."""
        self._sessions()
        for asked, batches in spans_of(self.world, self.code):
            for queue in asked:
                self.output.offered(queue.at)
            for sent in batches:
                self._batch(sent)
                self._progress(len(sent.at))
        if self._answers:
            self._originate()

    def _sessions(self) -> None:
        sessions = self.link.first_session + np.arange(len(self.link.up))
        for kind, at in (("login", self._up[0]), ("logout", self._up[1])):
            self.output.take(Happening(kind, at, sessions, self.link.account, segments=0))

    def _batch(self, sent: Submitted) -> None:
        codes, scts = self.walker.decide(sent)
        session = self.link.first_session + sent.session
        recipient = sent.demand.recipient
        self.output.submitted(sent.at)
        held = (sent.decided > sent.at) | (sent.decided == LOST)
        if held.any():
            self.output.take(Happening("held", sent.at[held], session[held], recipient[held]))
        decided = np.where(sent.decided >= 0, sent.decided, sent.at)
        accepted = (sent.decided >= 0) & (codes == 0)
        refused = ~accepted & (sent.decided != LOST)
        if refused.any():
            discarded = refused & (codes == 0)
            refused &= ~discarded
            for kind, which in (("refused", refused), ("discarded", discarded)):
                here = Happening(kind, decided[which], session[which], recipient[which], value=codes[which])
                if len(here.at):
                    self.output.take(here)
        entity = sent.demand.entity[accepted]
        taken = session[accepted], recipient[accepted], entity
        self.output.take(Happening("accepted", decided[accepted], *taken, scts=scts[accepted]))
        self._outcomes(self.walker.walk(sent, accepted), taken, scts[accepted])

    def _outcomes(self, fates: Integers, taken: tuple[Integers, Integers, Integers], scts: Integers) -> None:
        ended, reason = fates[:, END_AT], fates[:, REASON]
        over = ended != NEVER
        self._tell(
            BUFFERED, fates[:, (BUFFERED_AT, BUFFERED_FOR, BUFFERED_TRY)], fates[:, BUFFERED_AT] != NEVER, taken, scts
        )
        final = fates[:, (END_AT, REASON, ATTEMPT)]
        self._tell(UNDELIVERED, final, over & (reason != 0), taken, scts)
        delivered = over & (reason == 0)
        self._tell(DELIVERED, final, delivered, taken, scts)
        if self._law.bound:
            keys = np.array([self._law.answers_key, self._law.after_key], np.uint64)
            at = answers(
                taken[2][delivered], ended[delivered], keys, self._law.bound, np.array(self._law.table_us),
                self.walker.downs,
            )  # fmt: skip
            which = (at > 0) & (at < self.world.end)
            self._answers.append((at[which], taken[1][delivered][which]))

    def _tell(
        self, outcome: int, told: Integers, which: NDArray[np.bool_], taken: tuple[Integers, Integers, Integers],
        scts: Integers,
    ) -> None:  # fmt: skip
        if not which.any():
            return
        kind = {DELIVERED: "delivered", UNDELIVERED: "undelivered", BUFFERED: "buffered"}[outcome]
        at, reason, attempt = told[which].T.copy()
        session, recipient, entity = (column[which] for column in taken)
        self.output.take(Happening(kind, at, session, recipient, entity, attempt, reason, scts[which]))
        asked = (self.walker.notify[entity >> STREAM_SHIFT] & BIT[outcome]) > 0
        if asked.any():
            self._carry("notice", at[asked], recipient[asked], entity[asked], outcome, scts[which][asked])

    def _carry(
        self, kind: str, at: Integers, recipient: Integers, message: Integers, outcome: int, scts: Integers
    ) -> None:
        """Notices posted at these instants, as the client takes them."""
        found = np.empty((len(at), 2), np.int64)
        carried(at, self._up, found)
        there = found[:, 0] != NEVER
        when, session = found[there].T.copy()
        here = Happening(
            kind, when, self.link.first_session + session, recipient[there], message[there], value=outcome,
            scts=scts[there], segments=0,
        )  # fmt: skip
        self.output.take(here)

    def _originate(self) -> None:
        """The answers of subscribers, in order of instant."""
        at, sender = (np.concatenate(columns) for columns in zip(*self._answers, strict=True))
        order = np.argsort(at, kind="stable")
        at, sender = at[order], sender[order]
        last = np.full(self.world.scenario.subscribers.count, -1, np.int32)
        ahead = self.world.settings.scts_ahead_max_s
        scts = stamps(at, sender - FIRST_MSISDN, self.world.start // SECOND_US, ahead, last)
        scts = np.where(scts < 0, at // SECOND_US, scts)
        numbers = np.array([identity_of_mo(self.code, str(one)) for one in sender.tolist()], np.int64)
        self.output.take(Happening("mo", at, -1, sender, numbers, scts=scts))
        self._carry("mo-notice", at, sender, numbers, 0, scts)
