"""Roaming in the EU: allowances, populations of travellers, judged bills; public as `simbench.roaming`."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from simbench.base.bundled import find_scenario
from simbench.base.errors import BadInput
from simbench.base.extras import need
from simbench.base.json_files import write_json
from simbench.base.outputs import check_folder
from simbench.base.progress import Progress, reported
from simbench.base.python_words import in_python_words, path_in
from simbench.base.version import __version__
from simbench.finding import Finding, tally
from simbench.findings import Findings
from simbench.ledger.info import NAME
from simbench.roaming.billing import Billing, read_billing
from simbench.roaming.contract import load_roaming
from simbench.roaming.envelope import Envelope, Mode, Plan, amount_of, envelope, is_share
from simbench.roaming.rules import judge_billing
from simbench.tables.frames import Frame

if TYPE_CHECKING:
    from simbench.roaming.contract import RoamingContract
    from simbench.roaming.population import Followed
    from simbench.roaming.results import Summary
    from simbench.roaming.scenario import RoamingScenario

__all__ = ["Travels", "allowance", "judge", "simulate"]

FINDINGS, BILLING, REPORT = "findings.json", "billing", "report.html"


class Travels:
    """A simulated population of travellers: its use, its charges, and the findings on its bills.

    `folder` contains report.html, outcome.json, the tables as Parquet, and the bills of the first subscribers.
    `summary` has totals: gigabytes, euros, subscribers that exceeded their allowance.

    >>> travels = simulate("roaming/02_a_lower_cap", subscribers=50)
    >>> travels.summary.subscribers
    50
    """

    def __init__(self, folder: Path, summary: Summary, findings: Sequence[Finding]) -> None:
        self.folder, self.summary = folder, summary
        self.findings = Findings(findings, origin=self)

    @cached_property
    def profiles(self) -> Frame:
        """A row for each profile: subscribers, roam_gb, exceeded, alerted, surcharged, charges and margin in euros."""
        rows = self.summary.rows
        names = rows[0].__struct_fields__ if rows else ()
        return Frame.of({name: [getattr(row, name) for row in rows] for name in names}, "profiles")

    def __repr__(self) -> str:
        return f"<Travels: {self.summary.subscribers:,} subscribers, {self.summary.days} days; {self.findings!r}>"

    def _repr_html_(self) -> str:
        return self.profiles._repr_html_() + self.findings._repr_html_()


@in_python_words
def simulate(  # noqa: PLR0913 - the options of a run
    scenario: Path | str,
    *,
    subscribers: int | None = None,
    seed: int | None = None,
    billed: int = 200,
    contract: Path | str | None = None,
    folder: Path | str | None = None,
    progress: Progress | bool = False,
) -> Travels:
    """Simulate a population of travellers in a scenario, as `simbench roaming run` does.

    `scenario` is a file, or the name of a bundled one. `subscribers` and `seed` replace those of the scenario's file;
    the bills of the first `billed` subscribers are written and judged. `folder`: a new folder for all files; default: a
    temporary one. Raises BadInput; needs the extra `fast`.

    >>> simulate("roaming/02_a_lower_cap", subscribers=50).profiles.columns[:2]
    ['profile', 'subscribers']
    """
    need("fast", "simulate")
    from simbench.roaming.population import run_population
    from simbench.roaming.scenario import read_roaming_scenario

    terms = load_roaming(path_in(contract))
    chosen = read_roaming_scenario(find_scenario(Path(scenario)), terms)
    if subscribers is not None:
        if not 1 <= subscribers <= 100_000_000:
            raise BadInput("subscribers", f"is {subscribers}", "a number from 1 to 100,000,000")
        chosen = replace(chosen, population=replace(chosen.population, subscribers=subscribers))
    chosen = chosen if seed is None else replace(chosen, seed=seed)
    home = Path(tempfile.mkdtemp(prefix="simbench-")) / "travels" if folder is None else Path(folder)
    check_folder(home, "folder")
    if (home / NAME).exists():
        raise BadInput(f"folder {home}", "contains an earlier run", "a new folder")
    size = chosen.population.subscribers
    with reported(progress) as show:
        followed = run_population(chosen, terms, lambda done: show(done / size, f"{done:,} subscribers"))
    summary, findings, _ = write_run(home, chosen, terms, followed, billed)
    done = Travels(home, summary, findings)
    if folder is None:
        weakref.finalize(done, shutil.rmtree, home.parent, ignore_errors=True)
    return done


@in_python_words
def judge(folder: Path | str, *, contract: Path | str | None = None, window_days: int | None = None) -> Findings:
    """Judge the tables of a billing system by the rules of fair use, as `simbench roaming judge` does.

    `folder` has the three tables (docs/guides/roaming.md); `window_days` is the operator's window of observation.
    Raises BadInput for tables that cannot be read.

    >>> travels = simulate("roaming/02_a_lower_cap", subscribers=50)
    >>> judge(travels.folder / "billing").outcome
    'pass'
    """
    billing, found = judged(Path(folder), load_roaming(path_in(contract)), window_days)
    return Findings(found, facts={"source": str(folder), "rows": billing.rows, "set_aside": len(billing.aside)})


@in_python_words
def allowance(  # noqa: PLR0913 - the properties of a plan
    price: Decimal | float | str,
    day: date | str,
    *,
    vat: str | Decimal | float = "FR",
    domestic_gb: Decimal | float | str | None = None,
    prepaid: bool = False,
    mode: Mode = "regulation",
    contract: Path | str | None = None,
) -> Envelope:
    """Return the roaming data that a plan must include from a day on: `.gb`, `.octets`, the cap in euros per gigabyte.

    `price` in euros per month with VAT; `vat` is the country whose VAT it includes, or a share (0: the price is net).
    `domestic_gb`: its allowance at home, if limited. Raises BadInput for an invalid price, day or country.

    >>> allowance(20, "2017-06-15").gb
    Decimal('4.3291')
    """
    terms = load_roaming(path_in(contract))
    on = day if isinstance(day, date) else _day(day)
    share = terms.vat_share(vat, on) if isinstance(vat, str) and not is_share(vat) else amount_of("vat", vat)
    domestic = None if domestic_gb is None else amount_of("domestic_gb", domestic_gb)
    return envelope(Plan(amount_of("price", price), share, domestic, prepaid), on, terms, mode)


def judged(folder: Path, contract: RoamingContract, window_days: int | None) -> tuple[Billing, list[Finding]]:
    """Return the tables of a billing system, and the findings on them."""
    caps = contract.terms.caps
    billing = read_billing(folder, caps.data[0].since, caps.last_day.value)
    return billing, judge_billing(billing, contract, window_days)


def judgement(findings: list[Finding], billing: Billing) -> dict[str, object]:
    """Return findings and the rows set aside, as JSON."""
    return {
        "tally": tally(findings),
        "findings": findings,
        "rows": billing.rows,
        "set_aside": {"rows": len(billing.aside), "reasons": billing.reasons(), "first": billing.aside[:100]},
    }


def write_run(
    folder: Path, scenario: RoamingScenario, contract: RoamingContract, followed: Followed, billed: int
) -> tuple[Summary, list[Finding], Billing]:
    """Write tables, bills of the first `billed` subscribers, their judgement, and the report."""
    from simbench.roaming.envelope import envelopes
    from simbench.roaming.export import export_billing
    from simbench.roaming.report.page import RoamingRun, write_roaming_report
    from simbench.roaming.results import summary_of, write_tables
    from simbench.roaming.scenario import plan_of

    summary = summary_of(scenario, contract, followed)
    write_tables(folder, scenario, followed, summary)
    export_billing(folder / BILLING, scenario, contract, range(min(billed, scenario.population.subscribers)))
    billing, findings = judged(folder / BILLING, contract, None)
    write_json(folder / FINDINGS, judgement(findings, billing))
    plans = {
        name: envelopes(plan_of(config, contract, scenario.population.starts), contract)
        for name, config in scenario.plans.items()
    }
    info = {
        "Scenario": scenario.name, "Seed": str(scenario.seed), "Contract": f"{contract.name} {contract.digest}",
        "Bench version": __version__, "Bills judged": f"{len(billing.accounts):,} SIMs, {billing.rows:,} rows",
    }  # fmt: skip
    write_roaming_report(folder / REPORT, RoamingRun(summary, plans, findings, contract, info, billing.reasons()))
    return summary, findings, billing


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadInput("day", f"is {str(text)[:40]!r}", "a day such as 2017-06-15") from None
