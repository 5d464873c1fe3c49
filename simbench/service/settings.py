"""Settings of the service: address, access and limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path

import msgspec

from fake_smsc.server.network import tls_context
from simbench.base.addresses import is_loopback
from simbench.base.errors import BadInput
from simbench.base.inputs import read_octets

SHORTEST_TOKEN = 16
MOST_TOKEN_OCTETS = 64_000  # of its file

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Limits(msgspec.Struct, frozen=True):
    """Limits for one client address, and for concurrent requests."""

    body_octets: int = 32_000
    requests_per_s: int = 500
    burst: int = 1_000
    wrong_tokens_per_min: int = 10
    concurrent: int = 64
    waits: int = 32  # most requests at a time that wait for an event
    downloads: int = 4  # requests at a time that are answered at length
    login_s: float = 5.0  # longest time for receiving the login form
    body_s: float = 10.0  # until any other body is here
    found: int = 1_000  # most messages in one response
    wait_s: float = 60.0
    judged_rows: int = 100_000  # latest reads and writes used for findings
    searched_s: float = 60.0  # time after the last search at which its memory is released
    followed_messages: int = 500_000  # an open phone page refreshes automatically up to this number


class ServiceSettings(msgspec.Struct, frozen=True):
    """One service. `token` "" is for loopback only; an empty `allow` admits every address."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    allow: tuple[Network, ...] = ()
    console: bool = False
    certificate: Path | None = None
    key: Path | None = None
    limits: Limits = Limits()

    @property
    def scheme(self) -> str:
        """http, or https with a certificate."""
        return "https" if self.certificate else "http"


def read_token(path: Path | None) -> str:
    """Return the token in a file's first line, "" without a file. Raises BadInput if unreadable or too short."""
    if path is None:
        return ""
    try:
        lines = read_octets(path, MOST_TOKEN_OCTETS, inherited=True).decode("ascii").splitlines()
    except (OSError, ValueError) as error:
        raise BadInput(f"--token-file {path}", getattr(error, "strerror", "") or "no text", "a token") from None
    token = lines[0].strip() if lines else ""
    if len(token) < SHORTEST_TOKEN or not token.isprintable() or " " in token:
        expected = f"{SHORTEST_TOKEN} characters or more without a space, like the output of `openssl rand -hex 16`"
        raise BadInput(f"--token-file {path}", "token missing or too short", expected)
    return token


def networks(written: Iterable[str]) -> tuple[Network, ...]:
    """Parse addresses and networks that may connect. Raises BadInput."""
    try:
        return tuple(ipaddress.ip_network(each, strict=False) for each in written)
    except ValueError as error:
        raise BadInput("allowed address", str(error), "an address or network like 192.0.2.0/24") from None


def check(settings: ServiceSettings) -> ServiceSettings:
    """Return the settings if they are safe. Raises BadInput for a public address without a token."""
    if (settings.certificate is None) != (settings.key is None):
        raise BadInput("--tls-cert and --tls-key", "one without the other", "both, or neither")
    if settings.certificate is not None and settings.key is not None:
        tls_context(settings.certificate, settings.key)
    if not is_loopback(settings.host) and not settings.token:
        raise BadInput(f"API on {settings.host}", "no token", "--token-file FILE")
    return settings
