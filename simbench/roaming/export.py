"""The billing output of a simulated population, as the CSV files that the rules read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simbench.base.outputs import claim, replacing
from simbench.roaming.billing import COLUMNS, CURRENCY, NOTICES, RECORDS, SUBSCRIBERS
from simbench.roaming.contract import RoamingContract
from simbench.roaming.kernels.fair_use import (
    ABROAD,
    ALERTED,
    AT_HOME,
    EXHAUSTED_SIGN,
    LIMIT_SIGN,
    NORMAL,
    SURCHARGED,
    WARNED_SIGN,
    billed_s,
)
from simbench.roaming.population import NEUR, Tables, Traced, tables_of, trace
from simbench.roaming.scenario import RoamingScenario
from simbench.tables.writer import csv_lines

PLACES = {AT_HOME: "home", ABROAD: "abroad", AT_HOME + ABROAD: "both"}
SIGNS = {EXHAUSTED_SIGN: "envelope-used-up", WARNED_SIGN: "warning", LIMIT_SIGN: "limit"}
NONE = ("0", CURRENCY)


class Life(NamedTuple):
    """One subscriber of a trace: row, days by SIM (name, first day, day after the last)."""

    row: int
    sims: tuple[tuple[str, int, int], ...]


def export_billing(
    folder: Path, scenario: RoamingScenario, contract: RoamingContract, subscribers: Sequence[int]
) -> int:
    """Write the billing records of these subscribers by the scenario's operator; return the number of rows.

    A subscriber who takes a new SIM is a new one for an operator that does not link SIMs. Raises the errors of
    `outputs.claim`.
    """
    traced, tables = trace(scenario, contract, subscribers), tables_of(scenario, contract)
    written = 0
    claim(folder)
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for name, columns in COLUMNS.items():
            part = stack.enter_context(replacing(folder / name))
            file = stack.enter_context(part.open("w", encoding="utf-8", newline=""))
            files[name] = file
            file.writelines(csv_lines(columns, ()))
        for row, number in enumerate(subscribers):
            life = Life(row, tuple(_sims(number, row, traced, scenario, tables)))
            for name, line in _lines(life, traced, scenario, contract, tables):
                files[name].writelines(csv_lines((), [line]))
                written += 1
    return written


def _sims(
    number: int, row: int, traced: Traced, scenario: RoamingScenario, tables: Tables
) -> Iterator[tuple[str, int, int]]:
    name, length = f"S{number:07d}", scenario.population.days
    every = int(traced.who.sim_periods[row])
    if not every or scenario.operator.linked_sims:
        yield name, 0, length
        return
    period = tables.days.period
    starts = [day for day in range(length) if (day == 0 or period[day] != period[day - 1]) and period[day] % every == 0]
    for place, (start, stop) in enumerate(zip(starts, [*starts[1:], length], strict=True), 1):
        yield f"{name}-{place}", start, stop


def _lines(
    life: Life, traced: Traced, scenario: RoamingScenario, contract: RoamingContract, tables: Tables
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    config = list(scenario.plans.values())[traced.who.plan[life.row]]
    domestic = "" if config.domestic_gb is None else config.domestic_gb
    vat, agreed = contract.vat_share(config.vat, scenario.population.starts), traced.who.consents[life.row]
    first = scenario.population.starts
    for name, start, stop in life.sims:
        plan = (name, config.price_eur, vat, domestic, _yes(config.prepaid), _yes(bool(agreed)))
        yield SUBSCRIBERS, plan
        for day in range(start, stop):
            today = first + timedelta(days=day)
            for line in _notices(life.row, day, start, traced, tables):
                yield NOTICES, (name, today, *line)
            for record in _records(life.row, day, traced, tables, today):
                yield RECORDS, (name, *record)


def _notices(row: int, day: int, start: int, traced: Traced, tables: Tables) -> Iterator[tuple[str, int]]:
    period = tables.days.period
    if day == start or period[day] != period[day - 1]:
        yield "envelope", int(tables.envelopes[traced.who.plan[row], period[day]])
    state = traced.outcome.state[row, day]
    before = traced.outcome.state[row, day - 1] if day > start else NORMAL
    if state != before:
        if before == SURCHARGED:
            yield "surcharge-ends", 0
        if state == ALERTED:
            yield "alert", 0
        if state == SURCHARGED:
            yield "surcharge-begins", 0
    for sign, kind in SIGNS.items():
        if traced.outcome.signs[row, day] & sign:
            yield kind, 0


def _records(row: int, day: int, traced: Traced, tables: Tables, today: date) -> Iterator[tuple[Any, ...]]:
    use, outcome, rules = traced.use, traced.outcome, tables.rules
    place = int(use.place[row, day])
    if not place:
        return
    yield today, "presence", PLACES[place], 1, 0, *NONE
    if use.home_octets[row, day]:
        yield today, "data", "home", use.home_octets[row, day], 0, *NONE
    if not place & ABROAD:
        return
    served, charged = int(outcome.served[row, day]), int(outcome.charged_kb[row, day])
    if served:
        yield today, "data", "abroad", served, charged, _euros(charged * tables.days.data_price[day]), CURRENCY
    surcharged = outcome.state[row, day] == SURCHARGED
    seconds, sms = int(use.call_s[row, day]), int(use.sms[row, day])
    billed = billed_s(seconds, rules.voice_first_s, rules.voice_step_s)
    for _ in range(int(use.calls[row, day])):
        amount = _euros(billed * tables.days.voice_price[day] * surcharged)
        yield today, "voice", "abroad", seconds, billed, amount, CURRENCY
    if sms:
        yield today, "sms", "abroad", sms, sms, _euros(sms * tables.days.sms_price[day] * surcharged), CURRENCY


def _euros(neur: int | np.int64) -> str:
    return f"{Decimal(int(neur)) / NEUR:f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
