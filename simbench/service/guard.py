"""Access control before any route gets a request: allowed senders, rates and sizes.

Browsers also send requests on behalf of other sites' pages. Therefore only pages of this server's origin (scheme, host
and port) are allowed, and a request that changes anything needs a token, or a header that no HTML form can send.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simbench.base.addresses import is_loopback
from simbench.service.http_bounds import taken, trust
from simbench.service.log import EventLog
from simbench.service.problems import problem
from simbench.service.settings import ServiceSettings
from simbench.service.tokens import Tokens
from simbench.service.turns import Turns

REMEMBERED = 10_000  # client addresses tracked
OWN_HEADER = "x-simbench"  # any value: a page of another origin cannot send it without a preflight request
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
WAITS = frozenset({"/api/v1/wait", "/api/v1/mo"})
DOWNLOADS = ("/api/v1/ledger/", "/api/v1/messages.csv")  # long answers
QUERY_OCTETS = 4_096
COLLECTED = 50  # requests between two collections of their garbage: each collection is short
PATH_LETTERS = 256
TOO_MANY_WRONG = 429, "too many wrong tokens; wait a minute"
SAID = {"wait": "wait already", "download": "download already"}
DOCS = "/docs"  # the page of the API's description is made by a library, with a script and styles in it
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with no-referrer, browsers call the origin of a form null
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
BOUNDS = b"connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
POLICY = b"default-src 'self'; img-src 'self' data:; " + BOUNDS
POLICY_DOCS = b"default-src 'self' 'unsafe-inline' data:; " + BOUNDS

LOGIN_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>simbench: log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<main><h1>simbench</h1><form method="post" action="/login"><p role="alert">{wrong}</p>
<p><label>Token <input type="password" name="token" required autofocus></label> <button>Enter</button></p></form></main>
</html>"""


def login_page(wrong: str = "") -> str:
    """Return the page that asks for the token; `wrong` is the reason for asking again."""
    return LOGIN_PAGE.format(wrong=wrong)


class Address:
    """Recent activity of one client address."""

    __slots__ = ("allowance", "seen_at")

    def __init__(self, burst: float, now: float) -> None:
        self.allowance, self.seen_at = burst, now


class Guard:
    """ASGI middleware: allowed addresses, hosts and origins, the token, rates, sizes, and concurrency.

    Each request begins in a turn of its own.
    """

    def __init__(self, app: ASGIApp, settings: ServiceSettings, log: EventLog, turns: Turns) -> None:
        self._app, self._settings, self._log, self._turns = app, settings, log, turns
        self._addresses: dict[str, Address] = {}
        secure = settings.certificate is not None
        self._tokens = Tokens(settings.token, settings.limits.wrong_tokens_per_min, secure=secure)
        self._under_way = Counter[str]()  # requests by their kind
        self._begun = 0  # requests so far

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then pass it on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._turns.turn()
        plain, send = send, _secured(send, POLICY)
        refused = await self._objection(scope, receive)
        if refused is not None:
            await self._refuse(scope, receive, send, refused)
            return
        trust(scope)
        if scope["path"].startswith(DOCS):
            send = _secured(plain, POLICY_DOCS)
        kind = _kind(scope["path"])
        self._under_way[kind] += 1
        try:
            await self._app(_without_cookies(scope), self._measured(receive), send)
            await taken(scope)
        except _Unfit as unfit:
            await self._refuse(scope, receive, send, problem(unfit.status_code, unfit.detail, "body"))
        finally:
            self._under_way[kind] -= 1
            self._begun += 1
            if self._begun % COLLECTED == 0:
                gc.collect(1)  # young objects: a refused request is part of a cycle with its body

    async def _objection(self, scope: Scope, receive: Receive) -> Response | None:
        """Return the response to a request that is refused, else None."""
        settings = self._settings
        host = scope["client"][0] if scope.get("client") else ""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        unsound = self._unsound(scope, headers, host)
        if unsound is not None:
            return unsound
        too_many = self._tokens.refuses(host)  # before this one is counted
        has_token = bool(settings.token) and self._tokens.shown(headers, host)
        if not self._within_rate(self._address("" if has_token else host)):  # no stranger uses up the owner's rate
            return problem(429, f"more than {settings.limits.requests_per_s} requests a second")
        if settings.token and not has_token:
            if (scope["path"], scope["method"]) == ("/login", "POST"):
                return await self._enter(receive, headers, host, too_many=too_many)
            return problem(*TOO_MANY_WRONG) if too_many else self._without_token(headers)
        return self._crowded(scope)

    def _unsound(self, scope: Scope, headers: dict[str, str], host: str) -> Response | None:
        """Return the response to a request that nobody may send, whatever it shows."""
        if self._settings.allow and not _is_allowed(host, self._settings):
            return problem(403, "address not allowed")
        wrong = _foreign(scope, headers, self._settings)
        if wrong:
            return problem(403, *wrong)
        if len(scope["query_string"]) > QUERY_OCTETS or len(scope["path"]) > PATH_LETTERS:
            return problem(414, f"a path of at most {PATH_LETTERS} letters, a query of {QUERY_OCTETS} octets", "path")
        length, most = headers.get("content-length", "0"), self._settings.limits.body_octets
        if not length.isdecimal() or int(length) > most:
            return problem(413, f"a body of at most {most} octets", "Content-Length")
        return None

    def _crowded(self, scope: Scope) -> Response | None:
        """Return the response to a request above the limit of concurrent requests."""
        limits, kind = self._settings.limits, _kind(scope["path"])
        most = {"wait": limits.waits, "download": limits.downloads}.get(kind, limits.concurrent)
        if self._under_way[kind] < most:
            return None
        return problem(503, f"more than {most} requests {SAID.get(kind, 'are under way')}")

    def _without_token(self, headers: dict[str, str]) -> Response:
        """Return the response to a request without the token."""
        answer: Response
        if "text/html" in headers.get("accept", ""):
            answer = HTMLResponse(login_page(), 401)
        else:
            answer = problem(401, "a token is needed", "Authorization")
            answer.headers["WWW-Authenticate"] = "Bearer"
        self._tokens.forget(answer, headers)
        return answer

    async def _enter(self, receive: Receive, headers: dict[str, str], host: str, *, too_many: bool) -> Response:
        """Handle the login page's form: the token becomes a cookie."""
        body = b""
        try:
            async with asyncio.timeout(self._settings.limits.login_s):
                while len(body) <= 1_024:
                    message = await receive()
                    body += message.get("body", b"")
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            return problem(408, "the form did not come in time", "body")
        token = parse_qs(body.decode("latin-1")).get("token", [""])[0]
        if not self._tokens.entered(token, host):
            return problem(*TOO_MANY_WRONG) if too_many else HTMLResponse(login_page("That token is wrong."), 401)
        answer = RedirectResponse("/", 303)
        self._tokens.keep(answer, headers)
        return answer

    def _address(self, host: str) -> Address:
        found = self._addresses.pop(host, None) or Address(self._settings.limits.burst, time.monotonic())
        self._addresses[host] = found  # the latest last
        if len(self._addresses) > REMEMBERED:
            del self._addresses[next(iter(self._addresses))]
        return found

    def _within_rate(self, address: Address) -> bool:
        now, limits = time.monotonic(), self._settings.limits
        gained = (now - address.seen_at) * limits.requests_per_s
        address.allowance, address.seen_at = min(limits.burst, address.allowance + gained), now
        if address.allowance < 1:
            return False
        address.allowance -= 1
        return True

    def _measured(self, receive: Receive) -> Receive:
        """Return a `receive` that ends when a body becomes too long, whatever its header said, or comes too slowly."""
        limits = self._settings.limits
        left, until_s = limits.body_octets, asyncio.get_running_loop().time() + limits.body_s
        is_whole = False

        async def measured() -> Message:
            nonlocal left, is_whole
            try:
                async with asyncio.timeout_at(None if is_whole else until_s):
                    message = await receive()
            except TimeoutError:
                raise _Unfit(408, "the body did not come in time") from None
            left -= len(message.get("body", b""))
            if left < 0:
                raise _Unfit(413, "body too long")
            is_whole = not message.get("more_body")
            return message

        return measured

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        name = "request refused" if answer.status_code >= 400 else "token shown"  # the login page's response
        self._log.event(name, status=answer.status_code, peer=peer, path=scope["path"][:200])
        await answer(scope, receive, send)


def _without_cookies(scope: Scope) -> Scope:
    """The request as the app sees it, which needs no cookies and would read them all."""
    return {**scope, "headers": [header for header in scope["headers"] if header[0] != b"cookie"]}


class _Unfit(HTTPException):
    """A body that is refused. A known exception type, so that intermediate readers of the body pass it on."""


def _kind(path: str) -> str:
    """The kind of a request whose number at a time is bounded."""
    return "wait" if path in WAITS else "download" if path.startswith(DOWNLOADS) else ""


def _is_allowed(host: str, settings: ServiceSettings) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in settings.allow)


def _secured(send: Send, policy: bytes) -> Send:
    """Return a `send` that adds the headers that make browsers isolate the page from others, and obey the policy."""
    added = [*SECURITY_HEADERS, (b"content-security-policy", policy)]

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return secured


def _foreign(scope: Scope, headers: dict[str, str], settings: ServiceSettings) -> tuple[str, str] | None:
    """Return why a request seems to come from another site's page, and the header that shows it; else None."""
    host = headers.get("host", "")
    name = _host_of("//" + host)
    if is_loopback(settings.host) and not is_loopback(name):
        return "this server is not known by that name", "Host"
    secure = settings.certificate is not None
    own = f"{'https' if secure else 'http'}://{host}"
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None and origin.lower() != own.lower():
        return f"pages of {own} only", "Origin"
    if site not in {"same-origin", "none"} and headers.get("sec-fetch-dest") != "document":
        return f"pages of {own} only", "Sec-Fetch-Site"
    if scope["method"] in SAFE or scope["path"] == "/login":
        return None
    sent_by_code = (
        origin is not None
        or OWN_HEADER in headers
        or headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        or headers.get("authorization", "")[:7].lower() == "bearer "
    )
    return (
        None
        if sent_by_code
        else ("a form of any page could have sent this: add the header X-Simbench: 1", "X-Simbench")
    )


def _host_of(url: str) -> str:
    """Return the host of a URL, "" if the URL is invalid."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
