"""Memory does not grow: of messages, notifications and sessions that are over nothing is kept, by counts.

Each run is a process of its own in virtual time, so that neither the machine nor other tests have a part in the counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MESSAGES, SESSIONS = 9_600, 32
FEW = 96  # objects: one for a hundred messages
LEAKS = {
    "what was written to disk": """
from simbench.ledger.buffer import Buffer
drop, kept = Buffer.drop, []
def leaking(self, entries):
    kept.append(entries)
    drop(self, entries)
Buffer.drop = leaking
""",
    "sessions that have ended": """
from fake_smsc.server.server import SmscServer
lost, kept = SmscServer.lost, []
def leaking(self, connection, cause):
    kept.append(self.gateway.lines.get(connection.number))
    lost(self, connection, cause)
SmscServer.lost = leaking
""",
    "one number a message": """
from tools.soak import kept as load
received, kept = load.Peer.data_received, []
def leaking(self, data):
    kept.extend(range(1000 + len(kept), 1000 + len(kept) + data.count(b"R/51/A")))
    received(self, data)
load.Peer.data_received = leaking
""",
}


def kept(folder: Path, planted: str = "") -> dict[str, Any]:
    program = f"{planted}\nfrom tools.soak.kept import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder / "run")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert (found["messages"], found["notified"], found["cuts"]) == (MESSAGES, MESSAGES // 2, SESSIONS)
    return found


def test_of_messages_notifications_and_sessions_that_are_over_nothing_is_kept(tmp_path: Path) -> None:
    found = kept(tmp_path)
    assert found["waiting"] == 0
    assert found["objects"] < FEW, found["types"]
    assert found["octets"] < 4 * MESSAGES, found["types"]


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_found_out(leak: str, tmp_path: Path) -> None:
    found = kept(tmp_path, LEAKS[leak])
    assert found["objects"] > 2 * FEW, found["types"]
