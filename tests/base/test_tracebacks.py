"""Errors of public functions end at the caller's line; those of a callback end in the callback."""

import asyncio
import traceback
from collections.abc import Callable
from typing import NoReturn

import pytest

from fake_smsc import FakeSmsc
from simbench.base.errors import BadInput, WrongCall
from simbench.base.tracebacks import LIBRARIES, ends_here
from simbench.findings import Findings

HERE = [__file__]


def places(error: BaseException) -> list[str]:
    return [frame.filename for frame in traceback.extract_tb(error.__traceback__)]


def raised(call: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each test looks at its kind
        call()
    return caught.value


def test_an_expected_error_ends_at_the_caller() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc:
        error = raised(lambda: smsc.fault("nonsense"))
    assert isinstance(error, BadInput)
    assert set(places(error)) == set(HERE)


def test_an_awaited_one_too() -> None:
    async def late() -> None:
        async with FakeSmsc(codes={"36010": 10}) as smsc:
            await smsc.wait_for("session", timeout_s=0.001)

    error = raised(lambda: asyncio.run(late()))
    assert isinstance(error, TimeoutError)
    assert places(error)[-1] == __file__


def test_a_condition_that_fails_is_shown() -> None:
    def condition() -> NoReturn:
        raise KeyError("missing")

    with FakeSmsc(codes={"36010": 10}) as smsc:
        error = raised(lambda: smsc.wait_for(condition))
    assert isinstance(error, KeyError)
    found = traceback.extract_tb(error.__traceback__)
    assert found[-1].name == "condition"
    assert {one.filename for one in found} == set(HERE)


def test_a_cause_that_the_message_states_is_hidden() -> None:
    with FakeSmsc(codes={"36010": 10}) as smsc:
        error = raised(FakeSmsc(port=smsc.port).__enter__)
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_fault_of_the_bench_keeps_its_frames() -> None:
    error = raised(lambda: ends_here(Findings.__len__)(None))  # type: ignore[arg-type]  # the fault
    assert isinstance(error, AttributeError)
    assert places(error)[-1].startswith(LIBRARIES)


def test_a_wrong_call_names_the_function_and_its_arguments() -> None:
    error = raised(lambda: FakeSmsc(kodes={"36010": 10}))  # type: ignore[call-arg]  # the mistake
    assert isinstance(error, WrongCall)
    assert isinstance(error, TypeError)
    assert str(error).startswith("FakeSmsc: got an unexpected keyword argument 'kodes'; expected codes, scenario,")
