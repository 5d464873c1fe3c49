"""The state of one connection while its octets are read."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from simbench.trace.rows import Alert, Mo, Notification, Session, Submit
from simbench.ucp.frame import Framer


class Login(msgspec.Struct, gc=False):
    """An operation 60 of the client and its result."""

    at: int
    account: str
    ack: str = ""
    ec: str = ""


class Asked(NamedTuple):
    """An operation of the client that waits for its result."""

    ot: str
    row: Submit | Alert | Login


class Told(NamedTuple):
    """An operation of the SMSC that waits for its result; no row for an operation that no view has."""

    ot: str
    row: Notification | Mo | None


class Line(msgspec.Struct):
    """One connection while it is read.

    Where reading began later than the connection, `opened_at` stays -1 and it has no first operation. `unaligned`
    names the directions in which such a connection may still be in the middle of a frame.
    """

    number: int
    opened_at: int = -1
    peer: str = ""
    incoming: Framer = msgspec.field(default_factory=Framer)
    outgoing: Framer = msgspec.field(default_factory=Framer)
    asked_by_client: dict[str, Asked] = {}
    asked_by_smsc: dict[str, Told] = {}
    unaligned: set[str] = msgspec.field(default_factory=lambda: {"in", "out"})
    account: str = ""
    login: Login | None = None
    first: str = ""
    first_at: int = -1
    heard_at: int = -1
    early_at: int = -1
    closed_at: int = -1
    closed_by: str = ""
    reason: str = ""

    @property
    def session(self) -> Session:
        """It as a row of the trace."""
        login = self.login or Login(-1, "")
        return Session(
            self.number, self.opened_at, self.peer, self.account, login.at, login.ack, login.ec, self.first,
            self.first_at, self.early_at, self.heard_at, self.closed_at, self.closed_by, self.reason,
        )  # fmt: skip
