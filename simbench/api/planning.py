"""`plan`: the short codes and tiers to buy; `sweep`: a study over a grid of parameters."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from simbench.api.contracts import Language, contract_in
from simbench.api.runs import Run
from simbench.api.worlds import World, world_in
from simbench.base.bundled import find_scenario
from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import write_json, write_octets
from simbench.base.notebook import html_table
from simbench.base.progress import Progress, reported
from simbench.base.python_tables import built
from simbench.base.python_words import in_python_words
from simbench.base.toml_files import choice
from simbench.contract import Contract
from simbench.planning.executors import Where
from simbench.tables.frames import Frame, frame_of
from simbench.tables.writer import sheet_csv, workbook

if TYPE_CHECKING:
    from simbench.planning.advise import Advice
    from simbench.planning.campaign import Plan as PlanInput
    from simbench.planning.candidates import Candidate
    from simbench.planning.code_plan import CodePlan
    from simbench.planning.runs import Key, Result
    from simbench.planning.study import Prepared
    from simbench.planning.sweep import Interval

Codes = Mapping[str, int] | str
"""Short codes with their rates in messages/s, as a mapping or as "36010=50,36020=20"."""
OF_KIND = {"own": "your choice; ", "held": "what you hold; "}


class Plan:
    """The short codes and rates that keep the promise of a campaign, with cost and certainty.

    `advice` has every figure (docs/reference/campaign.md): candidates, sensitivities, trade-offs, invoices, orders.

    >>> found = plan("plan/02_small")
    >>> sorted(found.tables)[:4]
    ['courses', 'demands', 'invoices', 'mixes']
    """

    def __init__(self, advice: Advice, contract: Contract) -> None:
        self.advice, self.contract = advice, contract

    @property
    def chosen(self) -> Candidate:
        """The advised code plan: `.words`, `.euros`, `.probability`."""
        return self.advice.chosen

    @property
    def verdict(self) -> str:
        """Sentences on whether the promise is kept."""
        return self.advice.verdict

    @property
    def euros(self) -> Decimal:
        """Euros before VAT for codes, tiers and messages over the period."""
        return self.advice.euros_in_all

    @cached_property
    def tables(self) -> dict[str, Frame]:
        """The tables of the plan: mixes, demands, months, orders, sensitivities, tradeoffs, courses and invoices."""
        from simbench.planning.tables import sheets_of

        return {sheet.name: frame_of(sheet) for sheet in sheets_of(self.advice)}

    def table(self, name: str) -> Frame:
        """Return one of `tables`. Raises BadInput for another name."""
        if name not in self.tables:
            raise BadInput("table", f"is {name!r:.40}", choice(name, self.tables))
        return self.tables[name]

    def __repr__(self) -> str:
        return f"<Plan {self.advice.name}: {self.chosen.words}, {self.euros:,.2f} {self.advice.currency} before VAT>"

    def _repr_html_(self) -> str:
        from simbench.planning.tables import scored

        rows = [
            (one.words, one.euros, f"{100 * one.score.promised.share:.2f} %", OF_KIND.get(kind, "") + one.why)
            for kind, one in scored(self.advice)
        ]
        headings = ("code plan", f"{self.advice.currency} before VAT", "in time", "why")
        return html_table(headings, rows, len(rows), f"{self.advice.title}: {self.verdict}")


@in_python_words
def plan(  # noqa: PLR0913 - the options of a plan
    campaign: Path | str | Mapping[str, Any],
    *,
    mixes: Sequence[Codes] = (),
    held: Codes | None = None,
    contract: Contract | Path | str | None = None,
    language: Language = "en",
    executor: Where = None,
    progress: Progress | bool = False,
) -> Plan:
    """Find the short codes and tiers to buy for a campaign, as `simbench plan` does.

    `campaign` is a file, the name of a bundled one, or its tables (docs/reference/campaign.md). `mixes`: your own code
    plans, scored as well. `held`: codes already held. `executor` computes sensitivities and trade-offs (see
    `simulate`); the advice is the same on any. `language` is that of the invoices and of the report.

    Raises BadInput with the necessary changes if no plan keeps the promise, and for invalid input; needs the extra
    `plan`.

    >>> found = plan("plan/02_small")
    >>> found.chosen.words
    '34ABC: 1 x 10/s; 36ABC: 2 x 10/s'
    """
    need("plan", "plan")
    if isinstance(mixes, str | Mapping):
        raise BadInput("mixes", f"is {mixes!r:.60}", "a list of code plans")
    from simbench.planning.advise import advise
    from simbench.planning.own_code_plan import with_held

    given = plan_input(campaign, contract, language)
    if held is not None:
        given = with_held(given, _text(held))
    with reported(progress) as show:
        own = code_plans(given, [_text(one) for one in mixes])
        advice = advise(given, lambda share: show(share, ""), own=own, where=executor)
    return Plan(advice, given.contract)


def plan_input(
    campaign: Path | str | Mapping[str, Any], contract: Contract | Path | str | None, language: str
) -> PlanInput:
    """Return the input of the advisor: campaign and contract. Raises BadInput."""
    from simbench.planning.campaign import CampaignError, CampaignPlan, checked, read_campaign

    if isinstance(campaign, Mapping):
        tables = built(CampaignPlan, campaign, CampaignError, "campaign")
        found = checked(tables, contract_in(contract or tables.contract))
    elif isinstance(campaign, Path | str):
        found = read_campaign(find_scenario(Path(campaign)))
        if contract:
            found = checked(found.campaign, contract_in(contract), str(campaign))
    else:
        raise BadInput("campaign", f"is a {type(campaign).__name__}", "a file, or the tables of one")
    spoken = msgspec.structs.replace(found.contract, language=language)
    return msgspec.structs.replace(found, contract=spoken)


def code_plans(given: PlanInput, texts: Iterable[str]) -> tuple[CodePlan, ...]:
    """Return the caller's own code plans. Raises CampaignError."""
    from simbench.planning.own_code_plan import own_code_plan

    return tuple(own_code_plan(text, given) for text in texts)


@in_python_words
def what_if(run: Run | Path | str, *, contract: Contract | Path | str | None = None, late_min: float = 10.0) -> Frame:
    """Recompute a run under other codes and tiers: its cost, and its late and lost traffic.

    Columns: prefix, words, euros (before VAT), messages, late (after `late_min` minutes), lost, longest_wait_s, since,
    at_most (late, lost and waits are upper bounds). Raises LedgerError for a run without messages.

    >>> what_if(simulate("year/02_campaign_peak")).columns[:4]
    ['prefix', 'words', 'euros', 'messages']
    """
    from simbench.planning.what_if import Otherwise, otherwise

    if late_min < 0:
        raise BadInput("late_min", f"is {late_min}", "0 minutes or more")
    folder = run.folder if isinstance(run, Run) else Path(run)
    if folder is None or not folder.exists():
        raise BadInput(f"run {folder or ''}".strip(), "is not there", "a run in a folder")
    rows = otherwise(folder, contract_in(contract), late_min)
    columns = {name: [getattr(row, name) for row in rows] for name in Otherwise.__struct_fields__}
    return Frame.of(columns, "what-if")


class Sweep:
    """A finished study: each point of its grid, with the mean of every measure and its confidence interval.

    `points` and `runs` are the tables; `prepared` is the study.

    >>> tiers = {"parameters": [{"key": "codes.0.rate_per_s", "values": [10, 20]}], "replications": 2, "block": 2}
    >>> found = sweep(tiers, world="year/01_quiet_day", executor=1)
    >>> len(found.points), len(found.runs)
    (2, 4)
    """

    def __init__(self, prepared: Prepared, done: dict[Key, Result], found: list[tuple[Interval, ...]]) -> None:
        self.prepared, self.done, self.intervals = prepared, done, found

    @cached_property
    def points(self) -> Frame:
        """A row per point: point, the parameters, runs, and for each measure its mean and half width."""
        from simbench.planning.report.sweep_page import points_sheet

        return frame_of(points_sheet(self.prepared, self.intervals))

    @cached_property
    def runs(self) -> Frame:
        """A row per run: point, replication, the parameters, every measure."""
        from simbench.planning.sweep import table_of

        return Frame(table_of(self.prepared, self.done), "runs")

    def __repr__(self) -> str:
        return f"<Sweep {self.prepared.study.name}: {len(self.prepared.points):,} points, {len(self.done):,} runs>"

    def _repr_html_(self) -> str:
        return self.points._repr_html_()


@in_python_words
def sweep(
    study: Path | str | Mapping[str, Any],
    *,
    world: World | Path | str | None = None,
    folder: Path | str | None = None,
    executor: Where = None,
    progress: Progress | bool = False,
) -> Sweep:
    """Run a world over a grid or sample of parameters, with replications, as `simbench sweep` does.

    `study` is a file, the name of a bundled one, or its tables (docs/reference/campaign.md) with a `world`. `executor`:
    see `simulate`; it does not change the result. With a `folder`, an interrupted sweep continues.
    Raises BadInput for invalid input, Trouble if workers or a cluster are lost; needs the extra `plan`.

    >>> tiers = {"parameters": [{"key": "codes.0.rate_per_s", "values": [10, 20]}], "replications": 2, "block": 2}
    >>> sweep(tiers, world="year/01_quiet_day", executor=1)
    <Sweep study: 2 points, 4 runs>
    """
    need("plan", "sweep")
    from simbench.planning.sweep import intervals
    from simbench.planning.sweep import sweep as swept
    from simbench.planning.worker_pool import pool_of

    prepared = prepared_of(study, world)
    temporary = Path(tempfile.mkdtemp(prefix="simbench-")) if folder is None else None
    try:
        pool = pool_of(prepared, executor)
        try:
            with reported(progress) as show:
                home = Path(folder) if folder is not None else Path(str(temporary)) / "sweep"
                done = swept(prepared, home, pool, lambda share: show(share, ""))
        finally:
            pool.close()
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return Sweep(prepared, done, intervals(prepared, done))


def prepared_of(study: Path | str | Mapping[str, Any], world: World | Path | str | None) -> Prepared:
    """Return a study with its world. Raises BadInput."""
    from simbench.planning.study import Study, StudyError, prepare, read_study

    if isinstance(study, Path | str):
        if world is not None:
            raise BadInput("world", "is given with a file, which names its own world", "the tables of a study")
        return read_study(find_scenario(Path(study)))
    if not isinstance(study, Mapping):
        raise BadInput("study", f"is a {type(study).__name__}", "a file, or the tables of one")
    if world is None:
        raise BadInput("world", "is missing", "the World that the study varies")
    varied = world_in(world)
    tables = built(Study, {"scenario": varied.settings.name, **study}, StudyError, "study")
    return prepare(tables, varied.settings, varied.contract)


def write_advice(folder: Path, advice: Advice, contract: Contract, language: str = "en", *, xlsx: bool = False) -> None:
    """Write plan.json, report.html, the tables, the invoices and the forecasts for the operator. Raises BadInput."""
    from simbench.billing.forecast import forecast_text
    from simbench.billing.page import Bundle, write_all
    from simbench.planning.report.page import write_plan_report
    from simbench.planning.tables import sheets_of

    bundles = [Bundle(bill, (), f"plan {advice.name}") for bill in advice.invoices]
    write_all(folder, bundles, contract)
    for one in advice.forecasts:
        write_octets(folder / f"forecast-{one.issued}.toml", forecast_text(one))
    write_json(folder / "plan.json", advice, plain)
    write_plan_report(folder / "report.html", advice, contract, language)
    sheets = sheets_of(advice)
    for sheet in sheets:
        write_octets(folder / f"{sheet.name}.csv", sheet_csv(sheet))
    if xlsx:
        write_octets(folder / "plan.xlsx", workbook(sheets))


def write_sweep(folder: Path, done: Sweep, language: str = "en", measure: str = "", *, xlsx: bool = False) -> None:
    """Write the page and the table of points. Raises BadInput."""
    from simbench.planning.report.sweep_page import points_sheet, write_sweep_report

    sheet = points_sheet(done.prepared, done.intervals)
    write_octets(folder / "points.csv", sheet_csv(sheet))
    if xlsx:
        write_octets(folder / "points.xlsx", workbook([sheet]))
    write_sweep_report(folder / "report.html", done.prepared, done.done, language, measure)


def plain(value: object) -> object:
    """Convert numbers of numpy to Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise NotImplementedError(type(value))


def _text(codes: Codes) -> str:
    return codes if isinstance(codes, str) else ",".join(f"{code}={rate}" for code, rate in codes.items())
