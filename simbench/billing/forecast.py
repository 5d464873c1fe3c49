"""Traffic forecasts for the operator: written, read, and compared with later traffic (OPS-ENG-03, OPS-ACH-05).

A forecast names messages and rate of each short code by calendar month; one that corrects an
earlier one does not count among those the contract wants each year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import read_toml
from simbench.billing.acts import Month, Quantity
from simbench.billing.counts import Counts
from simbench.contract import Contract
from simbench.finding import Blame, Evidence, Finding, Outcome

SHOWN = 10


class ForecastError(BadInput):
    """A forecast says something it may not."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Messages of one code in one month, and the rate it will use."""

    month: str
    code: str
    messages: Quantity
    rate_per_s: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class Forecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One forecast: the day it was handed in, what it expects, and whether it corrects an earlier one."""

    issued: date
    expected: tuple[Expected, ...]
    corrects: bool = False


def read_forecast(path: Path, contract: Contract) -> Forecast:
    """Read and check a forecast. Raises ForecastError naming file, key, value and expectation."""
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
    """A forecast as TOML, as `read_forecast` reads it."""
    lines = ["# Traffic forecast: messages (segments) and rate of each short code by calendar month"]
    lines += [f"issued = {forecast.issued}", f"corrects = {str(forecast.corrects).lower()}"]
    for one in forecast.expected:
        lines += ["", "[[expected]]", f'month = "{one.month}"', f'code = "{one.code}"', f"messages = {one.messages}"]
        lines += [f"rate_per_s = {one.rate_per_s}"]
    return "\n".join(lines) + "\n"


def judge_forecasts(contract: Contract, forecasts: Sequence[Forecast], counts: Counts) -> tuple[Finding, ...]:
    """Whether forecasts were handed in often enough, and later traffic agrees with them."""
    return _handed_in(contract, forecasts, counts), _agrees(contract, forecasts, counts)


def _handed_in(contract: Contract, forecasts: Sequence[Forecast], counts: Counts) -> Finding:
    """Twice in each calendar year with traffic, corrections not counted (OPS-ENG-03)."""
    wanted = contract.terms.forecast.per_year.value
    purpose = "OPS-ENG-03/forecasts-a-year"
    if not counts.months:
        return _finding(purpose, "inconclusive", "no traffic, hence no year to look at", blame="bench")
    handed = {
        year: sum(not one.corrects and one.issued.year == year for one in forecasts)
        for year in range(counts.months[0].year, counts.months[-1].year + 1)
    }
    unfinished = counts.months[-1].year if counts.months[-1].month < 12 else 0
    short = [year for year, count in handed.items() if count < wanted]
    summary = ", ".join(f"{count} in {year}" for year, count in handed.items())
    if not short:
        return _finding(purpose, "pass", summary, min(handed.values()), wanted)
    outcome: Outcome = "inconclusive" if short == [unfinished] else "fail"
    evidence = tuple(Evidence(f"{handed[year]} forecasts in {year}, {wanted} wanted") for year in short)
    return _finding(purpose, outcome, summary, min(handed.values()), wanted, evidence)


def _agrees(contract: Contract, forecasts: Sequence[Forecast], counts: Counts) -> Finding:
    """Each month's messages lie within the tolerance of the forecast in force when it began (OPS-ACH-05)."""
    tolerance = contract.terms.forecast.tolerance_share.value
    purpose = "OPS-ACH-05/as-forecast"
    judged = [
        (month, code, counts.of(month, code).accepted, _in_force(forecasts, month, code))
        for month in counts.months
        for code in counts.codes(month)
    ]
    foreseen = [(month, code, sent, one.messages) for month, code, sent, one in judged if one is not None]
    if not foreseen:
        return _finding(purpose, "inconclusive", "no forecast covers a month with traffic", blame="bench")
    far = [one for one in foreseen if abs(one[2] - one[3]) > tolerance * one[3]]
    unforeseen = [one for one in judged if one[3] is None]
    summary = (
        f"{len(foreseen) - len(far)} of {len(foreseen)} within {tolerance:.0%}, {len(unforeseen)} not forecast at all"
    )
    if not far and not unforeseen:
        return _finding(purpose, "pass", summary, 0, 0)
    evidence = [Evidence(f"{code} in {month}: {sent} sent, {planned} forecast") for month, code, sent, planned in far]
    evidence += [Evidence(f"{code} in {month}: {sent} sent, none forecast") for month, code, sent, _ in unforeseen]
    assumed = contract.assumed("forecast.tolerance_share")
    # The offer wants consistency and gives no measure of it, so that nothing here can be worse than weak.
    return _finding(purpose, "weak", summary, len(far) + len(unforeseen), 0, tuple(evidence[:SHOWN]), assumed)


def _in_force(forecasts: Iterable[Forecast], month: Month, code: str) -> Expected | None:
    """What the last forecast handed in before a month says of a code."""
    for forecast in sorted(forecasts, key=lambda one: one.issued, reverse=True):
        if forecast.issued <= month.first:
            for one in forecast.expected:
                if (one.month, one.code) == (str(month), code):
                    return one
    return None


def _finding(  # noqa: PLR0913 - a finding's own parts
    purpose: str, outcome: Outcome, summary: str, measured: int | None = None, limit: int | None = None,
    evidence: tuple[Evidence, ...] = (), assumed: tuple[str, ...] = (), blame: Blame = "client",
) -> Finding:  # fmt: skip
    return Finding(
        purpose=purpose,
        clause=purpose.partition("/")[0],
        outcome=outcome,
        summary=summary,
        measured=measured,
        limit=limit,
        unit="forecasts" if "ENG" in purpose else "months of a code",
        blame="" if outcome == "pass" else blame,
        assumed=assumed,
        evidence=evidence,
        exercise="forecast",
    )
