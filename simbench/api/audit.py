"""Judges recorded traffic: a capture with its auditor's lists, or the wire of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

import simbench.bench.runner.selection  # noqa: F401 - importing it registers the exercises
from simbench.base.errors import BadInput
from simbench.base.outputs import claim
from simbench.base.progress import Progress, silent
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.base.version import __version__
from simbench.bench.exercises.exercise import EXERCISES
from simbench.capture.esp import Tunnels
from simbench.capture.tunnelled import read_tunnelled
from simbench.contract import Contract
from simbench.finding import Finding, prose
from simbench.ledger import AnyLedger, Ledger, MemoryLedger, Run, RunInfo
from simbench.ledger.capture_events import MetadataGiven
from simbench.ledger.events import At, LimitSet, events_in, is_capture, row_of
from simbench.ledger.rows import Row
from simbench.ledger.stimuli import stimulus_row
from simbench.numbering.plan import plan_of
from simbench.rules.audit import audit, given_by, lacks_of
from simbench.rules.capture_times import times_of
from simbench.rules.client.throughput import unrequested
from simbench.rules.repeated import remark, repeated, without
from simbench.rules.rule import Case, judge, standing
from simbench.sla.imports.campaigns import Metadata, joined, read_metadata, tokens_of, within
from simbench.sla.tickets import moment
from simbench.tables.instants import zone_of
from simbench.tables.rows import RejectedRow, Remark, rejected
from simbench.trace.trace import Trace

LEDGER = "ledger"  # folder of a capture's ledger in the output folder


class AuditInputs(msgspec.Struct, frozen=True):
    """Inputs for a capture."""

    campaigns: Path | None = None
    requests: Path | None = None
    keys: Path | None = None
    port: int | None = None
    tz: str | None = None
    output: Path | None = None


class Audited(msgspec.Struct, frozen=True):
    """The result for a capture: facts, findings, and notes on rows of the given lists."""

    facts: dict[str, str | int | float]
    findings: tuple[Finding, ...]
    notes: tuple[RejectedRow, ...] = ()


def audit_capture(path: Path, beside: AuditInputs, contract: Contract, progress: Progress = silent) -> Audited:
    """Judge a capture by every applicable rule. With an output folder its ledger is kept for later judgements."""
    metadata = read_metadata(
        beside.campaigns, beside.requests, plan_of(contract), zone_of(beside.tz) if beside.tz else None
    )
    tunnels = Tunnels(beside.keys)
    info = RunInfo(path.name, contract=contract.name, contract_digest=contract.digest)
    if beside.output is not None:
        claim(beside.output)
    ledger: AnyLedger = Ledger.create(beside.output / LEDGER, info) if beside.output else MemoryLedger(info)
    try:
        summary = read_tunnelled(
            path, ledger, beside.port, tunnels, lambda packets: progress(None, f"{packets} packets read")
        )
        wire = Trace(ledger.snapshot())
        twice = repeated(wire.events)
        wire = Trace(without(wire.run, twice)) if twice else wire
        start, end = wire.span
        times = times_of(wire)
        if not times.untimed:
            metadata = within(metadata, start, end, contract.terms.session.result_timer_max_s.value * SECOND_US)
        if not wire.has_wire:
            closed = f"; {tunnels.packets - tunnels.opened} ESP packets not decrypted" if tunnels.packets else ""
            plain = msgspec.structs.replace(summary, kinds="") if tunnels.packets else summary
            problem = f"{plain.without_ucp}{closed}"
            raise BadInput(str(path), problem, "--port, or --keys")
        given = MetadataGiven(tuple(sorted(metadata.given)), dict(metadata.unread))
        _extend(ledger.events, [row_of(at, event) for at, event in (*metadata.events, At(end, given))])
        # Codes assign alphanumeric originators to accounts, so the trace is read again before matching requests.
        _extend(
            ledger.stimuli,
            map(stimulus_row, joined(Trace(without(ledger.snapshot(), twice)), metadata, plan_of(contract))),
        )
        run = without(ledger.snapshot(), twice)
    finally:
        ledger.close()
    findings = audit_run(run, contract, progress=progress).findings
    lacks, dated = lacks_of(wire), not times.untimed
    facts: dict[str, str | int | float] = {
        "source": str(path), "kind": "a capture", "from": moment(start, contract.calendar) if dated else "unknown",
        "to": moment(end, contract.calendar) if dated else "unknown", "incidents": 0,
        "contract": contract.name, "contract_digest": contract.digest, "bench_version": __version__,
        "packets": summary.packets, "connections": summary.connections, "esp_packets": tunnels.packets,
        "esp_opened": tunnels.opened, "lacks": prose(lacks.reasons), "began_midway": lacks.midway,
        "attempts": summary.attempts, "clock": prose(times.remarks),
    }  # fmt: skip
    facts["set_aside"] = len(rejected(metadata.notes))
    if metadata.requests is not None:
        facts["without_request"] = unrequested(Case(Trace(run), contract))
    facts["holes"] = lacks.holes
    if metadata.unread:
        facts["unread"] = ", ".join(
            f"{count(unread, 'line')} of the {kind}" for kind, unread in metadata.unread.items()
        )
    remarks = tuple(Remark(0, one) for one in (*times.remarks, *([remark(twice)] if twice else [])))
    return Audited(facts, findings, (*remarks, *metadata.notes))


def audit_run(
    record: Run | Trace,
    contract: Contract,
    beside: AuditInputs = AuditInputs(),  # noqa: B008 - frozen
    progress: Progress = silent,
) -> Audited:
    """Judge the wire of a run or of its trace; no findings without a wire.

    The run of an exercise is judged by that exercise's purposes, any other by every rule. Campaigns and requests add
    information to a server's run. Raises BadInput if the run already has that information.
    """
    plain = record if isinstance(record, Trace) else Trace(record)
    twice = repeated(plain.events)
    plain = Trace(without(plain.run, twice)) if twice else plain
    run, given_beside = plain.run, beside.campaigns is not None or beside.requests is not None
    exercise = EXERCISES.get(run.info.scenario)
    if given_beside:
        _refuse_beside(plain, beside, exercise is not None)
    if not plain.has_wire:
        return Audited({}, ())
    if exercise is not None:
        case = Case(plain.with_tokens(tokens_of(plain)), contract)
        purposes = dict.fromkeys((*filter(contract.clause_of, exercise.purposes), *standing(contract)))
        return Audited({}, tuple(judge(purpose, case, exercise.name) for purpose in purposes))
    given, facts = given_by(plain), dict[str, str | int | float]()
    metadata = Metadata()
    if given_beside:
        metadata = _metadata_of(plain, beside, contract)
        run = run.extended("stimuli", list(map(stimulus_row, joined(plain, metadata, plan_of(contract)))))
        given |= metadata.given - {"codes", "outages"}
    read = Trace(run) if given_beside else plain
    case = Case(read.with_tokens(tokens_of(read)), contract)
    if given_beside and (left_out := unrequested(case)) and beside.requests is not None:
        facts["without_request"] = left_out
    return Audited(facts, tuple(audit(case, given, unread=metadata.unread, progress=_judged(progress))), metadata.notes)


def _refuse_beside(trace: Trace, beside: AuditInputs, of_an_exercise: bool) -> None:
    """Check that a run can use the additional inputs. Raises BadInput."""
    option = "--requests" if beside.requests is not None else "--campaigns"
    if not trace.has_wire:
        raise BadInput(option, "the run has no recorded wire", "the run of a server")
    if of_an_exercise:
        raise BadInput(option, "the run of an exercise records its own requests", "the run of a server")
    if of_a_capture(trace.run):
        raise BadInput(option, "the run was read from a capture with its own inputs", "the capture itself")


def _metadata_of(plain: Trace, beside: AuditInputs, contract: Contract) -> Metadata:
    """Return the inputs for a server's run within its period. Raises BadInput if they contradict the run."""
    metadata = read_metadata(
        beside.campaigns, beside.requests, plan_of(contract), zone_of(beside.tz) if beside.tz else None
    )
    for _, event in metadata.events:
        if not isinstance(event, LimitSet):
            continue
        rates = {limit.rate for limit in plain.limits.get(event.code, ())}
        if event.rate_per_s not in rates:
            known = ", ".join(map(str, sorted(rates))) or "no such code"
            place = f"{beside.campaigns}: codes: {event.code}"
            raise BadInput(place, f"{event.rate_per_s}/s", f"the value in the run: {known}")
    if metadata.outages:
        raise BadInput(f"{beside.campaigns}: outages", "the run records its own outages", "none")
    return within(metadata, *plain.span, contract.terms.session.result_timer_max_s.value * SECOND_US)


def of_a_capture(run: Run) -> bool:
    """Tell whether a run was read from a capture, which is too short for a service level."""
    return is_capture(events_in(run.events))


def _extend(table: object, rows: Iterable[Row]) -> None:
    for row in rows:
        table.append(row)  # type: ignore[attr-defined]  # both kinds of ledger have lists


def _judged(progress: Progress) -> Callable[[Finding], None]:
    """Return a function that reports progress by purpose."""
    number = 0

    def show(one: Finding) -> None:
        nonlocal number
        number += 1
        progress(None, f"{number} purposes of the wire judged: {one.purpose} {one.outcome}")

    return show
