"""Addresses of programs on networks: HOST:PORT, and which hosts only this machine can reach."""

from __future__ import annotations

import ipaddress

from simbench.base.errors import BadInput


def host_and_port(text: str, place: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; brackets around an IPv6 host are taken off. Raises BadInput."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16):
        raise BadInput(place, f"is {text!r:.60}", "HOST:PORT, such as 127.0.0.1:3024")
    return host.strip("[]"), int(port)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host; names other than localhost may resolve to any address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
