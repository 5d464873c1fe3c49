"""Rows and values that the kernels of a bulk run share, by name.

Each `np.dtype` here is one kind of row; all fields are whole numbers of 64 bits, and instants are in microseconds.
A field of a whole array is `array["name"]`, in a kernel `array[place].name`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.base.units import NEVER as NEVER  # noqa: PLC0414 - kernels take what they share from here

CLIENT_METER, DELAY, MONITOR, REFUSE = 0, 1, 2, 3
"""Who limits the rate: the client's own meter, or the SMSC's meter in one of its three modes."""
REFUSED, LOST = -1, -2
"""Stand in `decided` for a message above the rate, and for one that was held when its session was cut."""
DISCARDED, FORGOTTEN = -1, -2
"""Codes of a message that is neither accepted (0) nor refused with an error code."""
NOTIFY_DELIVERED, NOTIFY_UNDELIVERED, NOTIFY_BUFFERED = 1, 2, 4
"""Bits of the notifications that a message asks for (NT)."""
STREAM_SHIFT, PART_MASK = 48, 0xFF  # of a message's number: its stream, its part


class Sent(NamedTuple):
    """Messages that left the client, as columns: the place of each among the messages given, when it left, when the
    SMSC decided on it (or REFUSED or LOST), and the number of the session.
    """  # fmt: skip

    message: Any
    sent_at: Any
    decided: Any
    session: Any


def _row(*names: str) -> np.dtype[Any]:
    return np.dtype((np.record, [(name, np.int64) for name in names]))


CLIENT = _row("oldest", "rate", "next_change", "session", "not_before")
"""State of a client: the place of the oldest instant in the meter's ring, the rate (messages/s), the next change of
rate, the session that is open or opens next, and the instant before which nothing more leaves."""
QUEUE = _row("next", "opening", "resend_first", "resend_end")
"""State of a queue: its next message, its opening interval, and the ends of its ring of messages to send again."""
RESEND = _row("message", "ready_at")
"""A message to send again, and the instant from which it may leave."""
OUTCOME = _row("end_at", "reason", "attempt", "buffered_at", "buffered_reason", "buffered_attempt")
"""How delivery ended: when (NEVER: not within the period), with which reason (0: delivered) at which attempt; and when,
why and at which attempt the message was first buffered (NEVER: not)."""
PART = _row("message", "end_at")
"""The last part accepted from a queue: its number and the end of its delivery."""
TAKEN = _row("at", "session")
"""When a client takes a notification (NEVER: not any more), and in which session."""
WAVE = _row("at", "share_ppm")
"""A wave of portings: its instant, and its share of the subscribers."""
