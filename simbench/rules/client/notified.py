"""Finds notifications of messages whose submit has no result yet: they prove that the platform has the message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from simbench.rules.rule import Case
from simbench.trace.rows import Notifications, Submit, Submits
from simbench.trace.view import Bools


class Notified:
    """The notifications to the recipients of these submits."""

    def __init__(self, case: Case, submits: Iterable[Submit]) -> None:
        self._key, trace = case.plan.key, case.trace
        self._to = {self._key(row.recipient) for row in submits}
        accepted = trace.submits.equal("ack", "A") & self._ours(trace.submits)
        owners = {(self._key(row.recipient), row.scts): row.token for row in trace.submits.where(accepted).rows()}
        # Instant, SCTS and status of each, and the token of the message whose result has that SCTS.
        self._notes: dict[str, list[tuple[int, str, int, str | None]]] = defaultdict(list)
        for row in trace.notifications.where(self._ours(trace.notifications)).rows():
            recipient = self._key(row.recipient)
            self._notes[recipient].append((row.at, row.scts, row.outcome, owners.get((recipient, row.scts))))

    def _ours(self, view: Submits | Notifications) -> Bools:
        names, place = view.distinct("recipient")
        return np.array([self._key(name) in self._to for name in names], np.bool_)[place]

    def before_the_result(self, row: Submit, until: int) -> set[int]:
        """Return the statuses (Dst) notified after a submit and before its result that may be of its message."""
        if 0 <= row.result_at <= until:
            return set()
        notes = self._notes.get(self._key(row.recipient), ())
        return {status for at, _, status, owner in notes if row.at <= at <= until and owner in {None, row.token}}

    def arrived(self, unanswered: Sequence[Submit]) -> set[str]:
        """Return tokens of messages without a result that the platform has: each uses an SCTS that no result has."""
        tokens: set[str] = set()
        taken: set[tuple[str, str]] = set()
        for row in unanswered:
            recipient = self._key(row.recipient)
            stamps = [
                (recipient, scts)
                for at, scts, _, owner in self._notes.get(recipient, ())
                if owner is None and at >= row.at and (recipient, scts) not in taken
            ]
            if stamps and row.token not in tokens:
                taken.add(stamps[0])
                tokens.add(row.token)
        return tokens
