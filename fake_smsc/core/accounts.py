"""Accounts: logins, passwords, session limits, and the lists edited by operation 61.

Sources: OPS-CON-04, OPS-ENG-06; EMI-UCP 4.0 sections 6.3 and 6.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from hmac import compare_digest
from typing import Literal

import msgspec

from fake_smsc.core.records import NOT_ALLOWED, Account, Refused
from simbench.ledger import AnyLedger

BAD_LOGIN = "07"
BAD_NEW_PASSWORD = "19"  # noqa: S105 - an error code
ALREADY_LISTED, NOT_LISTED, LIST_FULL = "33", "34", "35"
SHORTEST_PASSWORD = 4

Purpose = Literal["session", "provisioning"]


class Accounts:
    """The accounts of one platform and the number of sessions each has open."""

    def __init__(self, accounts: Iterable[Account], sink: AnyLedger) -> None:
        self.accounts = {account.name: account for account in accounts}
        self.sessions: dict[int, str] = {}
        self.lists: dict[tuple[str, str], set[str]] = {}  # (account, "mo" or "mt") to listed addresses
        self._write = sink.centre.append

    def login(self, session: int, name: str, password: str, now: int) -> Refused | None:
        """Open a session for an account. Returns None, or the refusal."""
        account = self.accounts.get(name)
        refusal = self._refusal(name, password, "session")
        others = sum(owner == name for number, owner in self.sessions.items() if number != session)
        if refusal is None and account is not None and others >= account.max_sessions:
            refusal = Refused(NOT_ALLOWED, "too many sessions")
        self._note("login", session, name, refusal, now)
        if refusal is None:
            self.sessions[session] = name
        return refusal

    def turn_away(self, session: int, name: str, reason: str, now: int) -> Refused:
        """Refuse a login without checking its password."""
        refusal = Refused(NOT_ALLOWED, reason)
        self._note("login", session, name, refusal, now)
        return refusal

    def provision(self, session: int, name: str, password: str, now: int) -> Refused | None:
        """Open a provisioning session, which carries no messages and does not count against the session limit."""
        refusal = self._refusal(name, password, "provisioning")
        self._note("provisioning", session, name, refusal, now)
        return refusal

    def change_password(
        self, session: int, name: str, passwords: tuple[str, str], purpose: Purpose, now: int
    ) -> Refused | None:
        """Replace (present, new) password; refused with 19 if the new one is too short, unprintable or unchanged."""
        present, new = passwords
        refusal = self._refusal(name, present, purpose)
        if refusal is None and (len(new) < SHORTEST_PASSWORD or not new.isprintable() or new == present):
            refusal = Refused(BAD_NEW_PASSWORD, "new password not acceptable")
        self._note("password", session, name, refusal, now)
        if refusal is None:
            self.set_password(name, new, purpose)
        return refusal

    def set_password(self, name: str, password: str, purpose: Purpose) -> None:
        """Set a password of an account."""
        changed = {"password": password} if purpose == "session" else {"provisioning_password": password}
        self.accounts[name] = msgspec.structs.replace(self.accounts[name], **changed)

    def logout(self, session: int, now: int) -> None:
        """End the session of a connection that had logged in."""
        name = self.sessions.pop(session, None)
        if name is not None:
            self._note("logout", session, name, None, now)

    def edit_list(self, name: str, which: str, address: str, action: str) -> Refused | None:
        """Apply "add", "remove" or "verify" to an address of the account's "mo" or "mt" list; None, or the refusal."""
        addresses = self.lists.setdefault((name, which), set())
        if action != "add":
            if address not in addresses:
                return Refused(NOT_LISTED, "address not in list")
            if action == "remove":
                addresses.remove(address)
        elif address in addresses:
            return Refused(ALREADY_LISTED, "address already in list")
        elif len(addresses) >= self.accounts[name].list_max:
            return Refused(LIST_FULL, "list full")
        else:
            addresses.add(address)
        return None

    def owner_of(self, address: str) -> str:
        """Return the account with this name or this short code, "" if there is none."""
        if address in self.accounts:
            return address
        owners = (a.name for a in self.accounts.values() if address in a.codes and a.state != "closed")
        return next(owners, "")

    def _refusal(self, name: str, password: str, purpose: Purpose) -> Refused | None:
        account = self.accounts.get(name)
        if account is None or account.state == "closed":
            return Refused(BAD_LOGIN, "authentication failure")
        wanted = account.password
        if purpose == "provisioning" and account.provisioning_password:
            wanted = account.provisioning_password
        if not compare_digest(
            wanted.encode(), password.encode()
        ):  # constant time, for any number of matching characters
            return Refused(BAD_LOGIN, "authentication failure")
        return Refused(NOT_ALLOWED, "account suspended") if account.state == "suspended" else None

    def _note(self, kind: str, session: int, name: str, refusal: Refused | None, now: int) -> None:
        if refusal is not None:
            kind += "-refused"
        self._write((now, kind, session, "", name, 0, 0, int(refusal.ec) if refusal else 0, None, 0, 0, 0))
