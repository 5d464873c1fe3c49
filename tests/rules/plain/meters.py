"""Meters for judging rates, one for each reading of AMB-05, and the operations that count under it.

They are independent of the SMSC's meter, so an error there is found here. Instants are in microseconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from simbench.base.units import SECOND_US
from simbench.contract import Contract
from simbench.trace.trace import Trace
from simbench.trace.view import Ints, Objects, View
from simbench.ucp.fields import At, layout_of
from simbench.ucp.frame import Frame, Framer

AMBIGUITY: Final = "AMB-05"
LONG_AGO: Final = -(10**15)


class Operation(msgspec.Struct, gc=False):
    """An operation of the client that counts against a rate; `segments` is how often."""

    at: int
    session: int
    code: str
    segments: int
    frame: bytes


class Operations(View[Operation], row=Operation):
    """Operations in order of arrival."""

    at: Ints
    session: Ints
    code: Objects
    segments: Ints
    frame: Objects


class Meter(Protocol):
    """When an operation that arrives at an instant is due, given those taken before it."""

    def due(self, instant: int) -> int:
        """The earliest instant at which one more operation that arrives now conforms."""

    def take(self, due: int) -> None:
        """Count an operation admitted at that instant."""

    def copy(self) -> Meter:
        """A copy to try operations on."""


class Sliding:
    """At most `most` operations within any `window_us`, wherever it starts."""

    def __init__(self, most: int, window_us: int = SECOND_US) -> None:
        self.window_us = window_us
        self.last = deque([LONG_AGO] * most, maxlen=most)

    def due(self, instant: int) -> int:
        """See Meter."""
        return max(instant, self.last[0] + self.window_us)

    def take(self, due: int) -> None:
        """See Meter."""
        self.last.append(due)

    def copy(self) -> Sliding:
        """See Meter."""
        twin = Sliding(1, self.window_us)
        twin.last = self.last.copy()
        return twin


class Tumbling:
    """At most `most` operations in each second of the clock: which second is being filled, and with how many."""

    def __init__(self, most: int) -> None:
        self.most, self.second, self.used = most, LONG_AGO, 0

    def due(self, instant: int) -> int:
        """See Meter."""
        if instant // SECOND_US > self.second:
            return instant
        first_free = self.second + (self.used >= self.most)
        return max(instant, first_free * SECOND_US)

    def take(self, due: int) -> None:
        """See Meter. An operation dated before the current second does not count in it."""
        if due // SECOND_US > self.second:
            self.second, self.used = due // SECOND_US, 1
        elif due // SECOND_US == self.second:
            self.used += 1

    def copy(self) -> Tumbling:
        """See Meter."""
        twin = Tumbling(self.most)
        twin.second, twin.used = self.second, self.used
        return twin


class Bucket:
    """A bucket of `most` operations that gains `most` a second; what it holds is kept in millionths of an operation."""

    def __init__(self, most: int) -> None:
        self.most, self.since, self.holds = most, LONG_AGO, most * SECOND_US

    def due(self, instant: int) -> int:
        """See Meter."""
        at = max(instant, self.since)
        lacking = SECOND_US - self._at(at)
        return at - -lacking // self.most if lacking > 0 else instant

    def take(self, due: int) -> None:
        """See Meter. A deficit is forgiven."""
        at = max(due, self.since)
        self.holds, self.since = max(0, self._at(at) - SECOND_US), at

    def copy(self) -> Bucket:
        """See Meter."""
        twin = Bucket(self.most)
        twin.since, twin.holds = self.since, self.holds
        return twin

    def _at(self, instant: int) -> int:
        """What it holds at an instant not before the last."""
        return min(self.most * SECOND_US, self.holds + (instant - self.since) * self.most)


def meter_of(contract: Contract, rate: int) -> Meter:
    """The meter of a code under the contract's reading."""
    reading = contract.reading(AMBIGUITY)
    if reading == "tumbling":
        return Tumbling(rate)
    if reading == "bucket":
        return Bucket(rate)
    if reading == "mean_10s":
        window_s = contract.terms.throughput.mean_window_s.value
        return Sliding(rate * window_s, window_s * SECOND_US)
    return Sliding(rate)


def said_of(contract: Contract, rate: int) -> str:
    """The words of a finding on the reading it uses, "" for the usual one."""
    window_s = contract.terms.throughput.mean_window_s.value
    return {
        "tumbling": f", read as {rate} in each second of the clock",
        "bucket": f", read as a bucket: up to {2 * rate} in a second are within this reading",
        "mean_10s": f", read as a mean: {rate * window_s} in any {window_s} s",
        "all_operations": ", read as every operation of the client",
    }.get(contract.reading(AMBIGUITY), "")


def counted(contract: Contract, trace: Trace) -> Operations:
    """Operations that count against the rates, in order of arrival: submits, or all of the client's."""
    submits = trace.submits
    if not counts_all(contract):
        return Operations.of_columns({name: submits.lazy(name) for name in Operation.__struct_fields__})
    rows = [Operation(r.at, r.session, r.code, r.segments, r.frame) for r in submits.rows()]
    rows += _others(trace)
    return Operations(sorted(rows, key=lambda row: row.at))


def counts_all(contract: Contract) -> bool:
    """Whether every operation of the client counts, not its submits alone."""
    return contract.reading(AMBIGUITY) == "all_operations"


def _others(trace: Trace) -> Iterator[Operation]:
    """Operations other than 51, each of the code it names or else of the first code of its account."""
    accounts = {row.session: row.account for row in trace.sessions.rows()}
    frames = trace.frames
    for row in frames.where((frames.direction == "in") & (frames.kind == "O") & (frames.ot != "51")).rows():
        frame = Framer().feed(row.frame)[-1]
        if not isinstance(frame, Frame):
            continue
        data = frame.data
        code = data[At.OADC] if len(data) > At.OADC else ""
        if code not in trace.limits or frame.ot in {"31", "60", "61"}:
            code = trace.code_of(data[0] if frame.ot == "60" and data else accounts[row.session])
        yield Operation(row.at, row.session, code, _recipients(frame), row.frame)


def _recipients(frame: Frame) -> int:
    """The number of recipients of an operation: 02 has a list."""
    layout = layout_of("O", frame.ot, frame.data) if frame.ot == "02" else None
    return max(1, layout.list_length(frame.data)) if layout is not None else 1
