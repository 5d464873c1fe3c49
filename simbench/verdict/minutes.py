"""Traffic by code and minute, from whatever a ledger has: its minute table, or its rows counted. Judges nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.ledger.query import Columns, query
from simbench.ledger.reader import Run
from simbench.ledger.rows import TABLES
from simbench.verdict.rolling import Instants

MINUTE = 60_000_000
NAMES = ("minute", "minutes")  # what a ledger of minutes calls its table
_INSTANTS = ("at", "minute", "started")

_BY_MINUTE = """
select code, "at" - "at" % 60000000 as "at",
       coalesce(sum(segments) filter (kind = 'accepted'), 0)::bigint as accepted,
       coalesce(sum(segments) filter (kind = 'refused'), 0)::bigint as refused,
       coalesce(sum(segments) filter (kind = 'held'), 0)::bigint as held
from ledger where kind in ('accepted', 'refused', 'held') group by 1, 2 order by 1, 2
"""

# Where something was held the second is looked at: what waited at its start, and how much of that the tier grants.
_HELD_BY_SECOND = """
with held as (select distinct code, "at" - "at" % 60000000 as minute from ledger where kind = 'held'),
     busy as (select code, minute from held union select code, minute + 60000000 from held)
select ledger.code as code, ledger."at" - ledger."at" % 1000000 as "at",
       coalesce(sum(segments) filter (kind = 'accepted'), 0)::bigint as accepted,
       coalesce(sum(segments) filter (kind = 'held'), 0)::bigint as held
from ledger join busy on busy.code = ledger.code and busy.minute = ledger."at" - ledger."at" % 60000000
where kind in ('accepted', 'held') group by 1, 2 order by 1, 2
"""


class Minutes(msgspec.Struct, frozen=True, eq=False):
    """Columns of one length, by code and then time. `at` is the minute's first instant (us).

    `accepted`, `refused`, `held` and `submitted` count segments in the minute, `backlog` what waits at its end;
    `submitted` and `backlog` are None where the ledger does not tell them.
    """

    code: NDArray[Any]
    at: Instants
    accepted: Instants
    refused: Instants
    held: Instants
    submitted: Instants | None = None
    backlog: Instants | None = None


def minutes_of(run: Run) -> Minutes:
    """The minutes of a run: of its minute table where it has one with rows, else counted from the centre's rows."""
    for name in NAMES:
        if name in TABLES:
            instant = TABLES[name].instant
            told = query(run, f'select * from ledger order by code, "{instant}"', name)  # noqa: S608 - our own names
            if len(told["code"]):
                return _from_table(told)
    counted = query(run, _BY_MINUTE, "centre")
    return Minutes(**counted)


def held_seconds(run: Run) -> Columns:
    """code, at (us), accepted and held by second, around every minute in which the centre held something back."""
    return query(run, _HELD_BY_SECOND, "centre")


def logouts(run: Run) -> Instants:
    """When connections ended: what was held for them is forgotten then."""
    found: Instants = query(run, "select distinct \"at\" from ledger where kind = 'logout' order by 1", "centre")["at"]
    return found


def _from_table(told: Columns) -> Minutes:
    at = next(told[name] for name in _INSTANTS if name in told)
    nothing = np.zeros(len(at), dtype=np.int64)
    return Minutes(
        told["code"], at, told["accepted"], told.get("refused", nothing), told.get("held", nothing),
        told.get("submitted"), told.get("backlog"),
    )  # fmt: skip
