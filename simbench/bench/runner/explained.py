"""Describes an exercise before it runs: its steps, required capabilities, purposes and duration.

The steps come from a rehearsal; duration and limits come from a trial with the reference client in virtual time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from simbench.base.units import SECOND_US
from simbench.bench.exercises.exercise import Chosen, Exercise
from simbench.bench.exercises.step_words import in_words
from simbench.bench.exercises.steps import Act, Requests, Timed
from simbench.bench.runner.findings import judge_exercise, unsupported
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.rehearsal import Nobody, rehearse
from simbench.bench.runner.run_exercise import budget_s
from simbench.bench.sut.protocol import Capabilities, Reach, moves_clock
from simbench.bench.sut.registry import EVERYTHING
from simbench.client.messages import Outgoing
from simbench.contract import Contract
from simbench.finding import Finding
from simbench.ledger.events import ClockStepped
from simbench.rules.rule import load
from simbench.trace.trace import Trace

OPTIONS: Final = {
    "validity_s": "take a validity period with a message",
    "oadc": "take a sender with a message",
    "brand": "take the brand of a message",
    "traits": "take what is known of a recipient or offer with a message",
}


class Judged(msgspec.Struct, frozen=True):
    """A purpose of an exercise: its clause, its expectation, its limit, and the required capability.

    `limit` with its unit and `assumed` are those of the verdict on the reference client; `figures` are the contract's
    for the clause. `unsupported` is the reason why the given client cannot be judged.
    """

    purpose: str
    clause: str
    expected: str
    limit: float | None
    unit: str
    assumed: tuple[str, ...]
    figures: tuple[str, ...]
    capability: str
    unsupported: str


class Explained(msgspec.Struct, frozen=True):
    """An exercise before it runs. `seconds`: its duration with the reference client, at most `limit_s`.

    Each step has the time at which the script begins it (platform s, without waits for the client) and its lines.
    """

    exercise: str
    title: str
    seconds: float
    limit_s: float
    alone: bool
    speed: float
    begins: str
    codes: dict[str, int]
    meter: str
    keepalive_s: int
    result_timer_s: int
    needs: tuple[str, ...]
    steps: tuple[tuple[float, tuple[str, ...]], ...]
    judged: tuple[Judged, ...]


def explained(chosen: Chosen, contract: Contract, capabilities: Capabilities, reach: Reach) -> list[Explained]:
    """Describe each selected exercise with its selected purposes, for a client of these capabilities."""
    return [
        _explained(exercise.under(contract), purposes, contract, capabilities, reach)
        for exercise, purposes in chosen.values()
    ]


def _explained(
    exercise: Exercise, purposes: tuple[str, ...], contract: Contract, capabilities: Capabilities, reach: Reach
) -> Explained:
    setup, steps = exercise.setup, rehearse(exercise, contract, capabilities)
    moved = setup.clock != "any" and moves_clock(capabilities)
    speed = setup.speed if capabilities.clock == "speed" else 1.0
    tried = conduct_in_memory(exercise, contract)
    trace = Trace(tried.run)
    stepped_s = sum(one.seconds or 0 for _, one in trace.events if isinstance(one, ClockStepped))
    lasted_s = (trace.span[1] - trace.span[0]) / SECOND_US - stepped_s
    found = {one.purpose: one for one in judge_exercise(tried, purposes, contract, EVERYTHING)}
    judged = tuple(_judged(found[purpose], exercise, contract, (capabilities, reach)) for purpose in purposes)
    return Explained(
        exercise=exercise.name,
        title=exercise.title,
        seconds=round(lasted_s / speed, 1),
        limit_s=round(budget_s(exercise, Nobody(capabilities))),
        alone=exercise.alone,
        speed=speed,
        begins=contract.calendar.civil(exercise.epoch_us).isoformat(" ", "seconds") if moved else "",
        codes=exercise.rates,
        meter=exercise.limit,
        keepalive_s=setup.keepalive_s,
        result_timer_s=setup.result_timer_s or contract.terms.session.result_timer_max_s.value,
        needs=tuple(_needs(exercise, steps, judged)),
        steps=tuple((round(one.at_s, 2), tuple(in_words(one.step, reach.connect_wait_s))) for one in steps),
        judged=judged,
    )


def _judged(found: Finding, exercise: Exercise, contract: Contract, client: tuple[Capabilities, Reach]) -> Judged:
    rule = load()[found.purpose]
    figures = tuple(
        f"{name} {term.value} {term.unit} [{term.status}]".replace("  ", " ")
        for name, term in contract.terms.by_name().items()
        if term.clause == found.clause
    )
    return Judged(
        purpose=found.purpose,
        clause=found.clause,
        expected=rule.sentence,
        limit=found.limit,
        unit=found.unit,
        assumed=found.assumed,
        figures=figures,
        capability=rule.capability,
        unsupported=unsupported(found.purpose, exercise, *client),
    )


def _needs(exercise: Exercise, steps: list[Timed], judged: tuple[Judged, ...]) -> Iterator[str]:
    """Yield the capabilities that the setup and the steps require from the client."""
    setup = exercise.setup
    yield f"log in {len(exercise.rates)} account{'s' * (len(exercise.rates) != 1)} at the address it is given"
    if setup.clock == "moved":
        yield "have a clock that can be moved"
    if setup.ported:
        yield "read a file of ported numbers"
    asked = [message for one in steps if isinstance(one.step, Requests) for message in one.step.messages]
    if asked:
        yield "take requests to send"
    plain = Outgoing(token="", code="", recipient="", text="")
    for field, words in OPTIONS.items():
        if any(getattr(message, field) != getattr(plain, field) for message in asked):
            yield words
    if any(isinstance(one.step, Act) and one.step.name == "announce" for one in steps):
        yield "take announcements of maintenance"
    yield from dict.fromkeys(f"claim the capability {one.capability}" for one in judged if one.capability)


def as_json(explained: list[Explained]) -> list[dict[str, Any]]:
    """Return the explanation for JSON: a step has its time as `at_s` and its lines as `does`."""
    found = []
    for one in explained:
        built = msgspec.to_builtins(one)
        built["steps"] = [{"at_s": at_s, "does": lines} for at_s, lines in built["steps"]]
        found.append(built)
    return found
