"""`simbench judge`: a record of a platform against the contract's service level.

`simbench.cli.judge.audit` applies the rules of conformance to captures and to the wire of runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import click

from simbench import __version__
from simbench.base.errors import BadInput
from simbench.base.json_files import indented
from simbench.capture.files import is_capture_file
from simbench.cli.judge.audit import AuditInputs, audit_capture, audit_run, of_a_capture
from simbench.cli.judge.kinds import CAPTURE, RUN, check_kind, refuse_unusable
from simbench.cli.judge.options import Options
from simbench.cli.judge.printing import SHOWN_NOTES, Answer, print_answer, print_notes, write_answer
from simbench.contract import Contract, load_contract
from simbench.finding import Finding, exit_status, tally
from simbench.ledger import Run
from simbench.ledger.incidents import Incident
from simbench.ledger.rows import Row
from simbench.rules.rule import Case, ordered
from simbench.sla.classification import service_of
from simbench.sla.dispute import Dispute, dispute_of, seen_by_the_client
from simbench.sla.forecast import BackTest, Forecast, back_test, forecast, month_ends, read_laws
from simbench.sla.imports import outages, probed, traffic
from simbench.sla.imports.decisions import Decision, decided, decision_notes, read_decisions
from simbench.sla.imports.probed import read_probes
from simbench.sla.imports.record import retold, run_of
from simbench.sla.imports.sources import Source, SourceOptions, open_source
from simbench.sla.imports.traffic import read_traffic
from simbench.sla.imports.unread import INCIDENTS, PROBES, TRAFFIC, Record, service_findings, unread_of
from simbench.sla.probes import probes_of
from simbench.sla.report import Judgement, SlaRun, write_sla
from simbench.sla.tickets import moment, tickets
from simbench.tables.columns import MappingFile, read_mapping
from simbench.tables.instants import instant_of, zone_of
from simbench.tables.rows import RejectedRow, rejected
from simbench.trace.trace import Trace

QUIET_S = 2.0
COLUMNS = {"outages": outages.COLUMNS, "traffic": traffic.COLUMNS, "probes": probed.COLUMNS}


def judge_record(options: Options, kind: str = "") -> int:
    """Read, judge, print, and return the exit status (docs/reference/exit-status.md).

    Raises BadInput when the source is of another kind than requested.
    """
    started = time.monotonic()
    contract = load_contract(options.contract_name or "orange_ops_2016")
    if is_capture_file(options.source):
        check_kind(options.source, CAPTURE, kind)
        refuse_unusable(options, CAPTURE)
        return _capture(options, contract)
    mapping = read_mapping(options.mapping, COLUMNS)
    source = open_source(_wanted(options, contract, mapping))
    check_kind(options.source, source.kind, kind)
    refuse_unusable(options, source.kind)
    record, notes = _record(options, contract, mapping, source)
    decisions = read_decisions(options.decisions) if options.decisions else ()
    before = Case(Trace(_as_recorded(record)), contract)
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
    answer, dispute = Answer(facts, tally(findings), findings, found_before), None
    if options.probes is not None or (source.kind == "run" and not record.asked and record.run.wire.num_rows):
        dispute = _dispute(case, record)
        answer.dispute, answer.dispute_totals = dispute.sides, dispute.totals
    answer.forecast, answer.back_test = _forecast(options, case)
    notes += decision_notes(source.incidents, decisions)
    print_notes(notes)
    if options.output is not None:
        write_answer(options.output, answer, tickets(service_of(case), contract), tickets(service_of(before), contract))
        if not of_a_capture(source.run):
            sla = frozenset(ordered(contract, "sla"))
            judged = Judgement(
                str(options.source), source.kind, tuple(one for one in findings if one.purpose in sla), source.rows,
                 notes, found_before, decisions, dispute, answer.forecast, answer.back_test,
            )  # fmt: skip
            asked = SlaRun(case.trace.run, contract, options.language, judged)
            _, written = write_sla(options.output, asked, pdf=options.pdf, claim=options.claim)
            if options.claim and not any(path.name == "claim.md" for path in written):
                click.echo("no claim: no commitment of the operator is missed for certain", err=True)
    if options.as_json:
        click.echo(indented(answer))
    else:
        print_answer(answer, options)
    return exit_status(findings)


def _dispute(case: Case, record: Record) -> Dispute:
    """The tickets against the probes given, or against what the client of a run saw, of which nothing is lost."""
    if record.asked:
        return dispute_of(service_of(case), probes_of(case), case.contract)
    return dispute_of(service_of(case), seen_by_the_client(case), case.contract, in_a_row=1)


def _as_recorded(record: Record) -> Run:
    """The record before any decision; a run may have been judged over another period than it holds."""
    if record.source.kind == RUN:
        return retold(record.run, record.source.incidents, record.source.period, record.asked)
    return record.run.extended("stimuli", record.asked) if record.asked else record.run


def _beside(options: Options) -> AuditInputs:
    return AuditInputs(options.campaigns, options.requests, options.keys, options.port, options.tz, options.output)


def _capture(options: Options, contract: Contract) -> int:
    """Judge a capture, with facts and findings in the same forms."""
    audited = audit_capture(options.source, _beside(options), contract)
    answer = Answer(audited.facts, tally(audited.findings), audited.findings)
    print_notes(audited.notes)
    if options.output is not None:
        write_answer(options.output, answer, [], [])
    if options.as_json:
        click.echo(indented(answer))
    else:
        print_answer(answer, options)
    return exit_status(audited.findings)


def _wanted(options: Options, contract: Contract, mapping: MappingFile) -> SourceOptions:
    name = options.tz or mapping.outages.tz
    zone = zone_of(name, "--tz" if options.tz else f"{options.mapping}: outages.tz") if name else None
    bounds = (("--from", options.start), ("--to", options.end), ("--history-from", options.history_from))
    start, end, history = (instant_of(text, zone, place) if text else None for place, text in bounds)
    return SourceOptions(options.source, contract, mapping, start, end, history, zone)


def _record(
    options: Options, contract: Contract, mapping: MappingFile, source: Source
) -> tuple[Record, tuple[RejectedRow, ...]]:
    """The source with the traffic and probes given with it, and the notes on their rows."""
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
        asked = tuple(probed_.stimuli())
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
    """One finding per purpose, with progress on standard error after the first seconds."""
    source, least, most = record.source, None, None
    if source.most and source.least != source.most:
        least, most = (record.case(deciding(one), case) for one in (source.least, source.most))
    found = []
    total = len(ordered(case.contract, "sla"))
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
        "from": moment(period.start, contract.calendar),
        "to": moment(period.end, contract.calendar),
        "history_from": moment(period.known_from, contract.calendar),
        "contract": contract.name,
        "contract_digest": contract.digest,
        "bench_version": __version__,
        "rows": source.rows,
        "incidents": len(source.incidents),
        "set_aside": len(rejected(notes)),
        "holes": source.holes,
    }
    unread = [f"{kind}: {lines}" for kind, lines in record.unread.items() if lines]
    if unread:
        facts["unread"] = "; ".join(unread)
    if source.unanswered:
        facts["unanswered"] = source.unanswered
    if notes:
        facts["remarks"] = "; ".join(str(one) for one in notes[:SHOWN_NOTES])
    if decisions:
        facts["decisions"] = len(decisions)
    return facts


def _forecast(options: Options, case: Case) -> tuple[Forecast | None, BackTest | None]:
    """The forecast asked for, with progress on standard error, and its trial on the past. Raises BadInput."""
    if options.forecast_until is None:
        return None, None
    zone = zone_of(options.tz) if options.tz else None
    service, until = service_of(case), instant_of(options.forecast_until, zone, "--forecast")
    now = service.period.end if options.as_of is None else instant_of(options.as_of, zone, "--as-of")
    if not service.period.known_from < now <= service.period.end:
        raise BadInput("--as-of", "is outside the time for which the record has every incident", "a time within it")
    if until <= now:
        lies = "lies within the period judged" if options.as_of is None else "is not after --as-of"
        raise BadInput("--forecast", lies, "a later date")
    laws = read_laws(options.laws) if options.laws else ()
    started, shown = time.monotonic(), [0.0]

    def progress(done: int, total: int) -> None:
        elapsed = time.monotonic() - started
        if elapsed - shown[0] > QUIET_S:
            shown[0] = elapsed
            left = elapsed / done * (total - done)
            click.echo(f"{done} of {total} replications, about {left:.0f} s left", err=True)

    made = forecast(
        service, case.contract, month_ends(now, until), options.replications, options.seed, as_of=now, laws=laws,
        workers=options.workers or os.cpu_count() or 1, progress=progress,
    )  # fmt: skip
    tried = back_test(service, case.contract, options.replications, options.seed) if options.back_test else None
    return made, tried
