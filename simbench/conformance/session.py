"""A conformance session: conducts exercises in a thread of its own while pytest waits for findings, item by item.

The findings it gathers are the truth; pytest's reports are renderings of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import msgspec
import uvloop

from fake_smsc.live import spare_collector
from simbench.conformance.conduct import Conducted, Progress, Surroundings, conduct, conduct_all, run_info
from simbench.conformance.exercise import Exercise
from simbench.conformance.judging import judge_exercise, unsupported
from simbench.conformance.selection import Chosen
from simbench.conformance.sut import Capabilities, SystemUnderTest
from simbench.contract import Contract
from simbench.errors import LedgerError
from simbench.finding import Finding
from simbench.ledger import Ledger, MemoryLedger, open_run

RUNS = "runs"


class Plan(msgspec.Struct, frozen=True):
    """What a session does: which purposes, with which client (a fresh one an exercise), against which contract."""

    chosen: Chosen
    contract: Contract
    make: Callable[[], SystemUnderTest]
    folder: Path
    seed: int = 1


class Judgements:
    """Findings of a session as its exercises finish. `finding` waits."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.capabilities: Capabilities = plan.make().capabilities
        self.conducted: dict[str, Future[Conducted]] = {name: Future() for name in plan.chosen}
        self._judged: dict[str, list[Finding]] = {}
        self._thread: threading.Thread | None = None

    def start(self, progress: Progress) -> None:
        """Begin to conduct; returns at once."""
        self._thread = threading.Thread(target=self._conduct, args=(progress,), name="exercises", daemon=True)
        self._thread.start()

    def reuse(self) -> None:
        """Judge the ledgers the plan's folder holds already, without any client. Raises LedgerError."""
        for name, (exercise, purposes) in self.plan.chosen.items():
            self.conducted[name].set_result(
                self._left_out(exercise)
                if self._idle(exercise, purposes)
                else Conducted(exercise, open_run(self.plan.folder / RUNS / name / "ledger"))
            )

    def finding(self, exercise: str, purpose: str) -> Finding:
        """The finding of a purpose in an exercise, once that is over."""
        if exercise not in self._judged:
            conducted = self.conducted[exercise].result()
            purposes = self.plan.chosen[exercise][1]
            self._judged[exercise] = judge_exercise(conducted, purposes, self.plan.contract, self.capabilities)
        return next(finding for finding in self._judged[exercise] if finding.purpose == purpose)

    @property
    def findings(self) -> list[Finding]:
        """Every finding judged so far, in the order of the plan."""
        return [finding for name in self.plan.chosen for finding in self._judged.get(name, ())]

    def _conduct(self, progress: Progress) -> None:
        spare_collector()
        try:
            uvloop.run(conduct_all(self.plan.chosen, self._one, progress))
        except BaseException as error:
            for future in self.conducted.values():
                if not future.done():
                    future.set_exception(error)
            raise

    def _idle(self, exercise: Exercise, purposes: tuple[str, ...]) -> bool:
        """Whether nothing that this exercise is for could be judged by it, so that it need not run."""
        own = [purpose for purpose in purposes if purpose in exercise.purposes] or purposes
        return all(unsupported(purpose, exercise, self.capabilities) for purpose in own)

    def _left_out(self, exercise: Exercise) -> Conducted:
        ledger = MemoryLedger(run_info(exercise, self.plan.contract, self.plan.seed, ""))
        return Conducted(exercise, open_run(ledger), left_out="nothing this exercise is for could be judged by it")

    async def _one(self, exercise: Exercise) -> Conducted:
        plan = self.plan
        if self._idle(exercise, plan.chosen[exercise.name][1]):
            self.conducted[exercise.name].set_result(left_out := self._left_out(exercise))
            return left_out
        sut = plan.make()
        folder = plan.folder / RUNS / exercise.name
        try:
            ledger = Ledger.create(folder / "ledger", run_info(exercise, plan.contract, plan.seed, sut.name))
        except LedgerError as error:
            self.conducted[exercise.name].set_exception(error)
            raise
        ledger.flush()  # loads what the ledger needs before anything is timed
        client = folder / "client"
        client.mkdir(parents=True, exist_ok=True)
        conducted = await conduct(exercise, sut, plan.contract, ledger, Surroundings(client, plan.seed))
        self.conducted[exercise.name].set_result(conducted)
        return conducted
