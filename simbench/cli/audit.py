"""Traffic judged without any simulator: a capture with what its auditor knows, or the wire a run has kept.

Prints nothing but progress: `simbench judge` does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

import simbench.rules.client.connection_tunnel
import simbench.rules.client.marketing_on_the_wire  # noqa: F401 - importing these enters their rules
from simbench import __version__
from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.runner.selection import STANDING
from simbench.capture.esp import Tunnels
from simbench.capture.tunnelled import Progress, read_tunnelled
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.ledger import AnyLedger, Ledger, MemoryLedger, Run, RunInfo
from simbench.ledger.rows import Row
from simbench.rules.audit import audit, lacks_of
from simbench.rules.client.capture_times import times_of
from simbench.rules.rule import RULES, Case, judge
from simbench.sla.imports.campaigns import joined, marks_of, read_metadata, within
from simbench.sla.tickets import moment
from simbench.tables.instants import zone_of
from simbench.tables.rows import RejectedRow, Remark, rejected
from simbench.trace.trace import Reading

QUIET_S = 2.0
LEDGER = "ledger"  # the folder a capture's rows are kept in, below the output
GIVEN = "metadata"  # story row of kind "capture" that names the kinds of metadata there were


class Beside(msgspec.Struct, frozen=True):
    """What is given beside a capture."""

    campaigns: Path | None = None
    requests: Path | None = None
    keys: Path | None = None
    port: int | None = None
    tz: str | None = None
    output: Path | None = None


class Audited(msgspec.Struct, frozen=True):
    """What `simbench judge` says of a capture: facts, findings, and notes on rows of the lists given beside it."""

    facts: dict[str, str | int | float]
    findings: tuple[Finding, ...]
    notes: tuple[RejectedRow, ...] = ()


def audit_capture(path: Path, beside: Beside, contract: Contract) -> Audited:
    """Judge a capture by every rule that can. With an output folder its ledger is kept, to be judged again."""
    metadata = read_metadata(beside.campaigns, beside.requests, zone_of(beside.tz) if beside.tz else None)
    tunnels = Tunnels(beside.keys)
    info = RunInfo(path.name, contract=contract.name, contract_digest=contract.digest)
    ledger: AnyLedger = Ledger.create(beside.output / LEDGER, info) if beside.output else MemoryLedger(info)
    try:
        summary = read_tunnelled(path, ledger, beside.port, tunnels, _progress())
        wire = Reading(ledger.snapshot())
        start, end = wire.span
        times = times_of(wire)
        if not times.untimed:
            metadata = within(metadata, start, end, contract.terms.session.result_timer_max_s.value * SECOND_US)
        if not wire.run.wire.num_rows:
            closed = f"; {tunnels.packets - tunnels.opened} ESP packets stay closed" if tunnels.packets else ""
            held = f" ({summary.kinds})" if summary.kinds and not tunnels.packets else ""
            problem = f"there is no UCP in its {summary.packets} packets{held}{closed}"
            raise BadInput(str(path), problem, "--port, or --keys")
        told = {"what": GIVEN, "given": sorted(metadata.given), "unread": metadata.unread}
        given = msgspec.json.encode(told).decode()
        _extend(ledger.story, [*metadata.story, (end, "capture", "", None, given)])
        # Whose an alphanumeric originator is, codes tell; so it is read again before requests are looked for.
        _extend(ledger.asked, joined(Reading(ledger.snapshot()), metadata))
        run = ledger.snapshot()
    finally:
        ledger.close()
    findings = audit_run(run, contract)
    lacks, dated = lacks_of(wire), not times.untimed
    facts: dict[str, str | int | float] = {
        "source": str(path), "kind": "a capture", "from": moment(start) if dated else "unknown",
        "to": moment(end) if dated else "unknown", "incidents": 0,
        "contract": contract.name, "contract_digest": contract.digest, "bench_version": __version__,
        "packets": summary.packets, "connections": summary.connections, "esp_packets": tunnels.packets,
        "esp_opened": tunnels.opened, "lacks": str(lacks), "began_midway": lacks.midway,
        "attempts": summary.attempts, "clock": str(times),
    }  # fmt: skip
    facts["set_aside"] = len(rejected(metadata.notes))
    facts["holes"] = lacks.holes
    if metadata.unread:
        facts["unread"] = ", ".join(f"{count} lines of the {kind}" for kind, count in metadata.unread.items())
    remarks = tuple(Remark(0, remark) for remark in times.remarks)
    return Audited(facts, tuple(findings), (*remarks, *metadata.notes))


def audit_run(run: Run, contract: Contract) -> Sequence[Finding]:
    """Judge the wire a run has kept; nothing where it has kept none.

    A run of an exercise is judged by that exercise's purposes, any other by every rule there is.
    """
    if not run.wire.num_rows:
        return ()
    plain = Reading(run)
    case = Case(Reading(run, marks_of(plain)), contract)
    exercise = EXERCISES.get(run.info.scenario)
    if exercise is not None:
        purposes = dict.fromkeys((*exercise.purposes, *STANDING))
        return [judge(purpose, case, exercise.name) for purpose in purposes if purpose in RULES]
    return audit(case, _given(plain))


def of_a_capture(run: Run) -> bool:
    """Whether a run was read from a capture: minutes or hours of traffic, which tell nothing of a service level."""
    return "capture" in set(run.story["kind"].to_pylist())


def _given(reading: Reading) -> set[str]:
    """What a run tells: a capture's says it; a platform's own knows outages and recipients, codes and what it asked."""
    for row in reading.story.rows():
        if row.kind == "capture" and row.detail["what"] == GIVEN:
            return set(row.detail["given"])
    given = {"outages", "recipients", "accounts"} | ({"codes"} if reading.limits else set())
    return given | ({"requests", "classes", "consent"} if len(reading.asked) else set())


def _extend(table: object, rows: Sequence[Row]) -> None:
    for row in rows:
        table.append(row)  # type: ignore[attr-defined]  # both kinds of ledger have lists


def _progress() -> Progress:
    """Tells of packets on standard error, once the reading takes long."""
    last = time.monotonic()

    def tell(packets: int) -> None:
        nonlocal last
        if time.monotonic() - last > QUIET_S:
            last = time.monotonic()
            click.echo(f"{packets} packets read", err=True)

    return tell
