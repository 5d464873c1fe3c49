"""The settings of a client program, read from environment variables and checked.

Every variable begins with SIMBENCH_; errors name the variable, the problem and the expected value.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from simbench.base.errors import BadInput
from simbench.client.messages import Knowledge, LinkConfig, Portability, read_knowledge
from simbench.client.shell import Clock, GivenClock, Outside, wall_clock

Number = TypeVar("Number", int, float)


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of SIMBENCH_ACCOUNTS."""

    code: str
    account: str
    password: str
    rate_per_s: int
    oadc_option: bool = False


class Settings(msgspec.Struct, frozen=True):
    """Everything the program needs to start. `faults`: names of faults to activate."""

    outside: Outside
    links: tuple[LinkConfig, ...]
    spool: str
    faults: tuple[str, ...]


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from the environment. Raises BadInput naming the variable."""
    speed = _number(env, "SIMBENCH_SPEED", 1.0, 0.001, 100_000.0)
    outside = Outside(
        host=_present(env, "SIMBENCH_HOST"),
        port=_number(env, "SIMBENCH_PORT", 0, 1, 65_535),
        clock=_clock(env, speed),
        speed=speed,
    )
    knows = read_knowledge(env.get("SIMBENCH_CONTRACT", ""))
    base = LinkConfig(
        account="",
        password="",
        code="",
        rate_per_s=1,
        window=_number(env, "SIMBENCH_WINDOW", 10, 1, 100),
        keepalive_s=_number(env, "SIMBENCH_KEEPALIVE_S", 50.0, 0.01, 86_400.0),
        result_timer_s=_number(env, "SIMBENCH_RESULT_TIMER_S", 60.0, 0.01, 86_400.0),
        served_only=portability_in(Path(file) if (file := env.get("SIMBENCH_PORTABILITY")) else None, knows),
        knows=knows,
    )
    faults = tuple(name.strip() for name in env.get("SIMBENCH_FAULT", "").split(",") if name.strip())
    return Settings(outside, _links(env, base), env.get("SIMBENCH_SPOOL") or ":memory:", faults)


def portability_in(path: Path | None, knows: Knowledge) -> Portability:
    """Return the look-up of operators in a file of ported numbers; without a file, no number is ported."""
    if path is None:
        return lambda *_: None
    from simbench.numbering.portability import PortabilityTable  # noqa: PLC0415 - Arrow is slow to load

    return PortabilityTable.read(path, knows.plan, knows.calendar).lookup


def _links(env: Mapping[str, str], base: LinkConfig) -> tuple[LinkConfig, ...]:
    name, expected = "SIMBENCH_ACCOUNTS", 'a JSON list of {"code", "account", "password", "rate_per_s"}'
    try:
        accounts = msgspec.json.decode(_present(env, name), type=list[Account])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput(name, str(error), expected) from None
    if len({account.code for account in accounts}) != len(accounts) or not accounts:
        raise BadInput(name, "no account, or a code twice", expected)
    for account in accounts:
        if account.rate_per_s < 1 or not (account.code.isalnum() and account.account.isalnum()):
            raise BadInput(name, f"account of code {account.code!r}", "letters and digits, and a rate of at least 1")
    return tuple(msgspec.structs.replace(base, **msgspec.structs.asdict(account)) for account in accounts)


def _clock(env: Mapping[str, str], speed: float) -> Clock:
    """Return the wall clock, or the platform's: epoch + speed x (monotonic - start).

    SIMBENCH_CLOCK_EPOCH_US is the platform's time at this program's start, or when the monotonic clock shows
    SIMBENCH_CLOCK_START_NS (processes on one machine share it, so bench and client agree).
    """
    if not env.get("SIMBENCH_CLOCK_EPOCH_US"):
        if speed != 1:
            raise BadInput("SIMBENCH_SPEED", f"{speed:g} on the wall clock", "also SIMBENCH_CLOCK_EPOCH_US")
        return wall_clock
    epoch = _number(env, "SIMBENCH_CLOCK_EPOCH_US", 0, 0, 1 << 60)
    start_ns = _number(env, "SIMBENCH_CLOCK_START_NS", time.monotonic_ns(), 0, 1 << 62)
    return GivenClock(epoch, start_ns, speed)


def _present(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise BadInput(name, "not set", "a value")
    return value


def _number(env: Mapping[str, str], name: str, default: Number, least: Number, most: Number) -> Number:
    """Read a number of the default's type within bounds; the default if the variable is not set."""
    text = env.get(name, "")
    expected = f"a number from {least:g} to {most:g}"
    try:
        value = type(default)(text) if text else default
    except ValueError:
        raise BadInput(name, f"{text!r}", expected) from None
    if not least <= value <= most:
        raise BadInput(name, f"{text or 'not set'}", expected)
    return value
