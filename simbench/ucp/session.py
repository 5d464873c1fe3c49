"""One UCP connection at either end: its state and its two TRN spaces, as tables.

Both ends number their own operations 00 to 99, and each may leave at most `window` of them unanswered
(EMI-UCP 4.0 section 1.4, and section 9 of the protocol reference in docs/reference/ucp.md).
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from simbench.ucp.codes import OPERATIONS
from simbench.ucp.codes import SessionState as State

Event = Literal["login", "accepted", "provisioned", "refused", "lost"]

# The session's state after a login, its result, and the end of the connection.
TRANSITIONS: dict[tuple[State, Event], State] = {
    ("connected", "login"): "login",
    ("login", "accepted"): "open",
    ("login", "provisioned"): "provisioning",
    ("login", "refused"): "connected",
    ("open", "login"): "login",  # a second 60 re-authenticates
    ("provisioning", "login"): "login",
    ("connected", "lost"): "closed",
    ("login", "lost"): "closed",
    ("open", "lost"): "closed",
    ("provisioning", "lost"): "closed",
    ("closed", "lost"): "closed",
}

# Operations the application may request in each state; others are "not allowed at this point in time".
ALLOWED: dict[State, frozenset[str]] = {
    state: frozenset(ot for ot, each in OPERATIONS.items() if each.from_client and state in each.sessions)
    for state in get_args(State)
}

TRNS = tuple(f"{number:02d}" for number in range(100))


class Outstanding(msgspec.Struct, gc=False):
    """An operation sent and not yet answered: its type, its subject, and when it was sent (microseconds, UTC)."""

    ot: str
    subject: Any
    sent_at: int


class Window:
    """One TRN space: the operations one end has sent and the other has not answered, `size` at most."""

    __slots__ = ("_next", "outstanding", "size")

    def __init__(self, size: int) -> None:
        if not 1 <= size <= 100:
            raise ValueError(f"window {size} outside 1 to 100")
        self.size = size
        self.outstanding: dict[str, Outstanding] = {}
        self._next = 0

    @property
    def count(self) -> int:
        """The number of unanswered operations."""
        return len(self.outstanding)

    @property
    def free(self) -> int:
        """The number of operations that may be sent now."""
        return self.size - len(self.outstanding)

    def take(self, ot: str, subject: Any, now: int) -> str:
        """Occupy the next free TRN, in cyclic order, and return it. Raises IndexError if the window is full."""
        if len(self.outstanding) >= self.size:
            raise IndexError("window full")
        while True:
            trn = TRNS[self._next]
            self._next = (self._next + 1) % 100
            if trn not in self.outstanding:
                self.outstanding[trn] = Outstanding(ot, subject, now)
                return trn

    def clash(self, trn: str) -> str:
        """Return why the peer may not use `trn` now: "trn-in-use", "over-window", or "" if it may."""
        if trn in self.outstanding:
            return "trn-in-use"
        return "over-window" if len(self.outstanding) >= self.size else ""

    def occupy(self, trn: str, ot: str, now: int) -> None:
        """Record an operation of the peer that is not answered at once."""
        self.outstanding[trn] = Outstanding(ot, None, now)

    def settle(self, trn: str, ot: str) -> Outstanding | None:
        """Process a result: free its slot and return the operation it answers, None if there is none."""
        waiting = self.outstanding.get(trn)
        if waiting is None or waiting.ot != ot:
            return None
        del self.outstanding[trn]
        return waiting

    def overdue(self, sent_before: int) -> list[str]:
        """Return the TRNs of unanswered operations sent before that instant, oldest first."""
        late = [(wait.sent_at, trn) for trn, wait in self.outstanding.items() if wait.sent_at < sent_before]
        return [trn for _, trn in sorted(late)]

    def clear(self) -> list[Outstanding]:
        """Remove and return every outstanding operation (the connection is gone), oldest first."""
        lost = sorted(self.outstanding.values(), key=lambda wait: wait.sent_at)
        self.outstanding.clear()
        return lost


class Session:
    """State and both windows of one connection. `own` is this end's TRN space, `peer` the other end's."""

    __slots__ = ("own", "peer", "state")

    def __init__(self, own_window: int, peer_window: int) -> None:
        self.state: State = "connected"
        self.own = Window(own_window)
        self.peer = Window(peer_window)

    def happen(self, event: Event) -> State:
        """Move along the state table. Raises ValueError for an event that is impossible in the present state."""
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            raise ValueError(f"{event!r} cannot happen in state {self.state!r}")
        self.state = following
        return following

    def allows(self, ot: str) -> bool:
        """Return whether the application may request this operation now."""
        return ot in ALLOWED[self.state]
