"""A server compiles no kernel of the judge: another process does, before many rows are judged for the first time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simbench.base.units import SECOND_US
from simbench.kernels import frames, jit
from simbench.kernels.ahead import Ahead
from simbench.kernels.jit import Kernel
from simbench.ledger import AnyLedger, Ledger, MemoryLedger, RunInfo
from simbench.ledger.events import LimitSet, row_of
from simbench.rules.kernels import metering, queues
from simbench.service import judge_kernels
from simbench.service.judge_kernels import AHEAD, Preparation
from simbench.service.judging import judge_live
from simbench.trace.kernels import dialogue
from simbench.ucp.frame import encode
from simbench.ucp.operations import build
from tests.paris import CONTRACT

START = 1_795_000_000 * SECOND_US


def kernels() -> list[Any]:
    """The compiled forms of the kernels that audits use."""
    found = {
        id(each): each
        for module in (frames, dialogue, metering, queues)
        for each in vars(module).values()
        if isinstance(each, Kernel) and "compiled" in vars(each)
    }
    assert len(found) >= 8
    return [each.compiled for each in found.values()]


def fill(ledger: AnyLedger, numbers: range) -> None:
    """Add messages with their results."""
    for number in numbers:
        at, trn, to = START + (1 + number) * SECOND_US // 10, number % 100, f"3363998{number % 10_000:04}"
        ledger.wire.append((at, 1, "in", build("51", "O", trn, AdC=to, OAdC="36010", MT="3", Msg="41")))
        ledger.wire.append((at + 1_000, 1, "out", encode(trn, "R", "51", f"A//{to}:301126120000/")))
    ledger.flush()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["memory", "one batch", "several batches"])
def test_no_form_of_a_ledger_makes_a_judging_server_compile(tmp_path: Path, form: str) -> None:
    if not jit.compiles():
        pytest.skip("nothing is compiled here")
    AHEAD.load()
    before = [each.signatures.copy() for each in kernels()]
    ledger = MemoryLedger() if form == "memory" else Ledger.create(tmp_path / "run", RunInfo(run="r"))
    ledger.events.append(row_of(START, LimitSet("36010", 10, "nack", account="36010")))
    ledger.wire.append((START, 1, "open", b"192.0.2.7:40000"))
    ledger.wire.append((START, 1, "in", encode(0, "O", "60", "36010/6/5/1/41//0100//////")))
    ledger.wire.append((START, 1, "out", encode(0, "R", "60", "A//")))
    some = jit.FEW // (2 if form == "several batches" else 1)
    for batch in range(3 if form == "several batches" else 1):
        fill(ledger, range(batch * some, (batch + 1) * some))
    found, _, _ = judge_live(ledger, CONTRACT, 100_000, START + 10**6 * SECOND_US)
    ledger.close()
    (accepted,) = (one for one in found.findings if one.purpose == "recipients.accepted")
    assert accepted.outcome == "pass", accepted.summary
    assert [each.signatures for each in kernels()] == before


def test_a_process_is_started_once_and_not_for_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    async def start(command: list[str]) -> None:
        started.append(command)

    async def script() -> None:
        preparation = Preparation()
        await preparation.before(jit.FEW - 1)
        assert not started
        for _ in range(2):
            await preparation.before(jit.FEW)
        assert started == [AHEAD.command()]

    monkeypatch.setattr(judge_kernels, "run_beside", start)
    monkeypatch.setattr(Ahead, "is_cached", lambda _: False)
    monkeypatch.setattr(jit, "is_installed", lambda: True)
    asyncio.run(script())
