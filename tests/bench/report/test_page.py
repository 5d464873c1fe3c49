from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.bench.report import Judgement, write_report
from simbench.bench.report.page import page
from simbench.finding import OUTCOMES, Evidence, Finding
from simbench.reporting.format import SYMBOLS, WORST_FIRST
from tests.bench.report.cases import FRAME, judgement
from tests.bench.report.simulated import START, Simulation, exercise
from tests.reporting.markup import Markup

HOSTILE = (
    "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&$\\frac{1}{0}$\x00\x1b\ud800"
)


def _fail(summary: str, *evidence: Evidence, clause: str = "OPS-ACH-03") -> Finding:
    return Finding(f"{clause}/slug", clause, "fail", summary, evidence=evidence)


def test_tags_match_and_identifiers_are_unique(html: str) -> None:
    seen = Markup(html)
    assert seen.problems == []
    assert len(seen.ids) == len(set(seen.ids))


def test_every_reference_leads_to_a_place_in_the_page(html: str) -> None:
    seen = Markup(html)
    assert seen.references
    assert {reference for reference in seen.references if reference[1:] not in seen.ids} == set()
    assert {found for found in re.findall(r"url\(#([^)]+)\)", html) if found not in seen.ids} == set()


def test_the_page_loads_nothing_from_outside(html: str) -> None:
    assert "://" not in html
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert "script" not in Markup(html).tags


def test_the_page_is_small(html: str) -> None:
    assert len(html.encode()) < 3_000_000


def test_every_finding_appears_with_its_outcome_in_words_and_symbol(judged: Judgement, html: str) -> None:
    text = Markup(html).text
    assert {finding.outcome for finding in judged.findings} == set(OUTCOMES)
    for finding in judged.findings:
        assert finding.purpose in text
        assert finding.summary in text
        assert f"{SYMBOLS[finding.outcome]} {finding.outcome}" in text


def test_findings_stand_worst_first(judged: Judgement, html: str) -> None:
    table = html[html.index('<section id="findings">') : html.index('<section id="evidence">')]
    listed = [one for one in judged.findings if one.outcome != "pass"]
    places = sorted(listed, key=lambda finding: table.index(finding.purpose))
    ranks = [WORST_FIRST.index(finding.outcome) for finding in places]
    assert ranks == sorted(ranks)


def test_the_verdict_follows_the_exit_status(html: str) -> None:
    assert "does not conform" in Markup(html).text
    passed = Finding("rate.a", "OPS-ACH-04", "pass", "Fine.")
    assert "All 2 purposes passed." in Markup(page(judgement(found=[passed, passed]))).text
    assert "Gateway 2.4.1 conforms" in Markup(page(judgement(found=[passed]))).text
    unsure = Finding("rate.b", "OPS-ACH-04", "inconclusive", "Late.", blame="bench")
    assert "conformance undetermined" in Markup(page(judgement(found=[passed, unsure]))).text


def test_run_facts_name_seed_contract_and_versions(judged: Judgement, html: str) -> None:
    text = Markup(html).text
    for reported in (
        "Fictional Gateway",
        "2.4.1",
        "20161003",
        judged.contract.digest,
        "5 min 12.5 s",
        "10:00:00.000000 +02:00",
    ):
        assert reported in text


def test_evidence_shows_clause_key_term_and_status_of_its_numbers(judged: Judgement, html: str) -> None:
    text = Markup(html).text
    clause = judged.contract.clause("OPS-ENG-01")
    assert clause.gist in text
    assert f"« {clause.key_term} »" in text
    assert "brochure, line 188" in text
    assert "throughput.jitter_ms 50 ms assumption" in text
    assert "marketing.closes_at_h 22 hour of day seed, brochure, line 226" in text


def test_evidence_frames_are_decoded_field_by_field(html: str) -> None:
    text = Markup(html).text
    assert "51 submit short message, operation, TRN 07" in text
    assert "VP end of the validity period 0510161200 2016-10-05 12:00" in text
    assert "'Code 4711 #00A7B': GSM 7-bit, 16 septets, 1 segment" in text
    assert "Rsn reason 107 absent subscriber" in text
    assert "Dst delivery status 2 not delivered" in text


def test_intervals_are_paris_civil_time_to_the_microsecond(html: str) -> None:
    assert "2016-10-03 10:00:21.000123 to 10:00:22.000123 +02:00 (1 s)" in Markup(html).text


def test_real_numbers_and_passwords_are_hidden_and_fictional_numbers_are_not(judged: Judgement, html: str) -> None:
    assert "33612345678" not in html
    assert b"33612345678".hex() not in html.lower()
    assert b"s3cret".hex() not in html.lower()
    assert "*********78" in html
    assert "33639980001" in html
    open_page = page(judged, mask=False)
    assert "33612345678" in open_page
    assert FRAME.hex().upper() in open_page


def test_numbers_in_summaries_and_notes_are_hidden() -> None:
    found = _fail("33612345678 got two messages.", Evidence("sent to 0612345678"))
    html = page(judgement(found=[found]))
    assert "12345678" not in html
    assert "*********78 got two messages." in html


def test_text_of_the_client_cannot_inject_markup() -> None:
    world = Simulation()
    session = world.login("nobody", START)
    for number in range(40):
        world.submit((session, "<b>$x$\\frac"), START + SECOND_US + number, ("", "33639980001", "x"), -1)
    evidence = Evidence(HOSTILE, START, 0, 1, b"\x02<script>alert(1)</script>\x03".hex())
    finding = Finding(
        f"rate.{HOSTILE}",
        "OPS-ACH-04",
        "fail",
        HOSTILE,
        1,
        2,
        HOSTILE,
        assumed=(HOSTILE,),
        evidence=(evidence,),
        exercise="x",
    )
    hostile = replace(
        judgement(exercise("x", HOSTILE, world.trace), found=[finding]), info={"system": HOSTILE, HOSTILE: HOSTILE}
    )  # fmt: skip
    html = page(hostile)
    seen = Markup(html)
    assert seen.problems == []
    assert seen.handlers == []
    assert {"script", "img"} & set(seen.tags) == set()
    assert any(heading.startswith("<b>$x$\\frac: ") for heading in seen.headings)
    assert seen.tags.count("title") == 1
    assert seen.tags.count("style") == 1
    assert "\x00" not in html
    assert "alert(1)" in seen.text


def test_octets_that_are_not_a_frame_are_still_shown() -> None:
    found = _fail(
        "Broken.", Evidence("not hex", frame="zz"), Evidence("cut", frame="0230"), Evidence("sum", frame="023003")
    )
    text = Markup(page(judgement(found=[found]))).text
    assert "not hexadecimal" in text
    assert "octets without an ETX" in text
    assert "Not well formed:" in text


def test_a_clause_that_the_contract_lacks_is_reported() -> None:
    text = Markup(page(judgement(found=[_fail("Odd.", clause="OPS-XXX-99")]))).text
    assert "The contract has no clause OPS-XXX-99." in text


def test_the_same_judgement_gives_the_same_octets(judged: Judgement, html: str) -> None:
    assert page(judged) == html


def test_an_empty_run_gives_a_readable_page(tmp_path: Path) -> None:
    write_report(tmp_path / "deep" / "report.html", judgement(found=[]))
    seen = Markup((tmp_path / "deep" / "report.html").read_text("utf-8"))
    assert seen.problems == []
    assert "Nothing was judged" in seen.text
    assert "No finding has a picture." in seen.text


def test_much_evidence_is_cut_and_the_rest_counted() -> None:
    found = _fail("Much.", *(Evidence(f"piece {number}", frame=FRAME.hex()) for number in range(500)))
    html = page(judgement(found=[found] * 40))
    assert len(html) < 3_000_000
    assert "495 further pieces of evidence: see findings.json." in Markup(html).text


def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="a file that can be written"):
        write_report(tmp_path / "file" / "report.html", judgement(found=[]))


def test_repeated_evidence_is_folded() -> None:
    frames = [Evidence("too early", START + second, START + second, 1, FRAME.hex().upper()) for second in range(3)]
    other = Evidence("another", START + 9, START + 9, 1, FRAME.hex().upper())
    html = page(judgement(found=[Finding("rate.x", "OPS-ENG-01", "fail", "4 too early", evidence=(*frames, other))]))
    assert html.count("<summary>too early, ") == 2
    assert html.count("<summary>another") == 0


def test_values_on_which_a_verdict_does_not_depend_are_folded() -> None:
    html = page(judgement(found=[Finding("rate.x", "OPS-ENG-01", "fail", "early", assumed=("throughput.jitter_ms",))]))
    assert "<summary>1 further value of the clause" in html
    shown, folded = (html.index(f"{name}</code></th>") for name in ("jitter_ms", "reconnect_attempts_per_minute"))
    assert shown < folded
