"""Operations on waiting messages read these once, for any number of operations during a stream of submits."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from fake_smsc.core import message_index
from fake_smsc.fast import compiled
from fake_smsc.fast.waiting_index import FRESH_ROWS
from fake_smsc.scenario import CodeConfig
from simbench.base.units import SECOND_US
from tests.fake_smsc.ucp_gateway.stage import operation
from tests.harness import START, gateway_of, login, submit
from tests.steps import steps_of

INQUIRIES = 60
OPERATIONS = {"54": {"SCTS": "301126120000"}, "55": {}, "56": {"MT": "3", "Msg": "303030303030363231313033"}}
CODE = CodeConfig(code="36010", limit="monitor", window=100, request_id="r")


def test_inquiries_during_a_stream_of_submits_read_all_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled.load():
        pytest.skip("numba is not installed")
    gateway, _ = gateway_of(CODE)
    path: Any = gateway._fast
    index, step = path.book.index, FRESH_ROWS // 20
    scans, scan = [], index._scan

    def scanned(rows: Any, now: int) -> None:
        scans.append(now)
        scan(rows, now)

    monkeypatch.setattr(index, "_scan", scanned)
    gateway.opened(1, START)
    gateway.received(1, login("36010"), START)
    for turn in range(INQUIRIES):
        stream = [submit(n % 100, AdC=f"{33_710_000_000 + turn * step + n}", Msg="41") for n in range(step)]
        inquiry = operation("55", 99, AdC=f"{33_710_000_000 + turn * step}", OAdC="36010")
        gateway.received(1, b"".join(stream) + inquiry, START + turn)
        gateway.output()
    assert gateway.centre.delivery.on_the_way == INQUIRIES * step
    assert len(scans) == 1
    assert len(index._runs) <= INQUIRIES * step // FRESH_ROWS + 1, "a query adds none"


def test_rows_are_found_after_a_pause_without_inquiries() -> None:
    if not compiled.load():
        pytest.skip("numba is not installed")
    gateway, _ = gateway_of(CODE)
    path: Any = gateway._fast
    now = START
    for line in range(1, 4):  # each closes its connection, silent for so long
        now += 600 * SECOND_US
        gateway.advance(now)
        gateway.opened(line, now)
        gateway.received(line, login("36010"), now)
        gateway.received(line, submit(1, AdC="33710000007", Msg="41") * (FRESH_ROWS + 5), now)
        gateway.closed(line, now)
        found = gateway.centre.delivery.find("36010", "0710000007")
        assert len(found) == path.centre.settings.scts_ahead_max_s + 1
        assert [message.recipient for message in found] == ["33710000007"] * len(found)
        assert gateway.centre.delivery.on_the_way == len(found)


def test_the_index_of_objects_forgets_messages_that_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_index, "MESSAGES_KEPT", 50)
    gateway, _ = gateway_of(CODE)
    path: Any = gateway
    path._fast = None
    now = START
    for turn in range(20):
        now += 600 * SECOND_US
        gateway.advance(now)
        gateway.opened(turn, now)
        gateway.received(turn, login("36010"), now)
        gateway.received(turn, b"".join(submit(n, AdC=f"{33_710_000_100 + n}") for n in range(30)), now)
        gateway.closed(turn, now)
        assert len(gateway.centre.delivery.find("36010", f"{33_710_000_100 + turn}")) == 1
    assert len(gateway.centre.delivery.index) <= 2 * 30 + 50 + 30


@pytest.mark.parametrize("is_fast", [True, False])
def test_an_operation_takes_no_more_steps_the_more_messages_wait(is_fast: bool) -> None:
    """Few messages to one recipient can wait: each needs a time stamp of its own, at most a minute ahead."""
    if is_fast and not compiled.load():
        pytest.skip("numba is not installed")
    taken = []
    for waiting in (200, 3_200):
        gateway, _ = gateway_of(CODE)
        if not is_fast:
            gateway._fast = None
        gateway.opened(1, START)
        gateway.received(1, login("36010"), START)
        others = [submit(n % 100, AdC=f"{33_710_000_000 + n}", Msg="41") for n in range(waiting)]
        own = [submit(n % 100, AdC="33719999999", Msg="41") for n in range(waiting)]
        gateway.received(1, b"".join(others + own), START)
        asked = [operation(ot, 7, AdC="33719999999", OAdC="36010", **more) for ot, more in OPERATIONS.items()]
        gateway.received(1, b"".join(asked), START + 1)  # messages enter the index once
        gateway.output()
        taken.append([steps_of(partial(gateway.received, 1, each, START + 2), "fake_smsc") for each in asked])
    few, many = taken
    assert all(0 < more <= 1.1 * less for less, more in zip(few, many, strict=True)), taken
