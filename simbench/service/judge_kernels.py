"""The kernels of the judge. A separate process compiles them before a server judges many rows for the first time."""

from __future__ import annotations

import asyncio
from typing import Final

from simbench.base.event_loop import run_beside
from simbench.base.units import SECOND_US
from simbench.contract import load_contract
from simbench.kernels import jit
from simbench.kernels.ahead import Ahead
from simbench.ledger import MemoryLedger
from simbench.ledger.events import LimitSet, row_of
from simbench.numbering.plan import plan_of
from simbench.service.judging import judge_live
from simbench.ucp.frame import encode
from simbench.ucp.notifications import notification_body
from simbench.ucp.operations import build

CODE, STAMP = "36010", "010126120000"
ROWS_EACH: Final = 4  # submission, result, notification and its result


def _load() -> None:
    """Judge so many messages that every rule uses its kernels."""
    ledger, contract = MemoryLedger(), load_contract()
    recipient = plan_of(contract).writer(1)
    ledger.events.append(row_of(0, LimitSet(CODE, 100, "monitor", account=CODE)))
    ledger.wire.append((0, 1, "open", b"192.0.2.7:40000"))
    login = encode(0, "O", "60", f"{CODE}/6/5/1/41//0100//////")
    ledger.wire.append((1, 1, "in", login))
    ledger.wire.append((2, 1, "out", encode("00", "R", "60", "A//")))
    frames = [_dialogue(trn, recipient) for trn in range(100)]
    at = 0
    for number in range(jit.FEW):
        at += SECOND_US // 20  # below the code's rate, so that what the platform granted is looked into
        for direction, octets in frames[number % len(frames)]:
            ledger.wire.append((at, 1, direction, octets))
    judge_live(ledger, contract, ROWS_EACH * jit.FEW, at)


def _dialogue(trn: int, recipient: str) -> list[tuple[str, bytes]]:
    """Return a message and its notification, each with its result."""
    fields = {"AdC": recipient, "OAdC": CODE, "NRq": "1", "NT": "3", "MT": "3", "Msg": "41"}
    notification = notification_body(CODE, recipient, STAMP, 0, 0, STAMP)
    return [
        ("in", build("51", "O", trn, **fields)), ("out", encode(trn, "R", "51", f"A//{recipient}:{STAMP}/")),
        ("out", encode(trn, "O", "53", notification)), ("in", encode(trn, "R", "53", "A//")),
    ]  # fmt: skip


AHEAD: Final = Ahead("judge", "simbench.service.judge_kernels", _load)


class Preparation:
    """Whether the kernels need to be compiled before a judgement."""

    def __init__(self, ahead: Ahead = AHEAD) -> None:
        self._ahead, self._done = ahead, False

    async def before(self, rows: int) -> None:
        """Before so many rows are judged: compile the kernels in a separate process, once, if they are not cached."""
        if self._done or rows < jit.FEW or not jit.is_installed():
            return
        if not await asyncio.to_thread(self._ahead.is_cached):
            await run_beside(self._ahead.command())
        self._done = True  # even after a failure: the judge then compiles, or does without


if __name__ == "__main__":
    AHEAD.compile_for_a_server()
