"""The named faults of the client: each is the correct core with one error.

A fault is a subclass that overrides one or two of the core's decisions; several combine by inheritance.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from simbench.base.errors import BadInput
from simbench.base.units import NEVER, SECOND_US
from simbench.client.compliance import Compliance, StopList
from simbench.client.core import Core
from simbench.client.faults_connection import CONNECTION_FAULTS, Unpaced
from simbench.client.faults_duty import DUTY_FAULTS
from simbench.client.faults_link import LINK_FAULTS
from simbench.client.faults_text import TEXT_FAULTS
from simbench.client.messages import LinkConfig, Outgoing
from simbench.client.outbox import Progress, Segment
from simbench.client.pacing import Pacing
from simbench.ucp.frame import Frame, WireError
from simbench.ucp.session import Session

RENAMED: Final = {
    "begins-34-sessions": "begins-reply-sessions",
    "uses-35-without-list": "ignores-presence-list",
    "people-on-38": "people-on-machine-codes",
}
"""Names of faults of earlier versions, accepted for one release."""

EVERY = 10  # faults of single frames corrupt one in this many
STORM_US = 50_000


class Bunched(Pacing):
    """A ring without even spacing: bursts up to the limit."""

    def earliest(self, now: int) -> int:
        """Return the limit of the ring alone."""
        return max(now, self._bound())


class NoPacing(Core):
    """Sends as fast as the window allows, ignoring its tier."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        return Unpaced(self.config.rate_per_s, departures=departures)


class FastOnePercent(Core):
    """Sends one percent faster than its tier."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        return Pacing(self.config.rate_per_s, SECOND_US * 100 // 101, departures)


class Burst(Core):
    """Keeps its tier on average, in bursts of two more than a second may hold."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        rate = self.config.rate_per_s
        return Bunched(rate + 2, SECOND_US * (rate + 2) // rate, departures)


class BurstsAfterReturn(Core):
    """Forgets its pace when a connection is lost, and sends all waiting messages at once after reconnecting."""

    def lost(self, now: int) -> None:
        """Forget the pace."""
        super().lost(now)
        self._pacing = Unpaced(self.config.rate_per_s)

    def _pump(self, now: int) -> None:
        super()._pump(now)
        if isinstance(self._pacing, Unpaced) and self.state == "open" and not self._outbox.ready:
            self._pacing = self._new_pacing(self._pacing.departures)


class NoKeepalive(Core):
    """Never sends an alert (31), neither after login nor when idle."""

    def _alert(self, now: int) -> None:
        self._written_at = now


class SubmitBeforeLogin(Core):
    """Submits without waiting for the result of its login."""

    def _may_submit(self) -> bool:
        return self.state != "closed" and not self.draining


class BadChecksum(Core):
    """Writes a wrong checksum into every tenth frame."""

    _frames = 0

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        octets = super()._frame(trn, kind, ot, body)
        self._frames += 1
        if self._frames % EVERY:
            return octets
        return octets[:-3] + b"%02X\x03" % ((int(octets[-3:-1], 16) + 1) % 256)


class BadLength(Core):
    """Writes a LEN one too high into every tenth frame, with the matching checksum."""

    _lengths = 0

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        octets = super()._frame(trn, kind, ot, body)
        self._lengths += 1
        if self._lengths % EVERY:
            return octets
        summed = octets[1:4] + b"%05d" % (int(octets[4:9]) + 1) + octets[9:-3]
        return b"\x02" + summed + b"%02X\x03" % (sum(summed) % 256)


class MissingField(Core):
    """Omits the last field of every tenth submit."""

    _submits = 0

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51"):
            self._submits += 1
            if self._submits % EVERY == 0:
                body = body[:-1]
        return super()._frame(trn, kind, ot, body)


class ExtraField(Core):
    """Appends an extra field to every tenth submit."""

    _extended = 0

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51"):
            self._extended += 1
            if self._extended % EVERY == 0:
                body += "/"
        return super()._frame(trn, kind, ot, body)


class HexTrn(Core):
    """Numbers its operations in hexadecimal: the eleventh is 0A."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        return super()._frame(f"{int(trn):02X}" if kind == "O" else trn, kind, ot, body)


class LowerCase(Core):
    """Writes its checksums in lower case."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        octets = super()._frame(trn, kind, ot, body)
        return octets[:-3] + octets[-3:].lower()


class LineEnds(Core):
    """Ends every frame with a carriage return and a line feed."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        return super()._frame(trn, kind, ot, body) + b"\r\n"


class IgnoresWindow(Core):
    """Leaves up to a hundred operations unanswered, ignoring its window."""

    def _new_session(self) -> Session:
        return Session(100, 100)


class ReusesTrn(Core):
    """Gives every tenth submit the TRN of one that is still unanswered."""

    _numbered = 0

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51"):
            self._numbered += 1
            others = [used for used in self._session.own.outstanding if used != trn]
            if self._numbered % EVERY == 0 and others:
                trn = others[-1]
        return super()._frame(trn, kind, ot, body)


class ResendKnownReceived(Core):
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


class ForgetsOnReconnect(Core):
    """Drops segments without a result when a connection is lost, instead of sending them again."""

    def _resend(self, segments: list[Segment]) -> None:
        pass


class ReconnectStorm(Core):
    """Reconnects every fifty milliseconds, without backing off."""

    def _delay_us(self, attempt: int) -> int:  # noqa: ARG002 - that it does not count is the fault
        return STORM_US


class NeverReconnects(Core):
    """Never reconnects after a connection is lost."""

    def _delay_us(self, attempt: int) -> int:  # noqa: ARG002 - that it does not count is the fault
        return NEVER


class NoAck53(Core):
    """Never answers a notification."""

    def _answer(self, asked: Frame | WireError, body: str, now: int) -> None:
        if asked.ot != "53":
            super()._answer(asked, body, now)


class WrongTrnAck(Core):
    """Answers every notification with a TRN one too high."""

    def _answer(self, asked: Frame | WireError, body: str, now: int) -> None:
        if asked.ot == "53":
            asked = msgspec.structs.replace(asked, trn=f"{(int(asked.trn) + 1) % 100:02d}")
        super()._answer(asked, body, now)


class RetriesFinalNack(Core):
    """Sends again what was permanently refused, such as an invalid recipient (06)."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.retried = frozenset(f"{ec:02d}" for ec in range(100))


class AltersOadc(Core):
    """Appends a digit to its short code in every sender field."""

    def _sender(self, message: Outgoing) -> tuple[str, str]:
        oadc, otoa = super()._sender(message)
        return (oadc, otoa) if otoa else (oadc + "1", "")


class IgnoresStop(Core):
    """Keeps sending marketing to users who opted out."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(msgspec.structs.replace(config, stop_list=False), stops)


class IgnoresQuietHours(Core):
    """Sends marketing at night, on Sundays and on holidays."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(msgspec.structs.replace(config, quiet_hours=False), stops)


class SendsToAnyone(Core):
    """Sends without checking who serves the recipient's number."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(msgspec.structs.replace(config, served_only=None), stops)


class _AnyOriginator(Compliance):
    """Accepts any originator, but keeps all other duties."""

    __slots__ = ()

    def forbids(self, message: Outgoing, now: int) -> str:
        return super().forbids(msgspec.structs.replace(message, oadc=None), now)


class SendsAnyOadc(Core):
    """Sends from any originator requested."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.compliance = _AnyOriginator(config, self._outbox.compliance.stops)


FAULTS: dict[str, type[Core]] = {
    "no-pacing": NoPacing,
    "fast-1-percent": FastOnePercent,
    "burst": Burst,
    "bursts-after-return": BurstsAfterReturn,
    "no-keepalive": NoKeepalive,
    "submit-before-login": SubmitBeforeLogin,
    "bad-checksum": BadChecksum,
    "bad-length": BadLength,
    "missing-field": MissingField,
    "extra-field": ExtraField,
    "hex-trn": HexTrn,
    "lower-case": LowerCase,
    "line-ends": LineEnds,
    "ignores-window": IgnoresWindow,
    "reuses-trn": ReusesTrn,
    "resend-known-received": ResendKnownReceived,
    "forgets-on-reconnect": ForgetsOnReconnect,
    "reconnect-storm": ReconnectStorm,
    "never-reconnects": NeverReconnects,
    "no-ack-53": NoAck53,
    "wrong-trn-ack": WrongTrnAck,
    "retries-final-nack": RetriesFinalNack,
    "alters-oadc": AltersOadc,
    "ignores-stop": IgnoresStop,
    "ignores-quiet-hours": IgnoresQuietHours,
    "sends-to-anyone": SendsToAnyone,
    "sends-any-oadc": SendsAnyOadc,
    **DUTY_FAULTS,
    **LINK_FAULTS,
    **CONNECTION_FAULTS,
    **TEXT_FAULTS,
}


def current(name: str) -> str:
    """Return the present name of a fault; any other word is returned unchanged."""
    return RENAMED.get(name, name)


def sentence(name: str) -> str:
    """Return the one-sentence description of a fault."""
    return (FAULTS[name].__doc__ or "").strip()


def faulty(names: Iterable[str]) -> type[Core]:
    """Return the core with all faults of these names. Raises BadInput for an unknown name."""
    chosen = dict.fromkeys(map(current, names))
    for name in chosen:
        if name not in FAULTS:
            raise BadInput("client fault", f"{name!r} is not a fault", ", ".join(sorted(FAULTS)))
    return type("FaultyCore", (*(FAULTS[name] for name in chosen), Core), {})
