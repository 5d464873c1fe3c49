"""`simbench roaming run`, `compare` and `judge`: runs and judgements, with their files and tables.

Loads numba when a population runs, matplotlib when a report is drawn; decides nothing itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click
from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress

from simbench import __version__
from simbench.base.errors import BadInput
from simbench.base.json_files import indented, write_json
from simbench.base.units import SECOND_US
from simbench.finding import Finding, counted, exit_status, tally
from simbench.ledger.info import NAME, RunInfo, write_info
from simbench.roaming.billing import Billing, read_billing
from simbench.roaming.contract import RoamingContract, load_roaming
from simbench.roaming.envelope import envelopes
from simbench.roaming.export import export_billing
from simbench.roaming.population import Followed, run_population
from simbench.roaming.report.page import RoamingRun, write_roaming_report
from simbench.roaming.results import Summary, changes, summary_of, write_tables
from simbench.roaming.rules import judge_billing
from simbench.roaming.scenario import RoamingScenario, plan_of, read_roaming_scenario

FINDINGS, BILLING, REPORT = "findings.json", "billing", "report.html"
PROGRESS_FROM = 50_000  # subscribers; fewer are done before a bar could be read


def run_command(  # noqa: PLR0913 - one argument an option
    scenario: Path,
    output: Path,
    subscribers: int | None,
    seed: int | None,
    billed: int,
    contract: Path | None,
    *,
    as_json: bool,
) -> int:
    """Follow a population, write everything out, judge the bills of the first; the exit status of the judgement."""
    terms = load_roaming(contract)
    chosen = _chosen(scenario, terms, subscribers)
    chosen = chosen if seed is None else replace(chosen, seed=seed)
    if (output / NAME).exists():
        raise BadInput(f"-o {output}", "holds an earlier run", "a new folder")
    began = time.time()
    followed = followed_with_progress(chosen, terms)
    summary, findings, billing = write_run(output, chosen, terms, followed, billed)
    write_info(output, _info(output, chosen, terms, began))
    if as_json:
        told = {"folder": str(output), "summary": summary, "findings": findings, "set_aside": billing.reasons()}
        click.echo(indented(told))
    else:
        _print_rows(summary)
        _print_findings(findings, billing)
        click.echo(f"report: {output / REPORT}")
    return exit_status(findings)


def write_run(
    folder: Path, scenario: RoamingScenario, contract: RoamingContract, followed: Followed, billed: int
) -> tuple[Summary, list[Finding], Billing]:
    """Write tables, bills of the first `billed` subscribers, their judgement, and the report."""
    summary = summary_of(scenario, contract, followed)
    write_tables(folder, scenario, followed, summary)
    export_billing(folder / BILLING, scenario, contract, range(min(billed, scenario.population.subscribers)))
    billing, findings = _judged(folder / BILLING, contract, None)
    write_json(folder / FINDINGS, _judgement(findings, billing))
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


def compare_command(
    scenarios: tuple[Path, ...], subscribers: int | None, contract: Path | None, *, as_json: bool
) -> None:
    """Run every scenario and print what each changes against the first."""
    terms = load_roaming(contract)
    chosen = [_chosen(path, terms, subscribers) for path in scenarios]
    found = changes(summary_of(one, terms, followed_with_progress(one, terms)) for one in chosen)
    if as_json:
        click.echo(indented(found))
        return
    click.echo(
        f"{'scenario':<20}  GB each  exceeded  alerted  surcharged  charged €  wholesale €   margin €   change €"
    )
    for one in found:
        click.echo(
            f"{one.scenario[:20]:<20} {one.roam_gb_each:>8.2f} {one.exceeded_share:>9.1%} {one.alerted_share:>8.1%}"
            f" {one.surcharged_share:>11.1%} {one.charges_eur_each:>10.2f} {one.wholesale_eur_each:>12.2f}"
            f" {one.margin_eur_each:>10.2f} {one.margin_change_eur_each:>+10.2f}"
        )


def judge_command(
    folder: Path, window_days: int | None, output: Path | None, contract: Path | None, *, as_json: bool
) -> int:
    """Judge the three files of a folder; the exit status of the judgement."""
    billing, findings = _judged(folder, load_roaming(contract), window_days)
    if output is not None:
        write_json(output, _judgement(findings, billing))
    if as_json:
        click.echo(indented(_judgement(findings, billing)))
    else:
        _print_findings(findings, billing)
    return exit_status(findings)


def followed_with_progress(scenario: RoamingScenario, contract: RoamingContract) -> Followed:
    """Follow everybody, with a bar on standard error where it takes long enough to be read."""
    size = scenario.population.subscribers
    if size < PROGRESS_FROM:
        said = f"{scenario.name}: {size:,} subscribers, {scenario.population.days} days"
        click.echo(f"{said} (the first run of a version compiles for some seconds)", err=True)
        return run_population(scenario, contract)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(scenario.name, total=size)
        told: Callable[[int], object] = lambda done: progress.update(task, completed=done)  # noqa: E731 - typed
        return run_population(scenario, contract, told)


def _judged(folder: Path, contract: RoamingContract, window_days: int | None) -> tuple[Billing, list[Finding]]:
    caps = contract.terms.caps
    billing = read_billing(folder, caps.data[0].since, caps.last_day.value)
    return billing, judge_billing(billing, contract, window_days)


def _chosen(path: Path, contract: RoamingContract, subscribers: int | None) -> RoamingScenario:
    scenario = read_roaming_scenario(path, contract)
    if subscribers is None:
        return scenario
    return replace(scenario, population=replace(scenario.population, subscribers=subscribers))


def _info(output: Path, scenario: RoamingScenario, contract: RoamingContract, began: float) -> RunInfo:
    return RunInfo(
        run=output.name,
        created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began)),
        scenario=scenario.name,
        seed=scenario.seed,
        contract=contract.name,
        contract_digest=contract.digest,
        versions={"simbench": __version__},
        wall_started=int(began * SECOND_US),
        wall_ended=int(time.time() * SECOND_US),
        note="roaming population",
        closed=True,
        rows={"subscribers": scenario.population.subscribers, "days": scenario.population.days},
    )


def _print_rows(summary: Summary) -> None:
    click.echo(f"{summary.title}: {summary.subscribers:,} subscribers, {summary.days} days from {summary.starts}")
    click.echo("profile      subscribers  GB each  exceeded  alerted  surcharged  charged €  wholesale €   margin €")
    for row in summary.rows:
        size = row.subscribers
        click.echo(
            f"{row.profile[:12]:<12} {size:>11,} {row.roam_gb / size:>8.2f} {row.exceeded / size:>9.1%}"
            f" {row.alerted / size:>8.1%} {row.surcharged / size:>11.1%}"
            f" {(row.overage_eur + row.surcharge_eur) / size:>10.2f} {row.wholesale_eur / size:>12.2f}"
            f" {row.margin_eur / size:>10.2f}"
        )


def _print_findings(findings: list[Finding], billing: Billing) -> None:
    click.echo(f"judged {len(billing.accounts):,} SIMs, {billing.rows:,} rows")
    if billing.aside:
        reasons = "; ".join(f"{amount:,} {reason}" for reason, amount in billing.reasons().items())
        first = billing.aside[0]
        click.echo(f"set aside {len(billing.aside):,} rows: {reasons} (first: {first.file}, line {first.line})")
    for finding in findings:
        click.echo(f"{finding.outcome:<12} {finding.purpose:<26} {finding.summary}")
    click.echo(counted(findings))


def _judgement(findings: list[Finding], billing: Billing) -> dict[str, object]:
    return {
        "tally": tally(findings),
        "findings": findings,
        "rows": billing.rows,
        "set_aside": {"rows": len(billing.aside), "reasons": billing.reasons(), "first": billing.aside[:100]},
    }
