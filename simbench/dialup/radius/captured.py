"""RADIUS accounting in the datagrams of a capture, as records.

If the secret is known, only requests with a correct authenticator are used. Responses are matched by ends and
identifier, and show which requests were answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from simbench.base.errors import BadInput
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.dialup.calls import SetAside
from simbench.dialup.radius.packets import REQUEST, RESPONSE, answers, read, signed, whole
from simbench.dialup.radius.record import BadRecord, Heard

End = tuple[str, int]


class Seen(Protocol):
    """A datagram: number of its packet, instant (us, UTC), both ends, octets, octets the capture cut off."""

    @property
    def number(self) -> int:
        """The number of its packet, from 1."""

    @property
    def at_us(self) -> int:
        """The instant of capture (us, UTC)."""

    @property
    def source(self) -> End:
        """Address and port it comes from."""

    @property
    def target(self) -> End:
        """Address and port it goes to."""

    @property
    def octets(self) -> bytes:
        """Its payload."""

    @property
    def missing(self) -> int:
        """The number of octets that the capture cut off."""


class Captured:
    """The records in datagrams to a RADIUS server's ports, to be iterated once; the counts are valid afterwards.

    `right` and `wrong` count requests with and without the authenticator of the secret; `unsigned` counts responses
    without it. If the secret fits no request at all, the iteration ends with BadInput: the secret is wrong.
    """

    def __init__(
        self, datagrams: Iterable[Seen], ports: tuple[int, ...] = (1813,), secret: bytes = b"", source: str = ""
    ) -> None:
        self._datagrams, self._ports, self._secret, self._source = datagrams, ports, secret, source
        self.requests = self.responses = self.answered = self.right = self.wrong = self.unsigned = 0

    def __iter__(self) -> Iterator[Heard | SetAside]:
        asked: dict[tuple[End, End, int], bytes] = {}
        last = 0
        for seen in self._datagrams:
            last = seen.number
            if seen.target[1] in self._ports:
                if seen.octets[:1] == bytes((REQUEST,)) and len(seen.octets) > 1:
                    asked[seen.source, seen.target, seen.octets[1]] = seen.octets
                self.requests += 1
                yield self._request(seen)
            elif seen.octets[:1] == bytes((RESPONSE,)) and len(seen.octets) > 1:
                self.responses += 1
                self._response(seen, asked.pop((seen.target, seen.source, seen.octets[1]), b""))
        if getattr(self._datagrams, "cut_short", False):
            yield SetAside(last + 1, "truncated", self._told("the file ends within a packet"))
        if self.wrong and not self.right:
            problem = f"fits none of {self.wrong} Accounting-Requests"
            raise BadInput("secret", problem, "the secret that access server and RADIUS server share")

    def _response(self, seen: Seen, request: bytes) -> None:
        if not whole(request):
            return
        if self._secret and not answers(seen.octets, request, self._secret):
            self.unsigned += 1
        else:
            self.answered += 1

    def _request(self, seen: Seen) -> Heard | SetAside:
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
