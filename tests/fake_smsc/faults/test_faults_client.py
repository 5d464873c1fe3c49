"""The reference client on a platform with each fault: no accepted message is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from fake_smsc.faults import FAULTS
from fake_smsc.scenario import CodeConfig, FaultConfig, Scenario
from fake_smsc.server.live import LiveSmsc
from simbench.bench.runner.in_memory import InMemory
from simbench.bench.runner.virtual_loop import MemoryNetwork
from simbench.bench.sut.protocol import AccountGiven, Report, Target
from simbench.client.messages import Outgoing
from simbench.ledger import MemoryLedger
from tests.fake_smsc.live import SOON, contract
from tests.fake_smsc.virtual import in_virtual_time, virtual_clock

MESSAGES = 20
PATIENCE_S = 1800

# How often a fault strikes here, where a third of its candidates for two minutes would not show it or never end.
HOW: dict[str, dict[str, Any]] = {
    "half-open": {"share": 1.0, "after": 6},
    "reset": {"share": 1.0, "after": 6},
    "hang-up": {"share": 1.0, "after": 6},
    "cut-off": {"share": 1.0, "after": 6},
    "mo-flood": {"share": 1.0},
    "mo-at-full-window": {"share": 1.0},
    "slow-read": {"share": 1.0},
    "login-refused": {"share": 1.0, "for_s": 20.0},
    "login-unanswered": {"share": 1.0, "for_s": 20.0},
    "alert-unanswered": {"share": 1.0, "for_s": 90.0},
    "accept-close": {"share": 1.0, "for_s": 20.0},
    "accept-reset": {"share": 1.0, "for_s": 20.0},
}

# Faults whose losses no client can repair, because nothing on the wire shows them.
CANNOT_SURVIVE = {
    "ack-though-lost": "the platform forgot a message that it had accepted",
    "result-without-stamp": "a notification cannot be matched with a result that names no stamp",
    "lost-notification": "nothing on the wire shows the outcome of the message",
    "wrong-stamp": "the notification names no message the client knows",
}


class Outcome(msgspec.Struct):
    """The client's results by message, and those of the platform."""

    accepted: set[str]
    settled: set[str]
    stored: set[str]
    applied: int = 0


def ran(config: FaultConfig) -> Outcome:
    """Request twenty messages at once while the fault is active; then half an hour without it."""

    async def run() -> Outcome:
        network, clock = MemoryNetwork(), virtual_clock()
        scenario = Scenario(codes=(CodeConfig(code="36010"),), delivery=SOON, faults=(config,))
        async with LiveSmsc(scenario, contract(), MemoryLedger(), clock=clock, network=network) as smsc:
            outcome = Outcome(set(), set(), set())
            reported = {"accepted": outcome.accepted, "delivered": outcome.settled}

            def hear(report: Report) -> None:
                reported.get(report.kind, set()).add(report.token)

            sut = InMemory(network, clock)
            given = (AccountGiven("36010", "36010", "secret", 10),)
            await sut.start(Target("", smsc.server.port, given, 10, Path()), hear)
            for number in range(MESSAGES):
                await sut.send(Outgoing(f"m{number}", "36010", f"337100000{number:02d}", f"Bonjour {number}"))
            await smsc.control.pause(config.for_s)
            await smsc.control.pause(PATIENCE_S)
            await sut.stop()
            rows = cast(MemoryLedger, smsc.ledger).centre
            stored = {f"m{int(str(row[4])[-2:])}" for row in rows if row[1] == "accepted"}
            applied = sum('"line"' in str(row[4]) for row in cast(MemoryLedger, smsc.ledger).events)
            return msgspec.structs.replace(outcome, stored=stored, applied=applied)

    return in_virtual_time(run())


@pytest.mark.parametrize("name", FAULTS)
def test_a_message_acknowledged_to_the_client_is_not_lost(name: str) -> None:
    outcome = ran(FaultConfig(name, **{"share": 0.3, "for_s": 120.0, **HOW.get(name, {})}))
    assert outcome.applied
    assert len(outcome.accepted) == MESSAGES
    lost = outcome.accepted - (outcome.settled & outcome.stored)
    assert bool(lost) == (name in CANNOT_SURVIVE), sorted(lost)


def test_each_fault_that_cannot_be_survived_has_its_reason() -> None:
    assert set(CANNOT_SURVIVE) <= set(FAULTS)
    assert all(CANNOT_SURVIVE.values())
