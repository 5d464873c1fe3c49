"""Decides which logins are accepted at present, and reports each login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

KINDS: Final = {"1": "session", "4": "provisioning", "3": "password", "6": "provisioning password"}  # STYP of 60


class LoginSeen(msgspec.Struct, frozen=True):
    """One operation 60 and its result: `why` it was refused or left unanswered, "" if it was accepted.

    `at` is the instant (us) of the read that ended it, `peer` the client's address, `kind` the request, `ec` the error
    code of the answer, "" without one.
    """

    at: int
    session: int
    trn: str
    peer: str
    account: str
    kind: str
    ec: str
    why: str


Report = Callable[[LoginSeen], object]


class LoginGuard(Protocol):
    """Decides from which addresses, and to which accounts, logins are accepted; `account` "" is an unknown one."""

    def refuses(self, peer: str, account: str) -> bool:
        """Tell whether a login is refused for any password."""
        ...

    def failed(self, peer: str, account: str) -> None:
        """Record a login with a wrong password or account."""
        ...

    def succeeded(self, peer: str, account: str) -> None:
        """Record a login with the right password."""
        ...


class Unguarded:
    """Accepts any number of failed logins."""

    def refuses(self, _peer: str, _account: str) -> bool:
        """Return False."""
        return False

    def failed(self, _peer: str, _account: str) -> None:
        """Do nothing."""

    def succeeded(self, _peer: str, _account: str) -> None:
        """Do nothing."""
