"""RADIUS accounting in the datagrams of a capture, as records.

If the secret is known, only requests with a correct authenticator are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.capture.udp import Datagram
from simbench.dialup.calls import SetAside
from simbench.dialup.radius.packets import read, signed
from simbench.dialup.radius.record import BadRecord, Heard


class Captured:
    """The records in datagrams to a RADIUS server's ports, to be iterated once; the counts are valid afterwards.

    `right` and `wrong` count requests with and without the authenticator of the secret. If the secret fits no request
    at all, the iteration ends with BadInput: the secret is wrong.
    """

    def __init__(
        self, datagrams: Iterable[Datagram], ports: tuple[int, ...] = (1813,), secret: bytes = b"", source: str = ""
    ) -> None:
        self._datagrams, self._ports, self._secret, self._source = datagrams, ports, secret, source
        self.right = self.wrong = 0

    def __iter__(self) -> Iterator[Heard | SetAside]:
        last = 0
        for seen in self._datagrams:
            last = seen.number
            if seen.target[1] in self._ports:
                yield self._request(seen)
        if getattr(self._datagrams, "cut_short", False):
            yield SetAside(last + 1, "truncated", self._told("the file ends within a packet"))
        if self.wrong and not self.right:
            problem = f"fits none of {self.wrong} Accounting-Requests"
            raise BadInput("secret", problem, "the secret that access server and RADIUS server share")

    def _request(self, seen: Datagram) -> Heard | SetAside:
        try:
            if seen.missing:
                raise BadRecord("truncated", f"{count(seen.missing, 'octet')} not captured")
            record = read(seen.octets, seen.source[0])
            if self._secret and not signed(seen.octets, self._secret):
                self.wrong += 1
                claimed = max(0, record.seconds) * SECOND_US
                text = f"{record.status} of {record.session} at {record.nas}"
                return SetAside(seen.number, "wrong-secret", self._told(text), claimed)
            self.right += bool(self._secret)
        except BadRecord as bad:
            return SetAside(seen.number, bad.reason, self._told(bad.text))
        return Heard(record, seen.at_us, seen.number, self._source)

    def _told(self, text: str) -> str:
        return f"{self._source}: {text}" if self._source else text
