"""The token of the service: how a request shows it, and how many wrong ones are checked.

A browser keeps a digest of the token in a cookie, since a cookie cannot contain every character of a token. Cookies of
one host belong to all its ports; therefore the port is in the cookie's name.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from fake_smsc.server.login_throttle import LoginThrottle

COOKIE: Final = "simbench_token"  # and the port
REMEMBERED: Final = 10_000  # wrong tokens
ACCOUNT: Final = "token"  # the one account of the throttle


class Tokens:
    """Compares every token with the right one, which is always accepted; others' wrong tokens shut nobody out.

    A wrong token counts once, as repeating it is no further guess. After too many an address gets other answers, until
    it shows the right one.
    """

    def __init__(self, token: str, wrong_per_min: int, *, secure: bool) -> None:
        self._token, self._secure = token, secure
        self._wrong = LoginThrottle(wrong_per_min)
        self._counted: dict[bytes, None] = {}  # digests of wrong tokens, the latest last

    def refuses(self, host: str) -> bool:
        """Return whether too many different wrong tokens came from the block of an address, or from all."""
        return bool(self._token) and self._wrong.refuses(host, ACCOUNT)

    def shown(self, headers: dict[str, str], host: str) -> bool:
        """Return whether a request shows the token; a wrong one is counted."""
        bearer = _bearer(headers)
        if bearer:
            return self.entered(bearer, host)
        return self._checked(_cookie(headers), _digest(self._token).hex(), host)

    def entered(self, token: str, host: str) -> bool:
        """Return whether this is the token; a wrong one is counted."""
        return self._checked(token, self._token, host)

    def keep(self, answer: Response, headers: dict[str, str]) -> None:
        """Make the browser keep the token."""
        answer.set_cookie(
            _name(headers), _digest(self._token).hex(), httponly=True, samesite="strict", secure=self._secure
        )

    def forget(self, answer: Response, headers: dict[str, str]) -> None:
        """Make the browser delete a wrong token, if it sent one."""
        if _cookie(headers):
            answer.delete_cookie(_name(headers), httponly=True, samesite="strict", secure=self._secure)

    def _checked(self, shown: str, right: str, host: str) -> bool:
        if not shown:
            return False
        if compare_digest(shown.encode("utf-8", "replace"), right.encode()):
            self._wrong.succeeded(host, ACCOUNT)
            return True
        digest = _digest(shown)
        if digest not in self._counted:
            self._wrong.failed(host, ACCOUNT)
        self._counted.pop(digest, None)
        self._counted[digest] = None
        if len(self._counted) > REMEMBERED:
            del self._counted[next(iter(self._counted))]
        return False


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()


def _name(headers: dict[str, str]) -> str:
    """The cookie's name for the port that the browser sees."""
    try:
        port = urlsplit("//" + headers.get("host", "")).port
    except ValueError:
        port = None
    return f"{COOKIE}_{port}" if port is not None else COOKIE


def _bearer(headers: dict[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: dict[str, str]) -> str:
    own = _name(headers)
    for part in headers.get("cookie", "").split(";"):  # the library's reader takes the square of a cookie's length
        name, _, value = part.strip().partition("=")
        if name == own:
            return value
    return ""


__all__ = ["COOKIE", "Tokens"]
