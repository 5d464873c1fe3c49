"""The verdicts under every reading of the contract's open questions, each computed from the incidents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from simbench.base.units import HOUR_US
from simbench.contract import Contract
from simbench.ledger.incidents import Incident
from simbench.rules.rule import Case
from simbench.sla.availability import VARIANTS, decided, year_of
from simbench.sla.classification import PLATFORM_OF_SEVERAL, Service, counted, noticed_in_time, service_of
from simbench.sla.maintenance_notice import planned_by
from simbench.sla.restoration import outages_of, ticketed_at

Met = Literal["met", "missed", "open"]
NOTICES: Final = ("calendar", "civil", "ouvrables", "ouvres")
RESTORATION, NOTICE = "restoration", "notice"
COLUMNS: Final = (*VARIANTS, RESTORATION, NOTICE)


class Cell(msgspec.Struct, frozen=True):
    """One verdict (met, missed or open) and the measured value (a share, hours, or number of late announcements)."""

    met: Met
    value: float | None


class Line(msgspec.Struct, frozen=True):
    """One reading of one question: its cells by column, and whether it is the one in force.

    `concerned`: whether the question matters for the record.
    """

    question: str
    reading: str
    in_force: bool
    concerned: bool
    cells: Mapping[str, Cell]


def readings_of(case: Case) -> tuple[Line, ...]:
    """Return every question with its readings; a question that does not matter for the record has one line."""
    service, contract = service_of(case), case.contract
    incidents = tuple(one.incident for one in service.counted if _recorded(one.incident))
    base = _cells(service, contract)
    lines = []
    for question, in_force, concerned, readings in _questions(incidents, contract):
        if not concerned:
            lines.append(Line(question, in_force, True, False, base))
            continue
        for name, make in readings.items():
            cells = base if name == in_force else make(service, incidents)
            lines.append(Line(question, name, name == in_force, True, cells))
    return tuple(lines)


Make = Callable[[Service, tuple[Incident, ...]], Mapping[str, Cell]]


def _questions(incidents: tuple[Incident, ...], contract: Contract) -> Iterator[tuple[str, str, bool, dict[str, Make]]]:
    """Return question, reading in force, whether it matters for the record, and how each reading is computed."""

    def under(changed: Contract, days: str = "") -> Make:
        return lambda service, own: _cells(replace(service, counted=counted(own, changed, days)), changed, days)

    yield (
        "notice", contract.reading("notice-days"), any(one.planned for one in incidents),
        {name: under(contract, name) for name in NOTICES},
    )  # fmt: skip
    yield (
        "platforms", contract.reading("several-platforms"),
        any(one.subject.startswith(PLATFORM_OF_SEVERAL) and one.scope == "partial" for one in incidents),
        {name: under(contract.read_as("several-platforms", name)) for name in ("all_down", "any_down")},
    )  # fmt: skip
    yield (
        "since", "failure", any(one.noticed_at is not None and one.noticed_at > one.start for one in incidents),
        {
            "failure": under(contract),
            "ticket": lambda service, _: {
                **_cells(service, contract), RESTORATION: _restoration(service, contract, from_ticket=True),
            },
        },
    )  # fmt: skip
    yield (
        "partial", "whole", any(_without_share(one) for one in incidents),
        {
            "whole": under(contract),
            "nothing": lambda service, own: _cells(
                replace(service, counted=counted([one for one in own if not _without_share(one)], contract)), contract
            ),
        },
    )  # fmt: skip


def _without_share(incident: Incident) -> bool:
    """Tell whether an incident is a partial outage without a share in its row; V4 counts it like a total one."""
    return incident.scope == "partial" and incident.share == 1


def _recorded(incident: Incident) -> bool:
    """Tell whether an incident is in the record itself, not derived from coinciding outages of all platforms."""
    return "+" not in incident.ticket


def _cells(service: Service, contract: Contract, days: str = "") -> dict[str, Cell]:
    year = year_of(service, contract)
    found = decided(year)
    cells = {}
    for variant in VARIANTS:
        loss = found.loss_by(variant)
        met: Met = "open" if found.provisional else "missed" if loss > year.allowed else "met"
        cells[variant] = Cell(met, float(1 - loss))
    return {
        **cells,
        RESTORATION: _restoration(service, contract, from_ticket=False),
        NOTICE: _notice(service, contract, days),
    }


def _restoration(service: Service, contract: Contract, *, from_ticket: bool) -> Cell:
    limit, until = contract.terms.quality.restoration_h.value * HOUR_US, service.period.end
    lengths, still = [], False
    for one in outages_of(service):
        incident = one.incident
        lengths.append((incident.end or until) - (ticketed_at(incident) if from_ticket else incident.start))
        still = still or (incident.end is None and lengths[-1] <= limit)
    longest = max(lengths, default=None)
    if longest is None:
        return Cell("met", None)
    met: Met = "missed" if longest > limit else "open" if still else "met"
    return Cell(met, longest / HOUR_US)


def _notice(service: Service, contract: Contract, days: str) -> Cell:
    planned = planned_by(service, contract.operator)
    if not planned:
        return Cell("open", None)
    late = sum(not noticed_in_time(one, contract, days) for one in planned)
    return Cell("missed" if late else "met", late)
