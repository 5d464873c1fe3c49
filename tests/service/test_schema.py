"""The API agrees with its own document for any request."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import content_type_conformance, negative_data_rejection, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from simbench.service.settings import Limits, ServiceSettings
from tests.fake_smsc.live import DEADLINE_S
from tests.service.stage import Stage, staged

pytestmark = pytest.mark.slow

TOKEN = "0123456789abcdef"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    negative_data_rejection,
]  # fmt: skip
BOUNDED = settings(
    max_examples=4, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
)  # fmt: skip


@contextmanager
def serving_in_a_thread(token: str) -> Iterator[str]:
    """A service in a loop of its own, so that a test that blocks can use it."""
    ready: list[Stage] = []
    begun, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        patient = Limits(requests_per_s=1_000_000, burst=1_000_000)
        async with staged(ServiceSettings(limits=patient, token=token)) as stage:
            ready.append(stage)
            begun.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert begun.wait(DEADLINE_S)
        yield ready[0].url
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join(DEADLINE_S)


@pytest.fixture(scope="module", params=["", TOKEN], ids=["open", "token"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of a service, without a token or with one, and the headers that show it."""
    shown = {"Authorization": f"Bearer {request.param}"} if request.param else {}
    with serving_in_a_thread(request.param) as where:
        yield where, shown


def operations_of(url: str, headers: dict[str, str]) -> list[Any]:
    """Every operation of the document."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers=headers)
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation_answers_any_request_as_the_document_says(
    place: tuple[str, dict[str, str]], mode: GenerationMode
) -> None:
    requested: set[str] = set()
    url, headers = place

    def ask(case: schemathesis.Case[Any]) -> None:
        requested.add(case.operation.label)
        body = case.body if isinstance(case.body, dict) else {}
        for name in ("wait_s", "timeout_s"):  # waits of up to a minute are cut short
            value = body.get(name)
            if isinstance(value, int | float) and 0 < value <= 60:
                case.body = {**body, name: 0.01}
        case.call_and_validate(checks=CHECKS, timeout=300, headers={"X-Simbench": "test", **headers})

    operations = operations_of(url, headers)
    for operation in operations:
        try:
            strategy = operation.as_strategy(generation_mode=mode)
            BOUNDED(given(case=strategy)(ask))()
        except Unsatisfiable:
            continue  # an operation without arguments has no invalid request
    assert len(operations) >= 20
    assert len(requested) >= (20 if mode is GenerationMode.POSITIVE else 12)


def test_without_the_token_every_operation_answers_any_request_with_401() -> None:
    with serving_in_a_thread(TOKEN) as url:
        answered: Counter[int] = Counter()

        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(timeout=300, headers={"X-Simbench": "test"})
            assert answer.headers["content-type"] == ["application/problem+json"]
            answered[answer.status_code] += 1

        for operation in operations_of(url, {"Authorization": f"Bearer {TOKEN}"}):
            BOUNDED(given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))(ask))()
    assert set(answered) == {401}
    assert answered[401] >= 40
