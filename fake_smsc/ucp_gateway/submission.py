"""Operation 51: decodes submits for the centre and writes its results, at once or late; mostly in one common form.

Source: EMI-UCP 4.0 section 5.3.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import adler32

from fake_smsc.core.centre import Centre
from fake_smsc.core.records import Answer, Reply, Silence, Special, Submit
from fake_smsc.ucp_gateway.admission import WindowAdmission
from fake_smsc.ucp_gateway.legacy import Gathered
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.operations import Operations
from fake_smsc.ucp_gateway.output import Output
from fake_smsc.ucp_gateway.strictness_policy import ALPHANUMERIC, StrictnessPolicy
from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.ucp import alphabet, content, xser
from simbench.ucp.fields import At
from simbench.ucp.frame import ASCII_AT_ONCE, Frame, encode

DEFAULT_NOTIFICATION = 3  # NRq without NT: notify the final outcome, delivered or not

# The fields of a common submit, and their form; all others are empty. Everything this admits, with a text of seven-bit
# codes, passes the field table, fits into one segment, has no lower-case hexadecimal and requests nothing special.
COMMON_FIELDS: Final = {
    At.ADC: "[0-9]{1,16}",
    At.OADC: "[0-9]{1,22}",
    At.NRQ: "[01]?",
    At.NT: "[0-7]?",
    At.VP: "(?:(?:0[1-9]|1[0-9]|2[0-8])(?:0[1-9]|1[0-2])[0-9]{2}(?:[01][0-9]|2[0-3])[0-5][0-9])?",
    At.MT: "3",
    At.MSG: "(?:[0-9A-F]{32}){0,9}(?:[0-9A-F]{2}){0,15}",
}
COMMON: Final = re.compile("".join(COMMON_FIELDS.get(at, "") + "/" for at in range(At.RES5 + 1)).encode())
# A whole frame of this form: TRN, LEN, the fields that differ, checksum.
_DIFFER: Final = (At.ADC, At.OADC, At.NRQ, At.NT, At.VP, At.MSG)
_FIELDS: Final = "".join(
    (f"({COMMON_FIELDS[at]})" if at in _DIFFER else COMMON_FIELDS.get(at, "")) + "/" for at in range(At.RES5 + 1)
)
_FRAME: Final = re.compile("\x02([0-9]{2})/([0-9]{5})/O/51/" + _FIELDS + "([0-9A-F]{2})\x03")
_LENGTHS: Final = [f"{max(size - 2, 0):05d}" for size in range(ASCII_AT_ONCE)]  # LEN, by all octets of a frame
_CHECKS: Final = [f"{total:02X}" for total in range(256)]


class Submission(Operations):
    """Submits of all connections of a gateway."""

    def __init__(
        self, centre: Centre, out: Output, window_admission: WindowAdmission, strictness_policy: StrictnessPolicy
    ) -> None:
        super().__init__(centre, out, window_admission, strictness_policy)
        self._is_common = COMMON.fullmatch
        self._match = _FRAME.match
        self._admit, self._write = centre.submit, out.write
        self._minute, self._result = out.times.minute, out.times.result_with_mvp

    def plain(self, line: Line, octets: bytes, now: int) -> bytes:
        """Serve the common submits at the beginning of octets; return the rest."""
        text, at = octets.decode("latin-1"), 0
        while line.session.state == "open" and not line.session.peer.outstanding and not line.closing:
            found = self._match(text, at)
            if found is None:
                break
            end = found.end()
            trn, length, adc, oadc, asks, kinds, validity, message, check = found.groups()
            if length != _LENGTHS[end - at] or check != _CHECKS[adler32(octets[at + 1 : end - 3], 0) & 0xFF]:
                break
            if not alphabet.is_seven_bit(message):
                break
            notify = int(kinds or "0") or DEFAULT_NOTIFICATION if asks == "1" else 0
            expires_at = self._minute(validity) if validity else 0
            submit = Submit(line.number, line.account, oadc, adc, message, 1, notify, expires_at, False, trn)
            self._answer(line, trn, trn, self._admit(submit, now), now)
            at = end
            if at == len(octets):
                return b""
        return octets[at:] if at else octets

    def _answer(self, line: Line, trn: str, key: str, reply: Reply, now: int) -> None:
        if not isinstance(reply, Silence):
            self._write(line, encode(trn, "R", "51", self._result(reply)))
        elif reply is Silence.HELD:  # only operations not answered at once take a window slot
            line.session.peer.occupy(key, "51", now)
        elif reply is Silence.CLOSE:
            self.out.close(line, "rate exceeded")

    def submit(self, line: Line, frame: Frame, now: int) -> None:
        """Operation 51."""
        session, key = line.session, frame.trn
        if session.state != "open" or session.peer.outstanding:
            key = self.window_admission.key(line, frame, now)
            if not key:
                return
        octets, data = frame.octets, frame.data
        if self._is_common(octets, 15, len(octets) - 3) is None or not alphabet.is_seven_bit(data[At.MSG]):
            self._uncommon(line, frame, key, now)
            return
        notify = int(data[At.NT] or "0") or DEFAULT_NOTIFICATION if data[At.NRQ] == "1" else 0
        expires_at = self._minute(data[At.VP]) if data[At.VP] else 0
        submit = Submit(
            line.number, line.account, data[At.OADC], data[At.ADC], data[At.MSG], 1, notify, expires_at, False, key
        )
        self._answer(line, frame.trn, key, self._admit(submit, now), now)

    def _uncommon(self, line: Line, frame: Frame, key: str, now: int) -> None:
        """Process a submit of any form."""
        sound = self.strictness_policy.sound(line, frame, now)
        if sound is None:
            return
        data = sound.data
        alphanumeric = data[At.OTOA] == ALPHANUMERIC
        oadc = alphabet.decode_oadc(data[At.OADC]) if alphanumeric else data[At.OADC]
        notify = int(data[At.NT] or "0") or DEFAULT_NOTIFICATION if data[At.NRQ] == "1" else 0
        submit = Submit(
            line.number, line.account, oadc, data[At.ADC], data[At.MSG], content.segments(sound), notify,
            self._minute(data[At.VP]), alphanumeric, key,
            special_of(data, oadc if alphanumeric else "", self.out.times),
        )  # fmt: skip
        self.settle(line, frame, key, self._admit(submit, now), now)

    def settle(self, line: Line, frame: Frame, key: str, reply: Reply, now: int) -> None:
        """Answer a submit, or let it take its window slot."""
        if not isinstance(reply, Silence):
            self.out.reply(line, frame, self._result(reply))
        elif reply is Silence.HELD:
            line.session.peer.occupy(key, frame.ot, now)
        elif reply is Silence.CLOSE:
            self.out.close(line, "rate exceeded")

    def late(self, line: Line, answer: Answer) -> None:
        """Write the centre's late answer: 51 by itself, legacy operations once all recipients are answered."""
        key, _, index = answer.handle.partition("|")
        waiting = line.session.peer.outstanding.get(key)
        if waiting is None:
            return
        gathered = waiting.subject
        if isinstance(gathered, Gathered):
            if gathered.take(int(index), answer.reply):
                del line.session.peer.outstanding[key]
                self.out.reply(line, gathered.frame, gathered.body(self.out.times))
            return
        del line.session.peer.outstanding[key]
        self._write(line, encode(key[:2], "R", "51", self._result(answer.reply)))


def special_of(data: list[str], originator: str, times: UcpTimes) -> Special | None:
    """Return the requests of a 51 beyond the common form, None if there are none."""
    services = xser.parse(data[At.XSER])
    if isinstance(services, xser.XserError):
        services = []
    wants = Special(
        originator,
        data[At.AC],
        data[At.NADC] if data[At.NRQ] == "1" and data[At.NPID] else "",
        data[At.LRAD] if data[At.LRQ] == "1" else "",
        times.minute(data[At.DDT]) if data[At.DD] == "1" else 0,
        int(data[At.RPID] or "0"),
        data[At.PR] not in {"", "0"},
        data[At.MMS] == "1",
        data[At.RPI] == "1",
        xser.value_of(services, xser.SINGLE_SHOT) == b"\x01",
        bool(xser.value_of(services, xser.UDH)),
        (xser.value_of(services, xser.BILLING) or b"").decode("latin-1"),
    )
    return wants if wants != NOTHING else None


NOTHING: Final = Special()
