"""Simulated and judged populations for several commands of roaming."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from msgspec.structs import replace

from simbench.cli.console import progress_bar
from simbench.finding import Finding, counted
from simbench.roaming.billing import Billing
from simbench.roaming.contract import RoamingContract
from simbench.roaming.population import Followed, run_population
from simbench.roaming.scenario import RoamingScenario, read_roaming_scenario

PROGRESS_FROM = 50_000  # subscribers; fewer are done before a bar could be read


def followed_with_progress(scenario: RoamingScenario, contract: RoamingContract) -> Followed:
    """Follow the population, with a progress bar on standard error for large ones."""
    size = scenario.population.subscribers
    if size < PROGRESS_FROM:
        work = f"{scenario.name}: {size:,} subscribers, {scenario.population.days} days"
        click.echo(f"{work} (the first run of a version compiles for some seconds)", err=True)
        return run_population(scenario, contract)
    with progress_bar() as progress:
        task = progress.add_task(scenario.name, total=size)
        advance: Callable[[int], object] = lambda done: progress.update(task, completed=done)  # noqa: E731 - typed
        return run_population(scenario, contract, advance)


def read_chosen(path: Path, contract: RoamingContract, subscribers: int | None) -> RoamingScenario:
    """Read a scenario, with another number of subscribers if given."""
    from simbench.base.bundled import find_scenario

    scenario = read_roaming_scenario(find_scenario(path), contract)
    if subscribers is None:
        return scenario
    return replace(scenario, population=replace(scenario.population, subscribers=subscribers))


def print_findings(findings: list[Finding], billing: Billing) -> None:
    """Print the amounts judged and set aside, and every finding in a line."""
    click.echo(f"judged {len(billing.accounts):,} SIMs, {billing.rows:,} rows")
    if billing.aside:
        reasons = "; ".join(f"{amount:,} {reason}" for reason, amount in billing.reasons().items())
        first = billing.aside[0]
        click.echo(f"set aside {len(billing.aside):,} rows: {reasons} (first: {first.file}, line {first.line})")
    for finding in findings:
        click.echo(f"{finding.outcome:<12} {finding.purpose:<26} {finding.summary}")
    click.echo(counted(findings))
