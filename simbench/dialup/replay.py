"""Settlement of call records: months, money, and the rows set aside."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np

from simbench.base.units import MINUTE_US
from simbench.dialup.calls import SetAside
from simbench.dialup.minutes import Month, by_month, lay, length_counts
from simbench.dialup.offer import Offer
from simbench.dialup.records import Records
from simbench.dialup.settlement import Settled, retail_ff, settle


class Replayed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of call records: `aside` contains the first rows of each reason, `aside_counts` counts all; `passed_over`
    counts by type the accounting records that are not about a call.
    """

    source: str
    rows: int
    calls: int
    aside_total: int
    aside_counts: dict[str, int]
    aside_minutes: int
    passed_over: dict[str, int]
    months: tuple[Month, ...]
    settled: tuple[Settled, ...]
    retail_ff: Decimal
    most_at_once: int
    aside: tuple[SetAside, ...]
    erlangs: tuple[float, ...]
    lengths: tuple[int, ...]


def replay(records: Records, offer: Offer, tariff: str = "") -> Replayed:
    """Distribute the valid calls of records over their months and settle these."""
    laid = lay(records.calls, records.grid, offer)
    months = by_month(laid, offer)
    return Replayed(
        source=records.source,
        rows=records.rows,
        calls=len(records.calls),
        aside_total=records.aside.total,
        aside_counts=dict(records.aside.counts),
        aside_minutes=records.aside.claimed_us // MINUTE_US,
        passed_over=dict(records.passed_over),
        months=months,
        settled=settle(months, offer, tariff),
        retail_ff=retail_ff(laid, offer),
        most_at_once=_most_at_once(records),
        aside=tuple(sorted(records.aside.rows, key=lambda row: row.line)),
        erlangs=tuple(np.round(laid.erlangs()[laid.grid.inside], 6).tolist()),
        lengths=tuple(length_counts(records.calls).tolist()),
    )


def _most_at_once(records: Records) -> int:
    calls = records.calls
    if not len(calls):
        return 0
    ended = np.searchsorted(np.sort(calls.end_us), calls.start_us, side="right")
    return int((np.arange(1, len(calls) + 1) - ended).max())
