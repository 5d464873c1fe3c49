"""A running client with an HTTP interface as a system under test: an address for requests, a callback for reports.

The client runs before and after the session and logs in to a port from its own configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from simbench.base.errors import BadInput, PortInUse
from simbench.bench.sut.http_door import LOOPBACK, HttpDoor, NoAnswer
from simbench.bench.sut.kannel import ANSWERS
from simbench.bench.sut.kannel import KINDS as KANNEL_KINDS
from simbench.bench.sut.protocol import Capabilities, Reach, Report, SutFailed, Target
from simbench.client.messages import Outgoing
from simbench.ledger.stimuli import ReportKind
from simbench.ucp import alphabet

OUTCOMES = KANNEL_KINDS  # default meaning of `type`: that of Kannel
# Placeholders of a template, replaced by percent-encoded values.
PLACES: Final = ("to", "text", "code", "oadc", "mark", "coding", "validity_min", "class", "brand", "callback")


class Http:
    """A client that takes requests by GET of `url`, in which {to}, {text} and the other PLACES are filled in.

    {callback} is an address of the bench: `callback` is the query in which a client writes its report, `outcomes` the
    kind of report for each value of `type`. The client reports an MO by calling /mo?from=&to=&text=.
    """

    def __init__(
        self,
        url: str,
        reach: Reach,
        *,
        callback: str = "type=%d&answer=%A",
        outcomes: Mapping[str, ReportKind] = OUTCOMES,
        callback_port: int = 0,
        capabilities: Capabilities = Capabilities(),  # noqa: B008 - frozen, so one for all is safe
    ) -> None:
        check_template(url)
        self.name, self.version, self.capabilities, self.reach = "http", "", capabilities, reach
        self._url, self._query, self._outcomes = url, callback, dict(outcomes)
        self._port, self._callback = callback_port, ""
        self._door = HttpDoor("http", lambda path, query: self._tell(heard(path, query, self._outcomes)))
        self._tell: Callable[[Report], None] = lambda report: None  # noqa: ARG005 - discarded before `start`

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Listen for the client's callbacks. Raises PortInUse."""
        del target  # the client has the address already
        self._tell = tell
        try:
            port = await self._door.open(self._port)
        except OSError as error:
            raise PortInUse(f"port {self._port} for callbacks: {error.strerror}") from None
        self._callback = f"http://{LOOPBACK}:{port}/dlr?"

    async def send(self, ask: Outgoing) -> None:
        """Call the client's address and report whether it accepted the message. Raises SutFailed without an answer."""
        if not self._door.is_open:
            raise SutFailed("the client is not in use")
        callback = f"{self._callback}{self._query}&mark={ask.token.encode().hex()}"
        try:
            status, text = await self._door.call(filled(self._url, ask, callback))
        except NoAnswer as error:
            raise SutFailed(f"the client {error}") from error
        kind: ReportKind = "queued" if status < 300 else ANSWERS.get(status, "error")
        self._tell(Report(kind, ask.token, f"{status} {text}"))

    async def stop(self) -> None:
        """Stop listening; the client keeps running."""
        await self._door.close()


def check_template(url: str) -> None:
    """Check a template. Raises BadInput for an invalid address or an unknown placeholder."""
    place = "url"
    try:
        asked = {name for _, name, _, _ in Formatter().parse(url) if name is not None}
    except ValueError as error:
        raise BadInput(place, f"{error}", "an address with {to} and {text}") from None
    if not url.startswith(("http://", "https://")):
        raise BadInput(place, f"{url[:60]!r}", "an address that begins with http:// or https://")
    for name in sorted(asked - set(PLACES)):
        raise BadInput(place, f"{{{name}}} is not a placeholder", ", ".join(f"{{{name}}}" for name in PLACES))
    if not {"to", "text"} <= asked:
        raise BadInput(place, "lacks {to} or {text}", "{to} and {text} in it")


def filled(url: str, ask: Outgoing, callback: str) -> str:
    """Return the address of one message, every value percent-encoded."""
    values = {
        "to": ask.recipient,
        "text": ask.text,
        "code": ask.code,
        "oadc": ask.oadc or ask.code,
        "mark": ask.token,
        "coding": "0" if alphabet.is_gsm(ask.text) else "2",
        "validity_min": str(max(1, ask.validity_s // 60)) if ask.validity_s else "",
        "class": ask.traffic_class,
        "brand": ask.brand,
        "callback": callback,
    }
    return url.format_map({name: quote(value, safe="") for name, value in values.items()})


def heard(path: str, query: str, outcomes: Mapping[str, ReportKind]) -> Report:
    """Convert one call by the client to a report. An unknown call becomes a report of the kind "error"."""
    pairs = (pair.partition("=")[::2] for pair in query.split("&"))
    values = {name: unquote_to_bytes(value.replace("+", " ")).decode("utf-8", "replace") for name, value in pairs}
    try:
        if path == "/mo":
            return Report("mo", detail=values["text"], code=values["to"], subscriber=values["from"])
        mark = bytes.fromhex(values["mark"]).decode()
        answer = values.get("answer", "")
        refused = re.match(r"NACK/(\d\d)-", answer)
        return Report(outcomes[values["type"]], mark, refused[1] if refused else answer.removeprefix("ACK/"))
    except (KeyError, ValueError) as error:
        return Report("error", detail=f"called {path[:80]}?{query[:200]}, which is not a valid report: {error!r}")
