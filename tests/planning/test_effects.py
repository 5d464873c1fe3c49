"""The results of a sweep, compared with counts by hand and known functions."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.cli.main import cli
from simbench.contract import load_contract
from simbench.planning.effects import effects, frontier, interaction, monthly_euros
from simbench.planning.report.sweep_page import measured, points_sheet, sweep_page
from simbench.planning.runs import Key, Result
from simbench.planning.runs import measured as run_measures
from simbench.planning.study import MEASURES, Prepared, Study, StudyError, prepare
from simbench.planning.sweep import Interval, intervals
from simbench.planning.wording import english
from simbench.simulation.scenario import WorldScenario

VOLUME, RATE = 2_000, 10
DAY: dict[str, Any] = {
    "period": {"from": "2026-10-01", "to": "2026-10-02"},
    "subscribers": {"count": 10_000},
    "codes": [{"code": "36050", "rate_per_s": RATE}],
    "campaigns": [{"name": "c", "code": "36050", "start": "2026-10-01T08:00", "volume": VOLUME}],
}
GRID = [{"key": "codes.0.rate_per_s", "values": [10, 20]}, {"key": "campaigns.0.volume", "values": [1000, 2000, 4000]}]


def prepared(**tables: Any) -> Prepared:
    given_ = {"scenario": "a/day.toml", "parameters": GRID, "replications": 4, "block": 4, **tables}
    return prepare(msgspec.convert(given_, Study), msgspec.convert(DAY, WorldScenario), load_contract())


def made(study: Prepared, late: Any) -> dict[Key, Result]:
    """Return runs in which `late` is a function of the point's values and the replication, and all else is zero."""
    return {
        (point, r): Result(point, r, (*[0.0] * (len(MEASURES) - 1), float(late(*values, r))))
        for point, values in enumerate(study.points)
        for r in range(study.study.replications)
    }


@pytest.mark.parametrize("late_min", [0.5, 1, 2, 60])
def test_what_has_not_left_in_time_is_late(late_min: float) -> None:
    """Ten leave at once and ten every second after: those of second n have waited n seconds."""
    study = prepared(late_min=late_min, parameters=[{"key": "codes.0.rate_per_s", "values": [RATE]}])
    found = dict(zip(MEASURES, run_measures(study, 0, 0), strict=True))
    assert found["late"] == max(0, VOLUME - RATE * (60 * late_min + 1))
    assert found["offered"] == VOLUME


def test_what_an_outage_holds_back_until_the_end_is_late() -> None:
    cut = {**DAY, "incidents": {"scripted": [{"at": "2026-10-01T07:00", "for_h": 17}]}}
    study = prepare(
        msgspec.convert({"scenario": "d", "parameters": [{"key": "codes.0.rate_per_s", "values": [RATE]}]}, Study),
        msgspec.convert(cut, WorldScenario), load_contract(),
    )  # fmt: skip
    assert dict(zip(MEASURES, run_measures(study, 0, 0), strict=True))["late"] == VOLUME


def test_main_effects_are_means_over_the_rest_and_the_strongest_comes_first() -> None:
    study = prepared()
    found = effects(study, made(study, lambda rate, volume, r: volume - 10 * rate + r), "late")
    assert [one.parameter for one in found] == ["campaigns.0.volume", "codes.0.rate_per_s"]
    assert [one.mean for one in found[0].levels] == [1000 - 150 + 1.5, 2000 - 150 + 1.5, 4000 - 150 + 1.5]
    t_95_of_3 = 3.1824
    spread = math.sqrt(5 / 3)  # of the replications 0 to 3
    assert found[1].levels[0].half_width == pytest.approx(t_95_of_3 * spread / 2, rel=1e-4)


def test_an_interaction_is_how_far_lines_are_from_parallel() -> None:
    study = prepared()
    keys = "codes.0.rate_per_s", "campaigns.0.volume"
    parallel = interaction(study, made(study, lambda rate, volume, _: volume + rate), "late", *keys)
    assert (parallel.firsts, parallel.seconds, parallel.gap) == ((10, 20), (1000, 2000, 4000), 0)
    crossing = interaction(study, made(study, lambda rate, volume, _: volume * rate), "late", *keys)
    assert crossing.gap == pytest.approx((4000 - 1000) * 10 / (80_000 - 10_000))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12), st.booleans())
def test_no_point_beats_one_on_the_frontier_and_one_there_beats_each_other(
    points: list[tuple[int, int]], more_x: bool
) -> None:
    found = frontier([float(x) for x, _ in points], [float(y) for _, y in points], more_x=more_x, less_y=True)
    sign = -1 if more_x else 1

    def beats(a: Any, b: Any) -> bool:
        return sign * a.x <= sign * b.x and a.y <= b.y and (a.x, a.y) != (b.x, b.y)

    best = [one for one in found if one.best]
    assert not any(beats(a, b) for a in found for b in best)
    assert all(one.best or any(beats(a, one) for a in best) for one in found)


def test_a_month_of_a_points_codes_is_priced_without_openings() -> None:
    assert [monthly_euros(prepared(), point) for point in (0, 5)] == [150, 950]


def test_counts_are_printed_as_counts() -> None:
    assert measured(english(), Interval("offered", 124_561.25, 38.8, 20)) == "124,561 ± 39"
    assert measured(english(), Interval("late", 12.4, math.inf, 1)) == "12"
    assert measured(english(), Interval("delivered_share", 0.96611, 0.0013, 20)) == "0.9661 ± 0.0013"
    assert measured(english(), Interval("busy_min", 110.43, 39.58, 20)) == "110 ± 40"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_shows_effects_interaction_and_frontier(language: str) -> None:
    study = prepared()
    html = sweep_page(study, made(study, lambda rate, volume, r: volume * rate + r), language)
    assert html.count("<figure>") == 3
    assert html.count("<tr>") == 1 + len(study.points)
    assert "a/day.toml" not in html
    assert f'<html lang="{language}">' in html
    if language == "fr":
        text = re.sub(r"<(style|svg).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
        assert not re.search(r"\b(the|of|points are|every|between|and)\b", text)


def test_a_sweep_leaves_its_page_and_its_points(tmp_path: Path) -> None:
    (tmp_path / "day.toml").write_text((Path(__file__).parents[2] / "scenarios" / "plan" / "day.toml").read_text())
    (tmp_path / "study.toml").write_text(
        'scenario = "day.toml"\nreplications = 2\nblock = 2\n'
        '[[parameters]]\nkey = "campaigns.0.volume"\nvalues = [2_000, 4_000]\n'
    )
    command = ["sweep", str(tmp_path / "study.toml"), "-o", str(tmp_path / "out"), "--workers", "1", "--xlsx"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "points.csv").read_text())))
    assert [row["campaigns.0.volume"] for row in rows] == ["2000", "4000"]
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "points.xlsx").exists()
    unknown = CliRunner().invoke(cli, [*command, "--measure", "lateness"])
    assert isinstance(unknown.exception, BadInput)
    assert "late" in str(unknown.exception)


def test_a_row_for_each_point_with_every_measure() -> None:
    study = prepared()
    sheet = points_sheet(study, intervals(study, made(study, lambda *_: 1)))
    assert len(sheet.rows) == len(study.points)
    assert all(len(row) == len(sheet.columns) for row in sheet.rows)


def test_a_study_of_more_points_than_can_be_kept_is_refused_before_they_are_made() -> None:
    many = [{"key": key, "values": list(range(1, 101))} for key in ("a", "b", "c", "d", "e")]
    with pytest.raises(StudyError, match="10,000,000,000 points of 4 replications are 40,000,000,000 runs"):
        prepared(parameters=many)
