"""A shrunk failure as a test for the client's repository: a pytest file with the steps and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from simbench.base.units import SECOND_US
from simbench.bench.exercises.step_words import bare
from simbench.bench.exercises.steps import OF_THE_TOOLS, Act, Pause, Requests, Step, Until, Wait
from simbench.bench.runner.shrink import Failure, Shrunk, size_of
from simbench.client.messages import Outgoing
from simbench.numbering.plan import plan_of
from simbench.numbering.subscribers import Subscriber
from simbench.rules.rule import load

PERIODS: Final = range(1, 7)  # lengths of repeated sequences of messages
REPEATS: Final = 3
UNEVEN: Final = 0.2  # share of the interval: requests with a larger deviation are written with their times
_TOOLS: Final = "bench"
_HEAD: Final = '''"""{purpose} ({clause}) is broken by these steps. Written by `simbench conform --shrink`.

{whole} of the exercise {exercise} were shrunk to {steps} in {tries} tries. What was found with them:
{summary}

Run it with the client under test:

    pytest {file} --sut-only none --sut ...
"""

{imports}import pytest


@pytest.mark.simbench(exercise="{exercise}")
def {name}(simbench_smsc, simbench_sut):
    """{sentence}."""
    bench, client = simbench_smsc.tools, simbench_sut
'''
_TAIL: Final = """    finding = simbench_smsc.finding("{purpose}")
    assert finding.outcome != "{outcome}", finding.summary
"""


def name_of(purpose: str) -> str:
    """Return the name of the test of a purpose, which is also that of its file without the suffix."""
    return "test_" + "".join(letter if letter.isalnum() else "_" for letter in purpose)


def source_of(failure: Failure, shrunk: Shrunk) -> str:
    """Return the test as Python. Only for a failure that was reproduced."""
    assert shrunk.finding is not None, "an unstable failure cannot become a test"
    lines = [line for step in shrunk.steps for line in _lines(step, _Recipients(failure, shrunk))]
    imports = "".join(dict.fromkeys(_imports(shrunk.steps)))
    name = name_of(failure.purpose)
    head = _HEAD.format(
        purpose=failure.purpose,
        clause=shrunk.finding.clause,
        exercise=failure.exercise.name,
        whole=size_of(shrunk.whole),
        steps=size_of(shrunk.steps),
        tries=shrunk.tries,
        summary=shrunk.finding.lines.replace("\\", "\\\\"),
        imports=f"{imports}\n" if imports else "",
        file=f"{name}.py",
        name=name,
        sentence=load()[failure.purpose].sentence.rstrip("."),
    )
    body = "".join(f"    {line}\n" for line in lines)
    return head + body + _TAIL.format(purpose=failure.purpose, outcome=failure.outcome)


class _Recipients:
    """The recipients that a test names: all, unless each is a new subscriber without any other use."""

    def __init__(self, failure: Failure, shrunk: Shrunk) -> None:
        messages = [message for step in shrunk.steps if isinstance(step, Requests) for message in step.messages]
        most = sum(len(step.messages) for step in shrunk.whole if isinstance(step, Requests))
        plan = plan_of(failure.contract)
        plain = {plan.own(number) for number in range(1, most + 1)}
        acts = any(isinstance(step, Act) and step.name in {"mo", "put"} for step in shrunk.steps)
        times = Counter(message.recipient for message in messages)
        self.named = acts or any(number > 1 or who not in plain for who, number in times.items())


def _imports(steps: Sequence[Step]) -> Iterator[str]:
    if any(isinstance(step, Until) for step in steps):
        yield "from datetime import datetime\n"
    for step in steps:
        if isinstance(step, Act) and step.name == "record":
            yield f"from simbench.ledger.events import {type(step.arguments[0]).__name__}\n"


def _lines(step: Step, recipients: _Recipients) -> list[str]:
    match step:
        case Requests():
            return _sent(step, recipients)
        case Wait(what, accounts):
            arguments = {
                "connected": f"{[*accounts]!r}",
                "back": f"{[*accounts]!r}",
                "received": f"{step.count}, {step.limit_s:g}",
                "settled": "",
                "reported": f"{step.limit_s:g}",
            }
            return [f"{_TOOLS}.{what}({arguments[what]})".replace("'", '"')]
        case Pause(seconds):
            return [f"{_TOOLS}.pause({seconds:g})"]
        case Until(moment, moved):
            return [f"{_TOOLS}.{'step_to' if moved else 'until'}({_moment(moment)})"]
        case Act():
            return _acted(step)


def _moment(moment: datetime) -> str:
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    return f"datetime({', '.join(map(str, parts))})"


def _sent(step: Requests, recipients: _Recipients) -> list[str]:
    arguments = [_arguments(message, named=recipients.named) for message in step.messages]
    over = "" if step.burst else f", over_s={step.over_s:g}"
    if over and not _even(step.offsets_s):
        over = ""
        arguments = [one | {"at_s": round(at_s, 3)} for one, at_s in zip(arguments, step.offsets_s, strict=True)]
    written = [*map(_literal, arguments)]
    for period in PERIODS:
        times, rest = divmod(len(written), period)
        if not rest and times >= REPEATS and written == written[:period] * times:
            return [f"client.send_all([{', '.join(written[:period])}] * {times}{over})"]
    if len(written) == 1:
        return [f"client.send_all([{written[0]}])"]
    over_lines = [f"    {over.removeprefix(', ')},"] if over else []
    return ["client.send_all(", "    [", *(f"        {one}," for one in written), "    ],", *over_lines, ")"]


def _even(offsets_s: Sequence[float]) -> bool:
    """Tell whether messages are evenly spaced."""
    step_s = offsets_s[-1] / (len(offsets_s) - 1)
    return all(abs(at_s - number * step_s) <= UNEVEN * step_s for number, at_s in enumerate(offsets_s))


def _arguments(message: Outgoing, *, named: bool) -> dict[str, Any]:
    """Return the arguments of a message: the fields of the struct that differ from its defaults."""
    arguments: dict[str, Any] = {"code": message.code, "text": bare(message)}
    if named:
        arguments["recipient"] = message.recipient
    for field in msgspec.structs.fields(message):
        if field.default is not msgspec.NODEFAULT and getattr(message, field.name) != field.default:
            arguments[field.name] = getattr(message, field.name)
    return arguments


def _literal(value: Any) -> str:
    """Return the Python source of strings, numbers, tuples and dicts of them, with double quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        inner = repr(value)[1:-1].replace("\\'", "'") if repr(value)[0] == "'" else repr(value)[1:-1]
        return '"' + inner.replace('"', '\\"') + '"'
    if isinstance(value, tuple):
        return "(" + "".join(f"{_literal(one)}, " for one in value).strip() + ")"
    return repr(value)


def _acted(step: Act) -> list[str]:
    if step.name == "drop":
        abruptly = ", abruptly=True" if step.named else ""
        return [
            f"for session in {_TOOLS}.control.sessions():",
            f"    if session.account == {_literal(step.arguments[0])}:",
            f"        {_TOOLS}.control.drop(session.number{abruptly})",
        ]
    if step.name == "announce":
        after_us, lasting_us = (round(seconds * SECOND_US) for seconds in step.arguments)
        return [
            f"now = {_TOOLS}.control.now()",
            f"{_TOOLS}.announce(now + {after_us:_}, now + {after_us + lasting_us:_})",
        ]
    if step.name == "put":
        (subscriber,) = step.arguments
        assert isinstance(subscriber, Subscriber), "a subscriber's state"
        fields = msgspec.structs.asdict(subscriber)
        number = _literal(fields.pop("msisdn"))
        named = "".join(f", {name}={_literal(value)}" for name, value in fields.items())
        return [f"simbench_smsc.subscriber({number}{named})"]
    actor = _TOOLS if step.name in OF_THE_TOOLS else f"{_TOOLS}.control"
    arguments = [*map(_literal, step.arguments), *(f"{name}={_literal(value)}" for name, value in step.named.items())]
    return [f"{actor}.{step.name}({', '.join(arguments)})"]
