"""Running exercises: one SMSC, one client and one ledger each.

Exercises that tolerate others run concurrently first. Exercises that measure low rates follow, a few at a time, then
those that measure high rates, one at a time. An exercise in which the bench was late is run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from fake_smsc.server.clock import PlatformClock
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.network import Network
from simbench.base.errors import SimbenchError, Trouble
from simbench.base.json_files import write_octets
from simbench.base.text import broken
from simbench.base.version import __version__
from simbench.bench.exercises.exercise import Chosen, Exercise
from simbench.bench.exercises.tester import PATIENCE, Bench
from simbench.bench.runner import AT_ONCE
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
from simbench.numbering.plan import plan_of

BUDGET = 3  # limit as a multiple of the duration with a correct client
SPARE_S = 60
LIGHT_AT_ONCE = 4  # concurrent exercises that measure rates with few messages per second
LIGHT_PER_S = 100
EARLY = 2  # number of short exercises started first, for an early verdict

Phase = Literal["started", "waits", "again", "finished"]
Progress = Callable[[Exercise, Phase, str], None]


class Conducted(msgspec.Struct, frozen=True):
    """One exercise that ran: its ledger, and any trouble with its blame."""

    exercise: Exercise
    run: Run
    trouble: str = ""
    blame: Blame = ""
    left_out: str = ""  # the reason why it did not run
    remark: str = ""  # errors that the client reported, such as output that is not a line of the protocol
    earlier: tuple[str, ...] = ()  # by attempt, how late the bench was, which left it inconclusive


class RunEnvironment(msgspec.Struct, frozen=True):
    """The environment of an exercise: folder for the client's files and, in virtual time, another network and clock."""

    folder: Path
    seed: int = 1
    network: Network | None = None
    clock: PlatformClock | None = None
    tamper: Callable[[LiveSmsc], None] = lambda _: None  # adds a fault to the platform
    waits: Callable[[str], object] = lambda _: None  # called with the thing the script waits for, "" for none


async def run_exercise(
    exercise: Exercise, sut: SystemUnderTest, contract: Contract, ledger: AnyLedger, environment: RunEnvironment
) -> Conducted:
    """Run one exercise with one client and close its ledger. Trouble is recorded, not raised."""
    exercise = exercise.under(contract)
    scenario = exercise.scenario(contract, environment.seed, reach_of(sut))
    clock = environment.clock or clock_of(exercise, sut.capabilities)
    trouble = left_out = remark = ""
    blame: Blame = ""
    try:
        async with LiveSmsc(scenario, contract, ledger, network=environment.network, clock=clock) as smsc:
            target = target_of(exercise, smsc, environment.folder, clock)
            bench = Bench(smsc, sut, exercise.codes)
            bench.waits = environment.waits
            environment.tamper(smsc)
            try:
                async with asyncio.timeout(budget_s(exercise, sut) if environment.network is None else None):
                    await sut.start(target, bench.heard)
                    await exercise.script(bench)
                # The last row shows the duration of a silence at the end of the recording.
                ledger.events.append(row_of(smsc.clock.now(), ExerciseEnded(exercise.name)))
            finally:
                remark = bench.remark
                await sut.stop()
    except CannotRun as error:
        left_out = str(error)
    except SutFailed as error:
        trouble, blame = str(error), "client"
    except TimeoutError:
        trouble, blame = f"the exercise did not end within {budget_s(exercise, sut):.0f} s", "client"
    except Trouble as error:
        trouble, blame = str(error), "bench"
    except SimbenchError:
        raise
    except Exception as error:  # of a script, or of a client that is made in Python: the others go on
        trouble, blame = f"the exercise broke: {broken(error)}", "bench"
    finally:
        ledger.close()
    return Conducted(exercise, _read_again(ledger), trouble, blame, left_out, remark)


def budget_s(exercise: Exercise, sut: SystemUnderTest) -> float:
    """Return the time limit of an exercise; scripts have shorter limits, so this one ends only hanging scripts."""
    timer_s = sut.capabilities.result_timer_s or exercise.setup.result_timer_s
    return BUDGET * exercise.seconds + PATIENCE * timer_s + reach_of(sut).connect_wait_s + SPARE_S


def clock_of(exercise: Exercise, capabilities: Capabilities) -> PlatformClock | None:
    """Return the clock of an exercise, moved and fast as far as the client's clock allows; None for the machine's."""
    setup = exercise.setup
    if capabilities.clock == "speed" and (setup.clock != "any" or setup.speed > 1):
        return PlatformClock(exercise.epoch_us, setup.speed)
    return PlatformClock(exercise.epoch_us) if capabilities.clock == "offset" and setup.clock != "any" else None


def target_of(exercise: Exercise, smsc: LiveSmsc, folder: Path, clock: PlatformClock | None) -> Target:
    """Return the client's settings; wrong passwords and ported numbers are recorded as events as well."""
    setup, accounts = exercise.setup, []
    for config in smsc.scenario.codes:
        account = config.account or config.code
        known = config.code not in setup.wrong_password
        if config.oadc_option or not known:
            account_set = AccountSet(account, oadc_option=config.oadc_option, password_known=known)
            smsc.ledger.events.append(row_of(smsc.clock.now(), account_set))
        password = config.password if known else "wrong"
        accounts.append(AccountGiven(config.code, account, password, config.rate_per_s, config.oadc_option))
    portability = None
    if setup.ported:
        portability = folder / "portability.csv"
        rows = "".join(f"{msisdn},{operator},{day}\n" for msisdn, operator, day in setup.ported(plan_of(smsc.contract)))
        write_octets(portability, f"msisdn,operator,valid_from\n{rows}".encode("ascii"))
    given = ClockGiven(*clock.basis(), clock.speed) if clock else None
    terms = smsc.contract.terms.session
    timer_s = setup.result_timer_s or terms.result_timer_max_s.value
    return Target(
        "127.0.0.1", smsc.server.port, tuple(accounts), terms.window.value, folder,
        setup.keepalive_s, timer_s, portability, given, smsc.contract.source,
    )  # fmt: skip


async def conduct_all(
    chosen: Chosen, one: Callable[[Exercise], Awaitable[Conducted]], progress: Progress, at_once: int = AT_ONCE
) -> dict[str, Conducted]:
    """Run every selected exercise through `one`: those that tolerate others, then low rates, then high rates."""
    finished: dict[str, Conducted] = {}

    async def run(exercise: Exercise) -> None:
        progress(exercise, "started", "")
        finished[exercise.name] = conducted = await one(exercise)
        progress(exercise, "finished", conducted.trouble or conducted.remark)

    exercises = [exercise for exercise, _ in chosen.values()]
    room = asyncio.Semaphore(at_once)

    async def sociable(exercise: Exercise) -> None:
        async with room:
            await run(exercise)

    await asyncio.gather(*map(sociable, in_order(exercise for exercise in exercises if not exercise.alone)))
    light = [exercise for exercise in exercises if exercise.alone and is_light(exercise)]
    room = asyncio.Semaphore(min(at_once, LIGHT_AT_ONCE))
    await asyncio.gather(*map(sociable, sorted(light, key=lambda one: -one.seconds)))
    for exercise in exercises:
        if exercise.alone and not is_light(exercise):
            await run(exercise)
    return finished


def in_order(exercises: Iterable[Exercise]) -> list[Exercise]:
    """Order exercises: two short ones for an early verdict, then the longest first, so that none remains at the end."""
    ordered = sorted(exercises, key=lambda one: -one.seconds)
    return [*ordered[: -EARLY - 1 : -1], *ordered[:-EARLY]]


def is_light(exercise: Exercise) -> bool:
    """Tell whether an exercise that measures rates has so few messages that similar ones may run concurrently."""
    return sum(exercise.rates.values()) <= LIGHT_PER_S


def _read_again(ledger: AnyLedger) -> Run:
    return open_run(ledger.folder) if isinstance(ledger, Ledger) else open_run(ledger)


def run_info(exercise: Exercise, contract: Contract, seed: int, sut: str) -> RunInfo:
    """Return the `run.json` of one exercise's ledger."""
    return RunInfo(
        run=exercise.name,
        scenario=exercise.name,
        seed=seed,
        contract=contract.name,
        contract_digest=contract.digest,
        versions={"simbench": __version__, "sut": sut},
    )
