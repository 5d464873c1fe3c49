"""A forecast in sentences of the report's language."""

from __future__ import annotations

from typing import Final

from simbench.sla.forecast.backtest import BackTest
from simbench.sla.forecast.forecast import Chance, Forecast
from simbench.sla.report.translations import Words

BOUNDED: Final = ("V3", "V4")  # formulas forecast by V1


def answers(made: Forecast, tried: BackTest | None, words: Words) -> list[str]:
    """Return sentences on the probability of a breach of availability and of restoration by the last date, their basis,
    and the result of the back test.
    """  # fmt: skip
    last, date = made.dates[-1], words.day(made.dates[-1].at)
    found = [
        _already(made, words)
        if made.below_already
        else words(
            "forecast.answer", target=words.share(made.target), date=date, share=words.percent(last.availability.share)
        )
        + _band(made, last.availability, words),
        words("forecast.late", limit=words.hours(made.limit_h), date=date, share=words.percent(last.restoration.share))
        + _band(made, last.restoration, words),
    ]
    if made.formula in BOUNDED and not made.below_already:
        found.insert(1, words("forecast.bound", formula=made.formula))
    if made.basis is not None:
        found.append(_basis(made, words))
    if tried is not None:
        found.append(tried_text(tried, words))
    return found


def _already(made: Forecast, words: Words) -> str:
    """Return the sentence on availability that is too low from the beginning."""
    low, middle, high = (words.share(made.fan.quantiles[place][-1]) for place in (0, 2, 4))
    return words(
        "forecast.already", target=words.share(made.target), as_of=words.day(made.as_of),
        date=words.day(made.dates[-1].at), low=low, middle=middle, high=high,
    )  # fmt: skip


def _band(made: Forecast, chance: Chance, words: Words) -> str:
    noise = words("forecast.noise", noise=words.percent((chance.noise[1] - chance.noise[0]) / 2))
    if chance.band is None or made.basis is None:
        return words("forecast.given") + noise
    low, high = (words.percent(value) for value in chance.band)
    outages, confidence = words.count(made.basis.outages, "count.outage"), words.percent(made.confidence)
    return words("forecast.band", confidence=confidence, low=low, high=high, outages=outages) + noise


def _basis(made: Forecast, words: Words) -> str:
    basis = made.basis
    assert basis is not None
    low, high = (words.number(hours) for hours in basis.between_band)
    median_low, median_high = (words.hours(hours, exact=hours < 1) for hours in basis.median_band)
    return words(
        "forecast.basis", outages=words.count(basis.outages, "count.outage"), as_of=words.day(made.as_of),
        between=words.number(basis.between_h), low=low, high=high,
        median=words.hours(basis.median_h, exact=basis.median_h < 1), median_low=median_low, median_high=median_high,
    )  # fmt: skip


def tried_text(tried: BackTest, words: Words) -> str:
    """Return the result of the back test as a sentence."""
    return words(
        "forecast.tried", tries=words.count(len(tried.tried), "count.date"),
        already=words.number(len(tried.tried) - len(tried.open_tries)),
        tries_count=words.number(len(tried.tried)), months=words.count(tried.months, "count.month"),
        foreseen=words.number(tried.foreseen, 1), happened=words.number(tried.happened),
        brier=words.number(tried.brier, 3), in_half=words.number(tried.in_half), in_most=words.number(tried.in_most),
    )  # fmt: skip
