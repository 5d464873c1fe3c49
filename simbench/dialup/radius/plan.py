"""The records of calls, in the order in which they are due, altered by the faults.

A call sends Start, Interim-Update at the given interval, and Stop; an access server sends Accounting-On before its
first call and Accounting-Off after its last one (RFC 2866 section 2; RFC 2869 section 2.1).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.dialup.calls import UNKNOWN_CAUSE, Call, Calls
from simbench.dialup.radius.packets import LONGEST_TEXT
from simbench.dialup.radius.record import Record
from simbench.kernels.chance import draw, entity_of

UNNAMED_NAS: Final = "192.0.2.1"
_TRAFFIC: Final = entity_of("octets of a session")
_OUT_PER_S, _IN_PER_S = 4_000, 800  # octets; at most the rate of a modem of 33.6 kbit/s


class Planned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A due record: the instant of its event, and the instant at which the sender gets it (both us, UTC).

    `faults` names the faults applied to it; `withheld` is the fault because of which it is never sent; `copy` counts
    the copies sent before it.
    """

    at_us: int
    due_us: int
    record: Record
    faults: tuple[str, ...] = ()
    withheld: str = ""
    copy: int = 0

    def struck(self, fault: str, **changes: Any) -> Planned:
        """Return the record after a fault of that name."""
        return msgspec.structs.replace(self, faults=(*self.faults, fault), **changes)


class Fault:
    """A fault of an access server. The base class changes nothing; each fault overrides the methods it needs."""

    name = ""

    def prepare(self, calls: Calls, seed: int) -> None:
        """Look at all calls before anything is planned."""

    def cut(self, _call: Call) -> int:
        """Return when a call ends without a Stop (us); -1: it does not."""
        return -1

    def alter(self, planned: Planned) -> Sequence[Planned]:
        """Apply the fault to one record."""
        return (planned,)

    def boots(self) -> Sequence[Planned]:
        """Return the records that access servers send without a call."""
        return ()


def schedule(calls: Calls, interim_s: int = 0, faults: Sequence[Fault] = (), seed: int = 1) -> Iterator[Planned]:
    """Yield every record of these calls in the order in which it is due. `interim_s` 0: no Interim-Update.

    The call's line is appended to a session name that its access server has used before, so that names are unique.
    Raises BadInput for a name too long for an attribute, or a call before 1970.
    """
    for fault in faults:
        fault.prepare(calls, seed)
    waiting: list[tuple[int, int, Planned]] = []
    names: set[tuple[str, str]] = set()
    count = 0

    def push(planned: Planned) -> None:
        nonlocal count
        altered: Sequence[Planned] = (planned,)
        for fault in faults:
            altered = [after for before in altered for after in fault.alter(before)]
        for each in altered:
            heapq.heappush(waiting, (each.due_us, count, each))
            count += 1

    for planned in (*_boots(calls), *(boot for fault in faults for boot in fault.boots())):
        push(planned)
    for place in np.argsort(calls.start_us, kind="stable"):
        call = calls.row(int(place))
        if (call.nas, call.session) in names:
            call = msgspec.structs.replace(call, session=f"{call.session}-{call.line}")
        names.add((call.nas, call.session))
        while waiting and waiting[0][0] < call.start_us:
            yield heapq.heappop(waiting)[2]
        for planned in _records(call, interim_s, faults, seed):
            push(planned)
    while waiting:
        yield heapq.heappop(waiting)[2]


def _boots(calls: Calls) -> Iterator[Planned]:
    """Yield Accounting-On of each access server before its first call, and Accounting-Off after its last one."""
    for code in np.unique(calls.nas):
        of_it = calls.nas == code
        nas = calls.nas_names[code] if code >= 0 else UNNAMED_NAS
        first, last = int(calls.start_us[of_it].min()) - SECOND_US, int(calls.end_us[of_it].max()) + SECOND_US
        yield planned_at(first, Record("Accounting-On", nas, event_us=first))
        yield planned_at(last, Record("Accounting-Off", nas, event_us=last))


def planned_at(at_us: int, record: Record) -> Planned:
    """Return a record that is due at the instant of its event."""
    return Planned(at_us, at_us, record)


def _records(call: Call, interim_s: int, faults: Sequence[Fault], seed: int) -> Iterator[Planned]:
    for text in (call.user, call.session, call.nas):
        if len(text.encode()) > LONGEST_TEXT:
            raise BadInput(f"call {call.line}", f"a name of {len(text.encode())} octets", f"at most {LONGEST_TEXT}")
    if call.start_us < SECOND_US:
        raise BadInput(f"call {call.line}", f"starts at {call.start_us} us", "an instant since 1970")
    end, lost = call.start_us + call.duration_us, ""
    for fault in faults:
        cut = fault.cut(call)
        if call.start_us <= cut < end:
            end, lost = cut, fault.name
    nas = call.nas or UNNAMED_NAS
    rate = draw(seed, entity_of(nas, call.session), _TRAFFIC)

    def record(status: str, at: int) -> Record:
        begun = status != "Start"
        seconds = (at - call.start_us) // SECOND_US
        return Record(
            status=status,
            nas=nas,
            session=call.session,
            user=call.user,
            port=call.port,
            seconds=seconds if begun else -1,
            input_octets=seconds * (rate % _IN_PER_S) if begun else -1,
            output_octets=seconds * (rate % _OUT_PER_S) if begun else -1,
            cause=call.cause if status == "Stop" and call.cause != UNKNOWN_CAUSE else 0,
            event_us=at,
        )

    yield planned_at(call.start_us, record("Start", call.start_us))
    if interim_s:
        for at in range(call.start_us + interim_s * SECOND_US, end, interim_s * SECOND_US):
            yield planned_at(at, record("Interim-Update", at))
    stop = planned_at(end, record("Stop", end))
    yield stop.struck(lost, withheld=lost) if lost else stop
