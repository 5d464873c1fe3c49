"""Traffic by code and minute, from a ledger's minute table or counted from its rows."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.ledger.query import Columns, query
from simbench.ledger.reader import Run
from simbench.ledger.rows import TABLES
from simbench.sla.rolling_window import Instants

NAMES = ("minute", "minutes")  # names of the table of minutes
_WANTED = ("code", "at", "accepted", "refused", "held", "submitted", "backlog")

_BY_MINUTE = """
select code, "at" - "at" % 60000000 as "at",
       coalesce(sum(segments) filter (kind = 'accepted'), 0)::bigint as accepted,
       coalesce(sum(segments) filter (kind = 'refused'), 0)::bigint as refused,
       coalesce(sum(segments) filter (kind = 'held'), 0)::bigint as held
from ledger where kind in ('accepted', 'refused', 'held') group by 1, 2 order by 1, 2
"""

_HELD = """
select count(distinct "at" - "at" % 60000000) as busy, coalesce((max("at") - min("at")) / 60000000, 0) as spanned
from ledger where kind = 'held'
"""

_BY_SECOND = """
select code, "at" - "at" % 1000000 as "at",
       sum(case when kind = 'accepted' then segments else 0 end)::bigint as accepted,
       sum(case when kind = 'held' then segments else 0 end)::bigint as held
from ledger where kind in ('accepted', 'held') {only} group by 1, 2 order by 1, 2
"""

# Where little is held, only those minutes and the ones after them are read.
_ONLY = """
and "at" - "at" % 60000000 in (
    select unnest(["at" - "at" % 60000000, "at" - "at" % 60000000 + 60000000]) from ledger where kind = 'held')
"""


class Minutes(msgspec.Struct, frozen=True, eq=False):
    """Columns of one length, by code and then time. `at` is the minute's first instant (us).

    `accepted`, `refused`, `held` and `submitted` count segments in the minute, `backlog` what waits at its end;
    `submitted` and `backlog` are None where the ledger has no such column.
    """

    code: NDArray[Any]
    at: Instants
    accepted: Instants
    refused: Instants
    held: Instants
    submitted: Instants | None = None
    backlog: Instants | None = None


def minutes_of(run: Run) -> Minutes:
    """The minutes of a run, from its minute table if it has rows, else counted from the SMSC's rows."""
    recorded = recorded_minutes(run)
    return recorded if recorded is not None else Minutes(**query(run, _BY_MINUTE, "centre"))


def recorded_minutes(run: Run) -> Minutes | None:
    """The minutes in a ledger's own table, None if it keeps messages instead."""
    for name in NAMES:
        if name in TABLES:
            columns = [column.name for column in TABLES[name].columns if column.name in _WANTED]
            wanted = ", ".join(f'"{column}"' for column in columns)
            found = query(run, f'select {wanted} from ledger order by code, "at"', name)  # noqa: S608 - our own names
            if len(found["code"]):
                return _from_table(found)
    return None


def answers(run: Run) -> int:
    """The number of messages with an answer in a ledger of messages."""
    if not run.files and not run.centre.num_rows:
        return 0
    found = query(run, "select count(*) as found from ledger where kind in ('accepted', 'refused')", "centre")
    return int(found["found"][0])


def held_seconds(run: Run) -> Columns:
    """code, at (us), accepted and held by second, at least around all minutes in which messages were held."""
    held = query(run, _HELD, "centre")
    busy = int(held["busy"][0])
    few = busy * 4 < (0 if not busy else int(held["spanned"][0]))
    if not busy:
        return {name: np.empty(0, dtype=np.int64) for name in ("code", "at", "accepted", "held")}
    return query(run, _BY_SECOND.format(only=_ONLY if few else ""), "centre")


def logouts(run: Run) -> Instants:
    """When connections ended, and the messages held for them were dropped."""
    found: Instants = query(run, "select distinct \"at\" from ledger where kind = 'logout' order by 1", "centre")["at"]
    return found


def _from_table(found: Columns) -> Minutes:
    nothing = np.zeros(len(found["at"]), dtype=np.int64)
    return Minutes(
        found["code"], found["at"], found["accepted"], found.get("refused", nothing), found.get("held", nothing),
        found.get("submitted"), found.get("backlog"),
    )  # fmt: skip
