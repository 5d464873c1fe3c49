"""Aggregated traffic of a run: by hour, and the backlog around outages.

Every traffic figure comes from the view `minutes` by one of the queries below, which the report prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import HOUR_US, MINUTE_US
from simbench.ledger.query import columns_of, connected
from simbench.ledger.reader import Run
from simbench.ledger.rows import EXPIRED_REASONS, TIMES, WITHIN_S
from simbench.sla.rolling_window import Instants

if TYPE_CHECKING:
    from simbench.ledger.query import Connection

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
BACKLOG: Final = """select "at", sum(backlog)::bigint as backlog
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
        """Codes with traffic, those with the most first."""
        names = sorted(set(self.code.tolist()))
        return sorted(names, key=lambda name: (-self.total("accepted", name), name))

    def total(self, name: str, code: str = "") -> int:
        """The sum of a count, for one code or for all."""
        column = self.sums[name]
        return int(column[self.code == code].sum() if code else column.sum())

    def of(self, code: str) -> Hours:
        """The hours of one code."""
        own = self.code == code
        sums = {name: column[own] for name, column in self.sums.items()}
        return Hours(self.code[own], self.at[own], self.busiest[own], self.busiest_at[own], sums)


class Traffic(msgspec.Struct, frozen=True):
    """A run's traffic, the SQL of its view `minutes`, and the backlog if the ledger has it."""

    hours: Hours
    view: str
    backlog: tuple[Instants, Instants] | None
    backlog_sql: str


def traffic_of(run: Run, around: Sequence[tuple[int, int]]) -> Traffic:
    """Aggregate a run's traffic; `around`: the intervals (us) of the backlog, summed over codes.

    Raises LedgerError when a file cannot be read.
    """
    with _opened(run) as (connection, view, by_minute):
        found = columns_of(connection, HOURS)
        hours = Hours(
            found["code"].astype(object), found["at"], found["busiest"], found["busiest_at"],
            {name: found[name].astype(np.int64) for name in SUMMED},
        )  # fmt: skip
        if not by_minute or not around:
            return Traffic(hours, view, None, "")
        clause = " or ".join(f'("at" >= {start} and "at" < {end})' for start, end in around)
        sql = BACKLOG.format(around=clause)
        waiting = columns_of(connection, sql)
        return Traffic(hours, view, (waiting["at"], waiting["backlog"]), sql)


@contextmanager
def _opened(run: Run) -> Iterator[tuple[Connection, str, bool]]:
    """A connection with the view `minutes`, its SQL, and whether it has the backlog."""
    with connected(run, ("minute", "centre")) as connection:
        (by_minute,) = connection.execute("select exists(select 1 from minute)").fetchone() or (False,)
        view = FROM_MINUTES if by_minute else FROM_ROWS
        kind = "view" if by_minute else "table"  # rows are counted once
        connection.execute(f"create temp {kind} minutes as {view}")
        yield connection, view, bool(by_minute)
