"""`simbench judge`: a record of the platform, its own or another's, against the promised service level.

A capture, and the wire a run has kept, are judged by the rules of conformance as well (`simbench.cli.audit`).
"""

from __future__ import annotations

import csv
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from simbench import __version__
from simbench.base.errors import BadInput
from simbench.base.json_files import indented, write_json, write_octets
from simbench.base.outputs import claim
from simbench.base.units import SECOND_US
from simbench.capture.files import is_capture_file
from simbench.cli.audit import Beside, audit_capture, audit_run, of_a_capture
from simbench.cli.findings import columns, findings_table
from simbench.cli.judge_options import CAPTURE, refuse_unusable
from simbench.contract import Contract, load_contract
from simbench.finding import Finding, counted, exit_status, tally
from simbench.ledger.incidents import Incident
from simbench.ledger.rows import Row
from simbench.rules.rule import Case, load
from simbench.sla.breach_forecast import Forecast, fitted, forecast, month_ends, read_laws
from simbench.sla.classification import service_of
from simbench.sla.dispute import Side, compare, seen_by_the_client
from simbench.sla.imports import outages, probed, traffic
from simbench.sla.imports.decisions import Decision, decided, read_decisions
from simbench.sla.imports.probed import read_probes
from simbench.sla.imports.record import retold, run_of
from simbench.sla.imports.sources import Source, Wanted, open_source
from simbench.sla.imports.traffic import read_traffic
from simbench.sla.imports.unread import INCIDENTS, PROBES, TRAFFIC, Record, service_findings, unread_of
from simbench.sla.probes import probes_of
from simbench.sla.tickets import Ticket, moment, tickets
from simbench.tables.columns import MappingFile, read_mapping
from simbench.tables.instants import instant_of, zone_of
from simbench.tables.rows import RejectedRow, Remark, rejected
from simbench.trace.trace import Reading

SHOWN_NOTES = 20
QUIET_S = 2.0
COLUMNS = {"outages": outages.COLUMNS, "traffic": traffic.COLUMNS, "probes": probed.COLUMNS}


class Options(msgspec.Struct, frozen=True):
    """What was asked for on the command line."""

    source: Path
    start: str | None = None
    end: str | None = None
    history_from: str | None = None
    contract_name: str | None = None
    tz: str | None = None
    mapping: Path | None = None
    decisions: Path | None = None
    probes: Path | None = None
    traffic: Path | None = None
    forecast_until: str | None = None
    laws: Path | None = None
    replications: int = 1000
    workers: int | None = None
    seed: int = 1
    output: Path | None = None
    as_json: bool = False
    campaigns: Path | None = None
    requests: Path | None = None
    keys: Path | None = None
    port: int | None = None


class Answer(msgspec.Struct, omit_defaults=True):
    """What `--json` prints: `findings.json`, and beside it whatever else was asked for."""

    run: dict[str, str | int | float]
    summary: dict[str, int]
    findings: tuple[Finding, ...]
    before: tuple[Finding, ...] = ()
    dispute: tuple[Side, ...] = ()
    forecast: Forecast | None = None


def judge_command(options: Options) -> int:
    """Read, judge, print; the exit status as docs/reference/exit-status.md has it."""
    started = time.monotonic()
    contract = load_contract(options.contract_name or "orange_ops_2016")
    if is_capture_file(options.source):
        refuse_unusable(options, CAPTURE)
        return _capture(options, contract)
    mapping = read_mapping(options.mapping, COLUMNS)
    source = open_source(_wanted(options, contract, mapping))
    refuse_unusable(options, source.kind)
    record, notes = _record(options, contract, mapping, source)
    decisions = read_decisions(options.decisions) if options.decisions else ()
    before = Case(Reading(retold(record.run, source.incidents, source.period, record.asked)), contract)
    case = before
    found_before: tuple[Finding, ...] = ()
    if decisions:
        found_before = _findings(before, record, started)
        case = record.case(_decided(options, source.incidents, decisions), before)
    findings = _findings(case, record, started, lambda incidents: _decided(options, incidents, decisions))
    facts = _facts(options, contract, record, notes, decisions)
    if source.kind == "run":
        audited = audit_run(source.run, contract, _beside(options))
        facts |= audited.facts
        notes += audited.notes
        findings = audited.findings if of_a_capture(source.run) else (*findings, *audited.findings)
    answer = Answer(facts, tally(findings), findings, found_before)
    if options.probes is not None or (source.kind == "run" and not record.asked and record.run.wire.num_rows):
        seen = probes_of(case) if record.asked else seen_by_the_client(case)
        answer.dispute = tuple(compare(service_of(case), seen, contract.terms.quality.total_outage_after_s.value))
    answer.forecast = _forecast(options, case)
    _print_notes(notes)
    if options.output is not None:
        _write(options.output, answer, tickets(service_of(case), contract), tickets(service_of(before), contract))
    if options.as_json:
        click.echo(indented(answer))
    else:
        _print(answer, options)
    return exit_status(findings)


def _beside(options: Options) -> Beside:
    return Beside(options.campaigns, options.requests, options.keys, options.port, options.tz, options.output)


def _capture(options: Options, contract: Contract) -> int:
    """Judge a capture: facts and findings, in the same forms."""
    audited = audit_capture(options.source, _beside(options), contract)
    answer = Answer(audited.facts, tally(audited.findings), audited.findings)
    _print_notes(audited.notes)
    if options.output is not None:
        _write(options.output, answer, [], [])
    if options.as_json:
        click.echo(indented(answer))
    else:
        _print(answer, options)
    return exit_status(audited.findings)


def _wanted(options: Options, contract: Contract, mapping: MappingFile) -> Wanted:
    name = options.tz or mapping.outages.tz
    zone = zone_of(name, "--tz" if options.tz else f"{options.mapping}: outages.tz") if name else None
    told = (("--from", options.start), ("--to", options.end), ("--history-from", options.history_from))
    start, end, history = (instant_of(text, zone, place) if text else None for place, text in told)
    return Wanted(options.source, contract, mapping, start, end, history, zone)


def _record(
    options: Options, contract: Contract, mapping: MappingFile, source: Source
) -> tuple[Record, tuple[RejectedRow, ...]]:
    """The source with the traffic and the probes given beside it, and the notes on all of their rows."""
    run, notes = source.run, source.notes
    asked: tuple[Row, ...] = ()
    unread = {INCIDENTS: unread_of(source.notes, source.rows)}
    if options.traffic is not None:
        name = options.tz or mapping.traffic.tz
        traffic_ = read_traffic(options.traffic, contract, mapping.traffic, zone_of(name) if name else None)
        run = run_of(source.incidents, source.period, centre=traffic_.centre)
        unread[TRAFFIC] = unread_of(traffic_.notes, traffic_.rows)
        notes += traffic_.notes
    if options.probes is not None:
        name = options.tz or mapping.probes.tz
        probed_ = read_probes(options.probes, mapping.probes, zone_of(name) if name else None)
        asked = tuple(probed_.asked())
        unread[PROBES] = unread_of(probed_.notes, probed_.rows)
        notes += probed_.notes
    return Record(source, run, asked, unread), notes


def _decided(options: Options, incidents: Sequence[Incident], decisions: Sequence[Decision]) -> tuple[Incident, ...]:
    zone = zone_of(options.tz) if options.tz else None
    return decided(incidents, decisions, str(options.decisions), zone)


def _findings(
    case: Case, record: Record, started: float,
    deciding: Callable[[Sequence[Incident]], Sequence[Incident]] = lambda incidents: incidents,
) -> tuple[Finding, ...]:  # fmt: skip
    """One finding a purpose, with progress on standard error once it takes long."""
    source, least, most = record.source, None, None
    if source.most and source.least != source.most:
        least, most = (record.case(deciding(one), case) for one in (source.least, source.most))
    found = []
    total = len(load("sla"))
    for number, one in enumerate(service_findings(case, record, least, most), 1):
        found.append(one)
        if time.monotonic() - started > QUIET_S:
            click.echo(f"{number} of {total} purposes judged: {one.purpose} {one.outcome}", err=True)
    return tuple(found)


def _facts(
    options: Options, contract: Contract, record: Record, notes: Sequence[RejectedRow], decisions: Sequence[Decision]
) -> dict[str, str | int | float]:
    source = record.source
    period = source.period
    facts: dict[str, str | int | float] = {
        "source": str(options.source),
        "kind": source.kind,
        "from": moment(period.start),
        "to": moment(period.end),
        "history_from": moment(period.known_from),
        "contract": contract.name,
        "contract_digest": contract.digest,
        "bench_version": __version__,
        "rows": source.rows,
        "incidents": len(source.incidents),
        "set_aside": len(rejected(notes)),
        "holes": source.holes,
    }
    told = [f"{kind}: {unread}" for kind, unread in record.unread.items() if unread]
    if told:
        facts["unread"] = "; ".join(told)
    if source.unanswered:
        facts["unanswered"] = source.unanswered
    if notes:
        facts["remarks"] = "; ".join(str(one) for one in notes[:SHOWN_NOTES])
    if decisions:
        facts["decisions"] = len(decisions)
    return facts


def _forecast(options: Options, case: Case) -> Forecast | None:
    """Replications with progress on standard error."""
    if options.forecast_until is None:
        return None
    zone = zone_of(options.tz) if options.tz else None
    service, until = service_of(case), instant_of(options.forecast_until, zone, "--forecast")
    now = service.period.end
    if until <= now:
        raise BadInput("--forecast", "is not after the period judged", "a later date")
    laws = read_laws(options.laws) if options.laws else fitted(service)
    started, told = time.monotonic(), [0.0]

    def progress(done: int, total: int) -> None:
        elapsed = time.monotonic() - started
        if elapsed - told[0] > QUIET_S:
            told[0] = elapsed
            left = elapsed / done * (total - done)
            click.echo(f"{done} of {total} replications, about {left:.0f} s left", err=True)

    return forecast(
        service, case.contract, laws, month_ends(now, until), options.replications, options.seed,
        workers=options.workers or os.cpu_count() or 1, progress=progress,
    )  # fmt: skip


def _print_notes(notes: Sequence[RejectedRow]) -> None:
    """Each row rejected or remarked on in a line of its own on standard error."""
    for one in notes[:SHOWN_NOTES]:
        click.echo(f"{'note' if isinstance(one, Remark) else 'set aside'}: {one}", err=True)
    if len(notes) > SHOWN_NOTES:
        click.echo(f"... and {len(notes) - SHOWN_NOTES} more", err=True)


def _write(folder: Path, answer: Answer, after: list[Ticket], before: list[Ticket]) -> None:
    claim(folder)
    write_json(folder / "findings.json", Answer(answer.run, answer.summary, answer.findings))
    if after or answer.run["kind"] != "a capture":
        _write_csv(folder / "incidents.csv", after, Ticket)
    if answer.before:
        _write_csv(folder / "incidents-before.csv", before, Ticket)
        write_json(folder / "findings-before.json", answer.before)
    if answer.dispute:
        _write_csv(folder / "dispute.csv", answer.dispute, Side)
    if answer.forecast:
        write_json(folder / "forecast.json", answer.forecast)


def _write_csv(path: Path, rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(kind.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(row) for row in rows)
    write_octets(path, text.getvalue().encode())


def _print(answer: Answer, options: Options) -> None:
    console = Console(width=None if sys.stdout.isatty() else 180, highlight=False)
    console.print(
        f"{answer.run['kind']}, {answer.run['from']} to {answer.run['to']}, {answer.run['incidents']} incidents"
    )
    if answer.before:
        console.print("\nbefore the decisions:")
        console.print(findings_table(answer.before))
        console.print("\nafter them:")
    console.print(findings_table(answer.findings))
    if answer.dispute:
        console.print("\nwhat the client saw, and what the tickets say:")
        console.print(_sides(answer.dispute))
    if answer.forecast:
        console.print(f"\nprobability to break a promise by each date ({answer.forecast.confidence:.0%} bands):")
        console.print(_chances(answer.forecast))
    for line in _not_read(answer):
        console.print(line, markup=False)
    told = f".  Written to {options.output}" if options.output else ""
    console.print(f"\n{counted(answer.findings)}{told}")


def _not_read(answer: Answer) -> Iterator[str]:
    """What the verdicts could not take into account, a line each."""
    run = answer.run
    if run.get("unread"):
        yield f"\nNot read: {run['unread']}"
    if run.get("lacks"):
        yield f"\nNot captured: {run['lacks']}"
    if run.get("holes"):
        holes = int(run["holes"])
        yield f"\n{holes} {'silence' if holes == 1 else 'silences'} in the record, which may be holes of it"
    if run.get("unanswered"):
        yield f"\n{run['unanswered']} operations without a result"


def _sides(sides: Iterable[Side]) -> Table:
    table = columns("", "ticket", "ticket says", "client saw", "ticket s", "client s", "why")
    for one in sides:
        told = _span(one.told_start, one.told_end)
        seen = _span(one.seen_start, one.seen_end)
        table.add_row(one.verdict, one.ticket, told, seen, f"{one.told_s:.0f}", f"{one.seen_s:.0f}", one.why)
    return table


def _chances(told: Forecast) -> Table:
    table = columns("by", "availability", "band", "restoration", "band")
    for one in told.dates:
        shares = (
            (one.availability_broken, one.availability_band),
            (one.restoration_broken, one.restoration_band),
        )
        cells = [
            text for n, (low, high) in shares for text in (f"{n / one.replications:.1%}", f"{low:.1%} - {high:.1%}")
        ]
        table.add_row(moment(one.at)[:16], *cells)
    return table


def _span(start: int, end: int) -> str:
    if start < 0:
        return ""
    begins, ends = (moment(at // SECOND_US * SECOND_US)[:19] for at in (start, end))
    return f"{begins} - {ends[11:]}"
