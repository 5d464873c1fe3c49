"""Connections that a capture shows twice, before and after an address translation (NAT) on their way.

The addresses differ; the octets of both directions and their sequence numbers are the same, at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.ledger.capture_events import ConnectionCaptured
from simbench.ledger.events import At
from simbench.ledger.reader import Run

APART_US: Final = SECOND_US  # longest time between the two ends of one connection


def repeated(events: Iterable[At]) -> frozenset[int]:
    """Return the sessions of a capture that repeat another one, from its events."""
    seen: dict[str, tuple[int, str]] = {}
    found = set()
    for at, event in events:
        if not isinstance(event, ConnectionCaptured) or not event.digest:
            continue
        hosts = f"{_host(event.client)} {_host(event.smsc)}"
        ended, other = seen.get(event.digest, (at, hosts))
        if hosts != other and abs(at - ended) <= APART_US:
            found.add(event.session)
        else:
            seen[event.digest] = at, hosts
    return frozenset(found)


def without(run: Run, sessions: frozenset[int]) -> Run:
    """Return the run without the wire of some sessions."""
    if not sessions:
        return run
    wire = run.wire
    kept = wire.filter(pc.invert(pc.is_in(wire["session"], value_set=pa.array(sorted(sessions), pa.int32()))))
    return Run(run.info, lambda table: kept if table.name == "wire" else run.table(table.name))


def remark(sessions: frozenset[int]) -> str:
    """Describe repeated connections in one sentence."""
    return f"{count(len(sessions), 'connection')} captured twice, before and after an address translation, counted once"


def _host(address: str) -> str:
    return address.rpartition(":")[0]
