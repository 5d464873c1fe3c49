"""The state of one connection while its octets are read."""

from __future__ import annotations

import msgspec

from simbench.trace.rows import Session


class Login(msgspec.Struct, gc=False):
    """An operation 60 of the client and its result."""

    at: int
    account: str
    ack: str = ""
    ec: str = ""


class Line(msgspec.Struct):
    """One connection while it is read; `slot` is its position among the connections of the run.

    If the record begins after the connection was opened, `opened_at` stays -1 and there is no first operation.
    """

    number: int
    slot: int
    opened_at: int = -1
    peer: str = ""
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
        """The connection as a row of the trace."""
        login = self.login or Login(-1, "")
        return Session(
            self.number, self.opened_at, self.peer, self.account, login.at, login.ack, login.ec, self.first,
            self.first_at, self.early_at, self.heard_at, self.closed_at, self.closed_by, self.reason,
        )  # fmt: skip
