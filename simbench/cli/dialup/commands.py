"""`simbench dialup`: minute loads run, replayed, settled and dimensioned. Computes nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.base.outputs import claim
from simbench.cli.findings import findings_table
from simbench.dialup.grid import last_day_of, months_named
from simbench.dialup.offer import Offer, load_netrevenu
from simbench.dialup.settlement import JUNE_2000, settle_minutes, span
from simbench.finding import Finding, exit_status

if TYPE_CHECKING:
    from simbench.dialup.radius.pairing import Clock


def settle_command(
    minutes: int, tariff: str, month: str, contract: str, readings: tuple[str, ...], *, as_json: bool
) -> None:
    """Print what a month of so many minutes brings."""
    offer = _offer(contract, readings)
    on: date = last_day_of(months_named(month)[0]) if month else JUNE_2000
    settled, spanned = settle_minutes(minutes, offer, tariff, on, month), span(minutes, offer)
    used = {name: offer.reading(name) for name in ("NRV-AMB-01", "NRV-AMB-05")} | {"NRV-AMB-01": settled.tariff}
    if as_json:
        click.echo(indented({**msgspec.to_builtins(settled), "readings": used, "span": spanned}))
        return
    _table(
        f"{minutes:,} minutes by {settled.tariff}: {offer.functions[settled.tariff].gist}",
        ("", "FF", "EUR"),
        [
            ("share before VAT", f"{settled.share_ff:,}", f"{settled.share_eur:,}"),
            (f"VAT {settled.vat_share:.1%}", f"{settled.vat_ff:,}", ""),
            ("share with VAT", f"{settled.share_ttc_ff:,}", f"{settled.share_ttc_eur:,}"),
            ("average, centimes a minute", f"{settled.average_centimes}", ""),
        ],
    )
    click.echo(f"Read as: {', '.join(f'{name} {reading}' for name, reading in used.items())}.")
    click.echo(
        f"Share over all readings of the tariff: {spanned.least_ff:,} FF ({spanned.least}) "
        f"to {spanned.most_ff:,} FF ({spanned.most})."
    )


def ports_command(  # noqa: PLR0913 - one argument an option
    minutes: int, busy_share: float, grades: tuple[float, ...], tariff: str, month: str, contract: str, *, as_json: bool
) -> None:
    """Print how many ports a load needs, and what one more brings."""
    from simbench.dialup.dimensioning import dimension  # noqa: PLC0415 - loads numpy
    from simbench.dialup.erlang import GRADES  # noqa: PLC0415 - as above

    month = months_named(month)[0]
    found = dimension(minutes, _offer(contract, ()), month, busy_share, grades or GRADES, tariff)
    if as_json:
        click.echo(indented(found))
        return
    _table(
        f"{minutes:,} minutes offered in {month}: {found.erlangs:,.1f} erlangs in the busy hour "
        f"({found.busy_hour_share:.1%} of a day)",
        ("grade", "ports", "with redials", "minutes carried", "share FF", "one more port: minutes", "FF a month"),
        [
            (f"{one.grade:.3g}", f"{one.ports:,}", f"{one.ports_with_redials:,}", f"{one.minutes:,}",
             f"{one.share_ff:,}", f"{one.next_port_minutes:,}", f"{one.next_port_ff:,}")
            for one in found.grades
        ],
    )  # fmt: skip


def run_command(scenario: Path, output: Path | None, records: Path | None, *, as_json: bool) -> int:
    """Run a scenario, write its output folder, and print what it brought."""
    from simbench.dialup.carrying import with_ports  # noqa: PLC0415 - loads the compiler
    from simbench.dialup.records import write_records  # noqa: PLC0415 - as above
    from simbench.dialup.report.model import DialupReport  # noqa: PLC0415 - as above
    from simbench.dialup.report.page import write_dialup  # noqa: PLC0415 - as above
    from simbench.dialup.rules import Case, judge  # noqa: PLC0415 - as above
    from simbench.dialup.run import run_dialup  # noqa: PLC0415 - as above
    from simbench.dialup.scenario import read_dialup  # noqa: PLC0415 - as above

    asked = read_dialup(scenario)
    if output is not None:
        claim(output)  # first, so that --records may name a file in it
    with _progress() as told:
        done = run_dialup(asked, told)
        findings = judge(Case(done.offer, done.offer.reading("NRV-AMB-01")))
        if records is not None:
            told(f"writing {records}", 0, 1)
            write_records(records, with_ports(done.last))
        if output is not None:
            told(f"writing {output}", 0, 1)
            write_dialup(output, DialupReport.of_run(done, findings))
    if as_json:
        click.echo(indented(done.totals))
    else:
        _totals(done.totals)
        _findings(findings)
    return exit_status(findings)


def replay_command(  # noqa: PLR0913 - one argument an option
    records: Path,
    month: str,
    statement: Path | None,
    write: Path | None,
    sizes: tuple[str, ...],
    output: Path | None,
    tariff: str,
    contract: str,
    readings: tuple[str, ...],
    clock: Clock,
    ports: tuple[int, ...],
    secret_file: Path | None,
    *,
    as_json: bool,
) -> int:
    """Read calls of any kind of file, settle their months, compare the statement, judge, and print the findings."""
    from simbench.cli.dialup.call_sources import Reading, read_calls, secret_in  # noqa: PLC0415 - loads the compiler
    from simbench.dialup.replay import replay  # noqa: PLC0415 - as above
    from simbench.dialup.report.model import DialupReport  # noqa: PLC0415 - as above
    from simbench.dialup.report.page import write_dialup  # noqa: PLC0415 - as above
    from simbench.dialup.rules import Case, judge  # noqa: PLC0415 - as above
    from simbench.dialup.statement import read_statement, write_statement  # noqa: PLC0415 - as above

    offer = _offer(contract, readings)
    offer.function(tariff)
    stated = read_statement(statement) if statement else None
    if output is not None:
        claim(output)  # first, so that --write may name a file in it
    how = Reading(month, clock, secret_in(secret_file), ports)
    with _progress() as told:
        read = read_calls(records, offer, how, lambda done, whole: told(f"reading {records}", done, whole))
        told("settling and judging", 0, 1)
        done = replay(read, offer, tariff)
        case = Case(offer, tariff or offer.reading("NRV-AMB-01"), read, stated, _ports_of(sizes))
        findings = judge(case)
        if write is not None:
            write_statement(write, done.months, done.settled)
        if output is not None:
            told(f"writing {output}", 0, 1)
            write_dialup(output, DialupReport.of_replay(done, offer, findings))
    if as_json:
        click.echo(indented({**msgspec.to_builtins(done), "findings": findings}))
    else:
        _replayed(done)
        _findings(findings)
    return exit_status(findings)


def _ports_of(texts: tuple[str, ...]) -> dict[str, int]:
    ports = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        if not number.isascii() or not number.isdigit() or not 0 < int(number) <= 1_000_000:
            raise BadInput(f"--ports {text}", "is no number of ports", "such as --ports paris=2800, or --ports 2800")
        ports[name] = int(number)
    return ports


def _offer(contract: str, readings: tuple[str, ...]) -> Offer:
    chosen = {}
    for text in readings:
        name, sign, reading = text.partition("=")
        if not sign:
            raise BadInput(f"--reading {text}", "names no reading", "such as --reading NRV-AMB-02=minute")
        chosen[name] = reading
    return load_netrevenu(contract).with_readings(chosen)


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _totals(totals: Any) -> None:
    rows = [
        (month.month, f"{month.calls:,}", f"{month.minutes:,}", f"{owed.share_ff:,}", f"{owed.share_eur:,}",
         f"{owed.share_ttc_ff:,}", f"{owed.average_centimes}")
        for month, owed in zip(totals.months, totals.settled, strict=True)
    ]  # fmt: skip
    click.echo(
        f"{totals.offered:,} calls offered, {totals.attempts:,} attempts; {totals.carried:,} carried, "
        f"{totals.lost:,} lost ({totals.blocking:.2%}), {totals.cut:,} cut at the session limit, "
        f"{totals.dropped:,} dropped by failures"
    )
    click.echo(f"busy hour {totals.busy_hour_share:.1%} of a day; users paid {totals.retail_ff:,} FF (TTC)")
    heads = ("month", "calls", "minutes", "share FF", "EUR", "with VAT FF", "c/min")
    _table("Settlement", heads, rows)
    pools = [
        (pool.name, f"{pool.ports:,}", f"{pool.offered:,}", f"{pool.lost / max(1, pool.offered):.2%}",
         f"{pool.minutes:,}", f"{pool.busiest_erlangs:,.1f}")
        for pool in totals.pools
    ]  # fmt: skip
    _table("Pools", ("pool", "ports", "calls offered", "lost", "minutes", "busiest hour, erlangs"), pools)


def _replayed(done: Any) -> None:
    click.echo(f"{done.rows:,} rows read, {done.calls:,} calls, {done.aside_total:,} rows set aside")
    if done.passed_over:
        types = ", ".join(f"{count:,} {name}" for name, count in sorted(done.passed_over.items()))
        click.echo(f"records that speak of no call, passed over: {types}")
    rows = [
        (month.month, f"{month.calls:,}", f"{month.minutes:,}", f"{owed.share_ff:,}", f"{owed.share_eur:,}",
         f"{owed.share_ttc_ff:,}")
        for month, owed in zip(done.months, done.settled, strict=True)
    ]  # fmt: skip
    _table("Settlement", ("month", "calls", "minutes", "share FF", "EUR", "with VAT FF"), rows)
    if done.aside_total:
        aside = [(str(row.line), row.reason, row.text) for row in done.aside[:20]]
        _table(f"Set aside, {min(20, done.aside_total)} of {done.aside_total:,}", ("line", "reason", "what"), aside)


def _findings(findings: tuple[Finding, ...]) -> None:
    table = findings_table(findings)
    table.title, table.title_justify, table.title_style = "Findings", "left", "bold"
    Console(width=None if sys.stdout.isatty() else 180).print(table)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error, gone when it is done; on no terminal one line a step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        last: list[str] = []

        def say(what: str, _done: int, _whole: int) -> None:
            if last != [what]:
                last[:] = [what]
                click.echo(what, err=True)

        yield say
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task("", total=1)
        yield lambda what, done, whole: bar.update(task, description=what, completed=done, total=max(whole, 1))
