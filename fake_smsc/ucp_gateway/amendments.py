"""Operations 54, 55 and 56: requests of an application about waiting messages.

Sources: EMI-UCP 4.0 sections 5.6 to 5.8.
"""

from __future__ import annotations

from fake_smsc.core.records import Change, Key, Refused
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.operations import Operations
from fake_smsc.ucp_gateway.times import UcpTimes, reversed_stamp
from simbench.base.units import SECOND_US
from simbench.ucp import alphabet, content, xser
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

SYNTAX = "02"
STAMP_DIGITS = 12


class AmendmentOperations(Operations):
    """Decodes operations on waiting messages and answers them."""

    def modify(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 54."""
        sound = self.sound(line, frame, now)
        if sound is None:
            return
        if sound.data[At.RPI] not in {"", "1"}:
            self.out.nack(line, frame, SYNTAX, "RPI")
            return
        times = self.out.times
        key = _key(line, sound.data, times.seconds_of(sound.data[At.SCTS]))
        self.out.reply(line, frame, times.result_with_mvp(self.centre.modify(key, change_of(sound, times), now)))

    def inquire(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 55: its result, then the 57s."""
        sound = self.sound(line, frame, now)
        if sound is not None:
            self._answer(line, frame, self.centre.inquire(_key(line, sound.data), now), now)

    def delete(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 56: its result, then the 58s. Its SCTS values may be separated by spaces."""
        sound = self.sound(line, frame, now)
        if sound is None:
            return
        digits = alphabet.decode(bytes.fromhex(sound.data[At.MSG])).replace(" ", "")
        written = [digits[at : at + STAMP_DIGITS] for at in range(0, len(digits), STAMP_DIGITS)]
        stamps = [self.out.times.seconds_of(reversed_stamp(text)) for text in written]
        if not stamps or not all(stamps):
            self.out.nack(line, frame, SYNTAX, "AMsg")
            return
        key = _key(line, sound.data, tuple(second for seconds in stamps for second in seconds))
        self._answer(line, frame, self.centre.delete(key, now), now)

    def _answer(self, line: Line, frame: Frame, refusal: Refused | None, now: int) -> None:
        if refusal is not None:
            self.out.nack(line, frame, refusal.ec, refusal.reason)
        else:
            self.out.reply(line, frame, f"A//{self.out.times.stamp(now // SECOND_US)}/")


def _key(line: Line, data: list[str], stamps: tuple[int, ...] = ()) -> Key:
    return Key(line.account, data[At.OADC], data[At.ADC], data[At.AC], stamps)


def change_of(frame: Frame, times: UcpTimes) -> Change:
    """Return the changes requested by a 54; an empty field changes nothing."""
    data = frame.data
    services = xser.parse(data[At.XSER])
    billing = None if isinstance(services, xser.XserError) else xser.value_of(services, xser.BILLING)
    asked = {"": None, "0": False, "1": True}
    notify, resort = asked[data[At.NRQ]], asked[data[At.LRQ]]
    return Change(
        notify=notify,
        kinds=int(data[At.NT] or "0") or None,
        notify_at=None if notify is None else data[At.NADC] if notify else "",
        last_resort=None if resort is None else data[At.LRAD] if resort else "",
        begins_at=times.minute(data[At.DDT]) if data[At.DDT] else None,
        expires_at=times.minute(data[At.VP]) if data[At.VP] else None,
        rpid=int(data[At.RPID]) if data[At.RPID] else None,
        reply_path=True if data[At.RPI] else None,
        billing=None if billing is None else billing.decode("latin-1"),
        segments=content.segments(frame) if data[At.MSG] else None,
    )
