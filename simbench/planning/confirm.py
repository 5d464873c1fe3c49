"""The tightest days of a code plan simulated message by message, and the error of the fluid model.

A sample is one span of days of one future: from a midnight without waiting messages to the midnight after the tightest
sending or day is done. Samples are taken within a budget of messages, the tightest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np

from simbench.base.units import SECOND_US
from simbench.planning.code_plan import CodePlan
from simbench.planning.kernels.fluid import STEP_S
from simbench.planning.loads import Group, Replication
from simbench.planning.messages import SentSoFar, send, volume

WORST, MOST_DAYS, DAYS_LIKELY = 5, 7, 2
BUDGET = 30_000_000  # messages: half a minute of one processor
AGREE_SHARE, AGREE_S = 0.01, 30.0
Progress = Callable[[float], object]


class Confirmed(msgspec.Struct, frozen=True):
    """A candidate's tightest days of a future message by message: the error of the fluid model, and lateness.

    off_s: the largest difference of a completion, or of a day's longest wait. late, late_by_fluid: number of late
    sendings and days of flows, by messages and by the fluid model.
    """

    words: str
    replication: int
    first: str
    last: str
    messages: int
    off_s: float
    late: int
    late_by_fluid: int
    agrees: bool


class Confirmation(msgspec.Struct, frozen=True):
    """The samples, and the number left out because of the budget of messages."""

    samples: tuple[Confirmed, ...]
    messages: int
    budget: int
    left_out: int


class Days(msgspec.Struct, frozen=True):
    """A span of whole civil days of the period, [first, end)."""

    first: int
    end: int


def confirm(
    groups: list[Group], futures: list[Replication], mixes: Sequence[tuple[str, CodePlan]], progress: Progress
) -> Confirmation:
    """Simulate the tightest days of each code plan, starting with the first code plan."""
    found: list[Confirmed] = []
    spent = left_out = sent = 0

    def report(messages: int) -> None:
        nonlocal sent
        sent += messages
        progress(min(1.0, sent / min(BUDGET, expected)))

    expected = max(1, len(mixes) * WORST * DAYS_LIKELY * daily(groups))
    for words, mix in mixes:
        for group, future, days in _tightest(groups, futures, mix):
            wanted = volume(group, future, days.first, days.end)
            if spent + wanted > BUDGET:
                left_out += 1
                continue
            spent += wanted
            found.append(_compared(words, group, mix, future, days, report))
    return Confirmation(tuple(found), sum(one.messages for one in found), BUDGET, left_out)


def daily(groups: list[Group]) -> int:
    """Return the messages of a mean day."""
    return round(sum(sum(group.messages().values()) / len(group.days) for group in groups))


def _compared(words: str, group: Group, mix: CodePlan, future: Replication, days: Days, report: SentSoFar) -> Confirmed:
    done, waits = group.run(mix.rates(group.prefix), future)
    sent = send(group, mix, future, days.first, days.end, report)
    off, late, by_fluid, agrees = 0.0, 0, 0, True
    start = group.plan.span[0]
    for at, real in zip(sent.occasions, sent.done, strict=True):
        if done[at] > group.midnight(days.end):
            continue  # not done within the sample in either model
        late += real > group.due[at]
        by_fluid += done[at] > group.due[at]
        gap, took = abs(done[at] - real), real - (group.occasions[at].start - start) / SECOND_US
        off, agrees = max(off, gap), agrees and gap <= max(AGREE_S, AGREE_SHARE * took)
    for place, flow in enumerate(group.flows):
        for day, wait in sent.waits[flow.name].items():
            if waits[place, day] > STEP_S and group.midnight(day + 1) + waits[place, day] > group.midnight(days.end):
                continue  # waiting messages may leave after the sample
            late += wait > flow.within_min * 60
            by_fluid += waits[place, day] > flow.within_min * 60
            gap = max(0.0, abs(waits[place, day] - wait) - STEP_S)
            off, agrees = max(off, gap), agrees and gap <= max(AGREE_S, AGREE_SHARE * wait)
    first, last = (
        group.plan.calendar.civil(start + round(group.midnight(day) * SECOND_US)) for day in (days.first, days.end)
    )
    return Confirmed(
        words, future.number, f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}", sent.messages, round(off, 1), int(late),
        int(by_fluid), bool(agrees),
    )  # fmt: skip


def _tightest(
    groups: list[Group], futures: list[Replication], mix: CodePlan
) -> Iterator[tuple[Group, Replication, Days]]:
    """Yield the futures with the smallest margin to a deadline, or the largest delay, with those days."""
    slack: list[tuple[float, int, int, int, float]] = []
    for which, group in enumerate(groups):
        for row, future in enumerate(futures):
            done, waits = group.run(mix.rates(group.prefix), future)
            left = [
                (float(due - at), group.day_at(one.start), min(at, group.load.end_s))
                for due, at, one in zip(group.due, done, group.occasions, strict=True)
            ]
            for flow, each in zip(group.flows, waits, strict=True):
                day = int(np.argmax(each))
                left.append((flow.within_min * 60 - float(each[day]), day, group.midnight(day + 1) + float(each[day])))
            least, day, until = min(left)
            slack.append((least, which, row, day, until))
    taken = 0
    for _, which, row, day, until in sorted(slack):
        group, future = groups[which], futures[row]
        days = _quiet_span(group, future, mix, day, until)
        if days is not None:
            yield group, future, days
            taken += 1
        if taken == WORST:
            return


def _quiet_span(group: Group, future: Replication, mix: CodePlan, day: int, until: float) -> Days | None:
    """Return whole days around a day, from a midnight without waiting messages on; None if too many for a sample."""
    done, waits = group.run(mix.rates(group.prefix), future)
    begins = np.array([(one.start - group.plan.span[0]) / SECOND_US for one in group.occasions])
    first = day
    while first > 0:
        midnight = group.midnight(first)
        unfinished = (begins < midnight) & (done > midnight)
        before = waits[:, first - 1] > STEP_S
        if not unfinished.any() and not before.any():
            break
        first -= 1
    end = day + 1
    while end < len(group.days) and group.midnight(end) < until:
        end += 1
    held = mix.held[group.prefix]
    if end - first > MOST_DAYS or len({held[group.days[each]] for each in range(first, end)}) > 1:
        return None
    return Days(first, end)
