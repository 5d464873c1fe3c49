from __future__ import annotations

import asyncio
import json
import time

from simbench.client import lines
from simbench.client.environment import read_settings
from simbench.client.program import Program
from simbench.client.shell import GivenClock, wall_clock
from tests.client.peer import CODE
from tests.paris import instant

ACCOUNTS = json.dumps([{"code": CODE, "account": CODE, "password": "s3cret", "rate_per_s": 10, "oadc_option": True}])
ENVIRONMENT = {"SIMBENCH_HOST": "127.0.0.1", "SIMBENCH_PORT": "1", "SIMBENCH_ACCOUNTS": ACCOUNTS}
SUNDAY = instant(2026, 3, 8, 12)


def test_a_given_clock_shows_what_it_was_given_at_its_speed() -> None:
    start = time.monotonic_ns() - 3_000_000_000
    clock = GivenClock(SUNDAY, start, speed=10)
    assert 30_000_000 <= clock() - SUNDAY <= 10 * (time.monotonic_ns() - start) // 1_000
    start = time.monotonic_ns()
    clock.move(SUNDAY, start)
    assert 0 <= clock() - SUNDAY <= 10 * (time.monotonic_ns() - start) // 1_000


def reports_of(environment: dict[str, str], *commands: lines.Command) -> list[lines.Report]:
    """Return the output of a program for these lines; its platform does not exist."""
    octets = bytearray()

    async def run() -> None:
        program = Program(read_settings(environment), octets.extend)
        program.feed(b"".join(map(lines.write, commands)))
        await program.end()

    asyncio.run(run())
    return [lines.parse_report(line) for line in bytes(octets).splitlines()]


def test_the_clock_is_moved_by_a_line_and_the_hours_follow_it() -> None:
    given = {**ENVIRONMENT, "SIMBENCH_CLOCK_EPOCH_US": str(SUNDAY)}
    settings = read_settings(given)
    assert settings.outside.clock() - SUNDAY < 60_000_000
    assert settings.links[0].oadc_option
    monday = instant(2026, 3, 9, 10)
    assert reports_of(given, lines.Clock(monday, time.monotonic_ns())) == []


def test_a_client_on_the_wall_clock_refuses_to_move_it() -> None:
    assert read_settings(ENVIRONMENT).outside.clock is wall_clock
    [error] = reports_of(ENVIRONMENT, lines.Clock(SUNDAY, 0))
    assert isinstance(error, lines.Error)
    assert "cannot be moved" in error.problem


def test_maintenance_is_announced_to_every_link_by_a_line() -> None:
    notice = lines.Notice(SUNDAY, SUNDAY + 1)
    assert lines.parse_command(lines.write(notice)) == notice
    assert reports_of(ENVIRONMENT, notice) == []
