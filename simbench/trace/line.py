"""The state of one connection while its octets are read."""

from __future__ import annotations

from typing import Any

import msgspec

from simbench.ucp.frame import Framer


class Line(msgspec.Struct):
    """One connection while it is read. `opened_at` stays -1, and no first operation is told, where reading began later.

    `unaligned` names the directions in which such a connection may still be in the middle of a frame.
    """

    number: int
    opened_at: int
    peer: str
    incoming: Framer
    outgoing: Framer
    asked_by_client: dict[str, list[Any]]
    asked_by_smsc: dict[str, list[Any]]
    unaligned: set[str]
    account: str = ""
    login: list[Any] | None = None
    first: str = ""
    first_at: int = -1
    heard_at: int = -1
    early_at: int = -1
    closed_at: int = -1
    closed_by: str = ""
    reason: str = ""
