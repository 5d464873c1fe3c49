"""`report` of every kind of result: its page, its files, its figures."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from matplotlib.figure import Figure

import simbench
from simbench import Frame, dialup, roaming
from simbench.base.errors import BadInput
from tests.api.test_executors import world
from tests.planning.plans import sending

ACTS = {"codes": [{"code": "36010", "opened": "2016-09-01"}]}
MONTH = {
    "name": "m", "title": "M", "months": "2000-09", "minutes": 500_000, "pools": [{"name": "paris", "ports": 100}],
}  # fmt: skip
PLANNED = {
    "name": "small", "period": {"from": "2026-03", "months": 1}, "sendings": [sending(volume=40_000)],
    "replications": 10,
}  # fmt: skip
STUDY = {"parameters": [{"key": "codes.0.rate_per_s", "values": [10, 20]}], "replications": 2, "block": 2}
COUNTS = {"month": ["2016-10"], "code": ["36010"], "delivered": [1000]}
PNG, SVG = b"\x89PNG", b"<svg"

THINGS: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "run": (lambda: simbench.simulate(world()), {"report.html", "findings.json", "data.json"}),
    "findings": (lambda: simbench.judge(simbench.simulate(world())), {"report.html", "findings.json", "incidents.csv"}),
    "plan": (lambda: simbench.plan(PLANNED), {"report.html", "plan.json", "mixes.csv", "orders.csv"}),
    "sweep": (lambda: simbench.sweep(STUDY, world=world(), executor=1), {"report.html", "points.csv"}),
    "bill": (lambda: simbench.bill(Frame.of(COUNTS, "counts"), ACTS), {"invoices.html"}),
    "settlement": (lambda: dialup.simulate(MONTH), {"report.html"}),
    "travels": (lambda: roaming.simulate("roaming/02_a_lower_cap", subscribers=50), {"report.html", "findings.json"}),
    "session": (lambda: simbench.conform("reference", "refusals"), {"report.html", "findings.json", "junit.xml"}),
}
WITH_PDF = {"run", "findings"}
WITHOUT_FIGURES = {"bill", "travels"}


@pytest.fixture
def _open_mask() -> Iterator[None]:
    """Let new files be readable by everybody, unless their writer prevents it."""
    mask = os.umask(0)
    yield
    os.umask(mask)


def open_to_others(folder: Path) -> list[Path]:
    """Return the files that others may read below a folder which they may enter."""
    found = [path for path in folder.iterdir() if S_IMODE(path.stat().st_mode) & 0o077]
    return [each for path in found for each in (open_to_others(path) if path.is_dir() else [path])]


@pytest.mark.usefixtures("_open_mask")
@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one == "session")) for one in THINGS])
def test_a_report_has_a_page_its_files_and_its_figures(name: str, tmp_path: Path) -> None:
    make, files = THINGS[name]
    page = simbench.report(make())
    assert page.html.lstrip().lower().startswith("<!doctype html>")
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.html), "it needs nothing beside itself"
    (tmp_path / "out").mkdir(0o755)
    written = page.save(tmp_path / "out")
    named = {path.relative_to(tmp_path / "out").as_posix() for path in written}
    assert files <= named, named
    assert all(path.stat().st_size for path in written if path.suffix in {".html", ".json", ".csv", ".xml"})
    for path in written:
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
    assert page.save(tmp_path / "out"), "and again over what it wrote"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput):
        page.save(tmp_path / "other")
    if name in WITH_PDF:
        pdf = [path for path in page.save(tmp_path / "out", pdf=True) if path.suffix == ".pdf"]
        assert [path.read_bytes()[:4] for path in pdf] == [b"%PDF"]
    else:
        with pytest.raises(BadInput, match=r"^pdf: this report has no such form; expected"):
            page.save(tmp_path / "out", pdf=True)
    assert open_to_others(tmp_path / "out") == []
    assert bool(page.figures) == (name not in WITHOUT_FIGURES)
    for figure in page.figures:
        assert isinstance(page.figure(figure), Figure), figure
        page.figure(figure).savefig(tmp_path / "figure.png", dpi=40)
        assert (tmp_path / "figure.png").read_bytes()[:4] == PNG
    with pytest.raises(BadInput) as seen:
        page.figure("availabillity")
    assert str(seen.value).startswith("figure: is 'availabillity'; expected ")
    assert all(figure in str(seen.value) for figure in page.figures) or "availability" in str(seen.value)
    assert "srcdoc=" in page._repr_html_()


INTO_FOLDERS: dict[str, Callable[[Path], Any]] = {
    "run": lambda folder: simbench.simulate(world(), folder=folder),
    "runs": lambda folder: simbench.simulate(world(), folder=folder, replications=2, executor=1),
    "sweep": lambda folder: simbench.sweep(STUDY, world=world(), folder=folder, executor=1),
    "session": lambda folder: simbench.conform("reference", "refusals", folder=folder),
}


@pytest.mark.usefixtures("_open_mask")
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[pytest.mark.slow] * (one == "session")) for one in INTO_FOLDERS]
)
def test_a_folder_that_a_function_fills_is_its_owner_s(name: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(0o755)
    INTO_FOLDERS[name](tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("*"))) > 2
    assert open_to_others(tmp_path / "out") == []


@pytest.mark.parametrize("thing", [3, None, simbench.Findings([])])
def test_what_has_no_report_is_refused(thing: Any) -> None:
    with pytest.raises(BadInput) as seen:
        simbench.report(thing)
    assert "\n" not in str(seen.value)


def test_language_and_measure_are_checked_at_the_call() -> None:
    run = simbench.simulate(world())
    with pytest.raises(BadInput, match=r"^language: is 'de'"):
        simbench.report(run, language="de")  # type: ignore[arg-type]  # what is tested
    study = simbench.sweep(STUDY, world=world(), executor=1)
    with pytest.raises(BadInput, match=r"^measure: is 'lateness'; expected "):
        simbench.report(study, measure="lateness")
    assert 'lang="fr"' in simbench.report(run, language="fr").html
