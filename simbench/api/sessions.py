"""Conformance sessions of a client: `conform` runs one, `read_session` reads a stored one."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from simbench.base.errors import BadInput
from simbench.base.notebook import html_facts
from simbench.base.outputs import claim
from simbench.base.progress import Progress, reported
from simbench.base.python_words import in_python_words, path_in
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.report import ExerciseRun, Judgement, read_findings
from simbench.bench.runner import AT_ONCE, MOST_AT_ONCE
from simbench.bench.runner.baseline import Baseline, Standing, compare, read_baseline
from simbench.bench.runner.junit import write_junit
from simbench.bench.runner.options import SessionOptions, plan_again, plan_of
from simbench.bench.runner.output import FINDINGS, JUNIT, judgement_of, write_output
from simbench.bench.runner.run_exercise import Phase
from simbench.bench.runner.selection import select
from simbench.bench.runner.session import RUNS, Judgements, Plan
from simbench.bench.runner.session_record import NAME as RECORD
from simbench.bench.runner.session_record import read_record
from simbench.bench.sut.protocol import SystemUnderTest
from simbench.bench.sut.registry import checked_maker
from simbench.contract import Contract, load_contract
from simbench.contract.load import DEFAULT
from simbench.findings import Findings
from simbench.ledger import open_run
from simbench.rules.rule import load
from simbench.trace.trace import Trace

Maker = Callable[[], SystemUnderTest]


class Session:
    """A client judged in exercises.

    `findings` has one finding per purpose and exercise; `folder` contains one ledger per exercise
    (`runs/EXERCISE/ledger`, for `open_run`). A session without its own folder is in a temporary one, which is deleted
    when the session is no longer referenced.

    >>> session = conform("reference", only="refusals")
    >>> session.exercises
    ('refusals',)
    """

    def __init__(
        self, judgement: Judgement, folder: Path, standings: Sequence[Standing] = (), judged: Judgements | None = None,
        *, strict: bool = False,
    ) -> None:  # fmt: skip
        self.judgement, self.folder, self.standings, self.judged = judgement, folder, tuple(standings), judged
        self.strict = strict
        self.findings = Findings(judgement.findings, facts=judgement.info, origin=self)

    @property
    def client(self) -> str:
        """The name of the client under test."""
        return str(self.judgement.info.get("system", ""))

    @property
    def outcome(self) -> str:
        """The overall outcome: pass, fail or inconclusive."""
        return self.findings.outcome

    @property
    def exercises(self) -> tuple[str, ...]:
        """The exercises that ran, by name."""
        return tuple(one.name for one in self.judgement.exercises)

    def __repr__(self) -> str:
        return f"<Session of {self.client or 'a client'}: {self.findings!r}>"

    def _repr_html_(self) -> str:
        facts = (("exercises", ", ".join(self.exercises)), ("outcome", self.outcome))
        return html_facts(self.client, facts) + self.findings._repr_html_()


@in_python_words
def conform(  # noqa: PLR0913 - the options of a session
    sut: str | Path | Maker,
    only: Sequence[str] | str = (),
    *,
    program: str = "",
    capabilities: Path | str | None = None,
    contract: Contract | Path | str | None = None,
    faults: Sequence[str] = (),
    baseline: Path | str | None = None,
    strict: bool = False,
    soak: str = "",
    seed: int = 1,
    jobs: int = AT_ONCE,
    folder: Path | str | None = None,
    progress: Progress | bool = False,
) -> Session:
    """Run the exercises with a client and judge it, clause by clause, as `simbench conform` does.

    `sut` is the name of a client (reference, kannel, command, external, or one of another package), a description
    (.toml), or a function or class that makes a `SystemUnderTest`: each exercise starts a new one. `only`: clauses,
    chapters, purposes or exercises. `program`: program and arguments of "command". `capabilities`: the client's
    capabilities (TOML). `faults`: faults of the reference client. `baseline`: known deviations (TOML); with `strict`,
    weak and inconclusive findings fail as well. `soak`: an endurance run of this duration ("10m") instead. `jobs`:
    number of concurrent exercises; those that measure high rates run alone, low rates four at a time. `folder`: a new
    folder for the complete session, as of the command. All servers and clients have ended when the function returns or
    raises, also after Ctrl-C.

    Raises BadInput for invalid input, Trouble if the machine lacks a program.

    >>> session = conform("reference", only="refusals")
    >>> session.outcome
    'pass'
    """
    if not 1 <= jobs <= MOST_AT_ONCE:
        raise BadInput("jobs", f"is {jobs}", f"1 to {MOST_AT_ONCE}")
    own: Maker | None = None
    name = str(sut)
    if not isinstance(sut, str | Path):
        own, name = checked_maker(sut, "sut"), "own"
    given = contract if isinstance(contract, Contract) else None
    wanted = SessionOptions(
        name, program, path_in(capabilities), (only,) if isinstance(only, str) else tuple(only),
        given.source if given is not None else str(contract or ""), seed, tuple(faults), soak, jobs,
    )  # fmt: skip
    known = read_baseline(Path(baseline), load()) if baseline else Baseline()
    temporary = Path(tempfile.mkdtemp(prefix="simbench-")) if folder is None else None
    home = Path(folder) if folder is not None else Path(str(temporary)) / "session"
    try:
        judged = _conducted(plan_of(wanted, home, own, given), home, progress)
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    return _session_of(judged, known, home, temporary, strict=strict)


def _session_of(judged: Judgements, known: Baseline, home: Path, temporary: Path | None, *, strict: bool) -> Session:
    """A session that has ended: written into its folder, or with a temporary one, which goes with it."""
    standings = compare(judged.findings, known, date.today(), strict=strict)
    if temporary is None:
        session = Session(write_output(judged, home, standings), home, standings, judged, strict=strict)
        write_junit(home / JUNIT, judged, standings, strict=strict)
        return session
    session = Session(judgement_of(judged, standings), home, standings, judged, strict=strict)
    weakref.finalize(session, shutil.rmtree, temporary, ignore_errors=True)
    return session


def _conducted(plan: Plan, home: Path, progress: Progress | bool) -> Judgements:
    """Run a session to its end; no process of it remains, even after an error."""
    if (home / RUNS).exists():
        raise BadInput(f"folder {home}", "already contains a session", "a new folder")
    claim(home, "folder")
    judged = Judgements(plan)
    with reported(progress) as show:
        judged.start(_ticker(show, len(plan.chosen)))
        try:
            judged.wait()
        finally:
            judged.stop()
    return judged


@in_python_words
def read_session(folder: Path | str, contract: Contract | str | None = None) -> Session:
    """Return the session that `conform` or `simbench conform` stored in a folder, with its original findings.

    Raises BadInput if there is none, LedgerError for a damaged ledger.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     session = conform("reference", only="refusals", folder=f"{home}/kept")
    ...     read_session(f"{home}/kept").findings == session.findings
    True
    """
    home = Path(folder)
    result = read_findings(home / FINDINGS)
    given = contract if isinstance(contract, str) else str(result.run.get("contract", DEFAULT))
    chosen = select()
    if (home / RECORD).is_file():  # also knows exercises made for one session
        chosen = plan_again(read_record(home), home, given, ()).chosen
    exercises = []
    for name, (exercise, _) in chosen.items():
        ledger = home / RUNS / name / "ledger"
        if ledger.is_dir():
            trace = Trace(open_run(ledger))
            exercises.append(ExerciseRun(name, exercise.title, trace, trace.span[0]))
    known = contract if isinstance(contract, Contract) else load_contract(given)
    return Session(Judgement(result.run, result.findings, known, exercises, untested=result.untested), home)


def is_session(folder: Path) -> bool:
    """Tell whether a folder contains a session."""
    return (folder / RUNS).is_dir() and (folder / FINDINGS).is_file()


def _ticker(show: Progress, total: int) -> Callable[[Exercise, Phase, str], None]:
    """Return a function that reports the share of finished exercises when one begins or ends."""
    done = 0

    def tick(exercise: Exercise, phase: Phase, trouble: str) -> None:
        nonlocal done
        if phase != "waits":
            done += phase == "finished"
            event = {"started": "begun", "again": f"repeated, because {trouble}", "finished": "finished"}[phase]
            show(done / total, f"{exercise.name} {event}")

    return tick
