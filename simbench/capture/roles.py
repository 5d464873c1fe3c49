"""Which side of a connection is the client and which the SMSC: told by who sends what only one of them may.

Knows no sequence numbers. Ports and who opened the connection count only where the frames leave it open, because an
SMSC may also connect to its client (EMI-UCP 4.0 section 1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simbench.capture.layers import ports
from simbench.ucp.codes import OPERATIONS

if TYPE_CHECKING:
    from simbench.capture.tcp_connection import Side

ENOUGH_OCTETS: Final = 8192  # twice the longest frame: what has shown no header by then is no UCP
ENOUGH_CHUNKS: Final = 100
_HEADER: Final = re.compile(rb"\x02[0-9]{2}/[0-9]{5}/([OR])/([0-9]{2})/")
_HEADER_OCTETS: Final = 15


class Evidence:
    """What is known of one connection before it is a session. `client` is None until a frame tells."""

    __slots__ = ("_first", "_port", "_tails", "client", "established", "initiator", "is_ucp", "octets")

    def __init__(self, port: int | None) -> None:
        self._port = port
        self._tails: dict[Side, bytes] = {}
        self._first: Side | None = None  # who sent the first operation that either side may send
        self.client: Side | None = None
        self.initiator: Side | None = None  # who sent SYN
        self.established = False
        self.is_ucp = port is not None
        self.octets = 0

    def look(self, side: Side, payload: bytes) -> None:
        """Take note of the headers in what a side sent next."""
        self.octets += len(payload)
        octets = self._tails.get(side, b"") + payload
        self._tails[side] = octets[1 - _HEADER_OCTETS :]
        for header in _HEADER.finditer(octets):
            self.is_ucp = True
            asks = header[1] == b"O"
            operation = OPERATIONS.get(header[2].decode())
            if operation is None:
                continue
            if operation.from_client != operation.from_smsc:
                self.client = side if operation.from_client == asks else side.other
                return
            self._first = self._first or (side if asks else side.other)

    def is_session(self, has_octets: bool) -> bool:
        """Whether a connection that is over was a session: a handshake answered, or anything sent."""
        return self.is_ucp and (self.established or has_octets)

    def settle(self, sides: tuple[Side, Side]) -> Side:
        """The client: who sent a client's operation, else who is not at the SMSC's port, else who connected."""
        if self.client is None and self._port is not None:
            here, there = ports(sides[0].key)
            if here != there:
                self.client = sides[0] if there == self._port else sides[1]
        self.client = self.client or self.initiator or self._first or sides[0]
        return self.client
