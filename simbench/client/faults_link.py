"""Named faults of links and messages: rate, results, notifications, logins, maintenance, validity."""

from __future__ import annotations

from msgspec.structs import replace

from simbench.base.units import NEVER, SECOND_US
from simbench.client.compliance import StopList
from simbench.client.core import Core
from simbench.client.faults_base import Fault, FaultOfLinks
from simbench.client.messages import Close, Delivered, LinkConfig, MoReceived, Outgoing
from simbench.client.outbox import Segment
from simbench.client.pacing import Pacing
from simbench.client.receipts import DELIVERED, Notification
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

HIGH_RATE = 50
IMPATIENT_S = 5.0
LATE_US = 10 * SECOND_US
QUIET_S = 20.0


class CountsMessages(Fault, fault="counts-messages"):
    """Counts messages instead of segments against its rate."""

    def _depart(self, segment: Segment, now: int) -> None:
        if segment.part == 1:
            super()._depart(segment, now)
            return
        kept, self._pacing = self._pacing, Pacing(self.config.rate_per_s)
        super()._depart(segment, now)
        self._pacing = kept

    def _pump(self, now: int) -> None:
        super()._pump(now)
        ready = self._outbox.ready
        while ready and ready[0].part > 1 and self._may_submit() and self._session.own.free > 0:
            self._depart(ready.popleft(), now)
            super()._pump(now)


class OneTierForAll(Fault, fault="one-tier-for-all"):
    """Sends on every code at the rate of a higher tier."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(replace(config, rate_per_s=max(config.rate_per_s, HIGH_RATE)), stops)


class UsesHalfItsTier(Fault, fault="uses-half-its-tier"):
    """Sends at half the subscribed rate."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(replace(config, rate_per_s=max(1, config.rate_per_s // 2)), stops)


class GivesUpOnNack(Fault, fault="gives-up-on-nack"):
    """Treats every refusal as permanent."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.retried = frozenset()


class Impatient(Fault, fault="impatient", result_timer_s=IMPATIENT_S):
    """Treats a connection as lost, and sends again, when a result takes longer than five seconds."""


class GivesUpWhenRefused(Fault, fault="gives-up-when-refused"):
    """Never reconnects after a refused login."""

    def _drop(self, reason: str, now: int) -> None:
        super()._drop(reason, now)
        if reason.startswith("login refused"):
            self._reconnect_at = NEVER


class HangsUpWhenQuiet(Fault, fault="hangs-up-when-quiet"):
    """Closes the connection after twenty seconds of silence, instead of keeping it alive."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(replace(config, keepalive_s=min(QUIET_S, config.keepalive_s)), stops)

    def _alert(self, now: int) -> None:
        if now - self._written_at < self.config.keepalive_s * SECOND_US:  # the alert after the login
            super()._alert(now)
        else:
            self._drop("quiet", now)


class HangsUpTogether(FaultOfLinks, fault="hangs-up-together"):
    """Closes all its connections when one of them is lost."""

    def lost(self, now: int) -> None:
        """Close the other connections too."""
        down = self.state == "open"
        super().lost(now)
        for other in self._kin() if down else ():
            if other is not self and other.state == "open":
                other._outbox.events.append(Close("another connection was lost"))
                Core.lost(other, now)


class ForgetsEarly(Fault, fault="forgets-early"):
    """Ignores a notification that arrives before the result of its submit."""

    def _submit_result(self, segment: Segment, data: list[str], now: int) -> None:
        self._outbox.receipts.forget_early()
        super()._submit_result(segment, data, now)


class ForgetsLate(Fault, fault="forgets-late"):
    """Forgets a message ten seconds after it was accepted."""

    def _notification(self, data: list[str], frame: Frame) -> str | None:
        self._outbox.receipts.forget_before(self._now - LATE_US)
        return super()._notification(data, frame)


class ReportsEvery53(Fault, fault="reports-every-53"):
    """Reports a delivery once for each notification."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._tokens: dict[tuple[str, str], str] = {}

    def _submit_result(self, segment: Segment, data: list[str], now: int) -> None:
        super()._submit_result(segment, data, now)
        self._tokens[self.config.knows.plan.key(segment.message.recipient), data[-1].rpartition(":")[2]] = (
            segment.message.token
        )

    def _notification(self, data: list[str], frame: Frame) -> str | None:
        key = (self.config.knows.plan.key(data[At.OADC]), data[At.SCTS])
        before = self._outbox.receipts.duplicates
        answer = super()._notification(data, frame)
        if self._outbox.receipts.duplicates > before and key in self._tokens:
            self._outbox.events.append(Delivered(self._tokens[key], data[At.RSN]))
        return answer


class BelievesInDelivery(Fault, fault="believes-in-delivery"):
    """Reports a message as delivered as soon as it is accepted."""

    def _submit_result(self, segment: Segment, data: list[str], now: int) -> None:
        super()._submit_result(segment, data, now)
        scts = data[-1].rpartition(":")[2]
        if data[0] == "A" and scts:
            self._outbox.notified(segment.message.recipient, scts, Notification(DELIVERED, "000"))


class SwallowsMo(Fault, fault="swallows-mo"):
    """Drops messages from users while its own messages are waiting."""

    def _mobile_originated(self, sender: str, code: str, text: str, scts: str) -> str:
        answer = super()._mobile_originated(sender, code, text, scts)
        if self._outbox.ready:
            self._outbox.events[:] = [event for event in self._outbox.events if not isinstance(event, MoReceived)]
        return answer


class IgnoresNotices(Fault, fault="ignores-notices"):
    """Ignores announced maintenance."""

    def announce(self, start: int, end: int) -> None:
        """Do nothing."""


class RenewsValidity(Fault, fault="renews-validity"):
    """Counts a message's validity from the submit instead of the request."""

    def __init__(self, config: LinkConfig, stops: StopList | None = None) -> None:
        super().__init__(config, stops)
        self._outbox.ends_at = self._ends_at  # type: ignore[method-assign]  # this one outbox counts otherwise

    def _ends_at(self, message: Outgoing) -> int:
        return self._now + (message.validity_s or self.config.validity_s) * SECOND_US


class LeavesValidityOut(Fault, fault="leaves-validity-out"):
    """Submits without a validity period, so that the platform's default applies."""

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51"):
            fields = body.split("/")
            fields[At.VP] = ""
            body = "/".join(fields)
        return super()._frame(trn, kind, ot, body)
