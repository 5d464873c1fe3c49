"""Shrinking of a stored session's failures with the client that ran: their selection, and how scripts are run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from simbench.base.errors import BadInput
from simbench.base.event_loop import run as run_loop
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.report.causes import causes
from simbench.bench.runner.run_exercise import Conducted, RunEnvironment, run_exercise, run_info
from simbench.bench.runner.session import Plan
from simbench.bench.runner.shrink import Failure
from simbench.finding import Finding
from simbench.ledger import MemoryLedger

SHRUNK = ("fail", "weak")


def failures(findings: Sequence[Finding], plan: Plan, only: Sequence[str]) -> Iterator[Failure]:
    """Yield the failures of a session: one purpose of each cause, or each purpose that is named.

    A purpose of the whole session is shrunk in the shortest exercise that shows it. Raises BadInput if none of the
    named purposes failed.
    """
    if only:
        named = [one for one in findings if one.outcome in SHRUNK and {one.purpose, one.exercise, one.clause} & {*only}]
    else:
        named = [group[0] for group in causes(findings) if group[0].outcome == "fail"]
    if not named:
        raise BadInput("--shrink", "nothing failed in that session", "a session with a failure, and --only PURPOSE")
    for finding in named:
        places = [finding.exercise] if finding.exercise else [shown.exercise for shown in finding.evidence]
        known = [plan.chosen[place][0] for place in places if place in plan.chosen]
        if known:
            exercise = min(known, key=lambda one: one.seconds)
            yield Failure(exercise, finding.purpose, finding.outcome, plan.contract, plan.seed)


def live(plan: Plan) -> Callable[[Exercise], Conducted]:
    """Return a function that runs an exercise with the plan's client, with its ledger in memory and temporary files."""

    def run(exercise: Exercise) -> Conducted:
        sut = plan.make()
        ledger = MemoryLedger(run_info(exercise, plan.contract, plan.seed, sut.name))
        with tempfile.TemporaryDirectory(prefix="simbench-shrink-") as folder:
            environment = RunEnvironment(Path(folder), plan.seed)
            return run_loop(run_exercise(exercise, sut, plan.contract, ledger, environment))

    return run
