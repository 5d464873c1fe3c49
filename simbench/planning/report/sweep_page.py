"""The report of a sweep as one self-contained HTML file, and its table of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simbench.base.json_files import write_octets
from simbench.planning import effects as shown_effects
from simbench.planning.effects import COSTS, Effect, axis_of_cost, effects, frontier, interaction, point_means
from simbench.planning.runs import Key, Result
from simbench.planning.study import COUNTED, MEASURES, Prepared
from simbench.planning.sweep import Interval, intervals
from simbench.planning.wording import in_language
from simbench.reporting.html import rendered
from simbench.reporting.translations import Translations
from simbench.tables.writer import Cell, Sheet


def measure_of(prepared: Prepared) -> str:
    """Return the default measure of a page: the one that stops the study, otherwise lateness."""
    return str(prepared.study.stop.measure) if prepared.study.stop else "late"


def measured(t: Translations, one: Interval) -> str:
    """Write a measure with its interval; counts without decimals."""
    if not math.isfinite(one.half_width):
        return t.number(one.mean, 0 if one.measure in COUNTED else 4)
    exact = 1 - math.floor(math.log10(one.half_width)) if one.half_width else 4  # two places of the half width
    digits = 0 if one.measure in COUNTED else max(0, min(4, exact))
    return f"{t.number(one.mean, digits)} ± {t.number(one.half_width, digits)}"


def points_sheet(prepared: Prepared, found: Sequence[tuple[Interval, ...]]) -> Sheet:
    """Return a row for each point: parameters, number of runs, each measure with half the width of its interval."""
    keys = tuple(one.key for one in prepared.study.parameters)
    columns = ("point", *keys, "runs", *(name for each in MEASURES for name in (each, f"{each}_half_width")))
    rows: list[tuple[Cell, ...]] = []
    for number, (point, measures) in enumerate(zip(prepared.points, found, strict=True)):
        finite = [(one.mean, one.half_width if math.isfinite(one.half_width) else None) for one in measures]
        rows.append((number, *point, measures[0].replications, *(value for pair in finite for value in pair)))
    return Sheet("points", columns, tuple(rows))


def write_sweep_report(
    path: Path, prepared: Prepared, done: dict[Key, Result], language: str = "en", measure: str = ""
) -> None:
    """Write the report of a sweep as one HTML file. Raises BadInput when it cannot be written."""
    write_octets(path, sweep_page(prepared, done, language, measure))


def sweep_page(prepared: Prepared, done: dict[Key, Result], language: str = "en", measure: str = "") -> str:
    """The report of a sweep as HTML, about one of its measures."""
    t, measure = in_language(language, prepared.contract), measure or measure_of(prepared)
    strongest = effects(prepared, done, measure)
    return rendered(
            Path(__file__).with_name("sweep.html.j2"),
            t=t, study=prepared.study, title=prepared.study.name, lead=_lead(t, prepared, done),
            sentence=_sentence(t, strongest, measure), sections=_sections(t, prepared, done, measure, strongest),
            keys=[one.key for one in prepared.study.parameters], measures=[t(f"measure.{name}") for name in MEASURES],
            rows=[
                (number, [_value(t, each) for each in point], one[0].replications, [measured(t, each) for each in one])
                for number, (point, one) in enumerate(zip(prepared.points, intervals(prepared, done), strict=True))
            ],
    )  # fmt: skip


def _value(t: Translations, value: Any) -> str:
    return value if isinstance(value, str) else t.number(value, 3)


def _lead(t: Translations, prepared: Prepared, done: dict[Key, Result]) -> str:
    keys = ", ".join(one.key for one in prepared.study.parameters)
    return t("sweep.lead", points=t.number(len(prepared.points)), parameters=keys, runs=t.number(len(done)))


def _sentence(t: Translations, strongest: Sequence[Effect], measure: str) -> str:
    name = t(f"measure.{measure}")
    digits = 0 if measure in COUNTED else 3
    if not strongest or not strongest[0].span:
        value = strongest[0].levels[0].mean if strongest else 0.0
        return t("sweep.one-value", measure=name, value=t.number(value, digits))
    means = [one.mean for one in strongest[0].levels]
    low, high = (t.number(each, digits) for each in (min(means), max(means)))
    return t("sweep.strongest", parameter=strongest[0].parameter, measure=name, low=low, high=high)


def _sections(
    t: Translations, prepared: Prepared, done: dict[Key, Result], measure: str, strongest: Sequence[Effect]
) -> list[tuple[str, list[Any]]]:
    """Return the headings of sections, with their figures."""
    from simbench.planning.report import sweep_figures as figures  # noqa: PLC0415 - matplotlib is slow to load
    from simbench.reporting.style import look  # noqa: PLC0415 - as above

    name = t(f"measure.{measure}")
    found: list[tuple[str, list[Any]]] = []
    with look():
        if strongest:
            drawn = figures.draw_effects(t, strongest, name, prepared.study.confidence)
            found.append((t("sweep.effects", measure=name), drawn))
        few = [one.parameter for one in strongest if len(one.levels) <= shown_effects.MOST_VALUES]
        if len(few) > 1:
            first, second = few[:2]
            both = interaction(prepared, done, measure, first, second)
            found.append(
                (t("sweep.interaction", first=first, second=second), [figures.draw_interaction(t, both, name)])
            )
        if len(prepared.points) > 1:
            cost, xs = axis_of_cost(prepared, done)
            less = measure in shown_effects.LESS_IS_BETTER
            points = frontier(xs, point_means(prepared, done, measure), more_x=cost != COSTS, less_y=less)
            x = t("sweep.euros") if cost == COSTS else t(f"measure.{cost}")
            found.append((f"{x} / {name}", [figures.draw_frontier(t, points, x, name)]))
    return found
