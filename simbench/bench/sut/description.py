"""Systems under test from a file or the command line: kind, connection and claimed capabilities.

A capability left out is unknown, which differs from false. An empty file is rejected, because it is probably a mistake.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Annotated, Literal, TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import as_typed, label, read_table
from simbench.bench.sut.command import Command
from simbench.bench.sut.external import External
from simbench.bench.sut.http import OUTCOMES, Http, check_template
from simbench.bench.sut.protocol import AccountGiven, Capabilities, Reach, SystemUnderTest
from simbench.contract import Contract, load_contract
from simbench.ledger.stimuli import ReportKind

T = TypeVar("T")
INTERPRETERS = re.compile(r"(python|pypy|node|deno|bun|perl|ruby|php|lua|bash|sh|tclsh)[0-9.]*")
Kind = Literal["command", "http", "external"]
KINDS: tuple[Kind, ...] = ("command", "http", "external")
PORT = 5000


def accounts_of(contract: Contract) -> tuple[AccountGiven, ...]:
    """Return the default accounts of a client: one per tier, like those of `simbench serve`."""
    return tuple(AccountGiven(code, code, "secret", rate) for code, rate in contract.terms.code_per_tier().items())


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a `sut.toml`: one client under test. Keys of another `kind` have no effect.

    `kind`: "command" is a program that the bench starts and that speaks the line protocol; `program`, its command line,
    is required. "http" is a running client that takes messages by GET of `url`, which is required. "external" is a
    running client that the bench only observes. `name` and `version` appear in reports; the default name is the file
    name of the program, or the kind.

    For a command: `environment` adds environment variables. `clock` is the means by which the bench moves the client's
    clock, if an exercise needs that and `capabilities.clock` allows it: libfaketime, or lines of the protocol.

    For http: `url` contains {to} and {text}, and as needed {code}, {oadc}, {mark} (the message's token), {coding},
    {validity_min}, {class}, {brand} and {callback}, the bench's address for reports. `callback` is the query that
    {callback} ends with; the client puts its own values into it, as Kannel replaces %d and %A. The bench listens on
    `callback_port` (0: any free port). `outcomes` gives the kind of report for each value of `type` in a callback;
    without it Kannel's values apply (1 delivered, 2 undelivered, 4 buffered, 8 accepted, 16 refused).

    For a running client (http or external): it connects to `port` on 127.0.0.1, and all its accounts must log in within
    `connect_wait_s` seconds. `watch_s`: seconds for which the bench observes an external client. `accounts` are those
    of the client's own configuration; default: one short code for each rate of the contract, with the code as login and
    the password "secret".
    """

    kind: Kind
    name: str = ""
    version: str = ""
    program: str = ""
    environment: dict[str, str] = {}
    clock: Literal["lines", "faketime"] = "faketime"
    url: str = ""
    callback: str = "type=%d&answer=%A"
    callback_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    outcomes: dict[str, ReportKind] = {}
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = PORT
    connect_wait_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 60.0
    watch_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 120.0
    accounts: tuple[AccountGiven, ...] = msgspec.field(default_factory=lambda: accounts_of(load_contract()))
    capabilities: Capabilities = Capabilities()


def read_description(path: Path) -> Description:
    """Read a `sut.toml`. Raises BadInput, which names the key."""
    description: Description = _typed(path, Description)
    place = label(path)
    if description.kind == "command" and not description.program.strip():
        raise BadInput(f"{place}: program", "is missing", 'the command, as in "./client --flag"')
    if description.kind == "http":
        check_template(description.url)
    check_clock(description, description.capabilities, place)
    if not description.accounts:
        raise BadInput(f"{place}: accounts", "none", "at least one account")
    if "capabilities" in read_table(path, BadInput) and description.capabilities == Capabilities():
        raise BadInput(f"{place}: capabilities", "is empty", "at least one capability, or leave the table out")
    return description


def check_clock(description: Description, capabilities: Capabilities, place: str) -> None:
    """Check that the bench can move the clock as the capabilities claim. Raises BadInput."""
    if description.kind == "command" and description.clock == "faketime" and capabilities.clock == "speed":
        problem = '"faketime" cannot run a clock faster, which capabilities.clock = "speed" claims'
        expected = '"lines" for a client that follows SIMBENCH_SPEED, or "offset" there'
        raise BadInput(f"{place}: clock", problem, expected)


def read_capabilities(path: Path) -> Capabilities:
    """Read a `caps.toml`: one key per capability. Raises BadInput for an unknown key or an empty file."""
    capabilities: Capabilities = _typed(path, Capabilities)
    if capabilities == Capabilities():
        raise BadInput(label(path), "is empty", f"at least one of {', '.join(Capabilities.__struct_fields__)}")
    return capabilities


def from_options(kind: str, program: str) -> Description:
    """Return a description for `--sut KIND --program ...`.

    Raises BadInput for a kind that needs a file, or no program.
    """
    if kind == "command":
        if not program.strip():
            raise BadInput("--sut command", "no program", "--program './client --flag'")
        return Description("command", program=program)
    if kind == "external":
        return Description("external")
    raise BadInput(f"--sut {kind}", "needs a description", "a file: --sut my-client.toml")


def sut_description(description: Description) -> SystemUnderTest:
    """Return the client of a description, not started. Raises BadInput for a command line that cannot be split."""
    one = description
    reach = Reach(one.kind == "http", one.accounts, one.port, one.connect_wait_s)
    if one.kind == "command":
        return Command(
            _words(one.program),
            name=one.name or _name_of(_words(one.program)),
            version=one.version,
            capabilities=one.capabilities,
            environment=one.environment,
            clock=one.clock,
        )
    sut: Http | External
    if one.kind == "http":
        sut = Http(
            one.url,
            reach,
            callback=one.callback,
            outcomes=one.outcomes or OUTCOMES,
            callback_port=one.callback_port,
            capabilities=one.capabilities,
        )
    else:
        sut = External(reach, one.capabilities)
    sut.name, sut.version = one.name or sut.name, one.version
    return sut


def check_program(program: str) -> None:
    """Check that a command line can be started. Raises BadInput, which names the program or an interpreter's script."""
    words = _words(program)
    if which(words[0]) is None:
        raise BadInput("--program", f"program {words[0]} does not exist", "a command that can be run here")
    script = _script(words)
    if script and not Path(script).is_file():
        raise BadInput("--program", f"file {script} does not exist", f"a script for {Path(words[0]).name}")


def _script(words: Sequence[str]) -> str:
    """Return the script that an interpreter has as its first argument, "" for other command lines."""
    interprets = INTERPRETERS.fullmatch(Path(words[0]).name)
    return words[1] if interprets and len(words) > 1 and not words[1].startswith("-") else ""


def _name_of(words: Sequence[str]) -> str:
    """Return the default name of a client: that of its file, not that of its interpreter."""
    return Path(_script(words) or words[0]).name


def _words(program: str) -> list[str]:
    """Split a command line; the path of a program is relative to the current folder, not to its working folder."""
    try:
        words = shlex.split(program)
    except ValueError as error:
        raise BadInput(f"program {program[:60]!r}", str(error), "a command line in the syntax of a shell") from None
    # Symbolic links are kept: the Python of a virtual environment is one and finds its packages by its own path.
    return [str(Path(words[0]).absolute()) if "/" in words[0] else words[0], *words[1:]]


def _typed(path: Path, kind: type[T]) -> T:
    return as_typed(read_table(path, BadInput), kind, BadInput, lambda _: label(path))
