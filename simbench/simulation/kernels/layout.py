"""Rows and values that the kernels of the vectorised engine share, by name.

Each `np.dtype` here is one kind of row; all fields are 64-bit integers, and instants are in microseconds.
A field of a whole array is `array["name"]`, in a kernel `array[place].name`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simbench.base.units import NEVER as NEVER  # noqa: PLC0414 - kernels take what they share from here

CLIENT_METER, DELAY, MONITOR, REFUSE = 0, 1, 2, 3
"""The meter that limits the rate: the client's own, or the SMSC's in one of its three modes."""
REFUSED, LOST = -1, -2
"""Values of `decided` for a message above the rate, and for one that was held when its session was cut."""
DISCARDED, FORGOTTEN = -1, -2
"""Values of the code for a message that is neither accepted (0) nor refused with an error code."""
NOTIFY_DELIVERED, NOTIFY_UNDELIVERED, NOTIFY_BUFFERED = 1, 2, 4
"""Bits of the notifications that a message requests (NT)."""
STREAM_SHIFT, PART_MASK = 48, 0xFF  # position of the stream and of the part in a message's number


class Sent(NamedTuple):
    """Messages that the client sent, as columns: index among the given messages, instant, decision, and session.
    `decided` is the instant of the SMSC's decision, REFUSED or LOST.
    """

    message: Any
    sent_at: Any
    decided: Any
    session: Any


def _row(*names: str) -> np.dtype[Any]:
    return np.dtype((np.record, [(name, np.int64) for name in names]))


CLIENT = _row("oldest", "rate", "next_change", "session", "not_before")
"""State of a client: position of the oldest instant in the meter's ring, rate (messages/s), next change of rate,
session that is open or opens next, and the instant before which nothing more is sent."""
QUEUE = _row("next", "opening", "resend_first", "resend_end")
"""State of a queue: its next message, its opening interval, and both ends of its ring of messages to send again."""
RESEND = _row("message", "ready_at")
"""A message to send again, and the instant from which it may be sent."""
OUTCOME = _row("end_at", "reason", "attempt", "buffered_at", "buffered_reason", "buffered_attempt")
"""The outcome of delivery: instant (NEVER: not within the period), reason (0: delivered) and attempt; and instant
(NEVER: not), reason and attempt at which the message was first buffered."""
PART = _row("message", "end_at")
"""The last part accepted from a queue: its number, and the end of its delivery."""
TAKEN = _row("at", "session")
"""The instant (NEVER: not within the period) and session in which a client takes a notification."""
WAVE = _row("at", "share_ppm")
"""A wave of portings: its instant, and its share of the subscribers."""
