"""Access control before any route gets a request: allowed senders, rates and sizes.

Browsers also send requests on behalf of other sites' pages. Therefore only pages of this server's origin (scheme, host
and port) are allowed, and a request that changes anything needs a token, or a header that no HTML form can send.
"""

from __future__ import annotations

import asyncio
import time
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fake_smsc.server.login_throttle import LoginThrottle
from simbench.service.http_bounds import trust
from simbench.service.log import EventLog
from simbench.service.problems import problem
from simbench.service.settings import ServiceSettings, is_loopback

COOKIE = "simbench_token"
REMEMBERED = 10_000  # client addresses tracked
OWN_HEADER = "x-simbench"  # any value: a page of another origin cannot send it without a preflight request
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
WAITS = frozenset({"/api/v1/wait", "/api/v1/mo"})
TOKEN = "token"  # noqa: S105 - the one account of the throttle
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with no-referrer, browsers call the origin of a form null
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy",
     b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws: wss:; object-src 'none'; "
     b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
]  # fmt: skip

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
    """ASGI middleware: allowed addresses, hosts and origins, the token, rates, sizes, and concurrency."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, log: EventLog) -> None:
        self._app, self._settings, self._log = app, settings, log
        self._addresses: dict[str, Address] = {}
        self._wrong = LoginThrottle(settings.limits.wrong_tokens_per_min)
        self._busy = self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then pass it on or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        send = _secured(send)
        refused = await self._objection(scope, receive)
        if refused is not None:
            await self._refuse(scope, receive, send, refused)
            return
        trust(scope)
        waits = scope["type"] == "http" and scope["path"] in WAITS
        self._busy += scope["type"] == "http" and not waits
        self._waiting += waits
        try:
            await self._app(scope, self._measured(scope, receive), send)
        except _TooLong:
            await self._refuse(scope, receive, send, problem(413, "body too long", "body"))
        finally:
            self._busy -= scope["type"] == "http" and not waits
            self._waiting -= waits

    async def _objection(self, scope: Scope, receive: Receive) -> Response | None:
        """Return the response to a request that is refused, else None."""
        settings, limits = self._settings, self._settings.limits
        host = scope["client"][0] if scope.get("client") else ""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if settings.allow and not _is_allowed(host, settings):
            return problem(403, "address not allowed")
        wrong = _foreign(scope, headers, settings)
        if wrong:
            return problem(403, *wrong)
        if not self._within_rate(self._address(host)):
            return problem(429, f"more than {limits.requests_per_s} requests a second")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limits.body_octets:
            return problem(413, f"a body of at most {limits.body_octets} octets", "Content-Length")
        refused = await self._without_token(scope, receive, headers, host) if settings.token else None
        return refused or (self._crowded(scope) if scope["type"] == "http" else None)

    def _crowded(self, scope: Scope) -> Response | None:
        """Return the response to a request above the limit of concurrent requests."""
        limits = self._settings.limits
        if scope["path"] in WAITS and self._waiting >= limits.waits:
            return problem(503, f"more than {limits.waits} requests wait already")
        return problem(503, "too many requests at once") if self._busy >= limits.concurrent else None

    async def _without_token(
        self, scope: Scope, receive: Receive, headers: dict[str, str], host: str
    ) -> Response | None:
        """Return the response to a request without the token; None if it has the token."""
        if self._wrong.refuses(host, TOKEN):
            return problem(429, "too many wrong tokens; wait a minute")
        if scope["type"] == "http" and (scope["path"], scope["method"]) == ("/login", "POST"):
            return await self._enter(receive, host)
        shown = _shown_token(headers)
        if self._is_token(shown):
            self._wrong.succeeded(host, TOKEN)
            return None
        if shown:
            self._wrong.failed(host, TOKEN)
        if "text/html" in headers.get("accept", ""):
            return HTMLResponse(login_page(), 401)
        answer = problem(401, "a token is needed", "Authorization")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    async def _enter(self, receive: Receive, host: str) -> Response:
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
        if not self._is_token(token):
            self._wrong.failed(host, TOKEN)
            return HTMLResponse(login_page("That token is wrong."), 401)
        self._wrong.succeeded(host, TOKEN)
        answer = RedirectResponse("/", 303)
        secure = self._settings.certificate is not None
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure)
        return answer

    def _is_token(self, shown: str) -> bool:
        return compare_digest(shown.encode("utf-8", "replace"), self._settings.token.encode())

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

    def _measured(self, scope: Scope, receive: Receive) -> Receive:
        """Return a `receive` that raises when the body becomes too long, even if its header gave a smaller length."""
        if scope["type"] != "http":
            return receive
        left = self._settings.limits.body_octets

        async def measured() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooLong
            return message

        return measured

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        name = "request refused" if answer.status_code >= 400 else "token shown"  # the login page's response
        self._log.event(name, status=answer.status_code, peer=peer, path=scope["path"][:200])
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await answer(scope, receive, send)


class _TooLong(HTTPException):
    """A known exception type, so that intermediate readers of the body pass it on."""

    def __init__(self) -> None:
        super().__init__(413)


def _is_allowed(host: str, settings: ServiceSettings) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in settings.allow)


def _secured(send: Send) -> Send:
    """Return a `send` that adds the headers that make browsers isolate the page from others."""

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *SECURITY_HEADERS]}
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
    if scope["type"] == "websocket" or scope["method"] in SAFE or scope["path"] == "/login":
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


def _shown_token(headers: dict[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    try:
        cookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""
