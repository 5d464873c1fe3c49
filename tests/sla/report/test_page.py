from __future__ import annotations

import json
import re
from base64 import b64decode
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from simbench.base.errors import BadInput
from simbench.base.units import DAY_US, HOUR_US
from simbench.bench.report.findings_file import read_findings
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.ledger import MemoryLedger, Run, RunInfo, open_run
from simbench.reporting.style import look
from simbench.rules.rule import Case, judge
from simbench.sla.report import SlaRun, write_sla
from simbench.sla.report.builder import Report, report_of
from simbench.sla.report.page import html
from simbench.sla.report.pdf import pdf_octets
from simbench.sla.report.picture import Picture
from simbench.sla.report.tables import Table
from simbench.sla.report.translations import LANGUAGES, Words
from simbench.trace.trace import Trace
from tests.ledger.samples import decided
from tests.paris import CONTRACT
from tests.reporting.markup import Markup
from tests.sla.report.years import CODE, END, OTHER, START, minute, outages, run_of_year, traffic
from tests.sla.years import SERVICE_LEVEL

pytestmark = pytest.mark.slow

FIFTEEN = run_of_year(outages(15), traffic(outages(15)))


@cache
def made(language: str = "en", run: Run = FIFTEEN) -> tuple[Report, str]:
    return afresh(run, language)


def afresh(run: Run, language: str = "en") -> tuple[Report, str]:
    with look():
        report = report_of(SlaRun(run, load_contract(), language))
        return report, html(report)


def plain(text: str) -> str:
    return " ".join(text.split())


def finding(report: Report, clause: str) -> Finding:
    return next(one for one in report.view.findings if one.clause == clause)


@pytest.fixture(scope="module", params=LANGUAGES)
def both(request: pytest.FixtureRequest) -> tuple[Report, str]:
    return made(request.param)


def test_the_findings_are_those_of_the_rules() -> None:
    report, _ = made()
    case = Case(Trace(FIFTEEN), load_contract())
    assert list(report.view.findings) == [judge(purpose, case, "run") for purpose in SERVICE_LEVEL]


def test_every_number_of_a_finding_stands_in_the_page(both: tuple[Report, str]) -> None:
    report, page = both
    text, words = Markup(page).text, report.words
    availability = finding(report, "OPS-QOS-01")
    assert availability.outcome == "fail"
    assert plain(words.share(availability.measured)) in text
    assert plain(words.hours(finding(report, "OPS-QOS-02").measured or 0)) in text
    for verdict in report.verdicts:
        assert plain(verdict.sentence) in text
        assert (plain(verdict.finding.summary) in text) == (words.language == "en")
        assert verdict.outcome in text


def test_the_page_is_well_formed_and_fetches_nothing(both: tuple[Report, str]) -> None:
    _, page = both
    markup = Markup(page)
    assert markup.problems == []
    assert markup.handlers == []
    assert len(markup.ids) == len(set(markup.ids))
    assert not {"link", "img", "iframe", "object"} & set(markup.tags)
    assert page.count("<script") == 2  # our own, and the values it shows; neither has a source
    assert "<script src" not in page
    assert len(page) < 2_000_000
    assert all(reference.startswith(("#", "data:")) for reference in markup.references)
    assert not re.search(r"https?://", page.replace("http://www.w3.org/", ""))
    assert {one[1:] for one in markup.references if one.startswith("#")} <= set(markup.ids)


def test_each_exhibit_names_its_query_and_carries_its_data(both: tuple[Report, str]) -> None:
    report, page = both
    assert len(report.pictures) == 9
    exhibits: list[Picture | Table] = [*report.pictures, *report.tables]
    for shown in exhibits:
        assert f'download="{shown.name}.csv"' in page
        octets = re.search(rf'download="{shown.name}.csv" href="data:[^,]*,([^"]*)"', page)
        assert octets is not None
        lines = b64decode(octets[1]).decode().splitlines()
        assert lines[0].split(",") == list(shown.columns)
        assert len(lines) - 1 == len(next(iter(shown.columns.values())))
    for picture in report.pictures:
        assert picture.formula.split()[0] in Markup(page).text
    assert report.view.traffic.view in page.replace("&#34;", '"').replace("&#39;", "'").replace("&lt;", "<")


def test_the_curve_holds_the_rule_s_own_lowest_value() -> None:
    report, _ = made()
    columns = {picture.name: picture.columns for picture in report.pictures}["availability"]
    assert max(columns["spent_h"]) == 90
    spent_out = [1 - spent / 8760 for spent in columns["spent_h"]]
    assert min(spent_out) == pytest.approx(finding(report, "OPS-QOS-01").measured)


def test_months_add_up_to_the_year() -> None:
    report, _ = made()
    months = report.view.months
    assert len(months) == 12
    assert sum(month.unplanned_h for month in months) == pytest.approx(90)
    assert sum(month.hours for month in months) == 8760
    assert sum(month.accepted for month in months) == 2 * 365 * 120 + 15 * 1200
    assert sum(month.outages for month in months) == 15


def test_a_backlog_is_followed_until_it_is_gone() -> None:
    report, _ = made()
    assert len(report.view.recoveries) == 15
    assert {(one.at_end, one.most, one.gone_after_min) for one in report.view.recoveries} == {(1200, 1200, 2)}


def test_the_busiest_minutes_are_those_after_the_outages() -> None:
    report, page = made()
    table = next(table for table in report.tables if table.name == "busiest")
    assert table.columns["code"] == [CODE] * 10
    assert table.columns["messages"] == [600] * 10
    assert plain(f"{CODE} reached {report.words.share(1.0, 0)} of its tier") in Markup(page).text


def test_the_same_run_gives_the_same_octets() -> None:
    run = run_of_year(outages(2), traffic(outages(2), 40), end=START + 60 * DAY_US)
    (first, page), (second, again) = afresh(run), afresh(run)
    assert page == again
    assert pdf_octets(first) == pdf_octets(second)


def test_a_pdf_comes_without_a_browser(both: tuple[Report, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    octets = pdf_octets(both[0])
    assert octets.startswith(b"%PDF-")
    pages = int((re.search(rb"/Count (\d+)", octets) or [b"", b"0"])[1])
    assert pages >= 2 + len(both[0].pictures)


def test_a_year_without_traffic_names_the_charts_that_are_left_out() -> None:
    report, page = made(run=run_of_year(outages(2), []))
    assert {picture.name for picture in report.pictures} == {
        "availability",
        "restoration",
        "pattern",
        "calendar",
        "worst",
    }
    assert Words("en", CONTRACT)("absent.traffic") in Markup(page).text
    assert finding(report, "OPS-QOS-04").outcome == "unsupported"
    assert report.tone == "pass"


def test_a_code_of_which_nothing_was_accepted_is_drawn_empty() -> None:
    report, _ = made(run=run_of_year([], [minute(START, CODE, 60), minute(START, OTHER, 0, 5)]))
    assert {"throughput", "heat", "delivery"} <= {picture.name for picture in report.pictures}


def test_a_year_without_any_incident_keeps_its_promises() -> None:
    report, page = made("fr", run_of_year([], traffic([])))
    assert report.tone == "pass"
    assert Words("fr", CONTRACT)("result.restoration-none") in Markup(page).text


def test_less_than_a_year_is_called_provisional() -> None:
    report, page = made(run=run_of_year(outages(1), traffic(outages(1), 30), end=START + 30 * DAY_US))
    assert "provisional" in finding(report, "OPS-QOS-01").summary
    assert plain(report.words("page.provisional", length="30 d")) in Markup(page).text


def test_a_year_with_its_history_is_not_provisional() -> None:
    report, _ = made(run=run_of_year(outages(1), [], known_from=START - 366 * DAY_US))
    assert report.remarks == ()
    assert all(report.view.rolled.full)


def test_an_outage_that_still_lasts_at_the_end_is_drawn() -> None:
    lasting = msgspec.structs.replace(outages(1)[0], start=END - 3 * HOUR_US, end=None)
    report, page = made(run=run_of_year([lasting], []))
    assert report.words("answer.still-lasts") in Markup(page).text


def test_the_calendar_counts_every_civil_day_once() -> None:
    report, _ = made()
    for name, first in (("calendar", "day"), ("throughput", "from")):
        columns = next(picture.columns for picture in report.pictures if picture.name == name)
        days = [day[:10] for day in columns[first]][:365]
        assert len(set(days)) == 365
        assert all(before < after for before, after in pairwise(days))


def test_markup_in_a_ticket_stays_text() -> None:
    nasty = msgspec.structs.replace(outages(1)[0], ticket="<script>alert(1)</script>中文$x$")
    report, page = made(run=run_of_year([nasty], traffic(outages(1))))
    assert "<script>alert" not in page
    assert pdf_octets(report).startswith(b"%PDF-")


def test_the_files_agree_with_each_other(tmp_path: Path) -> None:
    findings, written = write_sla(tmp_path, SlaRun(FIFTEEN, load_contract(), "fr"), pdf=True)
    assert [path.name for path in written] == ["report.html", "findings.json", "data.json", "report.pdf"]
    assert read_findings(tmp_path / "findings.json").findings == findings
    data = json.loads((tmp_path / "data.json").read_text("utf-8"))
    assert set(data["exhibits"]) >= {"availability", "restoration", "throughput", "heat", "months", "incidents"}
    for exhibit in data["exhibits"].values():
        assert len({len(column) for column in exhibit["columns"].values()}) == 1


def heading(report: Report, name: str) -> str:
    return next(picture.heading for picture in report.pictures if picture.name == name)


def test_the_heading_of_a_budget_overdrawn_early_agrees_with_the_verdict() -> None:
    """87.6 h are one hundredth of the year, but more than that of the hour less that a window has in spring."""
    report, _ = made(run=run_of_year(outages(1, 87.6), []))
    assert finding(report, "OPS-QOS-01").outcome == "fail"
    assert "were lost, more than the" in heading(report, "availability")
    assert report.keys[0].tone == "fail"


def test_a_heading_is_about_whole_windows_only() -> None:
    """The curve of the first months lies lower than that of the one whole window."""
    report, _ = made(run=run_of_year(outages(1, 4), []))
    assert heading(report, "availability").startswith("Over every whole window availability was at least 99.95")


def test_a_provisional_figure_is_neither_good_nor_bad() -> None:
    report, page = made(run=run_of_year(outages(1), [], end=START + 30 * DAY_US))
    assert report.keys[0].tone == ""
    # the window that ends on 31 January 2025 holds 29 February: 8,784 hours
    note = report.words("key.provisional_note", left="81 h 50 min 24 s", allowed="87 h 50 min 24 s")
    assert plain(note) in Markup(page).text


def test_the_curve_stays_within_its_picture() -> None:
    for number, hours in ((1, 400), (15, 6), (0, 1)):
        report, _ = made(run=run_of_year(outages(number, hours), []))
        (picture,) = (one for one in report.pictures if one.name == "availability")
        axes = picture.panels[0].axes
        low, high = axes.get_ylim()
        drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.lines])
        assert low < float(np.nanmin(drawn))
        assert float(np.nanmax(drawn)) < high


def test_thousands_of_incidents_are_cut_to_a_page_that_notes_the_cut() -> None:
    many = [
        msgspec.structs.replace(
            outages(1)[0], ticket=f"S{n}", start=START + n * 2 * HOUR_US, end=START + n * 2 * HOUR_US + n
        )
        for n in range(1, 3000)
    ]
    report, page = made(run=run_of_year(many, []))
    assert len(page) < 2_000_000
    assert plain(report.words("table.cut", shown="400", all="2,999")) in Markup(page).text
    assert "S2999" in page


def test_each_incident_of_a_figure_leads_to_its_row() -> None:
    _, page = made()
    led = set(re.findall(r'href="#(incident-\d+)"', page))
    assert len(led) == 15
    assert all(f'<tr id="{row}"' in page for row in led)


def test_a_run_whose_wire_is_lost_covers_no_period() -> None:
    """A killed run may have decisions of the centre, and not one octet of the wire."""
    ledger = MemoryLedger(RunInfo(run="lost"))
    ledger.centre.append(decided(START))
    with pytest.raises(BadInput, match="record: nothing happened in it; expected a period of time"):
        report_of(SlaRun(open_run(ledger), CONTRACT))
