"""A running client with an HTTP interface as a system under test: an address to call a message, a callback for reports.

The client runs before and after the session and logs in to a port from its own configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Final
from urllib.parse import quote, unquote_to_bytes

import aiohttp
from aiohttp import web
from yarl import URL

from simbench.base.errors import BadInput, PortInUse
from simbench.bench.sut.kannel import ANSWERS
from simbench.bench.sut.kannel import KINDS as KANNEL_KINDS
from simbench.bench.sut.protocol import Capabilities, Reach, Report, SutFailed, Target
from simbench.client.messages import Outgoing
from simbench.ucp import alphabet

SEND_WAIT_S = 30.0
OUTCOMES = KANNEL_KINDS  # default meaning of `type`: that of Kannel
CONNECTIONS = 32
# Placeholders of a template, replaced by percent-encoded values.
PLACES: Final = ("to", "text", "code", "oadc", "mark", "coding", "validity_min", "class", "brand", "callback")


class Http:
    """A client that is asked by GET of `url`, where {to}, {text} and the other PLACES are filled in.

    {callback} is an address of the bench: `callback` is the query a client appends what it tells to, `outcomes` the
    kind of report each value of `type` means. What it hears of an MO comes to /mo?from=&to=&text=.
    """

    def __init__(
        self,
        url: str,
        reach: Reach,
        *,
        callback: str = "type=%d&answer=%A",
        outcomes: Mapping[str, str] = OUTCOMES,
        callback_port: int = 0,
        capabilities: Capabilities = Capabilities(),  # noqa: B008 - frozen, so one for all is safe
    ) -> None:
        check_template(url)
        self.name, self.version, self.capabilities, self.reach = "http", "", capabilities, reach
        self._url, self._query, self._outcomes = url, callback, dict(outcomes)
        self._port, self._callback = callback_port, ""
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None
        self._tell: Callable[[Report], None] = lambda report: None  # noqa: ARG005 - nobody listens before `start`

    async def start(self, target: Target, tell: Callable[[Report], None]) -> None:
        """Listen for the client's callbacks. Raises PortInUse."""
        del target  # the client has the address already
        self._tell = tell
        self._runner = web.ServerRunner(web.Server(self._hear), access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        except OSError as error:
            await self.stop()
            raise PortInUse(f"port {self._port} for callbacks: {error.strerror}") from None
        self._callback = f"http://127.0.0.1:{self._runner.addresses[0][1]}/dlr?"
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS), timeout=aiohttp.ClientTimeout(total=SEND_WAIT_S)
        )

    async def send(self, ask: Outgoing) -> None:
        """Call the client's address and report whether it took the message. Raises SutFailed without an answer."""
        if self._http is None:
            raise SutFailed("the client is not in use")
        url = URL(
            filled(self._url, ask, f"{self._callback}{self._query}&mark={ask.token.encode().hex()}"), encoded=True
        )
        try:
            async with self._http.get(url) as answer:
                said = (await answer.content.read(400)).decode("utf-8", "replace").strip()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SutFailed(f"the client does not answer at {url.host}:{url.port}: {error!r}") from error
        kind = "queued" if answer.status < 300 else ANSWERS.get(answer.status, "error")
        self._tell(Report(kind, ask.token, f"{answer.status} {said}"))

    async def stop(self) -> None:
        """Stop listening; the client keeps running."""
        if self._http is not None:
            await self._http.close()
            self._http = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _hear(self, request: web.BaseRequest) -> web.Response:
        self._tell(heard(request.path, request.rel_url.raw_query_string, self._outcomes))
        return web.Response(text="")


def check_template(url: str) -> None:
    """Raises BadInput for an invalid address or an unknown placeholder."""
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
    """The address of one message, every value percent-encoded."""
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


def heard(path: str, query: str, outcomes: Mapping[str, str]) -> Report:
    """What one call of the client's means. An unknown call becomes a report of the kind "error"."""
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
