"""The interface of a server, as used by faults and outages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from fake_smsc.ucp_gateway import Gateway
from simbench.ledger import AnyLedger


class Clock(Protocol):
    """Platform time."""

    def now(self) -> int:
        """Return the current instant (us)."""


class Peer(Protocol):
    """One accepted connection."""

    @property
    def number(self) -> int:
        """The number of its session."""

    @property
    def transport(self) -> asyncio.Transport:
        """Its transport."""


class Host(Protocol):
    """A server: its gateway, ledger, clock and connections."""

    @property
    def gateway(self) -> Gateway:
        """The UCP gateway."""

    @property
    def ledger(self) -> AnyLedger:
        """The ledger of the run."""

    @property
    def clock(self) -> Clock:
        """Its platform clock."""

    @property
    def connections(self) -> Mapping[int, Peer]:
        """The open connections, by number."""

    def send(self, number: int, octets: bytes) -> None:
        """Write on one connection."""

    def end(self, number: int, reason: str, *, abruptly: bool = False) -> None:
        """Close one connection, with FIN or RST."""
