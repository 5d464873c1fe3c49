"""A rehearsal records a script as steps: with a client, these steps lead to the same ledger as the script."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.step_words import in_words
from simbench.bench.exercises.steps import Act, Pause, Requests, Timed, Until, Wait, answers_due, played
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.rehearsal import rehearse
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import EVERYTHING
from simbench.contract import load_contract
from simbench.trace.trace import Trace

CHOSEN = select()
CONTRACT = load_contract()
# Their scripts wait for a part of the second of the platform's clock, which a recording does not keep.
BY_THE_CLOCK = {"turns"}
# Longer than the others by far; what they ask for is of the same kinds.
LARGE = {"backlog-monitored", "backlog-delayed", "one-by-one"}


def steps_of(name: str) -> list[Timed]:
    return rehearse(CHOSEN[name][0], CONTRACT, EVERYTHING)


def requests(run: Any) -> list[tuple[Any, ...]]:
    # Codes that are asked side by side take tokens and recipients in another order.
    return sorted(
        (one.code, one.text.removesuffix(one.token), one.traffic_class, one.oadc) for one in Trace(run).requests
    )


@pytest.mark.parametrize("name", sorted(set(CHOSEN) - BY_THE_CLOCK - LARGE))
def test_a_correct_client_passes_the_recorded_steps_and_is_asked_for_the_same(name: str) -> None:
    scripted, purposes = CHOSEN[name]
    steps = [one.step for one in steps_of(name)]
    ran = conduct_in_memory(replace(scripted, script=played(steps)), CONTRACT)
    found = judge_exercise(ran, purposes, CONTRACT, EVERYTHING)
    not_passed = {one.purpose: one.summary for one in found if one.outcome not in {"pass", "unsupported"}}
    assert not not_passed
    assert requests(ran.run) == requests(conduct_in_memory(scripted, CONTRACT).run)


@pytest.mark.parametrize("name", sorted(set(CHOSEN) - LARGE))
def test_every_step_has_its_words(name: str) -> None:
    for one in steps_of(name):
        first, *more = in_words(one.step, 20)
        assert first.split()[0] in {
            "request", "wait", "move", "subscriber", "the", "account", "a", "an", "record"
        }, first  # fmt: skip
        assert len(more) <= 13


async def _script(bench: Bench) -> None:
    await bench.connected(["first"])
    await bench.ask_all(bench.message("first") for _ in range(12))
    await bench.received(12, 30)
    bench.control.fault("late-result", share=0.5, delay_s=2)
    await bench.ask_paced("first", 2, 6)
    await bench.pause(4)
    for session in bench.control.sessions():
        bench.control.drop(session.number)
    await bench.pause(1)


def made() -> Exercise:
    return Exercise("made", "Made for a test", (), {"36010": 10}, _script, 5, names=("first",))


def test_steps_are_what_the_script_does_at_the_times_it_does_it() -> None:
    steps = rehearse(made(), CONTRACT, EVERYTHING)
    assert [(round(one.at_s, 1), type(one.step)) for one in steps] == [
        (0.0, Wait), (0.0, Requests), (0.0, Wait), (0.0, Act), (0.0, Requests), (2.5, Pause), (6.5, Act), (6.5, Pause)
    ]  # fmt: skip
    words = [in_words(one.step, 20)[0] for one in steps]
    assert words[1] == ("request 12 messages from 36010: 'Votre commande est prete', as fast as the client takes them")
    assert words[2] == "wait until 12 submits are answered (at most 30 s)"
    assert words[3].startswith("the platform has the fault late-result (share 0.5, delay_s 2): ")
    assert words[4] == "request 6 messages from 36010: 'Votre commande est prete', over 2.5 s (2.4/s)"
    assert words[5:] == ["wait 4 s", "the platform closes the connections of 36010", "wait 1 s"]


def test_waits_for_answers_follow_what_is_requested() -> None:
    most = Wait("received", count=200, asked=212)
    assert (answers_due(most, 212), answers_due(most, 12), answers_due(most, 100)) == (200, 0, 88)
    thrice = Wait("received", count=36, asked=12)
    assert (answers_due(thrice, 12), answers_due(thrice, 4), answers_due(thrice, 0)) == (36, 12, 0)


def test_steps_of_the_clock_are_recorded_as_such() -> None:
    steps = [one.step for one in steps_of("sundays")]
    assert sum(isinstance(step, Until) and step.step for step in steps) == 4
