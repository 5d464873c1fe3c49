"""Traffic forecasts for the operator: written, read, and compared with later traffic (OPS-ENG-03, OPS-ACH-05).

A forecast names messages and rate of each short code by calendar month. A correction of an earlier forecast does not
count among those the contract requires each year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.toml_files import read_toml
from simbench.billing.acts import Month, Quantity
from simbench.billing.counts import Counts
from simbench.contract import Contract
from simbench.finding import Evidence, Finding
from simbench.rulebook import Rulebook, Verdict

SHOWN = 10


class ForecastError(BadInput):
    """A forecast is invalid."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The messages (segments) expected from one code in one month ("2017-01").

    `rate_per_s` is the rate it will use, for information; 0: not stated.

    `month` is the month, `code` the short code, and `messages` the expected number of segments.
    """

    month: str
    code: str
    messages: Quantity
    rate_per_s: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class Forecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One forecast: the day of its submission, and the expected messages.

    `corrects` true: it corrects an earlier forecast and does not count among those required each year.

    `issued` is the day of its submission.
    """

    issued: date
    expected: tuple[Expected, ...]
    corrects: bool = False


def read_forecast(path: Path, contract: Contract) -> Forecast:
    """Read and check a forecast. Raises ForecastError, which names file, key, value and expectation."""
    forecast = read_toml(path, Forecast, ForecastError)
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(forecast.expected):
        key = f"{path}: expected[{index}]"
        try:
            month = Month.parse(one.month)
        except ValueError:
            raise ForecastError(f"{key}.month", f"{one.month!r:.40}", 'a month such as "2017-01"') from None
        if month < (forecast.issued.year, forecast.issued.month):
            raise ForecastError(f"{key}.month", one.month, f"a month from that of {forecast.issued} on")
        if not re.fullmatch(contract.terms.numbering.code_pattern, one.code):
            expected = f"a short code matching {contract.terms.numbering.code_pattern}"
            raise ForecastError(f"{key}.code", f"{one.code!r:.40}", expected)
        if (one.month, one.code) in seen:
            raise ForecastError(f"{key}.code", f"{one.code} has two lines for {one.month}", "one line a month and code")
        seen.add((one.month, one.code))
    if not seen:
        raise ForecastError(f"{path}: expected", "no month", "at least one [[expected]] table")
    return forecast


def forecast_text(forecast: Forecast) -> str:
    """Write a forecast as TOML, in the form that `read_forecast` reads."""
    lines = ["# Traffic forecast: messages (segments) and rate of each short code by calendar month"]
    lines += [f"issued = {forecast.issued}", f"corrects = {str(forecast.corrects).lower()}"]
    for one in forecast.expected:
        lines += ["", "[[expected]]", f'month = "{one.month}"', f'code = "{one.code}"', f"messages = {one.messages}"]
        lines += [f"rate_per_s = {one.rate_per_s}"]
    return "\n".join(lines) + "\n"


class Forecasts(msgspec.Struct, frozen=True):
    """The submitted forecasts, the counted traffic, and the contract by which both are judged."""

    contract: Contract
    forecasts: tuple[Forecast, ...]
    counts: Counts


RULES: Final = Rulebook[Forecasts](lambda given, purpose: given.contract.clause_of(purpose), suites=("audit",))


def judge_forecasts(contract: Contract, forecasts: Sequence[Forecast], counts: Counts) -> tuple[Finding, ...]:
    """Judge whether enough forecasts were submitted, and whether later traffic agrees with them."""
    return tuple(RULES.judge_all(Forecasts(contract, tuple(forecasts), counts), "forecast"))


@RULES.rule("forecast.forecasts-a-year", "Forecasts are submitted as often as the contract requires", unit="forecasts")
def handed_in(given: Forecasts) -> Verdict:
    """Check each calendar year with traffic; corrections do not count (OPS-ENG-03)."""
    wanted, counts = given.contract.terms.forecast.per_year.value, given.counts
    if not counts.months:
        return Verdict("inconclusive", "no traffic, hence no year to judge", blame="bench")
    handed = {
        year: sum(not one.corrects and one.issued.year == year for one in given.forecasts)
        for year in range(counts.months[0].year, counts.months[-1].year + 1)
    }
    unfinished = counts.months[-1].year if counts.months[-1].month < 12 else 0
    short = [year for year, number in handed.items() if number < wanted]
    summary, least = ", ".join(f"{number} in {year}" for year, number in handed.items()), min(handed.values())
    if not short:
        return Verdict("pass", summary, least, wanted)
    evidence = tuple(Evidence(f"{count(handed[year], 'forecast')} in {year}, {wanted} wanted") for year in short)
    if short == [unfinished]:
        return Verdict("inconclusive", summary, least, wanted, blame="client", evidence=evidence)
    return Verdict("fail", summary, least, wanted, evidence=evidence)


@RULES.rule(
    "forecast.as-forecast", "Traffic agrees with the forecast in force", at_worst="weak", unit="months of a code"
)
def as_forecast(given: Forecasts) -> Verdict:
    """Check that each month's messages are within the tolerance of the forecast in force at its start (OPS-ACH-05)."""
    counts, tolerance = given.counts, given.contract.terms.forecast.tolerance_share.value
    judged = [
        (month, code, counts.of(month, code).accepted, _in_force(given.forecasts, month, code))
        for month in counts.months
        for code in counts.codes(month)
    ]
    foreseen = [(month, code, sent, one.messages) for month, code, sent, one in judged if one is not None]
    if not foreseen:
        return Verdict("inconclusive", "no forecast covers a month with traffic", blame="bench")
    far = [one for one in foreseen if abs(one[2] - one[3]) > tolerance * one[3]]
    unforeseen = [one for one in judged if one[3] is None]
    summary = (
        f"{len(foreseen) - len(far)} of {len(foreseen)} within {tolerance:.0%}, {len(unforeseen)} not forecast at all"
    )
    if not far and not unforeseen:
        return Verdict("pass", summary, 0, 0)
    evidence = [Evidence(f"{code} in {month}: {sent} sent, {planned} forecast") for month, code, sent, planned in far]
    evidence += [Evidence(f"{code} in {month}: {sent} sent, none forecast") for month, code, sent, _ in unforeseen]
    assumed = given.contract.assumed("forecast.tolerance_share")
    # The offer requires consistency without a measure of it, so the outcome is at worst weak.
    return Verdict("weak", summary, len(far) + len(unforeseen), 0, assumed=assumed, evidence=tuple(evidence[:SHOWN]))


def _in_force(forecasts: Iterable[Forecast], month: Month, code: str) -> Expected | None:
    """Return the volume of a code in the last forecast submitted before a month."""
    for forecast in sorted(forecasts, key=lambda one: one.issued, reverse=True):
        if forecast.issued <= month.first:
            for one in forecast.expected:
                if (one.month, one.code) == (str(month), code):
                    return one
    return None
