"""A conformance session: runs exercises in a separate thread while pytest waits for findings, item by item.

Its findings are authoritative; pytest's reports are derived from them.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from simbench.base.errors import LedgerError
from simbench.base.event_loop import run, sparing_collector
from simbench.base.outputs import own_folder
from simbench.base.units import SECOND_US
from simbench.base.version import __version__
from simbench.bench.exercises.exercise import Chosen, Exercise
from simbench.bench.runner import AT_ONCE
from simbench.bench.runner.findings import bench_was_late, judge_exercise, unsupported
from simbench.bench.runner.run_exercise import (
    Conducted,
    Progress,
    RunEnvironment,
    conduct_all,
    run_exercise,
    run_info,
)
from simbench.bench.runner.session_findings import EVERY, concluded, exercises_of, items_of
from simbench.bench.runner.session_record import Ended, SessionRecord
from simbench.bench.sut.protocol import Capabilities, Reach, SystemUnderTest, reach_of
from simbench.contract import Contract
from simbench.finding import Finding, counted
from simbench.ledger import Ledger, MemoryLedger, open_run

RUNS, ATTEMPTS = "runs", "attempts"
MOST_ATTEMPTS, LONGEST_S = 8, 200.0  # of one exercise, if the bench was late; no attempt begins later
BEAT_S, CALM_LATE_S, CALM_S, CALM_PATIENCE_S = 0.005, 0.02, 2.0, 30.0  # for the wait before another attempt


class Plan(msgspec.Struct, frozen=True):
    """The plan of a session: its purposes, its client (a fresh one for each exercise) and its contract."""

    chosen: Chosen
    contract: Contract
    make: Callable[[], SystemUnderTest]
    folder: Path
    seed: int = 1
    given: str = ""  # the contract as requested: a name or a file
    at_once: int = AT_ONCE  # concurrent exercises, except for those that run alone
    soak: str = ""  # the duration of an endurance run, as requested


def versions() -> dict[str, str]:
    """Return the versions of the bench, Python, and the libraries on which a verdict depends."""
    libraries = {name: version(name) for name in ("msgspec", "numpy", "pyarrow")}
    return {"simbench": __version__, "python": platform.python_version(), **libraries}


async def calm() -> None:
    """Wait until this loop has been on time for some seconds, or until the time limit."""
    now = asyncio.get_running_loop().time
    until, since = now() + CALM_PATIENCE_S, now()
    while now() < min(since + CALM_S, until):
        asked = now()
        await asyncio.sleep(BEAT_S)
        if now() - asked > BEAT_S + CALM_LATE_S:
            since = now()


class Judgements:
    """The findings of a session, available as its exercises finish. `finding` waits."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        client = plan.make()
        self.name, self.version = client.name, client.version
        self.capabilities: Capabilities = client.capabilities
        self.reach: Reach = reach_of(client)
        self.started = time.time()
        self.lasted_s: float | None = None  # total duration, set once
        self.reused = False  # whether this is an earlier session, judged again
        self.conducted: dict[str, Future[Conducted]] = {name: Future() for name in plan.chosen}
        times = Counter(purpose for _, purpose in items_of(plan.chosen))
        self.several = frozenset(purpose for purpose, number in times.items() if number > 1)
        """The purposes with a finding in each of several exercises."""
        self._judged: dict[str, list[Finding]] = {}
        self._judging = asyncio.Lock()  # one at a time: several would starve the SMSC
        self._thread: threading.Thread | None = None
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[object]] | None = None
        self._stopped = False

    def start(self, progress: Progress) -> None:
        """Start the exercises; returns at once."""
        own_folder(self.plan.folder / RUNS)  # also of a session in which nothing can run
        self._thread = threading.Thread(target=self._conduct, args=(progress,), name="exercises", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop every running exercise with its client and its server; returns when all have ended."""
        self._stopped = True
        if self._running is not None:
            loop, task = self._running
            with contextlib.suppress(RuntimeError):  # the loop may have ended
                loop.call_soon_threadsafe(task.cancel)
        if self._thread is not None:
            self._thread.join()

    def keep_judged(self) -> None:
        """After `stop`, remove every unfinished exercise from the session, which then judges the others."""
        chosen = {}
        for name, one in self.plan.chosen.items():
            done = self.conducted[name]
            if done.done() and not done.cancelled() and done.exception() is None:
                chosen[name] = one
        self.plan = msgspec.structs.replace(self.plan, chosen=chosen)
        self.conducted = {name: self.conducted[name] for name in chosen}
        self.wait()

    def reuse(self, record: SessionRecord) -> None:
        """Judge the existing ledgers of the plan's folder, without any client. Raises LedgerError.

        The client's name and capabilities are those of the record.
        """
        self.name, self.version = record.system, record.system_version
        self.capabilities, self.reach = record.capabilities, record.reach
        self.reused = True
        self.started, self.lasted_s = record.started_at / SECOND_US, record.duration_s
        for name, (exercise, _) in self.plan.chosen.items():
            ended = record.ended.get(name, Ended())
            folder = self.plan.folder / RUNS / name / "ledger"
            earlier = record.attempts.get(name, ())
            self.conducted[name].set_result(
                Conducted(exercise, open_run(folder), ended.trouble, ended.blame, earlier=earlier)
                if ended.ran
                else msgspec.structs.replace(self._left_out(exercise), left_out=ended.trouble)
            )

    def judge_again(self, progress: Callable[[str, int, int], object]) -> None:
        """Judge all of an earlier session; `progress` gets each exercise, the number judged, and the number of all."""
        for number, (name, future) in enumerate(self.conducted.items()):
            progress(f"judging {name}", number, len(self.conducted))
            self._judge(future.result())

    def wait(self) -> None:
        """Return when every exercise is over, judged and reported. Raises the exception of an exercise."""
        wait(self.conducted.values())
        for exercise, purpose in items_of(self.plan.chosen):
            self.finding(exercise, purpose)
        if self._thread is not None:  # which reports the end of the last one
            self._thread.join()

    def finding(self, exercise: str, purpose: str) -> Finding:
        """Return the finding of a purpose in an exercise, once that is over; for EVERY, once all exercises are over."""
        if exercise == EVERY:
            return concluded([self.finding(name, purpose) for name in exercises_of(self.plan.chosen, purpose)])
        conducted = self.conducted[exercise].result()
        if exercise not in self._judged:
            self._judge(conducted)
        return next(finding for finding in self._judged[exercise] if finding.purpose == purpose)

    def verdicts(self, exercise: str) -> str:
        """Return the result of a finished exercise in words: failures by name, other outcomes as numbers."""
        done = self.conducted[exercise]
        if done.done() and (left_out := done.result().left_out):
            return left_out
        judged = self._judged.get(exercise, ())
        failed = [one.purpose for one in judged if one.outcome in {"fail", "error"}]
        others = counted(one for one in judged if one.purpose not in failed and one.outcome != "unsupported")
        return ", ".join(filter(None, (f"fail: {', '.join(failed)}" if failed else "", others)))

    def record(self) -> SessionRecord:
        """Return the record to store with the ledgers of this session. Only when every exercise is over.

        The first call sets the end of the session.
        """
        plan, ended, attempts = self.plan, {}, {}
        for name, future in self.conducted.items():
            conducted = future.result()
            ran = not conducted.left_out
            if conducted.trouble or not ran:
                ended[name] = Ended(conducted.trouble or conducted.left_out, conducted.blame, ran)
            if conducted.earlier:
                attempts[name] = conducted.earlier
        if self.lasted_s is None:
            self.lasted_s = round(time.time() - self.started, 1)
        return SessionRecord(
            system=self.name,
            system_version=self.version,
            capabilities=self.capabilities,
            reach=self.reach,
            contract=plan.contract.name,
            contract_given=plan.given,
            contract_digest=plan.contract.digest,
            seed=plan.seed,
            started_at=int(self.started * SECOND_US),
            duration_s=self.lasted_s,
            versions=versions(),
            exercises={name: purposes for name, (_, purposes) in plan.chosen.items()},
            ended=ended,
            attempts=attempts,
            soak=plan.soak,
        )

    def attempt(self, exercise: str) -> str:
        """Return a remark on an exercise that was run more than once, "" for others."""
        if exercise == EVERY:
            return ""
        earlier = self.conducted[exercise].result().earlier
        return f"Attempt {len(earlier) + 1}; before it, {'; '.join(earlier)}." if earlier else ""

    @property
    def findings(self) -> list[Finding]:
        """Every finding so far: in the order of the plan, then one finding per standing purpose."""
        judged = [finding for name in self.plan.chosen for finding in self._judged.get(name, ())]
        everywhere = {
            purpose: [one for one in judged if one.purpose == purpose]
            for exercise, purpose in items_of(self.plan.chosen)
            if exercise == EVERY
        }
        own = [one for one in judged if one.purpose not in everywhere]
        return own + [concluded(found) for found in everywhere.values() if found]

    def _conduct(self, progress: Progress) -> None:
        at_once = 1 if self.reach.port else self.plan.at_once  # a fixed port allows one server
        try:
            with sparing_collector():
                run(self._all(progress, at_once))
        except BaseException as error:
            waiting = [future for future in self.conducted.values() if not future.done()]
            for future in waiting:  # whoever waits for an exercise raises it
                future.set_exception(error)
            if not waiting and not self._stopped:
                raise

    async def _all(self, progress: Progress, at_once: int) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running = asyncio.get_running_loop(), task
        if self._stopped:
            task.cancel()
        await conduct_all(self.plan.chosen, partial(self._one, progress), progress, at_once)

    def _idle(self, exercise: Exercise, purposes: tuple[str, ...]) -> bool:
        """Tell whether the exercise could judge none of its purposes, so that it need not run."""
        own = [purpose for purpose in purposes if purpose in exercise.purposes] or purposes
        return all(unsupported(purpose, exercise, self.capabilities, self.reach) for purpose in own)

    def _left_out(self, exercise: Exercise) -> Conducted:
        ledger = MemoryLedger(run_info(exercise, self.plan.contract, self.plan.seed, ""))
        return Conducted(
            exercise, open_run(ledger), left_out="none of the exercise's purposes can be judged with this client"
        )

    async def _one(self, progress: Progress, exercise: Exercise) -> Conducted:
        """Run and judge an exercise, and repeat it while the bench's own lateness leaves an outcome open.

        It ends when it is judged: judging keeps the machine busy, which would make the bench late in the next exercise.
        """
        done = self.conducted[exercise.name]
        if self._idle(exercise, self.plan.chosen[exercise.name][1]):
            done.set_result(left_out := self._left_out(exercise))
            return left_out
        earlier: tuple[str, ...] = ()
        began = time.monotonic()
        while True:
            try:
                conducted = msgspec.structs.replace(
                    await self._attempt(exercise, partial(progress, exercise, "waits")), earlier=earlier
                )
            except LedgerError as error:
                done.set_exception(error)
                raise
            async with self._judging:
                findings = await asyncio.to_thread(self._judge, conducted)
            late = bench_was_late(findings, conducted.run)
            if not late or len(earlier) + 1 == MOST_ATTEMPTS or time.monotonic() - began > LONGEST_S:
                done.set_result(conducted)
                return conducted
            earlier += (late,)
            progress(exercise, "again", late)
            aside = self.plan.folder / ATTEMPTS / exercise.name
            aside.mkdir(parents=True, exist_ok=True)
            (self.plan.folder / RUNS / exercise.name).rename(aside / str(len(earlier)))
            await calm()

    async def _attempt(self, exercise: Exercise, waits: Callable[[str], object]) -> Conducted:
        """Run an exercise once. Raises LedgerError if its ledger cannot be created."""
        plan = self.plan
        sut = plan.make()
        folder = plan.folder / RUNS / exercise.name
        ledger = Ledger.create(folder / "ledger", run_info(exercise, plan.contract, plan.seed, sut.name))
        ledger.flush()  # loads the ledger's libraries before anything is timed
        client = folder / "client"
        own_folder(client)
        conducted = await run_exercise(
            exercise, sut, plan.contract, ledger, RunEnvironment(client, plan.seed, waits=waits)
        )
        self.version = self.version or sut.version  # some clients report it only when they run
        return conducted

    def _judge(self, conducted: Conducted) -> list[Finding]:
        plan, name = self.plan, conducted.exercise.name
        findings = judge_exercise(conducted, plan.chosen[name][1], plan.contract, self.capabilities, self.reach)
        self._judged[name] = findings
        return findings
