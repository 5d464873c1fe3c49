"""Recognises other protocols by the first octets of a connection.

Sources: SMPP 3.4 sections 3.2 and 5.1.2.1, RFC 9112 (HTTP), RFC 8446 (TLS records), RFC 4253 (SSH), RFC 854 (Telnet),
CIMD 2 (a frame begins with operation and number), RFC 5321 (SMTP).
"""

from __future__ import annotations

import re
from typing import Final

_SMPP_COMMANDS: Final = {
    0x1: "bind_receiver", 0x2: "bind_transmitter", 0x4: "submit_sm", 0x5: "deliver_sm", 0x6: "unbind",
    0x9: "bind_transceiver", 0xB: "outbind", 0x15: "enquire_link",
}  # fmt: skip
_SMPP_HEADER, _SMPP_LONGEST = 16, 1 << 16  # octets
_BEGINNINGS: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("an HTTP request", re.compile(rb"(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT|TRACE) \S")),
    ("HTTP/2", re.compile(rb"PRI \* HTTP/2")),
    ("an HTTP response", re.compile(rb"HTTP/\d")),
    ("TLS", re.compile(rb"\x16\x03[\x00-\x04]")),
    ("SSH", re.compile(rb"SSH-\d")),
    ("the PROXY protocol", re.compile(rb"PROXY (?:TCP|UNKNOWN)|\r\n\r\n\x00\r\nQUIT\n")),
    ("Telnet", re.compile(rb"\xff[\xfb-\xfe]")),
    ("SMTP", re.compile(rb"(?:EHLO|HELO) \S", re.IGNORECASE)),
    ("CIMD", re.compile(rb"\x02\d{2}:\d{3}[\t\x03]")),
)
LOOKED_AT: Final = 64  # octets needed


def protocol_of(octets: bytes) -> str:
    """Return the name of the protocol these octets begin with; "" if unknown."""
    if len(octets) >= _SMPP_HEADER:
        length, command = int.from_bytes(octets[:4], "big"), int.from_bytes(octets[4:8], "big")
        name = _SMPP_COMMANDS.get(command & 0x7FFF_FFFF)
        if name and _SMPP_HEADER <= length < _SMPP_LONGEST:
            return f"SMPP ({name})"
    return next((name for name, pattern in _BEGINNINGS if pattern.match(octets)), "")
