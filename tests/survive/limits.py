"""A served process observed and restricted from outside: its memory, descriptors and limits."""

from __future__ import annotations

import os
import re
import resource
import time
from pathlib import Path

from simbench.ledger.rows import TABLES
from simbench.ledger.segments import stream_head
from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer, dial
from tests.service.patient import PatientClient

MONITORED = """
[server]
durable = {durable}
when_unwritable = "{policy}"
[delivery]
latency_median_ms = 1
[[codes]]
code = "36150"
rate_per_s = 150
request_id = "demo"
limit = "monitor"
window = 50
[[codes]]
code = "36020"
"""


class Patient(Served):
    """A server that is given much to do."""

    deadline_s = 600.0


def scenario(folder: Path, *, durable: bool = False, policy: str = "hold") -> Path:
    """Two codes: one with a monitored rate, one of a bystander."""
    path = folder / "some.toml"
    path.write_text(MONITORED.format(durable=str(durable).lower(), policy=policy))
    return path


def limit(server: Served, what: int, value: int) -> None:
    """Set the soft limit of a resource of the server; RLIM_INFINITY takes it away."""
    hard = resource.prlimit(server.process.pid, what)[1]
    if value == resource.RLIM_INFINITY:
        value = hard
    resource.prlimit(server.process.pid, what, (value, hard))


def descriptors(server: Served) -> int:
    """Count the open files and sockets of the server."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def rss(server: Served) -> int:
    """Octets of memory the server has."""
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


def url_of(server: Served) -> str:
    """Return the address of a server's API from its first lines."""
    found = re.search(r"API: (http://127\.0\.0\.1:\d+)/", server.banner)
    assert found is not None
    return found[1]


def api_of(server: Served) -> PatientClient:
    """The API of a server."""
    return PatientClient(url_of(server))


async def session(port: int, account: str = "36150") -> LivePeer:
    """A session of an account."""
    peer = await dial(port)
    assert (await peer.login(account)).data[0] == "A"
    return peer


def committed(folder: Path) -> None:
    """Wait until rows were written to the ledger; a file begins with the description of its columns."""
    head = len(stream_head(TABLES["centre"]))
    while not any(path.stat().st_size > head for path in folder.glob("centre-*.arrows")):
        time.sleep(0.01)  # nothing reports what another process has written
