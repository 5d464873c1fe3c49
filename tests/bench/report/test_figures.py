from __future__ import annotations

import re

import pytest

from simbench.base.units import SECOND_US
from simbench.bench.report import Judgement
from simbench.bench.report.figures.catalogue import Album, Group, draw_all
from simbench.finding import Finding
from simbench.reporting import style
from tests.bench.report import simulated
from tests.bench.report.cases import judgement
from tests.bench.report.simulated import START, Simulation, exercise
from tests.reporting.markup import Markup

RATE = Finding("rate.x", "OPS-ENG-01", "pass", "Fine.", exercise="x")


@pytest.fixture(scope="module")
def album(judged: Judgement) -> Album:
    return draw_all(judged)


def _groups(album: Album, chapter: str) -> tuple[Group, ...]:
    return next(one.groups for one in album.chapters if one.name == chapter)


def _group(album: Album, chapter: str, words: str) -> Group:
    """Return the group with these words in its heading, among other figures."""
    (found,) = (group for group in _groups(album, chapter) if words in group.heading)
    return found


def _headings(album: Album, chapter: str) -> list[str]:
    return [group.heading for group in _groups(album, chapter)]


def test_each_code_has_a_panel_with_rate_peak_and_tier(album: Album) -> None:
    panels = album.chapters[0].groups[0].drawings
    reported = [panel.heading for panel in panels]
    assert [heading[:5] for heading in reported] == sorted(simulated.TIERS)
    assert re.fullmatch(r"36020: (19\.9|20|20\.1)/s on average, at most 2[01] in any second, tier 20/s", reported[1])


def test_the_conclusion_names_the_code_above_its_tier_and_no_other(album: Album) -> None:
    assert re.fullmatch(
        r"36050 \(5[78] in one second, 50 allowed\) went above the tier", _headings(album, "at-tier")[0]
    )


def test_bunching_within_the_jitter_allowance_is_no_excess() -> None:
    drawn = draw_all(judgement(exercise("x", "", lambda: simulated.at_tier(5)), found=[RATE]))
    assert _headings(drawn, "x")[0] == "All 5 codes stayed within the tier, except for bunching of at most 50 ms"


def test_the_figure_of_an_outage_shows_its_length_and_the_return(album: Album) -> None:
    reported = _headings(album, "outage")[0]
    assert reported.startswith("The platform was down for 15 s; the first message was accepted 1.01 s after its return")
    assert reported.endswith("every message was settled")


def test_a_client_that_does_not_come_back_is_shown() -> None:
    drawn = draw_all(judgement(exercise("x", "", lambda: simulated.outage(back=False)), found=[]))
    assert re.search(r"nothing was accepted after its return; \d+ messages? not settled", _headings(drawn, "x")[0])


def test_a_few_returns_are_reported_beside_their_bars_and_many_are_not() -> None:
    for outages in (2, 9):
        world = Simulation()
        for number in range(outages):
            world.event(START + 2 * number * SECOND_US, "outage", "total", mode="silent")
            world.event(START + (2 * number + 1) * SECOND_US, "restored", "total", mode="silent")
        drawn = draw_all(judgement(exercise("x", "", world.trace), found=[]))
        reported = drawn.chapters[0].groups[0].drawings[0].svg.count("nothing accepted<")
        assert reported == (2 if outages == 2 else 0)


def test_refused_connections_that_leave_no_trace_are_mentioned() -> None:
    drawn = draw_all(judgement(exercise("x", "", lambda: simulated.outage(mode="cut")), found=[]))
    assert "leave no tick" in drawn.chapters[0].groups[0].drawings[0].note


def test_the_figure_of_waits_shows_both_medians(album: Album) -> None:
    reported = next(heading for heading in _headings(album, "at-tier") if heading.startswith("Half"))
    assert re.fullmatch(
        r"Half of the submits were answered within [78][.\d]* ms; "
        r"half of the notifications came within (3\.[89]|4\.?[0-3]?)\d* s of the result",
        reported,
    )


def test_the_figure_of_delays_shows_offered_and_acknowledged_rate_and_the_longest_wait(album: Album) -> None:
    group = _group(album, album.chapters[2].name, "holds answers back")
    assert re.fullmatch(r"Where the platform holds answers back, the longest took \d[.\d]* s", group.heading)
    assert "offered, 20/s acknowledged, tier 20/s" in group.drawings[0].heading


def test_refusals_are_named_by_code_and_meaning(album: Album) -> None:
    group = _group(album, album.chapters[0].name, "were refused")
    assert re.search(r"submits were refused, most with error code 04; \d+ got no answer", group.heading)
    assert "06 the recipient's address is not valid" in group.drawings[0].svg


def test_every_axis_names_its_quantity_and_unit(album: Album) -> None:
    for chapter in album.chapters:
        for group in chapter.groups:
            for drawing in group.drawings:
                text = Markup(drawing.svg).text
                assert re.search(r"\((s|ms|min|h|s, logarithmic)\)|submits( \(logarithmic\))? accepted", text), text


def test_pictures_are_well_formed_and_carry_their_conclusion(album: Album) -> None:
    for chapter in album.chapters:
        for group in chapter.groups:
            for drawing in group.drawings:
                assert Markup(drawing.svg).problems == []
                assert drawing.svg.startswith('<svg role="img" aria-label="')


def test_colours_are_variables_and_no_date_is_inside(album: Album) -> None:
    svg = "".join(drawing.svg for chapter in album.chapters for group in chapter.groups for drawing in group.drawings)
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#ffffff", "#000000"}
    assert "<metadata" not in svg
    assert set(re.findall(r"var\(--(\w+)\)", svg)) <= set(style.COLOURS)


def test_a_code_keeps_its_colour_from_exercise_to_exercise() -> None:
    colours = style.colours_of(["36050", "36010"])
    assert colours == style.colours_of(["36010", "36050"])
    assert len(set(style.colours_of([str(code) for code in range(36010, 36016)]).values())) == 6


def test_pictures_stay_small_however_long_the_run() -> None:
    world = Simulation()
    world.limit("36010", 10)
    session = world.login("36010", START)
    for number in range(3000):
        at = START + number * 600_000_000
        world.submit((session, "36010"), at, world.ask("36010", at))
    drawn = draw_all(judgement(exercise("x", "", world.trace), found=[RATE]))
    sizes = [len(drawing.svg) for group in drawn.chapters[0].groups for drawing in group.drawings]
    assert max(sizes) < 60_000


def test_figures_without_data_are_not_drawn() -> None:
    empty = exercise("x", "", lambda: Simulation().trace())
    assert draw_all(judgement(empty, empty, found=[RATE])).chapters == ()


def test_pictures_beyond_the_budget_are_left_out_and_counted(judged: Judgement) -> None:
    drawn = draw_all(judged, budget_octets=1000)
    assert drawn.chapters == ()
    assert drawn.left_out > 0


def test_a_page_has_the_pictures_of_what_did_not_pass_and_no_others() -> None:
    both = (exercise("x", "", lambda: simulated.at_tier(5)), exercise("y", "", lambda: simulated.at_tier(5)))
    failed = Finding("rate.y", "OPS-ENG-01", "fail", "57 in a second", exercise="y")
    opened = draw_all(judgement(*both, found=[RATE, failed]), of_findings=True)
    assert [chapter.name for chapter in opened.chapters] == ["y"]
    assert [group.heading[:3] for group in opened.chapters[0].groups] == ["All"]  # of rates, no waiting times
    passed = draw_all(judgement(*both, found=[RATE]), of_findings=True)
    assert [chapter.name for chapter in passed.chapters] == ["x"]


def test_what_breaks_the_protocol_has_no_picture_of_waits() -> None:
    run = exercise("x", "", lambda: simulated.at_tier(5))
    for purpose, drawn in (("submits.violations", False), ("submits.late-results", True)):
        failed = Finding(purpose, "OPS-ACH-03", "fail", "3 missing", exercise="x")
        chapters = draw_all(judgement(run, found=[failed]), of_findings=True).chapters
        headings = [group.heading for chapter in chapters for group in chapter.groups]
        assert any("submits were answered" in heading for heading in headings) == drawn, purpose


def test_any_text_may_stand_in_a_picture() -> None:
    assert style.label("36020") == "36020"
    assert style.label("日本\x00$a$") == "???$a$"
    assert len(style.label("x" * 100)) == 28
