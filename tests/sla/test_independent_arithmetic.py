"""Five hundred drawn tables, each under every variant and reading, against arithmetic written apart."""

from __future__ import annotations

import random

import pytest

from simbench.base.units import HOUR_US
from simbench.contract import load_contract
from simbench.ledger.incidents import Incident, Period
from simbench.sla.availability import VARIANTS, decided, year_of
from simbench.sla.classification import Service, counted
from simbench.sla.readings import NOTICES, _reading
from simbench.sla.restoration import outages_of
from tests.paris import instant
from tests.sla.independent import DAY, Facts, longest, worst

pytestmark = pytest.mark.slow

CONTRACT = load_contract()
TABLES, BATCH = 500, 50
SHARES = ("0.5", "0.25", "0.333", "0.3333333", "0.07", "1.0", "0.66")
SUBJECTS = ("part", "36010", "platform:north", "platform:south", "platform:east")
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
        begins = max(begins, known)
        table.append({
            "start": begins, "end": begins + length, "scope": "total" if total else "partial",
            "share": "1" if total else chance.choice(SHARES),
            "subject": "platform" if total else chance.choice(SUBJECTS), "planned": planned,
            "announced": None if not planned or chance.random() < 0.1 else begins - ahead,
            "party": "client" if chance.random() < 0.12 else "orange",
        })  # fmt: skip
    return table, (start, end, known)


def incidents_of(table: list[Facts]) -> list[Incident]:
    return [
        Incident(
            f"T{number}", one["start"], one["end"], one["scope"], float(one["share"]), one["subject"], one["planned"],
            one["announced"], attributed_to=one["party"],
        )
        for number, one in enumerate(table)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "batch", [0, *(pytest.param(batch, marks=pytest.mark.slow) for batch in range(1, TABLES // BATCH))]
)
def test_every_variant_and_reading_is_what_arithmetic_written_apart_gives(batch: int) -> None:
    chance = random.Random(batch)
    for _ in range(BATCH):
        table, (start, end, known) = drawn_table(chance)
        for platforms in ("all_down", "any_down"):
            contract = _reading(CONTRACT, "AMB-14", platforms)
            for days in NOTICES:
                service = Service(Period(start, end, known), counted(incidents_of(table), contract, days))
                found = decided(year_of(service, contract), contract)
                expected = worst(table, (start, end, known), days, platforms)
                for variant in VARIANTS:
                    loss = found.windows.loss(found.worst[variant], variant)
                    assert loss == expected[variant], (table, platforms, days, variant)
                lengths = [(one.incident.end or end) - one.incident.start for one in outages_of(service)]
                assert max(lengths, default=None) == longest(table, (start, end, known), days, platforms)
