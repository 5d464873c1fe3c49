"""Meters for judging rates, one for each reading of AMB-05, and the operations that count.

They are independent of the SMSC's meter, so they find its errors; `simbench.rules.kernels.metering` computes them.
Instants are in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np

from simbench.base.units import SECOND_US
from simbench.contract import Contract
from simbench.rules.kernels.metering import BUCKET, SLIDING, TUMBLING
from simbench.trace.lazy import Either
from simbench.trace.trace import Trace
from simbench.trace.view import Ints, Objects, View
from simbench.ucp.fields import At, layout_of
from simbench.ucp.frame import Frame, Framer

AMBIGUITY: Final = "rate-meter"


class Operation(msgspec.Struct, gc=False):
    """An operation of the client that counts against a rate, `segments` times."""

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


class Form(msgspec.Struct, frozen=True):
    """A meter: a reading of `simbench.rules.kernels.metering`, and the most operations in a window."""

    reading: int
    most: int
    window_us: int = SECOND_US

    def row(self, segments: int, begin: int = 0) -> list[int]:
        """Return the meter as a row for a kernel; `segments` is their total number, `begin` the offset of the ring."""
        ring = max(1, min(self.most, segments + 1)) if self.reading == SLIDING else self.most  # more is not used
        return [self.reading, ring, self.window_us, begin]


def form_of(contract: Contract, rate: int) -> Form:
    """Return the meter of a code in the contract's reading."""
    reading = contract.reading(AMBIGUITY)
    if reading == "tumbling":
        return Form(TUMBLING, rate)
    if reading == "bucket":
        return Form(BUCKET, rate)
    if reading == "mean_10s":
        window_s = contract.terms.throughput.mean_window_s.value
        return Form(SLIDING, rate * window_s, window_s * SECOND_US)
    return Form(SLIDING, rate)


def said_of(contract: Contract, rate: int) -> str:
    """Return the remark of a finding on the reading in force, "" for the usual one."""
    window_s = contract.terms.throughput.mean_window_s.value
    return {
        "tumbling": f", read as {rate} in each second of the clock",
        "bucket": f", read as a bucket, which allows up to {2 * rate} in a second",
        "mean_10s": f", read as a mean: {rate * window_s} in any {window_s} s",
        "all_operations": ", read as every operation of the client",
    }.get(contract.reading(AMBIGUITY), "")


def counted(contract: Contract, trace: Trace) -> Operations:
    """Return the operations that count against the rates, in order of arrival: submits, or all of the client's."""
    submits, names = trace.submits, Operation.__struct_fields__
    if not counts_all(contract):
        return Operations.of_columns({name: submits.lazy(name) for name in names})
    others = Operations(_others(trace))
    order = arrivals(trace, others)
    return Operations.of_columns({name: Either(submits.lazy(name), others.lazy(name), order) for name in names})


def arrivals(trace: Trace, others: Operations) -> Ints:
    """Return the order of arrival of submits, numbered first, and other operations, numbered after them."""
    return np.argsort(np.append(trace.submits.at, others.at), kind="stable")


def submit_of(contract: Contract, trace: Trace) -> Ints:
    """Return the position among the submits of each operation that counts, -1 for other operations."""
    places = np.arange(len(trace.submits))
    if not counts_all(contract):
        return places
    order = arrivals(trace, Operations(_others(trace)))
    return np.where(order < len(places), order, -1)


def counts_all(contract: Contract) -> bool:
    """Return whether every operation of the client counts, not only submits."""
    return contract.reading(AMBIGUITY) == "all_operations"


def _others(trace: Trace) -> Iterator[Operation]:
    """Yield operations other than 51, with the code they name, else the first code of their account."""
    accounts = {row.session: row.account for row in trace.sessions.rows()}
    equal = trace.other_frames.equal
    chosen = equal("direction", "in") & equal("kind", "O") & ~equal("ot", "51")
    for row in trace.other_frames.where(chosen).rows():
        frame = Framer().feed(row.frame)[-1]
        if not isinstance(frame, Frame):
            continue
        data = frame.data
        code = data[At.OADC] if len(data) > At.OADC else ""
        if code not in trace.limits or frame.ot in {"31", "60", "61"}:
            code = trace.code_of(data[0] if frame.ot == "60" and data else accounts[row.session])
        yield Operation(row.at, row.session, code, _recipients(frame), row.frame)


def _recipients(frame: Frame) -> int:
    """Return the number of recipients of an operation; 02 has a list."""
    layout = layout_of("O", frame.ot, frame.data) if frame.ot == "02" else None
    return max(1, layout.list_length(frame.data)) if layout is not None else 1
