"""The bench in a client's own pytest session: one item per purpose, besides the client's tests.

Exercises start with the first purpose that is run, and run concurrently as far as clocks and ports allow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from _pytest.outcomes import Failed, Skipped

from simbench.base.errors import BadInput, SimbenchError
from simbench.base.outputs import check_folder, claim
from simbench.base.toml_files import choice
from simbench.bench.pytest.left_out import UNDECIDED
from simbench.bench.pytest.marker import ROOT, wants_purposes
from simbench.bench.report.words import frames_in_words
from simbench.bench.runner.baseline import Baseline, Standing, compare, read_baseline, remark
from simbench.bench.runner.junit import case_text, end_of, named_items, properties
from simbench.bench.runner.options import SessionOptions, plan_of
from simbench.bench.runner.output import write_output
from simbench.bench.runner.session import Judgements, Plan
from simbench.bench.runner.session_findings import EVERY, exercises_of
from simbench.finding import Finding, counted, exit_status
from simbench.rules.rule import load

NOTHING = ("none",)  # --sut-only none: only the fixtures
VERDICT = "verdict"  # attribute of a report, set by this plugin


class NotPassed(Skipped):
    """Ends an item as inconclusive, unsupported or known; JUnit shows it as skipped with that word."""

    def __init__(self, word: str, summary: str) -> None:
        super().__init__(f"{word}: {summary}", allow_module_level=False)
        self.word = word


class BenchFailed(Failed):
    """Ends an item as an error: the bench itself failed, which says nothing about the client."""

    word = "error"


class Foreign:
    """The purposes of a session: collected as items, judged when they are run, written to files at the end."""

    def __init__(self, config: pytest.Config, nodes: list[str]) -> None:
        option = config.getoption
        only = tuple(option("--sut-only"))
        self.wanted = SessionOptions(
            option("--sut"), option("--sut-program"), option("--sut-capabilities"), only if only != NOTHING else (),
            option("--sut-contract"), option("--sut-seed"),
        )  # fmt: skip
        self.strict: bool = option("--sut-strict")
        worker = getattr(config, "workerinput", {}).get("workerid", "")
        self._asked_folder = _checked_folder(option("--sut-output"), worker)
        self.plan = plan_of(self.wanted, self._asked_folder or Path())
        self.named = _named(nodes, self.plan) if only != NOTHING and wants_purposes(config, nodes) else []
        baseline = option("--sut-baseline")
        self.baseline = read_baseline(baseline, load()) if baseline else Baseline()
        self._judgements: Judgements | None = None
        self._wanted_exercises: set[str] = set()
        self._seen: list[Finding] = []  # outcomes of all workers; known deviations count as passed
        self._undecided = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Collect the purposes before `-k`, `-m` and `--last-failed` select among all items."""
        if self.named:
            items.extend(session.genitems(Purposes.from_parent(session, name=ROOT, nodeid=ROOT, foreign=self)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Schedule all purposes on one worker, because they share exercises; other tests run on any worker."""
        if config.getoption("dist") not in {"load", "worksteal", "loadgroup"}:
            return None
        from xdist.scheduler import LoadGroupScheduling  # noqa: PLC0415 - present, because xdist calls this hook

        class Scheduling(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
            def _split_scope(self, nodeid: str) -> str:
                return ROOT if nodeid.startswith(f"{ROOT}::") else str(super()._split_scope(nodeid))

        return Scheduling(config, log)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Run only exercises of the remaining purposes."""
        wanted = [item for item in session.items if isinstance(item, PurposeItem)]
        everywhere = {
            name for one in wanted if one.exercise == EVERY for name in exercises_of(self.plan.chosen, one.purpose)
        }
        self._wanted_exercises = everywhere | {one.exercise for one in wanted}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Record the verdict of an item."""
        del item
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, NotPassed | BenchFailed):
            setattr(report, VERDICT, call.excinfo.value.word)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Show inconclusive, unsupported and errors under their own names."""
        verdict = getattr(report, VERDICT, "")
        letter = "E" if verdict == BenchFailed.word else verdict[:1]
        return (verdict, letter, verdict.upper()) if verdict else None

    def standing(self, exercise: str, purpose: str) -> tuple[Standing, Judgements]:
        """Return a finding compared with the baseline once its exercise is over; the first call starts them all."""
        if self._judgements is None:
            chosen = {name: one for name, one in self.plan.chosen.items() if name in self._wanted_exercises}
            folder = self._asked_folder or Path(tempfile.mkdtemp(prefix="simbench-"))
            claim(folder, "--sut-output")
            self._judgements = Judgements(msgspec.structs.replace(self.plan, chosen=chosen, folder=folder))
            self._judgements.start(lambda *_: None)
        return self._compare([self._judgements.finding(exercise, purpose)])[0], self._judgements

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcomes of purposes."""
        properties = dict(report.user_properties)
        verdict = getattr(report, VERDICT, "")
        ended = report.when == "call" or verdict == BenchFailed.word
        if ended and "purpose" in properties:
            outcome = "pass" if verdict == "known" else properties["outcome"]
            self._seen.append(Finding(str(properties["purpose"]), "", outcome, ""))  # type: ignore[arg-type]  # one of them

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the output folder; exit with 3 where nothing failed but something is inconclusive or an error.

        If the session ends early (`-x`, Ctrl-C), running exercises are stopped and the finished ones are written.
        """
        errors = sum(one.outcome == "error" for one in self._seen)
        failed = session.testsfailed if exitstatus == pytest.ExitCode.TESTS_FAILED else -1
        nothing_failed = exitstatus == pytest.ExitCode.OK or failed == errors
        if self._seen and nothing_failed and exit_status(self._seen) == UNDECIDED:
            session.exitstatus = UNDECIDED
            self._undecided = True
        if self._judgements is not None:
            self._judgements.stop()
            self._judgements.keep_judged()
            write_output(self._judgements, self._judgements.plan.folder, self._compare(self._judgements.findings))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the path of the report."""
        if self._judgements is not None:
            terminalreporter.write_line(f"simbench: {self._judgements.plan.folder / 'report.html'}")
        if self._undecided:
            terminalreporter.write_line(f"simbench: exit status {UNDECIDED}: {counted(self._seen)}")

    def _compare(self, findings: Any) -> list[Standing]:
        return compare(findings, self.baseline, date.today(), strict=self.strict)


class Purposes(pytest.Collector):
    """The purposes of a session, `simbench` in the tree of tests."""

    def __init__(self, *, foreign: Foreign, **more: Any) -> None:
        super().__init__(**more)
        self._foreign = foreign

    def collect(self) -> Iterator[PurposeItem]:
        """Yield one item per finding of the session."""
        for name, exercise, purpose in self._foreign.named:
            yield PurposeItem.from_parent(self, name=name, foreign=self._foreign, exercise=exercise, purpose=purpose)


class PurposeItem(pytest.Item):
    """One finding of the session; `-k` also selects it by its clause and its exercise."""

    def __init__(self, *, foreign: Foreign, exercise: str, purpose: str, **more: Any) -> None:
        super().__init__(**more)
        self._foreign, self.exercise, self.purpose = foreign, exercise, purpose
        self._clause = foreign.plan.contract.clause_of(purpose)
        self.extra_keyword_matches.update({self._clause, exercise})

    def setup(self) -> None:
        """Wait for the exercise. An error of the bench ends the item here, so that JUnit counts it as an error."""
        try:
            self._standing, judgements = self._foreign.standing(self.exercise, self.purpose)
        except SimbenchError as error:  # of the machine: no exercise could run
            self.user_properties += [("purpose", self.purpose), ("outcome", BenchFailed.word)]
            raise BenchFailed(f"{BenchFailed.word}: {error}", pytrace=False) from None
        self.user_properties += properties(self._standing.finding, judgements)
        self._text = case_text(self._standing, judgements)
        if end_of(self._standing, strict=self._foreign.strict)[0] == "error":
            self._end(BenchFailed)

    def runtest(self) -> None:
        """Fail, pass, or end with the verdict."""
        if self._standing.state == "passes":
            self.user_properties.append(("baseline", remark(self._standing)))
        end, word = end_of(self._standing, strict=self._foreign.strict)
        if end == "skipped":
            raise NotPassed(word, self._text)
        if end:
            self._end(Failed)

    def _end(self, kind: type[Failed]) -> NoReturn:
        finding = self._standing.finding
        frames = frames_in_words(finding, self._foreign.plan.contract.calendar)
        raise kind("\n".join([f"{finding.outcome}: {finding.parts[0]}", self._text, *frames]), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the location of a purpose: its rule."""
        code = load()[self.purpose].judge.__code__
        # Not only the name: pytest would shorten the printed node id at the name.
        return Path(code.co_filename), code.co_firstlineno - 1, f"{self.name}, clause {self._clause}"


def session_of(config: pytest.Config, nodes: list[str]) -> Foreign:
    """Return the plugin of a session with a client, for the purposes with these names or, without names, for all.

    Raises pytest.UsageError for invalid options.
    """
    try:
        return Foreign(config, nodes)
    except SimbenchError as error:
        raise pytest.UsageError(f"simbench: {error}") from None


def _named(nodes: list[str], plan: Plan) -> list[tuple[str, str, str]]:
    """Return name, exercise and purpose of the items: by name, or all exercises of a purpose. Raises BadInput."""
    items = named_items(plan.chosen)
    known = {word for name, _, purpose in items for word in (name, purpose)}
    for node in nodes:
        if node not in known:
            raise BadInput(f"{ROOT}::{node}", "is not a purpose of this session", choice(node, sorted(known)))
    return [item for item in items if not nodes or {item[0], item[2]} & {*nodes}]


def _checked_folder(asked: Path | None, worker: str) -> Path | None:
    """Return the requested folder, or its sub-folder for a worker of xdist; None for a temporary folder."""
    if asked is None:
        return None
    folder = asked / worker if worker else asked
    if (folder / "runs").exists():
        raise pytest.UsageError(f"simbench: --sut-output {asked}: contains the runs of an earlier session")
    check_folder(folder, "--sut-output")
    return folder
