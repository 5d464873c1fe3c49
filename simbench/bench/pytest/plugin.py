"""The bench in a client's own pytest session: one item per purpose, next to the client's tests.

Exercises start with the first purpose that is run, and run concurrently as far as clocks and ports allow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from _pytest.outcomes import Skipped

from simbench.base.errors import SimbenchError
from simbench.base.outputs import check_folder, claim
from simbench.bench.pytest import fixtures
from simbench.bench.runner.baseline import Baseline, Standing, compare, read_baseline, remark
from simbench.bench.runner.junit import case_text, end_of, named_items, properties
from simbench.bench.runner.options import SessionOptions, plan_of
from simbench.bench.runner.output import write_output
from simbench.bench.runner.session import Judgements
from simbench.bench.runner.session_findings import EVERY, exercises_of
from simbench.finding import Finding, counted, exit_status
from simbench.rules.rule import load

NOTHING = ("none",)  # --sut-only none: the fixtures alone
GROUP = "simbench"
UNDECIDED = 3  # exit status, as of `simbench conform`


VERDICT = "verdict"  # reports take attributes of a plugin's own


class NotPassed(Skipped):
    """Ends an item as inconclusive, unsupported or known; JUnit shows it as skipped with that word."""

    def __init__(self, word: str, summary: str) -> None:
        super().__init__(f"{word}: {summary}", allow_module_level=False)
        self.word = word


class Foreign:
    """The purposes of a session: collected as items, judged as they are run, written down at the end."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.getoption
        only = tuple(option("--sut-only"))
        self.wanted = SessionOptions(
            option("--sut"), option("--sut-program"), option("--sut-capabilities"), only if only != NOTHING else (),
            option("--sut-contract"), option("--sut-seed"),
        )  # fmt: skip
        self.strict: bool = option("--sut-strict")
        worker = getattr(config, "workerinput", {}).get("workerid", "")
        self.folder = _new_folder(option("--sut-output"), worker)
        self.plan = plan_of(self.wanted, self.folder)
        self.collects = only != NOTHING
        baseline = option("--sut-baseline")
        self.baseline = read_baseline(baseline, load()) if baseline else Baseline()
        self._judgements: Judgements | None = None
        self._wanted_exercises: set[str] = set()
        self._seen: list[Finding] = []  # by their outcomes, of whichever worker; known deviations count as passed
        self._undecided = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the purposes, before `-k`, `-m` and `--last-failed` choose among all items."""
        if self.collects:
            items.extend(Purposes.from_parent(session, name="simbench", foreign=self).collect())

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
        if call.excinfo is not None and isinstance(call.excinfo.value, NotPassed):
            setattr(report, VERDICT, call.excinfo.value.word)
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        """Show inconclusive and unsupported under their own names."""
        verdict = getattr(report, VERDICT, "")
        return (verdict, verdict[0], verdict.upper()) if verdict and report.when == "call" else None

    def standing(self, exercise: str, purpose: str) -> tuple[Standing, Judgements]:
        """A finding beside the baseline, once its exercise is over; starts them all when the first is asked for."""
        if self._judgements is None:
            chosen = {name: one for name, one in self.plan.chosen.items() if name in self._wanted_exercises}
            plan = msgspec.structs.replace(self.plan, chosen=chosen)
            claim(self.folder, "--sut-output")
            self._judgements = Judgements(plan)
            self._judgements.start(lambda *_: None)
        return self._compare([self._judgements.finding(exercise, purpose)])[0], self._judgements

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcomes of purposes."""
        properties = dict(report.user_properties)
        if report.when == "call" and "purpose" in properties:
            outcome = "pass" if getattr(report, VERDICT, "") == "known" else properties["outcome"]
            self._seen.append(Finding(str(properties["purpose"]), "", outcome, ""))  # type: ignore[arg-type]  # one of them

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the output folder; exit with 3 where nothing failed but something is inconclusive."""
        if self._seen and exitstatus == pytest.ExitCode.OK and exit_status(self._seen) == UNDECIDED:
            session.exitstatus = UNDECIDED
            self._undecided = True
        if self._judgements is not None and all(done.done() for done in self._judgements.conducted.values()):
            write_output(self._judgements, self.folder, self._compare(self._judgements.findings))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the path of the report."""
        if self._judgements is not None:
            terminalreporter.write_line(f"simbench: {self.folder / 'report.html'}")
        if self._undecided:
            terminalreporter.write_line(f"simbench: exit status {UNDECIDED}: {counted(self._seen)}")

    def _compare(self, findings: Any) -> list[Standing]:
        return compare(findings, self.baseline, date.today(), strict=self.strict)


class Purposes(pytest.Collector):
    """The node that purposes hang on."""

    def __init__(self, *, foreign: Foreign, **more: Any) -> None:
        super().__init__(nodeid="simbench", **more)
        self._foreign = foreign

    def collect(self) -> Iterator[PurposeItem]:
        """One item a finding of the session."""
        grouped = hasattr(self.config, "workerinput")
        for name, exercise, purpose in named_items(self._foreign.plan.chosen):
            # A worker of xdist has them all, as one group: they share exercises.
            nodeid = f"simbench::{name}" + (f"@{GROUP}" if grouped else "")
            yield PurposeItem.from_parent(
                self, name=name, nodeid=nodeid, foreign=self._foreign, exercise=exercise, purpose=purpose
            )


class PurposeItem(pytest.Item):
    """One finding of the session."""

    def __init__(self, *, foreign: Foreign, exercise: str, purpose: str, **more: Any) -> None:
        super().__init__(**more)
        self._foreign, self.exercise, self.purpose = foreign, exercise, purpose

    def runtest(self) -> None:
        """Fail, pass, or end with the verdict."""
        standing, judgements = self._foreign.standing(self.exercise, self.purpose)
        self.user_properties += properties(standing.finding, judgements)
        if standing.state == "passes":
            self.user_properties.append(("baseline", remark(standing)))
        said = case_text(standing, judgements)
        end, word = end_of(standing, strict=self._foreign.strict)
        if end == "skipped":
            raise NotPassed(word, said)
        if end:
            pytest.fail(f"{word}: {said}", pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where a purpose is: in the suite."""
        return Path(__file__), None, self.name


def door(config: pytest.Config, short_names: bool) -> list[object]:
    """The plugins of a session with a client. Raises pytest.UsageError for what cannot be meant."""
    try:
        foreign = Foreign(config)
    except SimbenchError as error:
        raise pytest.UsageError(f"simbench: {error}") from None
    short = [fixtures.Short()] if short_names else []
    return [foreign, fixtures.Fixtures(foreign.plan), *short]


def _new_folder(asked: Path | None, worker: str) -> Path:
    """The folder asked for, a sub-folder for each worker of xdist; else one of the machine's temporary ones."""
    if asked is None:
        return Path(tempfile.mkdtemp(prefix="simbench-"))
    folder = asked / worker if worker else asked
    if (folder / "runs").exists():
        raise pytest.UsageError(f"simbench: --sut-output {asked}: holds the runs of an earlier session")
    check_folder(folder, "--sut-output")
    return folder
