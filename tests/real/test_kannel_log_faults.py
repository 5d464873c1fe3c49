"""Kannel in an isolated network: the party at fault for a failed attempt, by its log."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC
from pathlib import Path

import pytest

from simbench.sla.imports.kannel_frames import Clock, lines
from simbench.sla.imports.kannel_lines import Event, Seen, events
from simbench.tables.rows import RejectedRow
from tests.real.conftest import require

pytestmark = pytest.mark.real

ALONE = ("unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
DEADLINE_S = 120.0
TRIES = 3  # of each link
CONFIGURATION = """
group = core
admin-port = 13000
admin-password = x
smsbox-port = 13001
log-file = "{log}"
log-level = 0

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 13003
"""
LINK = """
group = smsc
smsc = emi
smsc-id = {code}
host = {host}
port = 1
smsc-username = {code}
smsc-password = x
reconnect-delay = 1
"""
HOSTS = {"36010": "192.0.2.1", "36020": "127.0.0.1", "36030": "no.such.host.invalid"}
WHOSE = {"36010": "client", "36020": "platform", "36030": "client"}


def attempts(log: Path) -> list[int]:
    """How often each link has failed by now."""
    text = log.read_text("utf-8") if log.exists() else ""
    return [text.count(f"[{code}]: Couldn't connect") for code in HOSTS]


def failed(log: Path) -> list[Event]:
    """The failed attempts of a log; every line of it has to be Kannel's."""
    rejected: list[RejectedRow] = []
    with log.open("rb") as file:
        found = list(events(lines(file, Clock(UTC), rejected.append), Seen()))
    assert rejected == []
    return [event for event in found if event.kind == "failed"]


def test_no_route_and_no_name_are_the_client_s_and_a_closed_port_the_platform_s(tmp_path: Path) -> None:
    program = require("bearerbox", package="kannel")
    if shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network of its own is allowed here")
    log, configuration = tmp_path / "bearerbox.log", tmp_path / "kannel.conf"
    links = "".join(LINK.format(code=code, host=host) for code, host in HOSTS.items())
    configuration.write_text(CONFIGURATION.format(log=log) + links)
    process = subprocess.Popen(
        [*ALONE, program, str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        until = time.monotonic() + DEADLINE_S
        while not all(tries >= TRIES for tries in attempts(log)):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)
    found = failed(log)
    assert {event.link for event in found} == set(HOSTS)
    assert {(event.link, event.fault) for event in found} == set(WHOSE.items())
