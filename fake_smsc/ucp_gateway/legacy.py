"""Operations 01, 02, 03 and 30: the submissions older than 51.

Each recipient is one submission to the centre; the result is written once all of them are answered
(EMI-UCP 4.0 sections 4.2 to 4.5).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fake_smsc.core.records import Accepted, Refused, Reply, Silence, Special, Submit
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.operations import Operations
from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.ucp.content import LONG_MESSAGE, SEPTETS
from simbench.ucp.frame import Frame
from simbench.ucp.operations import Values, decode

FINAL_OUTCOME = 3  # NRq of operation 30 has no NT: notify the final outcome, delivered or not
CUT_SEPTETS = 153  # size of each part when the SMSC splits a long text (GSM 03.40 section 9.2.3.24.1)


class Gathered(msgspec.Struct):
    """One legacy operation and the replies for its recipients; None for those still open."""

    frame: Frame
    recipients: Sequence[str]
    replies: list[Accepted | Refused | None]

    def take(self, index: int, reply: Accepted | Refused) -> bool:
        """Store a reply. Returns whether it was the last one."""
        self.replies[index] = reply
        return None not in self.replies

    def body(self, times: UcpTimes) -> str:
        """Data part of the result; a refused recipient among accepted ones appears without an SCTS."""
        replies = [reply for reply in self.replies if reply is not None]
        if self.frame.ot == "30":
            return times.result_with_mvp(replies[0])
        first = next((reply for reply in replies if isinstance(reply, Refused)), None)
        if first is not None and not any(isinstance(reply, Accepted) for reply in replies):
            return f"N/{first.ec}/{first.reason}/"
        items = [
            times.message_id(reply) if isinstance(reply, Accepted) else recipient
            for recipient, reply in zip(self.recipients, replies, strict=True)
        ]
        return f"A/{','.join(items)}/"


class LegacySubmission(Operations):
    """Legacy submissions of all connections of a gateway."""

    def submit(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 01, 02, 03 or 30."""
        key = self.window_admission.key(line, frame, now)
        sound = self.strictness_policy.sound(line, frame, now) if key else None
        if sound is None:
            return
        values = decode(sound)
        recipients = [item.split(",")[0] for item in values["RAds"]] if frame.ot == "02" else [_recipient(values)]
        gathered = Gathered(frame, recipients, [None] * len(recipients))
        replies = [
            self.centre.submit(self._submit(line, values, recipient, f"{key}|{index}"), now)
            for index, recipient in enumerate(recipients)
        ]
        self._settle(line, gathered, key, replies, now)

    def _settle(self, line: Line, gathered: Gathered, key: str, replies: list[Reply], now: int) -> None:
        if Silence.CLOSE in replies:
            self.out.close(line, "rate exceeded")
            return
        if all(reply is Silence.DISCARDED for reply in replies):
            return
        for index, reply in enumerate(replies):
            if reply is Silence.DISCARDED:
                gathered.replies[index] = Refused("04", "throughput exceeded")
            elif not isinstance(reply, Silence):
                gathered.replies[index] = reply
        if Silence.HELD in replies:
            peer = line.session.peer
            peer.occupy(key, gathered.frame.ot, now)
            peer.outstanding[key].subject = gathered
        else:
            self.out.reply(line, gathered.frame, gathered.body(self.out.times))

    def _submit(self, line: Line, values: Values, recipient: str, handle: str) -> Submit:
        account = self.centre.accounts[line.account]
        text = values.get("AMsg") or values.get("Msg") or ""
        return Submit(
            line.number,
            line.account,
            values.get("OAdC") or next(iter(account.codes), ""),
            recipient,
            text,
            _segments(text, values.get("MT", "3")),
            FINAL_OUTCOME if values.get("NRq") == "1" else 0,
            self.out.times.minute(values.get("VP", "")),
            False,
            handle,
            _special(values, self.out.times),
        )


def _recipient(values: Values) -> str:
    recipient: str = values.get("AdC") or values.get("RAd") or ""
    return recipient


def _special(values: Values, times: UcpTimes) -> Special | None:
    begins_at = times.minute(values.get("DDT", "")) if values.get("DD") == "1" else 0
    notify_at = values.get("NAd", "") if values.get("NRq") == "1" else ""
    return Special(notify_at=notify_at, begins_at=begins_at) if begins_at or notify_at else None


def _segments(text: str, mt: str) -> int:
    characters = len(text) if mt == "2" else len(text) // 2
    return 1 if characters <= SEPTETS else -(-min(characters, LONG_MESSAGE) // CUT_SEPTETS)
