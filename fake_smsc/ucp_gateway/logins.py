"""Decides who may log in at present, and reports each login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

KINDS: Final = {"1": "session", "4": "provisioning", "3": "password", "6": "provisioning password"}  # STYP of 60


class LoginSeen(msgspec.Struct, frozen=True):
    """One operation 60 and how it ended: `why` it was refused or left unanswered, "" if it was accepted.

    `at` is the instant (us) of the read that ended it, `peer` the client's address, `kind` what was asked for, `ec` the
    error code of the answer, "" without one.
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
    """Decides from where, and to which account, logins are accepted at present; `account` "" is one that is unknown."""

    def refuses(self, peer: str, account: str) -> bool:
        """Whether a login is refused whatever its password."""
        ...

    def failed(self, peer: str, account: str) -> None:
        """A login came with a wrong password or account."""
        ...

    def succeeded(self, peer: str, account: str) -> None:
        """A login came with the right password."""
        ...


class Unguarded:
    """Accepts any number of failed logins."""

    def refuses(self, _peer: str, _account: str) -> bool:
        """No."""
        return False

    def failed(self, _peer: str, _account: str) -> None:
        """Nothing is counted."""

    def succeeded(self, _peer: str, _account: str) -> None:
        """Nothing is remembered."""
