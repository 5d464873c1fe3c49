"""The input of a report: findings, the traces behind them, and the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simbench.contract import Contract
from simbench.finding import Finding
from simbench.rules.coverage import Untested
from simbench.trace.trace import Trace

Info = Mapping[str, str | int | float]


@dataclass(frozen=True)
class ExerciseRun:
    """One exercise that ran: `started` is the instant (us, UTC) at which its time axes begin."""

    name: str
    title: str
    trace: Trace
    started: int


@dataclass(frozen=True)
class Judgement:
    """One judged run of the bench.

    `info` holds the facts of the run, shown in its order. Keys with a meaning: `system`, `system_version`, `contract`,
    `contract_digest`, `seed`, `bench_version`, `started_at` (an instant, us) and `duration_s`; others are shown as
    they are.
    """

    info: Info
    findings: Sequence[Finding]
    contract: Contract
    exercises: Sequence[ExerciseRun] = field(default=())
    expected: Mapping[str, str] = field(default_factory=dict)
    """The expectation of each purpose, in one sentence."""
    remarks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Remarks on findings besides their outcome, by purpose and exercise, for example on a known deviation."""
    untested: Sequence[Untested] = field(default=())
    """The clauses of the contract without a finding, each with the reason."""
