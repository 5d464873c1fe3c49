"""The tables of an advice, for CSV and XLSX; in Python, each is a `Sheet` of plain cells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simbench.planning.candidates import Candidate
from simbench.planning.curves import STEPS
from simbench.tables.writer import Cell, Sheet

if TYPE_CHECKING:
    from simbench.planning.advise import Advice

Row = tuple[Cell, ...]
SHARE = ("share", "low", "high")


def sheets_of(advice: Advice) -> tuple[Sheet, ...]:
    """Return every table of an advice: code plans, demands, months, orders, sensitivities, trade-offs, courses."""
    return (
        Sheet(
            "mixes", ("kind", "mix", "euros", "demand", *SHARE, "sure", "futures", "holds", "why"),
            tuple(_mixes(advice)),
        ),
        Sheet("demands", ("mix", "demand", *SHARE, "sure", "occasions"), tuple(_demands(advice))),
        Sheet("months", ("month", "range", "rate_per_s", "codes"), tuple(_months(advice))),
        Sheet(
            "orders", ("by", "from", "act", "code", "rate_per_s", "euros", "clause", "must_request", "forms"),
            tuple(
                (
                    one.by, one.day, one.what, one.code, one.rate_per_s, one.euros, one.clause, one.request,
                    " ".join(one.forms),
                )
                for one in advice.orders
            ),
        ),
        Sheet(
            "sensitivities", ("assumption", "side", "demand", "share", "euros_of_cheapest_mix"),
            tuple(_sensitivities(advice)),
        ),
        Sheet(
            "tradeoffs", ("axis", "at", "asked", "euros", "mix"),
            tuple((one.axis, one.at, one.asked, one.euros, one.words) for one in advice.tradeoffs),
        ),
        Sheet("courses", ("demand", "unit", "after", "in_time", "is_deadline", "waits_median", "waits_worst"),
              tuple(_courses(advice))),
        Sheet(
            "invoices", ("month", "clause", "for", "code", "quantity", "unit_price", "amount"),
            tuple(
                (bill.month, line.clause, line.label, line.code, line.quantity, line.unit_price, line.amount)
                for bill in advice.invoices
                for line in bill.lines
            ),
        ),
    )  # fmt: skip


def scored(advice: Advice) -> Iterator[tuple[str, Candidate]]:
    """Yield every scored code plan, with its role."""
    yield "chosen", advice.chosen
    yield from (("tried", one) for one in advice.candidates[1:])
    yield from (("own", one) for one in advice.own)
    if advice.current is not None:
        yield "held", advice.current


def _mixes(advice: Advice) -> Iterator[Row]:
    for kind, one in scored(advice):
        mine = one.score.promised
        yield (
            kind, one.words, one.euros, one.score.about, mine.share, mine.low, mine.high, mine.sure, one.score.futures,
            one.holds, one.why,
        )  # fmt: skip


def _demands(advice: Advice) -> Iterator[Row]:
    for _, one in scored(advice):
        for name, share in one.score.kept.items():
            yield one.words, name, share.share, share.low, share.high, share.sure, share.occasions
        whole = one.score.whole
        yield one.words, "", whole.share, whole.low, whole.high, whole.sure, whole.occasions


def _months(advice: Advice) -> Iterator[Row]:
    for place, bill in enumerate(advice.invoices):
        for prefix, months in advice.chosen.mix.held.items():
            yield from ((bill.month, f"{prefix}ABC", rate, codes) for rate, codes in months[place])


def _sensitivities(advice: Advice) -> Iterator[Row]:
    for row in advice.sensitivities:
        yield row.assumption, row.low, row.about_low, row.at_low, row.euros_at_low
        yield row.assumption, row.high, row.about_high, row.at_high, row.euros_at_high


def _courses(advice: Advice) -> Iterator[Row]:
    for one in advice.curves:
        for place, hour in enumerate(one.hours):
            yield one.demand, "h", hour, one.in_time[place], place == STEPS, one.middle[place], one.worst[place]
    for flow in advice.waits:
        for place, minute in enumerate(flow.minutes):
            yield flow.demand, "min", minute, flow.in_time[place], place == STEPS, None, None
