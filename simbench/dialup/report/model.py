"""The data of a dial-up report, from a run or from a replay of call records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from simbench.base.version import __version__
from simbench.dialup.calls import REASONS
from simbench.dialup.grid import Grid, grid_of
from simbench.dialup.minutes import Month
from simbench.dialup.offer import Offer
from simbench.dialup.radius.reconcile import Reconciliation
from simbench.dialup.replay import Replayed
from simbench.dialup.run import DialupRun
from simbench.dialup.settlement import Settled
from simbench.finding import Finding

Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class DialupReport:
    """The content of a report: facts, months, hours (erlangs carried, shares lost), lengths, findings.

    `grid` gives the hours, those within its months. `ports` is 0 if not given; `offered_minutes` are those of
    `busiest_month`. `reconciliation` and `aside` are rows (description, number) of a table each, left out if empty;
    `differences` lists calls whose accounting differs from the carried calls.
    `result` is the content of the JSON file besides the findings.
    """

    title: str
    offer: Offer
    tariff: str
    facts: Rows
    grid: Grid
    erlangs: np.ndarray
    lost_calls: np.ndarray
    offered_calls: np.ndarray
    lengths: Sequence[int]
    months: Sequence[Month]
    settled: Sequence[Settled]
    findings: Sequence[Finding]
    result: dict[str, Any]
    ports: int = 0
    offered_minutes: int = 0
    busiest_month: str = ""
    aside: Rows = ()
    reconciliation: Rows = field(default=())
    differences: Sequence[str] = ()

    def with_reconciliation(self, found: Reconciliation) -> DialupReport:
        """Return the report with the counts of a reconciliation and every call that differs."""
        return replace(
            self,
            reconciliation=tuple((name.capitalize(), f"{count:,}") for name, count in found.counts.items()),
            differences=tuple(map(str, found.differences)),
            result={**self.result, "reconciliation": {"counts": found.counts, "differences": found.differences}},
        )

    @staticmethod
    def of_run(done: DialupRun, findings: Sequence[Finding]) -> DialupReport:
        """Gather the report of a run."""
        totals, inside = done.totals, done.laid.grid.inside
        busiest = 0 if done.scenario.growth <= 1 else len(totals.months) - 1
        facts = (
            ("Scenario", done.scenario.name),
            ("Seed", str(done.scenario.seed)),
            ("Calls offered", f"{totals.offered:,}"),
            ("Attempts, including redials", f"{totals.attempts:,}"),
            ("Carried", f"{totals.carried:,}"),
            ("Lost", f"{totals.lost:,} ({totals.blocking:.2%})"),
            ("Cut at the session limit", f"{totals.cut:,}"),
            ("Dropped by failures", f"{totals.dropped:,}"),
            ("Minutes carried", f"{totals.carried_minutes:,}"),
            ("Share of the busy hour, by call start", f"{totals.busy_hour_share:.1%} of a day's calls"),
            ("Paid by users", f"{totals.retail_ff:,} FF with VAT"),
            ("Share of that payment", _of_retail(totals.settled, totals.retail_ff)),
        )
        return DialupReport(
            title=done.scenario.title,
            offer=done.offer,
            tariff=done.offer.reading("tariff-function"),
            facts=(*facts, *_facts(done.offer)),
            grid=done.laid.grid,
            erlangs=done.laid.erlangs()[inside],
            lost_calls=done.lost_calls[inside],
            offered_calls=done.offered_calls[inside],
            lengths=done.lengths.tolist(),
            months=totals.months,
            settled=totals.settled,
            findings=findings,
            result=msgspec.to_builtins(totals),
            ports=sum(pool.ports for pool in totals.pools),
            offered_minutes=round(done.scenario.minutes_of(busiest, done.offer)),
            busiest_month=totals.months[busiest].month,
        )

    @staticmethod
    def of_replay(done: Replayed, offer: Offer, findings: Sequence[Finding]) -> DialupReport:
        """Gather the report of a replay; lost calls are unknown."""
        grid = grid_of(tuple(month.month for month in done.months), offer)
        facts = (
            ("Call records", Path(done.source).name),
            ("Rows", f"{done.rows:,}"),
            ("Calls", f"{done.calls:,}"),
            ("Rows skipped", f"{done.aside_total:,}, with {done.aside_minutes:,} minutes"),
            *(
                (("Records without a call, ignored", ", ".join(f"{count:,} {name}" for name, count in passed)),)
                if (passed := sorted(done.passed_over.items()))
                else ()
            ),
            ("Minutes", f"{sum(month.minutes for month in done.months):,}"),
            ("Most calls at once", f"{done.most_at_once:,}"),
            ("Paid by users", f"{done.retail_ff:,} FF with VAT"),
            ("Share of that payment", _of_retail(done.settled, done.retail_ff)),
        )
        erlangs = np.array(done.erlangs)
        result = msgspec.to_builtins(done)
        return DialupReport(
            title=f"Replay of {Path(done.source).name}",
            offer=offer,
            tariff=done.settled[0].tariff,
            facts=(*facts, *_facts(offer)),
            grid=grid,
            erlangs=erlangs,
            lost_calls=np.zeros(len(erlangs)),
            offered_calls=np.zeros(len(erlangs)),
            lengths=done.lengths,
            months=done.months,
            settled=done.settled,
            findings=findings,
            result={name: value for name, value in result.items() if name not in {"erlangs", "source"}},
            aside=tuple((REASONS[reason], f"{count:,}") for reason, count in done.aside_counts.items()),
        )


def _facts(offer: Offer) -> Rows:
    readings = ", ".join(offer.reading(name) for name in offer.ambiguities)
    return (("Offer", offer.title), ("Interpretations", readings), ("Digest", offer.digest), ("Version", __version__))


def _of_retail(settled: Sequence[Settled], retail: Decimal) -> str:
    share = sum((owed.share_ttc_ff for owed in settled), Decimal(0))
    return f"{share / retail:.1%} (both with VAT)" if retail else "–"
