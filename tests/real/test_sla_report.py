"""The service level report in a real browser: values under the pointer, rows of incidents, zoom, and no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from simbench.contract import load_contract
from simbench.reporting.style import look
from simbench.sla.report import SlaRun
from simbench.sla.report.builder import report_of
from simbench.sla.report.page import html
from tests.real.test_console import WAIT_MS, browser
from tests.sla.report.years import outages, run_of_year, traffic

pytestmark = pytest.mark.real
MOST_OCTETS = 2_000_000


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a year with fifteen outages, in one file."""
    with look():
        page = html(report_of(SlaRun(run_of_year(outages(15), traffic(outages(15))), load_contract(), "en")))
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, "utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def opened(chromium: Browser, report: Path, width: int = 1200, *, scripts: bool = True) -> Page:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, java_script_enabled=scripts, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(report.as_uri())
    return page


def middle(page: Page, name: str, panel: int = 0) -> tuple[float, float, float]:
    """A point in the middle of a panel of a figure, and a sixth of its width, in pixels of the window."""
    page.locator(f"#{name} svg").scroll_into_view_if_needed()
    x, y, part = page.evaluate(
        """([name, panel]) => {
            const box = JSON.parse(document.getElementById("plots").textContent)[name][panel].box;
            const there = document.querySelector(`#${name} svg`).getScreenCTM();
            const at = (x, y) => new DOMPoint(x, y).matrixTransform(there);
            const found = at((box[0] + box[2]) / 2, (box[1] + box[3]) / 2);
            return [found.x, found.y, (at(box[2], 0).x - at(box[0], 0).x) / 6];
        }""",
        [name, panel],
    )
    return x, y, part


def test_the_report_is_one_file_that_asks_for_nothing_else(chromium: Browser, report: Path) -> None:
    assert len(report.read_bytes()) < MOST_OCTETS
    context = chromium.new_context(viewport={"width": 1200, "height": 900}, reduced_motion="reduce")
    page, requested, problems = context.new_page(), list[str](), list[str]()
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.goto(report.as_uri())
    page.mouse.move(*middle(page, "availability")[:2])
    assert requested == [report.as_uri()]
    assert problems == []


@pytest.mark.parametrize("name", ["availability", "worst"])
def test_the_pointer_on_a_curve_shows_its_values(name: str, chromium: Browser, report: Path) -> None:
    page = opened(chromium, report)
    x, y, _ = middle(page, name)
    expect(page.locator(".tip")).to_be_hidden()
    page.mouse.move(x, y)
    shown = page.locator(".tip")
    expect(shown).to_be_visible()
    lines = shown.inner_text().splitlines()
    assert re.search(r"\d\s\w{3} 2025", lines[0])
    assert all(re.search(r": .*\d", line) for line in lines[1:])
    assert len(lines) > 1
    page.mouse.move(5, 5)
    expect(shown).to_be_hidden()


def test_a_click_on_an_incident_leads_to_its_row(chromium: Browser, report: Path) -> None:
    page = opened(chromium, report)
    bar = page.locator("#availability svg a[href^='#incident-']").nth(3)
    target = bar.get_attribute("href")
    assert target is not None
    row = page.locator(target)
    expect(row).not_to_be_in_viewport()
    bar.scroll_into_view_if_needed()
    bar.locator("path").first.click()
    expect(page).to_have_url(re.compile(f"{re.escape(target)}$"))
    expect(row).to_be_in_viewport()
    expect(row).to_contain_text("S4")


def test_a_drag_enlarges_a_part_of_a_curve_and_a_double_click_shows_all_again(chromium: Browser, report: Path) -> None:
    page = opened(chromium, report)
    x, y, part = middle(page, "availability")
    figure = page.locator("#availability svg").first
    whole = figure.get_attribute("viewBox")
    assert whole is not None
    page.mouse.move(x - part, y)
    page.mouse.down()
    page.mouse.move(x + part, y + 5, steps=4)
    page.mouse.up()
    expect(figure).not_to_have_attribute("viewBox", whole)
    wide = float((figure.get_attribute("viewBox") or "").split()[2])
    assert wide == pytest.approx(float(whole.split()[2]) / 3, rel=0.25)
    page.mouse.dblclick(x, y)
    expect(figure).to_have_attribute("viewBox", whole)


def test_another_variant_is_drawn_on_demand(chromium: Browser, report: Path) -> None:
    page = opened(chromium, report)
    assert page.locator("#show-V2").count() == 1
    assert page.locator("#show-V1").count() == 0  # the contract's own is always drawn


@pytest.mark.parametrize("width", [1200, 390])
def test_everything_can_be_read_without_scripts_and_nothing_is_wider_than_the_window(
    width: int, chromium: Browser, report: Path
) -> None:
    page = opened(chromium, report, width, scripts=False)
    for name in ("availability", "restoration", "calendar", "worst", "recovery"):
        expect(page.locator(f"#{name} svg").first).to_be_visible()
    expect(page.locator("#incidents tbody tr")).to_have_count(15)
    expect(page.locator(".hint")).to_be_hidden()  # it speaks of what only a script does
    boxes = [one.bounding_box() for one in (page.locator("header"), page.locator("#findings"), page.locator("footer"))]
    assert all(box is not None and box["x"] + box["width"] <= width for box in boxes)
