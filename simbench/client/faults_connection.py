"""Named faults of connections over time: keepalives, windows, TRNs and rate after a reconnection, refused logins."""

from __future__ import annotations

from typing import Any

from simbench.base.units import MINUTE_US, NEVER, SECOND_US
from simbench.client.faults_base import STORM_US, Fault, FaultOfLinks, Unpaced
from simbench.client.messages import Accepted, Refused
from simbench.client.outbox import Segment
from simbench.client.pacing import Pacing
from simbench.ucp.session import Session, Window

LARGEST_WINDOW = 100
GROWTH = 10  # slots that a window gains with each connection


class KeepsOneAlive(FaultOfLinks, fault="keeps-one-alive"):
    """Sends keepalives on the connection of its first account only."""

    def _alert(self, now: int) -> None:
        if self.config.code == min(one.config.code for one in self._kin()):
            super()._alert(now)
        else:
            self._written_at = now


class WindowGrows(Fault, fault="window-grows"):
    """Never frees the slots of operations that a lost connection left unanswered, so that its window grows."""

    _connections = -1  # the session before the first connection

    def _new_session(self) -> Session:
        self._connections += 1
        more = GROWTH * max(0, self._connections - 1)
        return Session(min(LARGEST_WINDOW, self.config.window + more), LARGEST_WINDOW)


class ReusesTrnAfterReturn(Fault, fault="reuses-trn-after-return"):
    """After a reconnection, gives every tenth submit the TRN of one that is still unanswered."""

    _losses = 0

    def lost(self, now: int) -> None:
        """Count the connections that were open."""
        self._losses += self.state == "open"
        super().lost(now)

    def _frame(self, trn: str, kind: str, ot: str, body: str) -> bytes:
        if (kind, ot) == ("O", "51") and self._losses and self._tenth(ReusesTrnAfterReturn):
            trn = self._used_trn(trn)
        return super()._frame(trn, kind, ot, body)


class BurstsAfterSecondReturn(Fault, fault="bursts-after-second-return"):
    """Forgets its pace from the second lost connection on."""

    _times = 0

    def lost(self, now: int) -> None:
        """Forget the pace."""
        self._times += self.state == "open"
        super().lost(now)
        if self._times > 1:
            self._pacing = Unpaced(self.config.rate_per_s)


class _ByTheSecond(Pacing):
    """Allows as many segments in each second of the clock as the rate, at any time in the second."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._second = self._used = 0

    def earliest(self, now: int) -> int:
        """Return `now` until the second is used up, then the beginning of the next one."""
        if now // SECOND_US > self._second or self._used < self.size:
            return now
        return (self._second + 1) * SECOND_US

    def leave(self, now: int) -> None:
        """Count a segment in its second."""
        if now // SECOND_US > self._second:
            self._second, self._used = now // SECOND_US, 0
        self._used += 1


class CountsByTheSecond(Fault, fault="counts-by-the-second"):
    """Counts its rate by the second of the clock, so that twice as much leaves around the turn of one."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        del departures
        return _ByTheSecond(self.config.rate_per_s)


class _AnewEachMinute(Pacing):
    """The ring without even spacing, emptied at each turn of a minute."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._until = 0

    def earliest(self, now: int) -> int:
        """Return a limit for the segments sent since the minute began."""
        if now >= self._until:
            self._until = now - now % MINUTE_US + MINUTE_US
            self._departures.clear()
        return max(now, self._bound())


class StartsAnewEachMinute(Fault, fault="starts-anew-each-minute"):
    """Restarts its rate count at each turn of a minute, so that it sends up to twice its rate around the turn."""

    def _new_pacing(self, departures: tuple[int, ...]) -> Pacing:
        del departures
        return _AnewEachMinute(self.config.rate_per_s)


class _WithoutZero(Window):
    """Transaction numbers from 01 to 99."""

    __slots__ = ()

    def take(self, ot: str, subject: Any, now: int) -> str:
        """Occupy the next free number other than 00."""
        self._next = self._next or 1
        return super().take(ot, subject, now)


class SkipsTrn00(Fault, fault="skips-trn-00"):
    """Numbers its operations from 01 to 99."""

    def _new_session(self) -> Session:
        session = super()._new_session()
        session.own = _WithoutZero(self.config.window)
        return session


class WaitsForEver(Fault, fault="waits-for-ever"):
    """Has no result timer once its window is full."""

    def _give_up_at(self) -> int:
        full = self.state == "open" and not self._session.own.free
        return NEVER if full else super()._give_up_at()


class LoginStorm(Fault, fault="login-storm"):
    """Logs in again at once when its password is refused."""

    def _drop(self, reason: str, now: int) -> None:
        super()._drop(reason, now)
        if reason.startswith("login refused"):
            self._reconnect_at = now + STORM_US


class ReportsNackAsAccepted(Fault, fault="reports-nack-as-accepted"):
    """Reports a message as accepted when the platform refuses it."""

    def _submit_result(self, segment: Segment, data: list[str], now: int) -> None:
        super()._submit_result(segment, data, now)
        events, token = self._outbox.events, segment.message.token
        if data[0] == "N":
            events[:] = [one for one in events if not (isinstance(one, Refused) and one.token == token)]
            events.append(Accepted(token, segment.part, "", now, complete=True))
