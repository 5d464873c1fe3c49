"""Ports of listeners that tests close and open again, and ports on which nobody listens."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from random import SystemRandom
from typing import Final

PORTS: Final = range(12_000, 20_000)  # fake_smsc takes higher ones for port 0, Linux gives clients still higher ones
WORKERS: Final = 16  # beyond these, workers share ports


def lasting_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A free loopback port that the system gives to nobody, not even while no listener has it.

    A port from the system's range may become the port of any client once its listener is closed: the listener cannot
    return, and a client that is given this port connects to itself.
    """
    for port in SystemRandom().sample(_own(), 100):  # pytest seeds the common generator alike in all workers
        with socket.socket(type=kind) as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _own() -> range:
    """The ports of this worker of pytest-xdist: no other worker takes one while its listener is closed."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return PORTS[int(worker) % WORKERS :: WORKERS]
