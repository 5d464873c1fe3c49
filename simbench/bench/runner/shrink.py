"""The shortest script that still fails: delta debugging over the recorded steps of an exercise.

A script counts only if the client fails and the reference client, in virtual time, does not: a script that ends too
early would blame any client.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial
from math import inf

import msgspec
from msgspec.structs import replace

from simbench.base.text import count
from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.steps import Pause, Requests, Step, Wait, answers_due, played
from simbench.bench.runner.findings import bench_was_late, judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.rehearsal import rehearse
from simbench.bench.runner.run_exercise import Conducted
from simbench.bench.sut.protocol import WITHIN_REACH, Capabilities, Reach
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import Contract
from simbench.finding import Finding

FIRST_TRIES = 3  # tries of the complete script
CONFIRMING = 2  # further tries of the shortest one
LATE_TRIES = 3  # tries of one script while the bench is late
SHORTEST_PAUSE_S = 1.0
FINEST = 16  # the messages of a step are left out in at most so many parts

Run = Callable[[Exercise], Conducted]
Tell = Callable[[str], None]


class Failure(msgspec.Struct, frozen=True):
    """The failure to repeat: a purpose with its outcome, in an exercise, under a contract."""

    exercise: Exercise
    purpose: str
    outcome: str
    contract: Contract
    seed: int = 1


class Shrunk(msgspec.Struct, frozen=True):
    """The result: steps, the finding they lead to, and the number of tries.

    `unstable` is the reason why there is none: the failure does not occur with these steps, or not each time.
    """

    steps: tuple[Step, ...]
    whole: tuple[Step, ...]
    finding: Finding | None
    tries: int
    unstable: str = ""


class _OutOfTries(Exception):
    """The search has used up its tries."""


class Search:
    """One search. `run` runs an exercise with the client, at most `most` times."""

    def __init__(self, failure: Failure, client: tuple[Capabilities, Reach], run: Run, most: int, tell: Tell) -> None:
        self._failure, self._client, self._run, self._most, self._tell = failure, client, run, most, tell
        self._known: dict[str, bool] = {}
        self._best: tuple[Step, ...] = ()
        self._found: list[tuple[Step, ...]] = []  # every script that failed, the shortest last
        self._finding: Finding | None = None
        self.tries = 0

    def shortest(self) -> Shrunk:
        """Search. Raises the exceptions of running an exercise."""
        failure = self._failure
        rehearsed = rehearse(failure.exercise, failure.contract, self._client[0], failure.seed)
        whole = self._best = tuple(one.step for one in rehearsed)
        failed = [self._with_client(whole) for _ in range(FIRST_TRIES)]
        if not all(failed):
            why = f"{failure.purpose} failed in {sum(failed)} of {FIRST_TRIES} runs of the recorded script"
            return Shrunk(whole, whole, None, self.tries, why)
        try:
            for shorten in (self._fewer_steps, self._fewer_messages, self._shorter_pauses):
                shorten()
        except _OutOfTries:
            self._tell(f"{self._most} tries are used up")
        return self._confirmed(whole)

    def _confirmed(self, whole: tuple[Step, ...]) -> Shrunk:
        """Return the shortest script that fails each time: a failure with few steps may be a coincidence."""
        back = 1
        while self._found:
            steps = _with_an_end(_without_idle_waits(self._found[-1]))
            if self._innocent(steps) and all(self._with_client(steps) for _ in range(CONFIRMING)):
                return Shrunk(steps, whole, self._finding, self.tries)
            self._tell(f"{size_of(steps)}: does not fail each time")
            del self._found[-back:]
            back *= 2
        why = f"no script shorter than the recorded one failed in each of {CONFIRMING} further runs"
        return Shrunk(whole, whole, None, self.tries, why)

    # Shortening ------------------------------------------------------------------------------------------------

    def _fewer_steps(self) -> None:
        """Leave out steps; waits for the client remain, because they end at once if no answer is due."""
        self._leave_out(
            lambda: [place for place, step in enumerate(self._best) if not isinstance(step, Wait)],
            lambda out: [step for place, step in enumerate(self._best) if place not in out],
        )

    def _fewer_messages(self) -> None:
        """Leave out messages of each step, the largest step first: those of one code, then ever smaller parts."""
        sizes = {place: len(step.messages) for place, step in enumerate(self._best) if isinstance(step, Requests)}
        for place in sorted(sizes, key=lambda one: -sizes[one]):
            for code in dict.fromkeys(message.code for message in self._requests(place).messages):
                others = {at for at, one in enumerate(self._requests(place).messages) if one.code != code}
                if others and self._still_fails(self._without(place, others)):
                    break
            self._leave_out(partial(self._places, place), partial(self._without, place), FINEST, least=1)

    def _requests(self, place: int) -> Requests:
        step = self._best[place]
        assert isinstance(step, Requests), "the place of a step that requests messages"
        return step

    def _places(self, place: int) -> list[int]:
        return [*range(len(self._requests(place).messages))]

    def _without(self, place: int, out: Container[int]) -> list[Step]:
        """Return the shortest known script without some messages of one step."""
        step = self._requests(place)
        left = [at for at in range(len(step.messages)) if at not in out]
        first_s = step.offsets_s[left[0]]
        fewer = Requests(tuple(step.messages[at] for at in left), tuple(step.offsets_s[at] - first_s for at in left))
        return [*self._best[:place], fewer, *self._best[place + 1 :]]

    def _leave_out(
        self,
        places: Callable[[], list[int]],
        without: Callable[[Container[int]], Sequence[Step]],
        finest: float = inf,
        *,
        least: int = 0,
    ) -> None:
        """Leave out a half, a quarter and smaller and smaller parts of the rest, down to one in `finest`."""
        parts = 2
        while len(left := places()) > least:
            size = -(-len(left) // parts)
            for at in range(0, len(left), size):
                if self._still_fails(without({*left[at : at + size]})):
                    parts = max(2, parts // 2)
                    break
            else:
                if size == 1 or parts >= finest:
                    return
                parts *= 2

    def _shorter_pauses(self) -> None:
        for place in range(len(self._best)):
            while isinstance(step := self._best[place], Pause) and step.seconds > SHORTEST_PAUSE_S:
                shorter = Pause(round(step.seconds / 2, 3))
                if not self._still_fails([*self._best[:place], shorter, *self._best[place + 1 :]]):
                    break

    # Trying ----------------------------------------------------------------------------------------------------

    def _still_fails(self, steps: Sequence[Step]) -> bool:
        """Tell whether these steps fail with the client only; then they are the shortest known."""
        candidate = tuple(steps)
        key = repr(candidate)
        if key not in self._known:
            self._known[key] = self._innocent(candidate) and self._counted(candidate)
        return self._known[key]

    def _counted(self, steps: tuple[Step, ...]) -> bool:
        if self.tries >= self._most:
            raise _OutOfTries
        fails = self._with_client(steps)
        if fails:
            self._best = steps
            self._found.append(steps)
        self._tell(f"[{self.tries}/{self._most}] {size_of(steps)}: {'fails' if fails else 'does not fail'}")
        return fails

    def _with_client(self, steps: tuple[Step, ...]) -> bool:
        """Tell whether the client fails; tried again while the bench is late."""
        self.tries += 1
        for _ in range(LATE_TRIES):
            conducted = self._run(replace(self._failure.exercise, script=played(steps)))
            finding = self._judged(conducted, *self._client)
            if finding.outcome == self._failure.outcome:
                self._finding = finding
                return True
            if not bench_was_late([finding], conducted.run):
                break
        return False

    def _innocent(self, steps: tuple[Step, ...]) -> bool:
        """Tell whether the reference client does not fail with these steps."""
        tried = conduct_in_memory(replace(self._failure.exercise, script=played(steps)), self._failure.contract)
        return self._judged(tried, EVERYTHING, WITHIN_REACH).outcome in {"pass", "inconclusive", "unsupported"}

    def _judged(self, conducted: Conducted, capabilities: Capabilities, reach: Reach) -> Finding:
        failure = self._failure
        (finding,) = judge_exercise(conducted, [failure.purpose], failure.contract, capabilities, reach)
        return finding


def _without_idle_waits(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Remove waits for no answer and repeated waits; the others name the number of answers due."""
    kept: list[Step] = []
    asked = 0
    for step in steps:
        if isinstance(step, Requests):
            asked += len(step.messages)
        if isinstance(step, Wait):
            step = replace(step, count=answers_due(step, asked), asked=asked)  # noqa: PLW2901 - the same wait
            if (step.what == "received" and not step.count) or (kept and kept[-1] == step):
                continue
        kept.append(step)
    return tuple(kept)


def _with_an_end(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Add a wait for the last requests, unless there is one: a script that ends before may pass any client."""
    asked = sum(len(step.messages) for step in steps if isinstance(step, Requests))
    end = len(steps)
    for place, step in reversed([*enumerate(steps)]):
        match step:
            case Requests():
                return (*steps[:end], Wait("settled", asked=asked), *steps[end:])
            case Wait("received", count=answers) if answers >= asked:
                break
            case Wait("settled"):
                break
            case Wait("reported") if place == end - 1:
                end = place  # only what is accepted by then is waited for
    return steps


def size_of(steps: Sequence[Step]) -> str:
    """Describe the length of a script: "5 steps, 12 messages"."""
    messages = sum(len(step.messages) for step in steps if isinstance(step, Requests))
    return f"{count(len(steps), 'step')}, {count(messages, 'message')}"
