"""The steps of an exercise as data: requests, actions on the platform, waits and pauses, recorded and replayed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any, Final, Literal

import msgspec

from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import Script
from simbench.bench.exercises.tester import Bench
from simbench.client.messages import Outgoing

BURST_S: Final = 0.02  # messages requested within this of each other are a burst
TOGETHER_S: Final = 1.5  # requests further apart are two steps
BURST: Final = 6  # so many messages at once are a separate step

Waited = Literal["connected", "back", "received", "settled", "reported"]


class Requests(msgspec.Struct, frozen=True):
    """Messages to request, each a given number of seconds after the first."""

    messages: tuple[Outgoing, ...]
    offsets_s: tuple[float, ...]

    @property
    def over_s(self) -> float:
        """Seconds from the first message to the last."""
        return self.offsets_s[-1]

    @property
    def burst(self) -> bool:
        """Whether the messages are requested as fast as the client takes them."""
        return self.over_s <= BURST_S * len(self.messages)


class Act(msgspec.Struct, frozen=True):
    """A call of the platform's control or, if the client is concerned as well, of the exercise's tools.

    `drop` takes an account instead of a session, `announce` the seconds until a maintenance and its duration.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    named: Mapping[str, Any] = {}


class Wait(msgspec.Struct, frozen=True):
    """A wait for the client: for accounts, for a number of answers, or for reports; at most `limit_s` platform seconds.

    `asked` is the number of messages requested before the wait; `count` is in proportion to it.
    """

    what: Waited
    accounts: tuple[str, ...] = ()
    count: int = 0
    asked: int = 0
    limit_s: float = 0


class Pause(msgspec.Struct, frozen=True):
    """A pause, in platform seconds."""

    seconds: float


class Until(msgspec.Struct, frozen=True):
    """A wait for a civil time; with `step`, both clocks are moved to it."""

    moment: datetime
    step: bool


Step = Requests | Act | Wait | Pause | Until
OF_THE_TOOLS: Final = frozenset({"announce", "record"})


class Timed(msgspec.Struct, frozen=True):
    """A step with the time at which a script begins it (platform s); waits for the client take no time."""

    at_s: float
    step: Step


def join(recorded: Iterable[tuple[float, Outgoing | Step]], ended_s: float) -> list[Timed]:
    """Convert recorded calls to steps: consecutive requests are one step, gaps are pauses."""
    found: list[Timed] = []
    waiting: list[tuple[float, Outgoing]] = []
    last_s, at_once = 0.0, 0

    def close() -> None:
        if waiting:
            began = waiting[0][0]
            messages = tuple(message for _, message in waiting)
            found.append(Timed(began, Requests(messages, tuple(at_s - began for at_s, _ in waiting))))
            waiting.clear()

    for at_s, one in recorded:
        gap_s = at_s - last_s
        if not isinstance(one, Outgoing) or gap_s > TOGETHER_S or (gap_s > BURST_S and at_once >= BURST):
            close()
        at_once = at_once + 1 if waiting and gap_s <= BURST_S else 1
        if not waiting and gap_s > BURST_S:
            found.append(Timed(last_s, Pause(round(gap_s, 3))))
        if isinstance(one, Outgoing):
            waiting.append((at_s, one))
        else:
            found.append(Timed(at_s, one))
        last_s = at_s
    close()
    if ended_s - last_s > BURST_S:
        found.append(Timed(last_s, Pause(round(ended_s - last_s, 3))))
    return found


# Playing -------------------------------------------------------------------------------------------------------------


def played(steps: Sequence[Step]) -> Script:
    """Return a script that runs these steps in order."""

    async def script(bench: Bench) -> None:
        for step in steps:
            await _PLAY[type(step)](bench, step)

    return script


async def request(bench: Bench, step: Requests) -> None:
    """Request messages at once, or each at its time."""
    if step.burst:
        await bench.ask_all(step.messages)
        return
    began = bench.control.now()
    for message, offset_s in zip(step.messages, step.offsets_s, strict=True):
        left_s = offset_s - (bench.control.now() - began) / SECOND_US
        if left_s > 0:
            await bench.pause(left_s)
        await bench.ask(message)


async def _recorded(bench: Bench, step: Requests) -> None:
    bench.asked += len(step.messages)  # their tokens are those of the recording
    await request(bench, step)


async def _act(bench: Bench, step: Act) -> None:
    if step.name == "drop":
        (account,) = step.arguments
        for view in bench.control.sessions():
            if view.account == account:
                bench.control.drop(view.number, **step.named)
        return
    arguments = step.arguments
    if step.name == "announce":
        wait_us, lasting_us = (round(seconds * SECOND_US) for seconds in arguments)
        start = bench.control.now() + wait_us
        arguments = (start, start + lasting_us)
    actor = bench if step.name in OF_THE_TOOLS else bench.control
    done = getattr(actor, step.name)(*arguments, **step.named)
    if asyncio.iscoroutine(done):
        await done


async def _wait(bench: Bench, step: Wait) -> None:
    match step.what:
        case "connected":
            await bench.connected(step.accounts)
        case "back":
            await bench.back(step.accounts)
        case "received":
            await bench.received(answers_due(step, bench.asked), step.limit_s)
        case "settled":
            await bench.settled()
        case "reported":
            await bench.reported(step.limit_s)


def answers_due(step: Wait, asked: int) -> int:
    """Return the number of answers to wait for if so many messages were requested instead of the recorded ones."""
    if step.count <= step.asked:
        return max(0, asked - (step.asked - step.count))
    return ceil(step.count * asked / max(1, step.asked))


async def _pause(bench: Bench, step: Pause) -> None:
    await bench.pause(step.seconds)


async def _until(bench: Bench, step: Until) -> None:
    await (bench.step_to if step.step else bench.until)(step.moment)


_PLAY: Final[dict[type, Callable[[Bench, Any], Awaitable[None]]]] = {
    Requests: _recorded,
    Act: _act,
    Wait: _wait,
    Pause: _pause,
    Until: _until,
}
