"""Named faults of rate, frames, window, reconnection and senders; and the core with faults given by name."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.units import NEVER, SECOND_US
from simbench.client import faults_connection, faults_duty, faults_link, faults_text  # noqa: F401 - enters their faults
from simbench.client.compliance import Compliance, StopList
from simbench.client.core import Core
from simbench.client.faults_base import FAULTS, STORM_US, Fault, Unpaced
from simbench.client.messages import LinkConfig, Outgoing
from simbench.client.outbox import Progress, Segment
from simbench.client.pacing import Pacing
from simbench.ucp.frame import Frame, WireError
from simbench.ucp.session import Session

__all__ = ["FAULTS", "RENAMED", "current", "faulty"]

RENAMED: Final = {
    "begins-34-sessions": "begins-reply-sessions",
    "uses-35-without-list": "ignores-presence-list",
    "people-on-38": "people-on-machine-codes",
}
"""Names of faults of earlier versions, accepted for one release."""


class Bunched(Pacing):
    """A ring without even spacing: bursts up to the limit."""

    def earliest(self, now: int) -> int:
        """Return the limit of the ring alone."""
        return max(now, self._bound())


class NoPacing(Fault, fault="no-pacing"):
    """Sends as fast as the window allows, ignoring its tier."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        return Unpaced(self.config.rate_per_s, departures=departures)


class FastOnePercent(Fault, fault="fast-1-percent"):
    """Sends one percent faster than its tier."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        return Pacing(self.config.rate_per_s, SECOND_US * 100 // 101, departures)


class Burst(Fault, fault="burst"):
    """Keeps its tier on average, in bursts of two more than a second may hold."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        rate = self.config.rate_per_s
        return Bunched(rate + 2, SECOND_US * (rate + 2) // rate, departures)


class BurstsAfterReturn(Fault, fault="bursts-after-return"):
    """Forgets its pace when a connection is lost, and sends all waiting messages at once after reconnecting."""

    def lost(self, now: int) -> None:
        """Forget the pace."""
        super().lost(now)
        self._pacing = Unpaced(self.config.rate_per_s)

    def _pump(self, now: int) -> None:
        super()._pump(now)
        if isinstance(self._pacing, Unpaced) and self.state == "open" and not self._outbox.ready:
            self._pacing = self._new_pacing(self._pacing.departures)


class NoKeepalive(Fault, fault="no-keepalive"):
    """Never sends an alert (31), neither after login nor when idle."""

    def _alert(self, now: int) -> None:
        self._written_at = now


class SubmitBeforeLogin(Fault, fault="submit-before-login"):
    """Submits without waiting for the result of its login."""

    def _may_submit(self) -> bool:
        return self.state != "closed" and not self.draining


class BadChecksum(Fault, fault="bad-checksum"):
    """Writes a wrong checksum into every tenth frame."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        octets = super()._frame(trn, kind, ot, body)
        if not self._tenth(BadChecksum):
            return octets
        return octets[:-3] + b"%02X\x03" % ((int(octets[-3:-1], 16) + 1) % 256)


class BadLength(Fault, fault="bad-length"):
    """Writes a LEN one too high into every tenth frame, with the matching checksum."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        octets = super()._frame(trn, kind, ot, body)
        if not self._tenth(BadLength):
            return octets
        summed = octets[1:4] + b"%05d" % (int(octets[4:9]) + 1) + octets[9:-3]
        return b"\x02" + summed + b"%02X\x03" % (sum(summed) % 256)


class MissingField(Fault, fault="missing-field"):
    """Omits the last field of every tenth submit."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51") and self._tenth(MissingField):
            body = body[:-1]
        return super()._frame(trn, kind, ot, body)


class ExtraField(Fault, fault="extra-field"):
    """Appends an extra field to every tenth submit."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51") and self._tenth(ExtraField):
            body += "/"
        return super()._frame(trn, kind, ot, body)


class HexTrn(Fault, fault="hex-trn"):
    """Numbers its operations in hexadecimal: the eleventh is 0A."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        return super()._frame(f"{int(trn):02X}" if kind == "O" else trn, kind, ot, body)


class LowerCase(Fault, fault="lower-case"):
    """Writes its checksums in lower case."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        octets = super()._frame(trn, kind, ot, body)
        return octets[:-3] + octets[-3:].lower()


class LineEnds(Fault, fault="line-ends"):
    """Ends every frame with a carriage return and a line feed."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        return super()._frame(trn, kind, ot, body) + b"\r\n"


class IgnoresWindow(Fault, fault="ignores-window"):
    """Leaves up to a hundred operations unanswered, ignoring its window."""

    def _new_session(self) -> Session:
        return Session(100, 100)


class ReusesTrn(Fault, fault="reuses-trn"):
    """Gives every tenth submit the TRN of one that is still unanswered."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51") and self._tenth(ReusesTrn):
            trn = self._used_trn(trn)
        return super()._frame(trn, kind, ot, body)


class ResendKnownReceived(Fault, fault="resend-known-received"):
    """Sends the last accepted segments again after a reconnection."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._known: deque[Segment] = deque(maxlen=config.window)

    def _submit_result(self, segment: Segment, data: list[str], now: int) -> None:
        super()._submit_result(segment, data, now)
        if data[0] == "A":
            self._known.append(segment)

    def _open(self, now: int) -> None:
        super()._open(now)
        again, self._known = [*self._known], deque(maxlen=self.config.window)
        for segment in again:
            self._outbox.unfinished.setdefault(segment.message.token, Progress(1, now))
        self._outbox.put_first(again)


class ForgetsOnReconnect(Fault, fault="forgets-on-reconnect"):
    """Drops segments without a result when a connection is lost, instead of sending them again."""

    def _resend(self, segments: list[Segment]) -> None:
        pass


class ReconnectStorm(Fault, fault="reconnect-storm"):
    """Reconnects every fifty milliseconds, without backing off."""

    def _delay_us(self, attempt: int) -> int:  # noqa: ARG002 - that it does not count is the fault
        return STORM_US


class NeverReconnects(Fault, fault="never-reconnects"):
    """Never reconnects after a connection is lost."""

    def _delay_us(self, attempt: int) -> int:  # noqa: ARG002 - that it does not count is the fault
        return NEVER


class NoAck53(Fault, fault="no-ack-53"):
    """Never answers a notification."""

    def _answer(self, asked: Frame | WireError, body: str, now: int) -> None:
        if asked.ot != "53":
            super()._answer(asked, body, now)


class WrongTrnAck(Fault, fault="wrong-trn-ack"):
    """Answers every notification with a TRN one too high."""

    def _answer(self, asked: Frame | WireError, body: str, now: int) -> None:
        if asked.ot == "53":
            asked = msgspec.structs.replace(asked, trn=f"{(int(asked.trn) + 1) % 100:02d}")
        super()._answer(asked, body, now)


class RetriesFinalNack(Fault, fault="retries-final-nack"):
    """Sends again what was permanently refused, such as an invalid recipient (06)."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.retried = frozenset(f"{ec:02d}" for ec in range(100))


class AltersOadc(Fault, fault="alters-oadc"):
    """Appends a digit to its short code in every sender field."""

    def _sender(self, message: Outgoing) -> tuple[str, str]:
        oadc, otoa = super()._sender(message)
        return (oadc, otoa) if otoa else (oadc + "1", "")


class IgnoresStop(Fault, fault="ignores-stop", stop_list=False):
    """Keeps sending marketing to users who opted out."""


class IgnoresQuietHours(Fault, fault="ignores-quiet-hours", quiet_hours=False):
    """Sends marketing at night, on Sundays and on holidays."""


class SendsToAnyone(Fault, fault="sends-to-anyone", served_only=None):
    """Sends without checking who serves the recipient's number."""


class _AnyOriginator(Compliance):
    """Accepts any originator, but keeps all other duties."""

    __slots__ = ()

    def forbids(self, message: Outgoing, now: int) -> str:
        return super().forbids(msgspec.structs.replace(message, oadc=None), now)


class SendsAnyOadc(Fault, fault="sends-any-oadc"):
    """Sends from any originator requested."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.compliance = _AnyOriginator(config, self._outbox.compliance.stops)


def current(name: str) -> str:
    """Return the present name of a fault; any other word is returned unchanged."""
    return RENAMED.get(name, name)


def faulty(names: Iterable[str]) -> type[Core]:
    """Return the core with all faults of these names. Raises BadInput for an unknown name."""
    chosen = dict.fromkeys(map(current, names))
    for name in chosen:
        if name not in FAULTS:
            raise BadInput("client fault", f"{name!r} is not a fault", ", ".join(sorted(FAULTS)))
    return type("FaultyCore", (*(FAULTS[name] for name in chosen), Core), {})
