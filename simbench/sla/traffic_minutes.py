"""Traffic by code and minute from a ledger's minute table, and the rows on held messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.reader import Run
from simbench.sla.rolling_window import Instants

if TYPE_CHECKING:
    from simbench.ledger.scan import Columns


class Minutes(msgspec.Struct, frozen=True, eq=False):
    """Columns of one length, by code and then time. `at` is the minute's first instant (us).

    `accepted`, `refused`, `held` and `submitted` count segments in the minute, `backlog` those waiting at its end;
    `submitted` and `backlog` are None if unknown.
    """

    code: NDArray[Any]
    at: Instants
    accepted: Instants
    refused: Instants
    held: Instants
    submitted: Instants | None = None
    backlog: Instants | None = None


def recorded_minutes(run: Run) -> Minutes | None:
    """Return the minutes in a ledger's own table, None if it keeps messages instead."""
    from simbench.ledger.scan import columns_of, field  # noqa: PLC0415 - Arrow is slow to load

    found = columns_of(run, "minute", field(*Minutes.__struct_fields__), by=("code", "at"))
    return Minutes(**found) if len(found["code"]) else None


def answers(run: Run) -> int:
    """Return the number of answered messages in a ledger of messages."""
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    batches = scan.scan(run, "centre", scan.field("n"), scan.among("kind", "accepted", "refused"))
    return sum(batch.num_rows for batch in batches)


def held_seconds(run: Run) -> Columns:
    """Return code, at (us), accepted and held by second, at least around all minutes in which messages were held."""
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    minutes = scan.sums_of(run, "centre", {"at": scan.floor("at", MINUTE_US)}, {}, scan.among("kind", "held"))["at"]
    if not len(minutes):
        return {name: np.empty(0, dtype=np.int64) for name in ("code", "at", "accepted", "held")}
    where = scan.among("kind", "accepted", "held")
    if (
        len(minutes) * 4 < (minutes[-1] - minutes[0]) // MINUTE_US
    ):  # few messages are held: only those minutes and the following ones
        where &= scan.floor("at", MINUTE_US).isin(np.union1d(minutes, minutes + MINUTE_US).tolist())
    by = {**scan.field("code"), "at": scan.floor("at", SECOND_US)}
    return scan.sums_of(run, "centre", by, {kind: scan.segments(kind) for kind in ("accepted", "held")}, where)


def logouts(run: Run) -> Instants:
    """Return when connections ended and the messages held for them were dropped."""
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    found: Instants = scan.sums_of(run, "centre", scan.field("at"), {}, scan.among("kind", "logout"))["at"]
    return found
