"""Judges a record of a platform or of a client against a contract, for `simbench judge` and `judge()`.

`simbench.api.audit` applies the rules of conformance to captures and to the wire of runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from simbench.api.audit import AuditInputs, audit_capture, audit_run, of_a_capture
from simbench.api.record_kinds import CAPTURE, RUN, check_kind, refuse_unusable
from simbench.base.errors import BadInput
from simbench.base.progress import Progress, silent
from simbench.base.toml_files import label
from simbench.base.version import __version__
from simbench.capture.files import is_capture_file
from simbench.contract import Contract
from simbench.finding import Finding
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
from simbench.sla.judged import Judged
from simbench.sla.probes import probes_of
from simbench.sla.tickets import moment
from simbench.tables.columns import MappingFile, read_mapping
from simbench.tables.frames import Frame
from simbench.tables.instants import instant_of, zone_of
from simbench.tables.rows import RejectedRow, rejected
from simbench.trace.trace import Trace

COLUMNS = {"outages": outages.COLUMNS, "traffic": traffic.COLUMNS, "probes": probed.COLUMNS}
SHOWN_NOTES = 20


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """A record, additional data, and options of reading. Times are ISO 8601 texts; `tz` is the zone of those that name
    none. `keep`: folder for the ledger read from a capture. `called`: the record's name in facts and reports, by
    default its path.
    """

    source: Path | Run | Frame
    contract: Contract
    start: str | None = None
    end: str | None = None
    history_from: str | None = None
    tz: str | None = None
    mapping: Path | None = None
    decisions: Path | None = None
    probes: Path | Frame | None = None
    traffic: Path | Frame | None = None
    forecast_until: str | None = None
    laws: Path | None = None
    as_of: str | None = None
    back_test: bool = False
    replications: int = 10_000
    workers: int | None = None
    seed: int = 1
    campaigns: Path | None = None
    requests: Path | None = None
    keys: Path | None = None
    port: int | None = None
    keep: Path | None = None
    called: str = ""

    @property
    def label(self) -> str:
        """The name of the record in messages."""
        if self.called:
            return self.called
        if isinstance(self.source, Path):
            return label(self.source)
        return self.source.name if isinstance(self.source, Frame) else self.source.info.run or "run"


def judge_record(inputs: Inputs, kind: str = "", progress: Progress = silent) -> Judged:
    """Read and judge a record.

    Raises BadInput if it cannot be read, or is of another kind than requested.
    """
    contract = inputs.contract
    if isinstance(inputs.source, Path) and is_capture_file(inputs.source):
        check_kind(inputs.label, CAPTURE, kind)
        refuse_unusable(inputs, CAPTURE)
        audited = audit_capture(inputs.source, _beside(inputs), contract, progress)
        return Judged(CAPTURE, audited.facts, audited.findings, notes=audited.notes, captured=True)
    mapping = read_mapping(inputs.mapping, COLUMNS)
    source = open_source(_options(inputs, mapping))
    check_kind(inputs.label, source.kind, kind)
    refuse_unusable(inputs, source.kind)
    record, notes = _record(inputs, mapping, source)
    decisions = read_decisions(inputs.decisions, contract.operator) if inputs.decisions else ()
    before = Case(Trace(_as_recorded(record)), contract)
    case = before
    found_before: tuple[Finding, ...] = ()
    if decisions:
        found_before = _findings(before, record, progress)
        case = record.case(_decided(inputs, source.incidents, decisions), before)
    findings = _findings(case, record, progress, lambda incidents: _decided(inputs, incidents, decisions))
    facts = _facts(inputs, record, notes, decisions)
    captured = False
    wire = Trace(source.run)
    if source.kind == RUN:
        audited = audit_run(wire, contract, _beside(inputs), progress)
        captured = of_a_capture(source.run)
        facts |= audited.facts
        notes += audited.notes
        findings = audited.findings if captured else (*findings, *audited.findings)
    dispute = None
    if inputs.probes is not None or (source.kind == RUN and not record.probes and wire.has_wire):
        dispute = _dispute(case, record, wire)
    made, tried = _forecast(inputs, case, progress)
    notes += decision_notes(source.incidents, decisions)
    return Judged(
        source.kind, facts, findings, found_before, notes, dispute, made, tried, case, before, decisions, source.rows,
        captured,
    )  # fmt: skip


def _dispute(case: Case, record: Record, wire: Trace) -> Dispute:
    """Compare the tickets with the given probes, or with the complete observations of a run's client."""
    if record.probes:
        return dispute_of(service_of(case), probes_of(case), case.contract)
    return dispute_of(service_of(case), seen_by_the_client(wire), case.contract, in_a_row=1)


def _as_recorded(record: Record) -> Run:
    """Return the record before any decision; a run may have been judged over another period than its own."""
    if record.source.kind == RUN:
        return retold(record.run, record.source.incidents, record.source.period, record.probes)
    return record.run.extended("stimuli", record.probes) if record.probes else record.run


def _beside(inputs: Inputs) -> AuditInputs:
    return AuditInputs(inputs.campaigns, inputs.requests, inputs.keys, inputs.port, inputs.tz, inputs.keep)


def _options(options: Inputs, mapping: MappingFile) -> SourceOptions:
    name = options.tz or mapping.outages.tz
    zone = zone_of(name, "--tz" if options.tz else f"{options.mapping}: outages.tz") if name else None
    bounds = (("--from", options.start), ("--to", options.end), ("--history-from", options.history_from))
    start, end, history = (instant_of(text, zone, place) if text else None for place, text in bounds)
    return SourceOptions(options.source, options.contract, mapping, start, end, history, zone)


def _record(options: Inputs, mapping: MappingFile, source: Source) -> tuple[Record, tuple[RejectedRow, ...]]:
    """Return the source with the given traffic and probes, and the notes on their rows."""
    run, notes = source.run, source.notes
    asked: tuple[Row, ...] = ()
    unread = {INCIDENTS: unread_of(source.notes, source.rows)}
    if options.traffic is not None:
        name = options.tz or mapping.traffic.tz
        traffic_ = read_traffic(options.traffic, options.contract, mapping.traffic, zone_of(name) if name else None)
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


def _decided(options: Inputs, incidents: Sequence[Incident], decisions: Sequence[Decision]) -> tuple[Incident, ...]:
    zone = zone_of(options.tz) if options.tz else None
    return decided(incidents, decisions, str(options.decisions), options.contract.operator, zone)


def _findings(
    case: Case, record: Record, progress: Progress,
    deciding: Callable[[Sequence[Incident]], Sequence[Incident]] = lambda incidents: incidents,
) -> tuple[Finding, ...]:  # fmt: skip
    """Return one finding per purpose."""
    source, least, most = record.source, None, None
    if source.most and source.least != source.most:
        least, most = (record.case(deciding(one), case) for one in (source.least, source.most))
    found = []
    total = len(ordered(case.contract, "sla"))
    for number, one in enumerate(service_findings(case, record, least, most), 1):
        found.append(one)
        progress(number / total, f"{number} of {total} purposes judged: {one.purpose} {one.outcome}")
    return tuple(found)


def _facts(
    options: Inputs, record: Record, notes: Sequence[RejectedRow], decisions: Sequence[Decision]
) -> dict[str, str | int | float]:
    source = record.source
    period, calendar = source.period, options.contract.calendar
    facts: dict[str, str | int | float] = {
        "source": options.label, "kind": source.kind, "from": moment(period.start, calendar),
        "to": moment(period.end, calendar), "history_from": moment(period.known_from, calendar),
        "contract": options.contract.name, "contract_digest": options.contract.digest, "bench_version": __version__,
        "rows": source.rows, "incidents": len(source.incidents), "set_aside": len(rejected(notes)),
        "holes": source.holes,
    }  # fmt: skip
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


def _forecast(options: Inputs, case: Case, progress: Progress) -> tuple[Forecast | None, BackTest | None]:
    """Return the requested forecast, and its back test. Raises BadInput."""
    if options.forecast_until is None:
        return None, None
    zone = zone_of(options.tz) if options.tz else None
    service, until = service_of(case), instant_of(options.forecast_until, zone, "--forecast")
    now = service.period.end if options.as_of is None else instant_of(options.as_of, zone, "--as-of")
    if not service.period.known_from < now <= service.period.end:
        raise BadInput("--as-of", "is outside the time for which the record has every incident", "a time within it")
    if until <= now:
        lies = "is within the judged period" if options.as_of is None else "is not after --as-of"
        raise BadInput("--forecast", lies, "a later date")
    laws = read_laws(options.laws) if options.laws else ()
    made = forecast(
        service, case.contract, month_ends(now, until, case.contract.calendar),
        options.replications, options.seed, as_of=now, laws=laws,
        workers=options.workers or os.cpu_count() or 1,
        progress=lambda done, total: progress(done / total, f"{done} of {total} replications"),
    )  # fmt: skip
    tried = back_test(service, case.contract, options.replications, options.seed) if options.back_test else None
    return made, tried
