"""A served process seen and squeezed from outside: its memory, descriptors and limits. Judges nothing."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from tests.cli.child import Served
from tests.fake_smsc.live import LivePeer, dial

MONITORED = """
[server]
durable = {durable}
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


def scenario(folder: Path, *, durable: bool = False) -> Path:
    """Two codes: one whose rate is only watched, one of a bystander."""
    path = folder / "some.toml"
    path.write_text(MONITORED.format(durable=str(durable).lower()))
    return path


def limit(server: Served, what: int, value: int) -> None:
    """Set the soft limit of a resource of the server; RLIM_INFINITY takes it away."""
    hard = resource.prlimit(server.process.pid, what)[1]
    if value == resource.RLIM_INFINITY:
        value = hard
    resource.prlimit(server.process.pid, what, (value, hard))


def descriptors(server: Served) -> int:
    """How many files and sockets the server has open."""
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def rss(server: Served) -> int:
    """Octets of memory the server has."""
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


async def session(port: int, account: str = "36150") -> LivePeer:
    """A session of an account."""
    peer = await dial(port)
    assert (await peer.login(account)).data[0] == "A"
    return peer


def committed(folder: Path) -> None:
    """Wait until something was written to the ledger."""
    while not any(path.stat().st_size for path in folder.glob("ledger-*.duckdb.wal")):
        time.sleep(0.01)  # of another process nobody tells
