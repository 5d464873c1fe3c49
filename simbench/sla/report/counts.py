"""Aggregated traffic of a run: by hour, and the backlog around outages.

The report prints the same sums as SQL queries, so that its readers can calculate the figures again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.ledger.reader import Run
from simbench.ledger.rows import EXPIRED_REASONS, TIMES, WITHIN_S
from simbench.sla.rolling_window import Instants

if TYPE_CHECKING:
    from simbench.ledger.scan import Columns

SUMMED: Final = ("offered", "accepted", "refused", "delivered", "undelivered", "expired", *TIMES)

_TAKEN = "kind = 'delivered' and \"at\" // 1000000 - scts"
_BOUNDS = zip((-(10**9), *WITHIN_S), (*WITHIN_S, 10**9), TIMES, strict=True)
_TIMES = ",\n       ".join(
    f"count(*) filter ({_TAKEN} > {above} and \"at\" // 1000000 - scts <= {most}) as {name}"
    for above, most, name in _BOUNDS
)  # fmt: skip

_EXPIRED: Final = ", ".join(map(str, sorted(EXPIRED_REASONS)))
FROM_MINUTES: Final = "select * from minute"
FROM_ROWS: Final = f"""select code, "at" - "at" % {MINUTE_US} as "at", 0 as offered,
       count(*) filter (kind = 'accepted') as accepted,
       count(*) filter (kind in ('refused', 'discarded')) as refused,
       count(*) filter (kind = 'delivered') as delivered,
       count(*) filter (kind = 'undelivered') as undelivered,
       count(*) filter (kind = 'undelivered' and value in ({_EXPIRED})) as expired,
       {_TIMES},
       0 as backlog
from centre where code <> '' group by 1, 2"""  # noqa: S608 - our own names

_SUMS = ",\n       ".join(f"sum({name})::bigint as {name}" for name in SUMMED)
HOURS: Final = f"""select code, "at" - "at" % {HOUR_US} as "at", {_SUMS},
       max(accepted)::bigint as busiest,
       arg_max("at", accepted * 60 - "at" // {MINUTE_US} % 60) as busiest_at
from minutes group by 1, 2 order by 1, 2"""  # noqa: S608 - our own names
AROUND: Final = """select "at", sum(accepted)::bigint as accepted, sum(refused)::bigint as refused,
       sum(offered)::bigint as offered, sum(backlog)::bigint as waiting
from minutes where {around} group by 1 order by 1"""


class Hours(msgspec.Struct, frozen=True, eq=False):
    """Columns of one length, by code and hour. `at`: first instant of the hour (us).

    `sums` counts messages by name (`SUMMED`); `busiest` is what the busiest minute accepted, `busiest_at` that
    minute.
    """

    code: NDArray[Any]
    at: Instants
    busiest: Instants
    busiest_at: Instants
    sums: dict[str, Instants]

    @property
    def codes(self) -> list[str]:
        """Return the codes with traffic, those with the most first."""
        names = sorted(set(self.code.tolist()))
        return sorted(names, key=lambda name: (-self.total("accepted", name), name))

    def total(self, name: str, code: str = "") -> int:
        """Return the sum of a count, for one code or for all."""
        column = self.sums[name]
        return int(column[self.code == code].sum() if code else column.sum())

    def of(self, code: str) -> Hours:
        """Return the hours of one code."""
        own = self.code == code
        sums = {name: column[own] for name, column in self.sums.items()}
        return Hours(self.code[own], self.at[own], self.busiest[own], self.busiest_at[own], sums)


class Traffic(msgspec.Struct, frozen=True):
    """A run's traffic by hour, the SQL of its view `minutes`, and around some incidents by minute, over all codes.

    `around`: columns `at` (us) and how many were accepted, refused, offered and, if the ledger has it, `waiting` at the
    minute's end; None without any incident. `around_sql` calculates them again.
    """

    hours: Hours
    view: str
    around: dict[str, Instants] | None
    around_sql: str


def traffic_of(run: Run, around: Sequence[tuple[int, int]]) -> Traffic:
    """Aggregate a run's traffic; `around`: the intervals (us) that are wanted by the minute.

    Raises LedgerError when a file cannot be read.
    """
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    hour = {**scan.field("code"), "at": scan.floor("at", HOUR_US)}
    sums = scan.field(*SUMMED)
    # Among minutes with equal numbers accepted the first one is the busiest.
    maxima = {"busiest": sums["accepted"] * 60 - (scan.field("at")["at"] - hour["at"]) / MINUTE_US}
    if not scan.has_rows(run, "minute"):
        minutes = _minutes(run)
        found = scan.sums_again(minutes, hour, sums, maxima=maxima)
        return Traffic(_hours(found), FROM_ROWS, _summed(minutes, around), _sql(around))
    hours = _hours(scan.sums_of(run, "minute", hour, sums, maxima=maxima))
    if not around:
        return Traffic(hours, FROM_MINUTES, None, "")
    at = scan.field("at")["at"]
    within = reduce(or_, ((at >= start) & (at < end) for start, end in around))
    counts = {**scan.field("accepted", "refused", "offered"), "waiting": scan.field("backlog")["backlog"]}
    found = scan.sums_of(run, "minute", {"at": at}, counts, within)
    return Traffic(hours, FROM_MINUTES, found, _sql(around))


def _sql(around: Sequence[tuple[int, int]]) -> str:
    clause = " or ".join(f'("at" >= {start} and "at" < {end})' for start, end in around)
    return AROUND.format(around=clause) if around else ""


def _summed(minutes: Columns, around: Sequence[tuple[int, int]]) -> dict[str, Instants] | None:
    """Return the minutes within intervals, over all codes; a ledger of messages does not show the waiting ones."""
    if not around:
        return None
    within = np.zeros(len(minutes["at"]), dtype=np.bool_)
    for start, end in around:
        within |= (minutes["at"] >= start) & (minutes["at"] < end)
    at, place = np.unique(minutes["at"][within], return_inverse=True)
    names = ("accepted", "refused", "offered")
    return {"at": at, **{
        name: np.bincount(place, minutes[name][within], len(at)).astype(np.int64) for name in names
    }}  # fmt: skip


def _hours(found: Columns) -> Hours:
    accepted = -(-found["busiest"] // 60)
    at = found["at"] + (accepted * 60 - found["busiest"]) * MINUTE_US
    return Hours(found["code"], found["at"], accepted, at, {name: found[name] for name in SUMMED})


def _minutes(run: Run) -> Columns:
    """Return the counts of a ledger's rows by code and minute."""
    from simbench.ledger import scan  # noqa: PLC0415 - Arrow is slow to load

    kind = {name: scan.among("kind", name) for name in ("accepted", "delivered", "undelivered")}
    columns = scan.field("value", "scts", "at")
    seconds = scan.floor("at", SECOND_US) / SECOND_US - columns["scts"]
    conditions = {
        **kind,
        "refused": scan.among("kind", "refused", "discarded"),
        "expired": kind["undelivered"] & columns["value"].isin(sorted(EXPIRED_REASONS)),
    }
    for name, (above, most) in zip(TIMES, pairwise((-(10**9), *WITHIN_S, 10**9)), strict=True):
        conditions[name] = kind["delivered"] & (seconds > above) & (seconds <= most)
    counts = {name: scan.where_else_0(condition) for name, condition in conditions.items()}
    by = {**scan.field("code"), "at": scan.floor("at", MINUTE_US)}
    found = scan.sums_of(run, "centre", by, counts, ~scan.among("code", ""))
    return {**found, "offered": np.zeros_like(found["at"])}
