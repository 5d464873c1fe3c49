"""Five hundred drawn tables, each under every variant and reading, against arithmetic written apart."""

from __future__ import annotations

import random
from itertools import product

import msgspec
import pytest

from simbench.base.units import HOUR_US
from simbench.contract import Contract, load_contract
from simbench.ledger.incidents import Incident, Period
from simbench.sla.availability import VARIANTS, decided, year_of
from simbench.sla.classification import Service, counted
from simbench.sla.readings import NOTICES, _restoration
from tests.paris import instant
from tests.sla.independent import DAY, Facts, longest, worst

pytestmark = pytest.mark.slow

CONTRACT = load_contract()
TABLES, BATCH = 500, 50
SHARES = ("0.5", "0.25", "0.333", "0.3333333", "0.07", "1.0", "0.66")
SUBJECTS = ("part", "36010", "platform:north", "platform:south", "platform:east")
WINDOWS = ("rolling", "rolling", "month", "quarter", "year")
NEAR = (  # edges that a year's arithmetic trips over: clock changes, leap days, the new year
    instant(2024, 2, 29, 3), instant(2024, 3, 31, 1), instant(2023, 10, 29, 2), instant(2024, 10, 27, 2, fold=1),
    instant(2024, 1, 1), instant(2023, 2, 28, 23), instant(2024, 12, 31, 23), instant(2023, 3, 26, 3),
)  # fmt: skip


def drawn_table(chance: random.Random) -> tuple[list[Facts], tuple[int, int, int]]:
    """Up to nine incidents of any kind in two years, and a period with or without a whole year of history."""
    start, end = instant(2024, 1, 1), instant(2025, 1, 1)
    known = chance.choice((instant(2022, 12, 1), instant(2023, 1, 1), instant(2023, 7, 15), start))
    table: list[Facts] = []
    for _ in range(chance.randint(1, 9)):
        begins = chance.choice((chance.choice(NEAR), chance.randrange(known, end)))
        begins += chance.choice((0, chance.randrange(-5 * HOUR_US, 5 * HOUR_US)))
        if table and chance.random() < 0.25:
            begins = table[-1]["end"] - chance.choice((0, 0, HOUR_US))
        length = chance.choice((6 * HOUR_US, chance.randrange(1, 90 * HOUR_US), chance.randrange(1, HOUR_US)))
        total = chance.random() < 0.6
        planned = chance.random() < 0.35
        ahead = chance.choice((5 * DAY, 5 * DAY - 1, 6 * DAY, 7 * DAY, 8 * DAY, chance.randrange(0, 10 * DAY)))
        begins = max(begins, known) + chance.randrange(2)
        table.append({
            "start": begins, "end": begins + length, "scope": "total" if total else "partial",
            "share": "1" if total else chance.choice(SHARES),
            "subject": "platform" if total else chance.choice(SUBJECTS), "planned": planned,
            "announced": None if not planned or chance.random() < 0.1 else begins - ahead,
            "party": "client" if chance.random() < 0.12 else "orange",
            "announced_end": begins + chance.randrange(1, 2 * length + 1) if planned and begins % 2 else None,
            "noticed": begins + chance.randrange(0, length) if chance.random() < 0.6 else None,
        })  # fmt: skip
    return table, (start, end, known)


def incidents_of(table: list[Facts]) -> list[Incident]:
    return [
        Incident(
            f"T{number}", one["start"], one["end"], one["scope"], float(one["share"]), one["subject"], one["planned"],
            one["announced"], attributed_to=one["party"], announced_end=one["announced_end"], noticed_at=one["noticed"],
        )
        for number, one in enumerate(table)
    ]  # fmt: skip


def under(window: str, formula: str, platforms: str) -> Contract:
    """The contract with other windows, another variant that decides, and a reading of several platforms."""
    quality = CONTRACT.terms.quality
    changed = msgspec.structs.replace(
        quality, availability_window=msgspec.structs.replace(quality.availability_window, value=window),
        availability_formula=msgspec.structs.replace(quality.availability_formula, value=formula),
    )  # fmt: skip
    terms = msgspec.structs.replace(CONTRACT.terms, quality=changed)
    return msgspec.structs.replace(CONTRACT, terms=terms).read_as("several-platforms", platforms)


@pytest.mark.parametrize(
    "batch", [0, *(pytest.param(batch, marks=pytest.mark.slow) for batch in range(1, TABLES // BATCH))]
)
def test_every_variant_and_reading_is_what_arithmetic_written_apart_gives(batch: int) -> None:
    chance = random.Random(batch)
    for _ in range(BATCH):
        whole, period = drawn_table(chance)
        window, formula = chance.choice(WINDOWS), chance.choice(VARIANTS)
        for platforms, days in product(("all_down", "any_down"), NOTICES):
            contract = under(window, formula, platforms)
            for table in (whole, with_a_share(whole)):  # a partial outage without a share is the whole, or nothing
                where = (batch, table, period, platforms, days, window, formula)
                service = Service(Period(*period), counted(incidents_of(table), contract, days))
                found = decided(year_of(service, contract))
                expected = worst(table, period, days, platforms, window, formula)
                for variant in VARIANTS:
                    loss = found.windows.loss(found.worst[variant], variant)
                    assert loss == expected[variant], (*where, variant)
                for from_ticket in (False, True):
                    cell = _restoration(service, contract, from_ticket=from_ticket)
                    own = longest(table, period, days, platforms, from_ticket=from_ticket)
                    assert cell.value == (None if own is None else own / HOUR_US), (*where, from_ticket)


def with_a_share(table: list[Facts]) -> list[Facts]:
    return [one for one in table if one["scope"] == "total" or one["share"] != "1.0"]
