"""Finds the notifications an application has not acknowledged, from the recorded octets of a run."""

from __future__ import annotations

from fake_smsc.core.records import Notification
from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.ucp.alphabet import decode_oadc
from simbench.ucp.fields import At
from simbench.ucp.frame import ETX, STX

HEAD = 4  # TRN, LEN, O/R and OT precede the data
ALPHANUMERIC = b"5039"
Name = tuple[str, str, str, str]  # code, subscriber, SCTS, outcome ("" for a 52)


class PendingNotifications:
    """Takes notifications as they were posted and octets as they passed; keeps only what is still open."""

    def __init__(self, times: UcpTimes) -> None:
        self._stamp = times.stamp
        self._waiting: dict[Name, Notification] = {}
        self._sent: dict[tuple[int, bytes, bytes], Name] = {}  # by connection, operation and TRN
        self._rests: dict[tuple[int, str], bytes] = {}

    def post(self, notification: Notification) -> None:
        """Add a posted notification."""
        outcome = "" if notification.kind == "mo" else str(notification.outcome)
        self._waiting[notification.code, notification.subscriber, self._stamp(notification.scts), outcome] = (
            notification
        )

    def left(self) -> list[Notification]:
        """Return the notifications without an acknowledgement, in the order they were posted."""
        return list(self._waiting.values())

    def chunk(self, session: int, direction: str, octets: bytes) -> None:
        """Process the octets of one read or write."""
        if direction == "close":
            self._rests = {key: rest for key, rest in self._rests.items() if key[0] != session}
            self._sent = {key: name for key, name in self._sent.items() if key[0] != session}
            return
        key = (session, direction)
        *frames, rest = (self._rests.pop(key, b"") + octets).split(ETX)
        if rest:
            self._rests[key] = rest[-8192:]
        look = self._result if direction == "in" else self._operation
        for frame in frames:
            if frame[:1] != STX:
                frame = frame[frame.rfind(STX) :]  # noqa: PLW2901 - octets before STX belong to no frame
            if frame[11:13] == b"/5" and frame[13:14] in b"23":
                look(session, frame[1:].split(b"/"))

    def _operation(self, session: int, fields: list[bytes]) -> None:
        if len(fields) <= HEAD + At.OTOA or fields[2] != b"O":
            return
        data = [field.decode("latin-1") for field in fields[HEAD:]]
        sender = decode_oadc(data[At.OADC]) if fields[HEAD + At.OTOA] == ALPHANUMERIC else data[At.OADC]
        outcome = data[At.DST] if fields[3] == b"53" else ""
        self._sent[session, fields[3], fields[0]] = (data[At.ADC], sender, data[At.SCTS], outcome)

    def _result(self, session: int, fields: list[bytes]) -> None:
        if len(fields) <= HEAD or fields[2] != b"R":
            return
        name = self._sent.pop((session, fields[3], fields[0]), None)
        if name is not None and fields[HEAD] == b"A":
            self._waiting.pop(name, None)
