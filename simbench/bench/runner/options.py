"""Options of a session, from the command line or from pytest, converted to a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from simbench.base.errors import BadInput
from simbench.base.toml_files import choice
from simbench.bench.exercises.endurance import duration_s, soak
from simbench.bench.exercises.exercise import EXERCISES, Chosen
from simbench.bench.exercises.watched import watching
from simbench.bench.runner import AT_ONCE
from simbench.bench.runner.rehearsal import Nobody
from simbench.bench.runner.selection import choose, select
from simbench.bench.runner.session import Judgements, Plan
from simbench.bench.runner.session_record import SessionRecord
from simbench.bench.sut.description import (
    KINDS,
    Description,
    check_clock,
    check_program,
    from_options,
    read_capabilities,
    sut_description,
)
from simbench.bench.sut.description import read_description as read
from simbench.bench.sut.protocol import Capabilities, SystemUnderTest, reach_of
from simbench.bench.sut.registry import known_names, make_sut
from simbench.client.faults import FAULTS, current
from simbench.contract import Contract, load_contract
from simbench.contract.load import DEFAULT

CONTRACT = DEFAULT


class SessionOptions(msgspec.Struct, frozen=True):
    """The options of a session. `sut` is a name, a kind with `program`, or the path of a description.

    With `soak`, a duration such as "10m", it is an endurance run instead of the exercises. `jobs` run side by side.
    """

    sut: str
    program: str = ""
    capabilities: Path | None = None
    only: tuple[str, ...] = ()
    contract: str = ""
    seed: int = 1
    faults: tuple[str, ...] = ()
    soak: str = ""
    jobs: int = AT_ONCE


def plan_of(
    wanted: SessionOptions,
    folder: Path,
    own: Callable[[], SystemUnderTest] | None = None,
    given: Contract | None = None,
) -> Plan:
    """Read every file and return the plan. Raises BadInput, ContractError.

    `own` makes the caller's own client instead of that of the options, `given` is the contract as an object.
    """
    contract = given or load_contract(wanted.contract or CONTRACT)
    make, description = (own, None) if own is not None else _maker(wanted)
    if wanted.soak and wanted.only:
        raise BadInput("--only", "an endurance run is one exercise", "--soak alone")
    chosen = soak(duration_s(wanted.soak), contract) if wanted.soak else _chosen(wanted.only, description, contract)
    return Plan(chosen, contract, make, folder, wanted.seed, _given(wanted.contract), wanted.jobs, wanted.soak)


def plan_again(record: SessionRecord, folder: Path, contract: str, only: tuple[str, ...]) -> Plan:
    """Return the plan to judge an earlier session again under the contract of that name or file.

    Raises BadInput if the options select none of its exercises, and ContractError.
    """
    given = load_contract(contract)
    watched = watching(record.reach, 0)
    endurance = soak(duration_s(record.soak), given) if record.soak else {}
    everything = {**EXERCISES, watched.name: watched, **{name: one for name, (one, _) in endurance.items()}}
    if unknown := [name for name in record.exercises if name not in everything]:
        raise BadInput(str(folder), f"holds exercises unknown to this version: {', '.join(unknown)}")
    wanted = choose((everything[name] for name in record.exercises), only, given)
    chosen: Chosen = {}
    for name, purposes in record.exercises.items():
        if still := tuple(purpose for purpose in purposes if purpose in wanted.get(name, (None, ()))[1]):
            chosen[name] = (wanted[name][0], still)

    def nobody() -> SystemUnderTest:
        return Nobody(record.capabilities, record.system, record.system_version, record.reach)

    return Plan(chosen, given, nobody, folder, record.seed, _given(contract), soak=record.soak)


def judged_again(
    record: SessionRecord, folder: Path, contract: str, only: tuple[str, ...] = (),
    progress: Callable[[str, int, int], object] = lambda *_: None,
) -> Judgements:  # fmt: skip
    """Return the judgements of an earlier session from its ledgers. Raises the errors of `plan_again`, and LedgerError.

    `progress` gets each exercise, the number judged, and the number of all.
    """
    judgements = Judgements(plan_again(record, folder, contract, only))
    judgements.reuse(record)
    judgements.judge_again(progress)
    return judgements


def _given(contract: str) -> str:
    """Return the contract's name, or its absolute path."""
    return str(Path(contract).resolve()) if contract.endswith(".toml") else contract or CONTRACT


def _maker(wanted: SessionOptions) -> tuple[Callable[[], SystemUnderTest], Description | None]:
    for fault in wanted.faults if wanted.sut == "reference" else ():
        if current(fault) not in FAULTS:
            raise BadInput(f"--fault {fault}", "the reference client has no such fault", choice(fault, FAULTS))
    claimed = read_capabilities(wanted.capabilities) if wanted.capabilities else None
    description: Description | None = None
    if wanted.sut.endswith(".toml"):
        description = read(Path(wanted.sut))
    elif wanted.sut in KINDS:
        description = from_options(wanted.sut, wanted.program)
    elif wanted.sut not in known_names():
        known = ", ".join((*known_names(), *KINDS))
        raise BadInput("system under test", f"{wanted.sut!r} is not known", f"one of {known}, or a .toml file")
    if wanted.program and (description is None or wanted.sut != "command"):
        raise BadInput("--program", f"cannot be combined with --sut {wanted.sut}", "--sut command")
    if wanted.faults and description is not None:
        raise BadInput("--fault", f"cannot be combined with --sut {wanted.sut}", "--sut reference")

    if description is not None and claimed is not None:
        description = _moved_as_claimed(description, claimed, wanted.sut)

    def make() -> SystemUnderTest:
        sut = sut_description(description) if description else make_sut(wanted.sut, faults=wanted.faults)
        if claimed is not None:
            sut.capabilities = claimed
        return sut

    if description is not None and description.kind == "command":
        check_program(description.program)
    make()
    return make, description


def _moved_as_claimed(description: Description, claimed: Capabilities, sut: str) -> Description:
    """The description under other capabilities; without a description file, only `clock` lines can speed up a clock."""
    if claimed.clock == "speed" and sut in KINDS:
        description = replace(description, clock="lines")
    check_clock(description, claimed, sut)
    return description


def _chosen(only: tuple[str, ...], description: Description | None, contract: Contract) -> Chosen:
    if description is None or description.kind != "external":
        return select(only, contract)
    watched = watching(reach_of(sut_description(description)), description.watch_s)
    return choose((watched, *EXERCISES.values()), only, contract)
