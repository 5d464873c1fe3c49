"""Running exercises: one SMSC, one client and one ledger each. Judges nothing.

Exercises that bear company run side by side first; rate exercises follow, each alone on the machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import msgspec

from fake_smsc.clock import PlatformClock
from fake_smsc.live import LiveSmsc
from fake_smsc.network import Network
from simbench import __version__
from simbench.conformance.bench import Bench
from simbench.conformance.exercise import Exercise
from simbench.conformance.selection import Chosen
from simbench.conformance.sut import AccountGiven, SutFailed, SystemUnderTest, Target
from simbench.contract import Contract
from simbench.errors import Trouble
from simbench.finding import Blame
from simbench.ledger import AnyLedger, Ledger, Run, RunInfo, open_run

Phase = Literal["started", "finished"]
Progress = Callable[[Exercise, Phase, str], None]


class Conducted(msgspec.Struct, frozen=True):
    """One exercise that ran: its ledger as read again, and what went wrong, and with whom, if something did."""

    exercise: Exercise
    run: Run
    trouble: str = ""
    blame: Blame = ""


class Surroundings(msgspec.Struct, frozen=True):
    """Where an exercise runs: folder for the client's files, and, in virtual time, another network and clock."""

    folder: Path
    seed: int = 1
    network: Network | None = None
    clock: PlatformClock | None = None
    tamper: Callable[[LiveSmsc], None] = lambda _: None  # a planted fault of the platform, to see it caught


async def conduct(
    exercise: Exercise, sut: SystemUnderTest, contract: Contract, ledger: AnyLedger, around: Surroundings
) -> Conducted:
    """Run one exercise against one client and close its ledger. Trouble is told, not raised."""
    scenario = exercise.scenario(contract, around.seed)
    trouble: str = ""
    blame: Blame = ""
    try:
        async with LiveSmsc(scenario, contract, ledger, network=around.network, clock=around.clock) as smsc:
            accounts = tuple(
                AccountGiven(c.code, c.account or c.code, c.password, c.rate_per_s) for c in scenario.codes
            )
            window = contract.terms.session.window.value
            target = Target("127.0.0.1", smsc.server.port, accounts, window, around.folder)
            bench = Bench(smsc, sut)
            around.tamper(smsc)
            try:
                await sut.start(target, bench.heard)
                await exercise.script(bench)
                # Without a last row nobody could tell how long a silence at the end was watched.
                ledger.story.append((smsc.clock.now(), "end", exercise.name, None, ""))
            finally:
                await sut.stop()
    except SutFailed as error:
        trouble, blame = str(error), "client"
    except Trouble as error:
        trouble, blame = str(error), "bench"
    ledger.close()
    return Conducted(exercise, _read_again(ledger), trouble, blame)


async def conduct_all(
    chosen: Chosen, one: Callable[[Exercise], Awaitable[Conducted]], progress: Progress
) -> dict[str, Conducted]:
    """Conduct every chosen exercise through `one`: the sociable ones together, then the others in turn."""
    finished: dict[str, Conducted] = {}

    async def run(exercise: Exercise) -> None:
        progress(exercise, "started", "")
        finished[exercise.name] = conducted = await one(exercise)
        progress(exercise, "finished", conducted.trouble)

    exercises = [exercise for exercise, _ in chosen.values()]
    await asyncio.gather(*(run(exercise) for exercise in exercises if not exercise.alone))
    for exercise in exercises:
        if exercise.alone:
            await run(exercise)
    return finished


def _read_again(ledger: AnyLedger) -> Run:
    return open_run(ledger.folder) if isinstance(ledger, Ledger) else open_run(ledger)


def run_info(exercise: Exercise, contract: Contract, seed: int, sut: str) -> RunInfo:
    """What `run.json` says of one exercise's ledger."""
    return RunInfo(
        run=exercise.name,
        created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        scenario=exercise.name,
        seed=seed,
        contract=contract.name,
        contract_digest=contract.digest,
        versions={"simbench": __version__, "sut": sut},
    )
