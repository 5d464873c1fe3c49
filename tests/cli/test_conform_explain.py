"""`simbench conform --explain`: what is printed is what the exercise's script does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.bench.exercises.exercise import EXERCISES
from simbench.bench.exercises.tester import Bench
from simbench.bench.runner.selection import select
from simbench.cli.main import cli
from simbench.rules.rule import load


def explained(*arguments: str) -> Result:
    given = [word for argument in arguments for word in ("--explain", argument)]
    return CliRunner().invoke(cli, ["conform", *given])


def as_json(*arguments: str) -> list[dict[str, Any]]:
    given = [word for argument in arguments for word in ("--explain", argument)]
    done = CliRunner().invoke(cli, ["conform", "--json", *given])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_purpose_is_explained_by_its_exercise_and_nothing_is_run() -> None:
    done = explained("sessions.window", "sessions.window-freed")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines if line and line[0] != " "] == ["late-results", "full-window"]
    assert "         0.0  the platform's meter of 36050 is set to 10/s, mode delay" in lines
    assert "    OPS-CON-03  sessions.window" in lines
    assert f"        {load()['sessions.window'].sentence}" in lines
    assert "        limit: 10 operations" in lines
    assert "            claim the capability limits_rate" not in lines


def test_json_has_steps_needs_limits_and_duration() -> None:
    (one,) = as_json("originators")
    scripted = select(["originators"])["originators"][0]
    assert one["title"] == scripted.title
    assert one["codes"] == scripted.rates
    assert 0 < one["seconds"] < one["limit_s"]
    assert {"take a sender with a message", "claim the capability keeps_oadc"} <= set(one["needs"])
    assert [step["at_s"] for step in one["steps"]] == sorted(step["at_s"] for step in one["steps"])
    lines = [line for step in one["steps"] for line in step["does"] if "sender" in line]
    assert len(lines) == 4
    assert {judged["purpose"] for judged in one["judged"]} >= set(scripted.purposes)
    assert all(judged["clause"] for judged in one["judged"])


def test_it_explains_the_steps_of_another_script(monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = as_json("sessions.keepalive")

    async def shorter(bench: Bench) -> None:
        await bench.connected(["first"])
        await bench.ask(bench.message("first", text="Autre chose"))
        await bench.pause(100)

    monkeypatch.setitem(EXERCISES, "session", replace(EXERCISES["session"], script=shorter))
    (after,) = as_json("sessions.keepalive")
    assert before["steps"] != after["steps"]
    assert [step["does"] for step in after["steps"]] == [
        ["wait until 36010 is logged in (at most 20 s)"],
        ["request 1 message from 36010: 'Autre chose'"],
        ["wait 100 s"],
    ]


def test_a_client_of_ones_own_sees_what_it_cannot_be_judged_by() -> None:
    done = CliRunner().invoke(cli, ["conform", "--sut", "external", "--explain", "hours.sundays"])
    assert done.exit_code == 0
    assert "unsupported: the client is only observed and takes no requests" in done.stdout


def test_an_unknown_word_is_one_line() -> None:
    done = explained("sundays-off")
    assert isinstance(done.exception, BadInput)
    assert "no clause, purpose or exercise of that name" in str(done.exception)
