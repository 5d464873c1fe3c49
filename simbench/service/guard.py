"""Access control before any route sees a request: who may send, how often, and how much."""

from __future__ import annotations

import time
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fake_smsc.server.login_throttle import LoginThrottle
from simbench.service.log import EventLog
from simbench.service.problems import problem
from simbench.service.settings import ServiceSettings, is_loopback

COOKIE = "simbench_token"
REMEMBERED = 10_000  # client addresses tracked

LOGIN_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>simbench</title>
<form method="post" action="/login"><label>Token <input type="password" name="token" autofocus></label>
<button>Enter</button></form></html>"""


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
        self._busy = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refused = await self._objection(scope, receive)
        if refused is not None:
            await self._refuse(scope, receive, send, refused)
            return
        self._busy += scope["type"] == "http"
        try:
            await self._app(scope, self._measured(scope, receive), send)
        except _TooLong:
            await self._refuse(scope, receive, send, problem(413, "body too long", "body"))
        finally:
            self._busy -= scope["type"] == "http"

    async def _objection(self, scope: Scope, receive: Receive) -> Response | None:
        """Return the response to a request that is refused, else None."""
        settings, limits = self._settings, self._settings.limits
        host = scope["client"][0] if scope.get("client") else ""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if settings.allow and not _is_allowed(host, settings):
            return problem(403, "address not allowed")
        if not _named_rightly(headers, settings):
            return problem(403, "this server is not known by that name", "Host")
        if not self._within_rate(self._address(host)):
            return problem(429, f"more than {limits.requests_per_s} requests a second")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limits.body_octets:
            return problem(413, f"a body of at most {limits.body_octets} octets", "Content-Length")
        if scope["type"] == "http" and self._busy >= limits.concurrent:
            return problem(503, "too many requests at once")
        return await self._without_token(scope, receive, headers, host) if settings.token else None

    async def _without_token(
        self, scope: Scope, receive: Receive, headers: dict[str, str], host: str
    ) -> Response | None:
        """Return the response to a request without the token; None if it has the token."""
        if self._wrong.refuses(host):
            return problem(429, "too many wrong tokens; wait a minute")
        if scope["type"] == "http" and (scope["path"], scope["method"]) == ("/login", "POST"):
            return await self._enter(receive, host)
        shown = _shown_token(headers)
        if self._is_token(shown):
            return None
        if shown:
            self._wrong.failed(host)
        if "text/html" in headers.get("accept", ""):
            return HTMLResponse(LOGIN_PAGE, 401)
        answer = problem(401, "a token is needed", "Authorization")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    async def _enter(self, receive: Receive, host: str) -> Response:
        """Handle the login page's form: the token becomes a cookie."""
        body = b""
        while len(body) <= 1_024:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        token = parse_qs(body.decode("latin-1")).get("token", [""])[0]
        if not self._is_token(token):
            self._wrong.failed(host)
            return HTMLResponse(LOGIN_PAGE, 401)
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
        """Return a `receive` that ends when the body becomes too long, whatever its header said."""
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


def _named_rightly(headers: dict[str, str], settings: ServiceSettings) -> bool:
    """Reject other sites' pages in the user's browser, by the Host and Origin headers."""
    if not is_loopback(settings.host):
        return "origin" not in headers or urlsplit(headers["origin"]).netloc == headers.get("host", "")
    name = urlsplit("//" + headers.get("host", "")).hostname or ""
    origin = urlsplit(headers["origin"]).hostname if "origin" in headers else name
    return is_loopback(name) and origin is not None and is_loopback(origin)


def _shown_token(headers: dict[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    try:
        cookie = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookie[COOKIE].value if COOKIE in cookie else ""
