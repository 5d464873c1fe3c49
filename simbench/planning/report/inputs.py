"""The input of a plan, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simbench.planning import wording
from simbench.planning.campaign import Sending, Steady
from simbench.reporting.translations import Translations
from simbench.simulation.incidents import Maintenance, Scripted

if TYPE_CHECKING:
    from simbench.planning.advise import Advice

Row = tuple[str, str]
"""The name of an input, and its value."""


def inputs(t: Translations, advice: Advice) -> list[Row]:
    """Return every input that affects an advice."""
    asked, percent = advice.asked, wording.promised(t, advice.target)
    first, last = advice.invoices[0].month, advice.invoices[-1].month
    codes = ", ".join(f"{one.code}: {one.rate_per_s}/s" for one in asked.held)
    return [
        (t("input.period"), t("input.period-value", first=first, last=last)),
        (t("input.promise"), t(f"input.promise-{asked.promise}", asked=percent)),
        *_demands(t, advice),
        *_outages(t, advice),
        (t("input.held"), codes or t("input.none")),
        (t("input.limits"), t(
            "input.limits-value", codes=asked.codes_max, requests=t("input.yes" if asked.requests else "input.no")
        )),
        (t("input.delivered"), wording.promised(t, asked.delivered_share)),
        (t("input.futures"), t(
            "input.futures-value", found=t.number(advice.replications), scored=t.number(advice.scored), seed=advice.seed
        )),
        (t("input.contract"), advice.contract),
    ]  # fmt: skip


def _demands(t: Translations, advice: Advice) -> Iterator[Row]:
    for one in advice.asked.sendings:
        every = t("input.every", every=one.every) if one.every else ""
        figures = {"volume": t.number(one.volume), "deadline": t.number(one.deadline_h, 2), "parts": one.parts}
        more = {"start": one.start.replace("T", " "), "every": every, "spread": t.number(one.spread_min, 1)}
        yield t("input.sending", name=one.name), t("input.sending-value", **figures, **more, **{"class": one.kind})
    for flow in advice.asked.flows:
        per_day = {"volume": t.number(flow.per_day, 1), "within": t.number(flow.within_min, 2), "parts": flow.parts}
        yield t("input.flow", name=flow.name), t("input.flow-value", **per_day, **{"class": flow.kind})
    demands: tuple[Sending | Steady, ...] = (*advice.asked.sendings, *advice.asked.flows)
    for demand in demands:
        if demand.sigma or demand.sigma_period:
            widths = {"each": t.number(demand.sigma, 3), "together": t.number(demand.sigma_period, 3)}
            yield t("input.sigma", name=demand.name), t("input.sigma-value", **widths)


def _outages(t: Translations, advice: Advice) -> Iterator[Row]:
    outages = advice.asked.outages
    for drawn in outages.drawn:
        means = {"between": t.number(drawn.between.mean_h, 2), "lasting": t.number(drawn.lasting.mean_h, 2)}
        yield t("input.outages", name=drawn.name), t("input.outages-value", **means)
    planned: tuple[Scripted | Maintenance, ...] = (*outages.scripted, *outages.maintenance)
    for one in planned:
        figures = {"at": one.at.replace("T", " "), "hours": t.number(one.for_h, 2)}
        yield t("input.scripted", name=one.cause or one.subject), t("input.scripted-value", **figures)
