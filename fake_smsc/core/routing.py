"""Routing: the recipients that the platform serves, and the refusal of others.

Sources: OPS-ACH-07, OPS-DEO-11, reading AMB-09; reasons of EMI-UCP 4.0 section 6.3.
"""

from __future__ import annotations

import msgspec

from fake_smsc.core.records import INVALID_ADDRESS
from simbench.kernels.delivery_outcome import UNKNOWN_SUBSCRIBER
from simbench.numbering.subscribers import Subscriber

# Recipients always refused at submission: they cannot be the operator's subscribers.
NEVER = frozenset({"malformed", "fixed", "overseas", "foreign"})
ELSEWHERE = frozenset({"other-operator", "ported-out"})


class Routing(msgspec.Struct, frozen=True):
    """Settings of the contract and the scenario; `machines` are the first digits of the ranges that serve machines."""

    machines: tuple[str, ...]
    refuse_elsewhere: bool = False  # switch: NACK 06 instead of a negative notification

    def refusal(self, subscriber: Subscriber, code: str) -> str:
        """Return the error code that refuses a submit from this code to this recipient, "" if it is accepted."""
        standing = subscriber.standing
        if subscriber.served:
            return ""
        if standing in NEVER or (standing == "m2m" and not code.startswith(self.machines)):
            return INVALID_ADDRESS
        return INVALID_ADDRESS if self.refuse_elsewhere and standing in ELSEWHERE else ""


def final_reason(subscriber: Subscriber) -> int:
    """Return the Rsn of a delivery that can never succeed, 0 if the subscriber is on this platform."""
    return UNKNOWN_SUBSCRIBER if subscriber.standing == "unknown" or subscriber.standing in ELSEWHERE else 0
