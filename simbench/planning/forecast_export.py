"""The traffic forecast for a plan: messages and rate of each code by month (OPS-ENG-03)."""

from __future__ import annotations

from itertools import accumulate, groupby, pairwise

from simbench.billing.acts import Acts, CodeActs, Month
from simbench.billing.due import rate_in
from simbench.billing.forecast import Expected, Forecast
from simbench.contract import Contract


def forecasts_of(
    acts: Acts, months: tuple[Month, ...], contract: Contract, messages: dict[tuple[Month, str], int]
) -> tuple[Forecast, ...]:
    """Return the required number of forecasts of each calendar year, each for a part of it and issued on its first day.

    messages: segments to send by month and range of codes; codes share them in proportion to their rates.
    """
    wanted, found = contract.terms.forecast.per_year.value, []
    for _, of_year in groupby(months, key=lambda month: month.year):
        mine = list(of_year)
        edges = [len(mine) * part // wanted for part in range(wanted + 1)]
        for first, end in pairwise(edges):
            expected = [one for month in mine[first:end] for one in _of_month(acts, month, contract, messages)]
            if expected:
                found.append(Forecast(mine[first].first, tuple(expected)))
    return tuple(found)


def _of_month(acts: Acts, month: Month, contract: Contract, messages: dict[tuple[Month, str], int]) -> list[Expected]:
    found = []
    for prefix in sorted(
        {one.value for code in acts.codes for one in contract.terms.numbering.ranges if code.code.startswith(one.value)}
    ):
        rates = {
            code.code: rate_in(code, contract, month)
            for code in acts.codes
            if code.code.startswith(prefix) and _open(code, month)
        }
        total, volume = sum(rates.values()), messages.get((month, prefix), 0)
        shares = [volume * so_far // total for so_far in accumulate(rates.values(), initial=0)] if total else []
        for (code, rate), (low, high) in zip(rates.items(), pairwise(shares), strict=True):
            found.append(Expected(str(month), code, high - low, rate))
    return found


def _open(code: CodeActs, month: Month) -> bool:
    return code.opened < month.following.first and (code.closed is None or code.closed >= month.first)
