"""`report`: the page, figures and files of any result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simbench.api.billing import Bill
from simbench.api.contracts import Language, contract_for
from simbench.api.judging import Inputs, judge_record
from simbench.api.planning import Plan, Sweep
from simbench.api.runs import Run, open_run
from simbench.base.entry_points import loaded, place_of, shipped
from simbench.base.errors import BadInput
from simbench.base.json_files import write_octets
from simbench.base.outputs import claim
from simbench.base.progress import in_notebook
from simbench.base.python_words import in_python_words
from simbench.base.toml_files import choice
from simbench.contract import Contract
from simbench.findings import Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simbench.api.sessions import Session
    from simbench.dialup.public import Settlement
    from simbench.roaming.public import Travels

Reported = "Run | Findings | Session | Plan | Sweep | Bill | Settlement | Travels | Path | str"
EXPECTED = "a run, findings, a session, a plan, a sweep, a bill, a settlement, travels, or the folder of a run"
Page = Callable[[], str]
Write = Callable[[Path, bool], object]
GROUP: Final = "simbench.reports"
"""Entry points of packages with reports: each is a function from a result to a `Report`."""


class Report:
    """The report of a result: one page, its figures, and the files that `save` writes.

    Page and figures are drawn on first use. A report of your own consists of a `title` and a function that returns the
    page as HTML; `write` writes the files into a folder, by default only the page.

    >>> page = report(simulate("year/01_quiet_day"))
    >>> sorted(page.figures)[:2]
    ['availability', 'calendar']
    """

    def __init__(self, title: str, page: Page, write: Write | None = None, *, has_pdf: bool = False) -> None:
        self.title = title
        self._page, self._write, self._has_pdf = page, write or self._write_page, has_pdf

    @cached_property
    def _drawn(self) -> tuple[str, dict[str, Figure]]:
        from simbench.reporting.kept import keeping_figures

        with keeping_figures() as figures:
            return self._page(), figures

    @property
    def html(self) -> str:
        """The page as self-contained HTML."""
        return self._drawn[0]

    @property
    def figures(self) -> Mapping[str, Figure]:
        """Every figure of the page by name, as matplotlib figures."""
        return self._drawn[1]

    def figure(self, name: str) -> Figure:
        """Return one figure by name, such as "availability".

        Raises BadInput, which lists the names, for an unknown one.
        """
        if name not in self.figures:
            raise BadInput("figure", f"is {name!r:.60}", choice(name, self.figures))
        if in_notebook():
            shown_in_notebooks()
            self.figures[name].set_facecolor("white")  # figures of the page are transparent, and a notebook may be dark
        return self.figures[name]

    @in_python_words
    def save(self, folder: Path | str, *, pdf: bool = False) -> list[Path]:
        """Write the report and its other files into a folder, and return their paths.

        The folder is a new one, or one that simbench wrote. Raises BadInput for any other, and for `pdf` if the report
        has no such form.
        """
        if pdf and not self._has_pdf:
            raise BadInput("pdf", "this report has no such form", "the report of a service level")
        home = Path(folder)
        claim(home, "folder")
        before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
        self._write(home, pdf)
        written = (path for path in home.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path for path in written if before.get(path) != path.stat().st_mtime_ns)

    def _write_page(self, folder: Path, _pdf: bool) -> None:
        write_octets(folder / "report.html", self.html)

    def __repr__(self) -> str:
        return f"<Report of {self.title}>"

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self.html)}" width="100%" height="600" title="{escape(self.title)}"></iframe>'


@in_python_words
def report(
    thing: Run | Findings | Session | Plan | Sweep | Bill | Settlement | Travels | Path | str,
    *,
    language: Language = "en",
    contract: Contract | Path | str | None = None,
    measure: str = "",
    form: str = "",
) -> Report:
    """Return the report of a result, the same as the command of its kind writes with `-o`.

    `thing`: a result of `simulate`, `judge`, `conform`, `plan`, `sweep`, `bill`, `dialup.simulate` or
    `roaming.simulate`, or the folder of a run or of a session. `language` is that of the page, if it has several.
    `contract` replaces that of a run. `measure` is the measure on the page of a sweep. `form` is the name of another
    package's report; it gets the result, or the run or session of a folder.

    Raises BadInput for anything else, and for findings without a report.

    >>> page = report(simulate("year/01_quiet_day"))
    >>> page.figure("availability")
    <Figure size ...>
    """
    if form:
        return _in_form(form, thing, contract)
    if isinstance(thing, Path | str):
        return _of_folder(Path(thing), language, contract)
    if isinstance(thing, Run):
        return _of_run(thing, language, contract)
    if isinstance(thing, Findings):
        return _of_findings(thing, language)
    if isinstance(thing, Sweep):
        return _of_sweep(thing, language, measure)
    return _of_plan(thing, language) if isinstance(thing, Plan) else _of_others(thing)


def forms() -> tuple[str, ...]:
    """Return the names of other packages' reports."""
    return tuple(sorted(shipped(GROUP)))


def _in_form(form: str, thing: object, contract: Contract | Path | str | None) -> Report:
    from simbench.api.sessions import is_session, read_session

    entry = shipped(GROUP).get(form)
    if entry is None:
        expected = choice(form, forms()) if forms() else "an installed package that ships it"
        raise BadInput("--form", f"is {form!r:.60}", expected)
    make = loaded(entry)
    if isinstance(thing, Path | str):
        known = str(contract) if isinstance(contract, Path) else contract
        thing = read_session(thing, known) if is_session(Path(thing)) else open_run(thing)
    made = make(thing) if callable(make) else make
    if not isinstance(made, Report):
        raise BadInput(place_of(entry), f"its report {form} is a {type(made).__name__}", "a simbench.Report")
    return made


def _of_folder(folder: Path, language: Language, contract: Contract | Path | str | None) -> Report:
    from simbench.api.sessions import is_session, read_session

    if is_session(folder):
        known = str(contract) if isinstance(contract, Path) else contract
        return _of_session(read_session(folder, known))
    return _of_run(open_run(folder), language, contract)


def _of_run(run: Run, language: Language, contract: Contract | Path | str | None) -> Report:
    from simbench.api.audit import of_a_capture

    if of_a_capture(run.ledger):
        problem = "is the ledger of a capture, which is too short for a service level"
        raise BadInput(str(run.folder or run.name), problem, "simbench judge, or the folder of a run")
    from simbench.sla.report import SlaRun, write_sla
    from simbench.sla.report.page import sla_page

    asked = SlaRun(run.ledger, contract_for(run.ledger, contract), language)
    return Report(
        run.name, lambda: sla_page(asked), lambda folder, pdf: write_sla(folder, asked, pdf=pdf), has_pdf=True
    )


def _of_findings(findings: Findings, language: Language) -> Report:
    from simbench.api.judge_output import Paper, sla_run, write_judged
    from simbench.sla.report.page import sla_page

    if not isinstance(findings.origin, tuple):
        if findings.origin is None:
            raise BadInput("findings", "have no report of their own", "those of `judge`")
        return report(findings.origin, language=language)
    inputs, judged = findings.origin
    assert isinstance(inputs, Inputs)
    known = judged if judged is not None else judge_record(inputs)
    asked = sla_run(inputs, known, language)

    def page() -> str:
        if asked is None:
            return f"<!doctype html><title>{escape(inputs.label)}</title>{findings._repr_html_()}"
        return sla_page(asked)

    def write(folder: Path, pdf: bool) -> object:
        return write_judged(folder, inputs, known, Paper(language, pdf))

    return Report(inputs.label, page, write, has_pdf=asked is not None)


def _of_session(session: Session) -> Report:
    from simbench.bench.report.page import page, write_report
    from simbench.bench.runner.junit import write_junit
    from simbench.bench.runner.output import JUNIT, write_output

    def write(folder: Path, _pdf: bool) -> None:
        if session.judged is None:
            write_report(folder / "report.html", session.judgement)
            return
        write_output(session.judged, folder, session.standings)
        write_junit(folder / JUNIT, session.judged, session.standings, strict=session.strict)

    return Report(session.client, lambda: page(session.judgement), write)


def _of_plan(plan: Plan, language: Language) -> Report:
    from simbench.api.planning import write_advice
    from simbench.planning.report.page import plan_page

    advice, contract = plan.advice, plan.contract
    return Report(
        advice.title, lambda: plan_page(advice, contract, language),
        lambda folder, _: write_advice(folder, advice, contract, language),
    )  # fmt: skip


def _of_sweep(sweep: Sweep, language: Language, measure: str) -> Report:
    from simbench.api.planning import write_sweep
    from simbench.planning.report.sweep_page import sweep_page
    from simbench.planning.study import MEASURES

    if measure and measure not in MEASURES:
        raise BadInput("measure", f"is {measure!r:.40}", choice(measure, MEASURES))

    return Report(
        sweep.prepared.study.name, lambda: sweep_page(sweep.prepared, sweep.done, language, measure),
        lambda folder, _: write_sweep(folder, sweep, language, measure),
    )  # fmt: skip


def _of_bill(bill: Bill) -> Report:
    from simbench.billing.page import as_html, write_all

    bundles, contract = bill.bundles, bill.contract
    return Report(
        "invoices", lambda: as_html(bundles, contract), lambda folder, _: write_all(folder, bundles, contract)
    )


def _of_others(thing: object) -> Report:
    from simbench.api.sessions import Session
    from simbench.dialup.public import Settlement
    from simbench.roaming.public import Travels

    if isinstance(thing, Bill):
        return _of_bill(thing)
    if isinstance(thing, Session):
        return _of_session(thing)
    if isinstance(thing, Settlement):
        return _of_settlement(thing)
    if isinstance(thing, Travels):
        return _of_travels(thing)
    raise BadInput("thing", f"is a {type(thing).__name__}", EXPECTED)


def _of_settlement(settlement: Settlement) -> Report:
    from simbench.dialup.report.page import dialup_page, write_dialup

    drawn = settlement.drawn
    return Report("dial-up", lambda: dialup_page(drawn()), lambda folder, _: write_dialup(folder, drawn()))


def _of_travels(travels: Travels) -> Report:
    def write(folder: Path, _pdf: bool) -> None:
        for path in sorted(travels.folder.rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                write_octets(folder / path.relative_to(travels.folder), path.read_bytes())

    return Report("travels", lambda: (travels.folder / "report.html").read_text("utf-8"), write)


def shown_in_notebooks() -> None:
    """Make a notebook show matplotlib figures as images, as it does after an import of pyplot."""
    from IPython import get_ipython
    from IPython.core.pylabtools import select_figure_formats

    select_figure_formats(get_ipython(), {"png"})  # type: ignore[no-untyped-call]
