"""Calls carried compared with calls accounted: each difference with its kind and reason.

The carried calls come from the journal, which has every session's Stop, sent or withheld.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import msgspec

from simbench.base.text import count
from simbench.dialup.radius.journal import RecordedRun, Sent
from simbench.dialup.radius.pairing import Accounted, Paired

Session = tuple[str, str]
_NEVER: Final = "accounted, never carried"


class Carried(msgspec.Struct, frozen=True):
    """A carried call: its user, its whole seconds, and the journal's line of its Stop."""

    user: str
    seconds: int
    stop: Sent


class Difference(msgspec.Struct, frozen=True):
    """One call whose accounting differs from the carried call. `of_access_server`: its records were not sent correctly;
    `unsure`: a record of it was sent and is not found, so it may be among the unreadable ones.
    """

    nas: str
    session: str
    user: str
    carried_s: int
    accounted_s: int
    why: str
    of_access_server: bool = False
    unsure: bool = False

    def __str__(self) -> str:
        who = f"{self.session} at {self.nas}" + (f" ({self.user})" if self.user else "")
        return f"{who}: carried {self.carried_s} s, accounted {self.accounted_s} s: {self.why}"


def carried_of(recorded: RecordedRun) -> dict[Session, Carried]:
    """Return every call that ended, by access server and session; copies count once."""
    return {
        (record.nas, record.session): Carried(record.user, record.seconds, each)
        for each in recorded.sent
        if (record := each.planned.record).status == "Stop" and not each.planned.copy
    }


def differences(carried: Mapping[Session, Carried], paired: Paired, recorded: RecordedRun) -> list[Difference]:
    """Return every call whose seconds differ, in the order of the journal, then those never carried."""
    accounted: defaultdict[Session, list[Accounted]] = defaultdict(list)
    for call in paired.calls:
        accounted[call.nas, call.session].append(call)
    named = []
    for session, was in carried.items():
        calls = accounted.pop(session, [])
        seconds = sum(each.seconds for each in calls)
        if seconds != was.seconds or len(calls) > 1:
            why, of_access_server, unsure = _why(was, calls)
            named.append(Difference(*session, was.user, was.seconds, seconds, why, of_access_server, unsure))
    named += [
        Difference(*session, calls[0].user, 0, sum(each.seconds for each in calls), _NEVER, unsure=recorded.end is None)
        for session, calls in accounted.items()
    ]
    return named


def _why(call: Carried, calls: list[Accounted]) -> tuple[str, bool, bool]:
    """Return why a call's accounting differs, whether its access server sent wrong records, and if unsure."""
    if len(calls) > 1:
        lines = ", ".join(str(each.line) for each in calls)
        return f"accounted {count(len(calls), 'time')}, at lines {lines}", False, False
    basis = (
        f"by {calls[0].basis}" + (f", ended by {calls[0].ended}" if calls[0].ended else "") if calls else "not at all"
    )
    stop = call.stop
    if stop.planned.withheld:
        return f"its Stop was not sent ({stop.planned.withheld}); accounted {basis}", True, False
    if calls and calls[0].ended == "Stop":
        return f"its stored Stop differs, line {calls[0].line}", False, False
    if stop.answered_us < 0:
        return f"its Stop was given up after {count(len(stop.tries), 'datagram')}; accounted {basis}", False, False
    return f"its Stop was acknowledged and is not kept; accounted {basis}", False, True
