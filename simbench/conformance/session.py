"""A conformance session: conducts exercises in a thread of its own while pytest waits for findings, item by item.

The findings it gathers are the truth; pytest's reports are renderings of them.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from pathlib import Path

import msgspec
import uvloop

from fake_smsc.live import spare_collector
from simbench import __version__
from simbench.conformance.conduct import AT_ONCE, Conducted, Progress, Surroundings, conduct, conduct_all, run_info
from simbench.conformance.exercise import Exercise
from simbench.conformance.judging import judge_exercise, unsupported
from simbench.conformance.record import Ended, SessionRecord
from simbench.conformance.selection import Chosen
from simbench.conformance.sut import Capabilities, Reach, SystemUnderTest, reach_of
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
    given: str = ""  # the contract as it was asked for: a name or a file


def versions() -> dict[str, str]:
    """Versions of what judges: the bench, Python, and the libraries a verdict hangs on."""
    libraries = {name: version(name) for name in ("duckdb", "msgspec", "numpy", "pyarrow", "pytest")}
    return {"simbench": __version__, "python": platform.python_version(), **libraries}


class Judgements:
    """Findings of a session as its exercises finish. `finding` waits."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        client = plan.make()
        self.name, self.version = client.name, client.version
        self.capabilities: Capabilities = client.capabilities
        self.reach: Reach = reach_of(client)
        self.started = time.time()
        self.conducted: dict[str, Future[Conducted]] = {name: Future() for name in plan.chosen}
        self._judged: dict[str, list[Finding]] = {}
        self._thread: threading.Thread | None = None

    def start(self, progress: Progress) -> None:
        """Begin to conduct; returns at once."""
        self._thread = threading.Thread(target=self._conduct, args=(progress,), name="exercises", daemon=True)
        self._thread.start()

    def reuse(self, record: SessionRecord) -> None:
        """Judge the ledgers the plan's folder holds already, without any client. Raises LedgerError.

        The client's name and what it said of itself are those of the record.
        """
        self.name, self.version = record.system, record.system_version
        self.capabilities, self.reach = record.capabilities, record.reach
        for name, (exercise, _) in self.plan.chosen.items():
            ended = record.ended.get(name, Ended())
            folder = self.plan.folder / RUNS / name / "ledger"
            self.conducted[name].set_result(
                Conducted(exercise, open_run(folder), ended.trouble, ended.blame)
                if ended.ran
                else msgspec.structs.replace(self._left_out(exercise), left_out=ended.trouble)
            )

    def finding(self, exercise: str, purpose: str) -> Finding:
        """The finding of a purpose in an exercise, once that is over."""
        if exercise not in self._judged:
            conducted = self.conducted[exercise].result()
            purposes = self.plan.chosen[exercise][1]
            self._judged[exercise] = judge_exercise(
                conducted, purposes, self.plan.contract, self.capabilities, self.reach
            )
        return next(finding for finding in self._judged[exercise] if finding.purpose == purpose)

    def record(self) -> SessionRecord:
        """What is to be kept of this session beside its ledgers. Only when every exercise is over."""
        plan, ended = self.plan, {}
        for name, future in self.conducted.items():
            conducted = future.result()
            ran = not conducted.left_out
            if conducted.trouble or not ran:
                ended[name] = Ended(conducted.trouble or conducted.left_out, conducted.blame, ran)
        return SessionRecord(
            system=self.name,
            system_version=self.version,
            capabilities=self.capabilities,
            reach=self.reach,
            contract=plan.contract.name,
            contract_given=plan.given,
            contract_digest=plan.contract.digest,
            seed=plan.seed,
            started_at=int(self.started * 1_000_000),
            duration_s=round(time.time() - self.started, 1),
            versions=versions(),
            exercises={name: purposes for name, (_, purposes) in plan.chosen.items()},
            ended=ended,
        )

    @property
    def findings(self) -> list[Finding]:
        """Every finding judged so far, in the order of the plan."""
        return [finding for name in self.plan.chosen for finding in self._judged.get(name, ())]

    def _conduct(self, progress: Progress) -> None:
        spare_collector()
        try:
            at_once = 1 if self.reach.port else AT_ONCE  # one port is one server
            uvloop.run(conduct_all(self.plan.chosen, self._one, progress, at_once))
        except BaseException as error:
            for future in self.conducted.values():
                if not future.done():
                    future.set_exception(error)
            raise

    def _idle(self, exercise: Exercise, purposes: tuple[str, ...]) -> bool:
        """Whether nothing that this exercise is for could be judged by it, so that it need not run."""
        own = [purpose for purpose in purposes if purpose in exercise.purposes] or purposes
        return all(unsupported(purpose, exercise, self.capabilities, self.reach) for purpose in own)

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
        self.version = self.version or sut.version  # some say it only once they run
        self.conducted[exercise.name].set_result(conducted)
        return conducted
