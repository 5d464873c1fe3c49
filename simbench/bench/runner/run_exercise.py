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

from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.network import Network
from simbench import __version__
from simbench.base.errors import Trouble
from simbench.base.json_files import write_octets
from simbench.bench.exercises.exercise import Chosen, Exercise
from simbench.bench.exercises.tester import PATIENCE, Bench
from simbench.bench.sut.protocol import (
    AccountGiven,
    CannotRun,
    Capabilities,
    ClockGiven,
    SutFailed,
    SystemUnderTest,
    Target,
    reach_of,
)
from simbench.contract import Contract
from simbench.finding import Blame
from simbench.ledger import AnyLedger, Ledger, Run, RunInfo, open_run
from simbench.ledger.events import AccountSet, ExerciseEnded, row_of

BUDGET = 3  # times what a client that does nothing wrong takes
SPARE_S = 60
AT_ONCE = 8  # exercises side by side: each has a server on this loop and a client of its own

Phase = Literal["started", "again", "finished"]
Progress = Callable[[Exercise, Phase, str], None]


class Conducted(msgspec.Struct, frozen=True):
    """One exercise that ran: its ledger as read again, and what went wrong, and with whom, if something did."""

    exercise: Exercise
    run: Run
    trouble: str = ""
    blame: Blame = ""
    left_out: str = ""  # why it did not run at all
    earlier: tuple[str, ...] = ()  # why each attempt before this one told nothing: the bench was late


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
    scenario = exercise.scenario(contract, around.seed, reach_of(sut))
    clock = around.clock or clock_of(exercise, sut.capabilities)
    trouble = left_out = ""
    blame: Blame = ""
    try:
        async with LiveSmsc(scenario, contract, ledger, network=around.network, clock=clock) as smsc:
            target = target_of(exercise, smsc, around.folder, clock)
            bench = Bench(smsc, sut)
            around.tamper(smsc)
            try:
                async with asyncio.timeout(budget_s(exercise, sut) if around.network is None else None):
                    await sut.start(target, bench.heard)
                    await exercise.script(bench)
                # Without a last row nobody could tell how long a silence at the end was watched.
                ledger.story.append(row_of(smsc.clock.now(), ExerciseEnded(exercise.name)))
            finally:
                await sut.stop()
    except CannotRun as error:
        left_out = str(error)
    except SutFailed as error:
        trouble, blame = str(error), "client"
    except TimeoutError:
        trouble, blame = f"the exercise did not end within {budget_s(exercise, sut):.0f} s", "client"
    except Trouble as error:
        trouble, blame = str(error), "bench"
    ledger.close()
    return Conducted(exercise, _read_again(ledger), trouble, blame, left_out)


def budget_s(exercise: Exercise, sut: SystemUnderTest) -> float:
    """How long an exercise may take at all: stories have patience of their own, so this ends only what hangs."""
    timer_s = sut.capabilities.result_timer_s or exercise.setup.result_timer_s
    return BUDGET * exercise.seconds + PATIENCE * timer_s + reach_of(sut).connect_wait_s + SPARE_S


def clock_of(exercise: Exercise, capabilities: Capabilities) -> PlatformClock | None:
    """The clock of an exercise: moved and fast as far as the client's can be, None for the machine's own."""
    setup = exercise.setup
    if capabilities.clock == "speed" and (setup.clock != "any" or setup.speed > 1):
        return PlatformClock(exercise.epoch_us, setup.speed)
    return PlatformClock(exercise.epoch_us) if capabilities.clock == "offset" and setup.clock != "any" else None


def target_of(exercise: Exercise, smsc: LiveSmsc, folder: Path, clock: PlatformClock | None) -> Target:
    """What the client is told; what it is told wrongly, or beyond its accounts, is told in the story as well."""
    setup, accounts = exercise.setup, []
    for config in smsc.scenario.codes:
        account = config.account or config.code
        known = config.code not in setup.wrong_password
        if config.oadc_option or not known:
            told = AccountSet(account, oadc_option=config.oadc_option, password_known=known)
            smsc.ledger.story.append(row_of(smsc.clock.now(), told))
        password = config.password if known else "wrong"
        accounts.append(AccountGiven(config.code, account, password, config.rate_per_s, config.oadc_option))
    portability = None
    if setup.ported:
        portability = folder / "portability.csv"
        rows = "".join(f"{msisdn},{operator},{day}\n" for msisdn, operator, day in setup.ported)
        write_octets(portability, f"msisdn,operator,valid_from\n{rows}".encode("ascii"))
    given = ClockGiven(*clock.basis(), clock.speed) if clock else None
    terms = smsc.contract.terms.session
    timer_s = setup.result_timer_s or terms.result_timer_max_s.value
    return Target(
        "127.0.0.1", smsc.server.port, tuple(accounts), terms.window.value, folder,
        setup.keepalive_s, timer_s, portability, given,
    )  # fmt: skip


async def conduct_all(
    chosen: Chosen, one: Callable[[Exercise], Awaitable[Conducted]], progress: Progress, at_once: int = AT_ONCE
) -> dict[str, Conducted]:
    """Conduct every chosen exercise through `one`: the sociable ones together, then the others in turn."""
    finished: dict[str, Conducted] = {}

    async def run(exercise: Exercise) -> None:
        progress(exercise, "started", "")
        finished[exercise.name] = conducted = await one(exercise)
        progress(exercise, "finished", conducted.trouble)

    exercises = [exercise for exercise, _ in chosen.values()]
    room = asyncio.Semaphore(at_once)

    async def sociable(exercise: Exercise) -> None:
        async with room:
            await run(exercise)

    # The longest first, so that none of them is left over when the others are done.
    together = sorted((e for e in exercises if not e.alone), key=lambda e: -e.seconds)
    await asyncio.gather(*map(sociable, together))
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
