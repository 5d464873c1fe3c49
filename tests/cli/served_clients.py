"""Small clients of a served platform, each with one thing wrong with it: bare sockets, no part of the bench's own."""

from __future__ import annotations

import contextlib
import math
import re
import socket
import time
from collections.abc import Callable

from simbench.ucp.content import compose
from simbench.ucp.frame import encode
from simbench.ucp.operations import build

CODE = "36010"
WAIT_S = 120.0
BEFORE = 10  # submits before a client is cut off
TEXT = re.compile(rb"\x02(\d\d)/\d{5}/O/52/")  # the start of a subscriber's text, with its TRN


def login(port: int, code: str = CODE) -> socket.socket:
    """A connection with its session open."""
    line = socket.create_connection(("127.0.0.1", port), WAIT_S)
    fields = {"OAdC": code, "OTON": "6", "ONPI": "5", "STYP": "1", "PWD": b"secret".hex().upper(), "VERS": "0100"}
    line.sendall(build("60", "O", 0, **fields))
    assert b"/R/60/A" in line.recv(1000)
    return line


def submit(number: int, **fields: str) -> bytes:
    """A submit to a number of its own."""
    part = compose(f"Bonjour {number}")[0]
    own = {"AdC": f"3363998{number % 6000:04d}", "OAdC": CODE, "MT": part.mt, "Msg": part.msg}
    return build("51", "O", 1 + number % 99, **{**own, **fields})


def windowed(line: socket.socket, count: float, per_s: float, window: int = 10) -> None:
    """So many submits at a pace, with at most a window of them unanswered, until all have their results.

    Texts of subscribers are acknowledged. Raises ConnectionError if the server ends the connection before.
    """
    start, sent, answered = time.monotonic(), 0, 0
    line.settimeout(0.01)
    while answered < count:
        while sent < count and sent - answered < window and time.monotonic() - start >= sent / per_s:
            line.sendall(submit(sent))
            sent += 1
        with contextlib.suppress(TimeoutError):
            octets = line.recv(65536)
            if not octets:
                raise ConnectionAbortedError(f"{answered} of {sent} answered")
            answered += octets.count(b"/R/51/")
            for trn in TEXT.findall(octets):
                line.sendall(encode(trn.decode(), "R", "52", "A///"))
        assert time.monotonic() - start < 3 * WAIT_S, f"{answered} of {sent} answered"


def over_tier(port: int) -> None:
    """Three times the tier of ten a second."""
    with login(port) as line:
        windowed(line, 120, 30)


def over_tier_until_the_end(port: int) -> None:
    """The same until the server ends the connection."""
    with login(port) as line, contextlib.suppress(ConnectionError):
        windowed(line, math.inf, 30)


def slow_answers(port: int) -> None:
    """Half the tier, one after another."""
    with login(port) as line:
        windowed(line, 40, 5, window=1)


def empty_originator(port: int) -> None:
    """A submit without originator, and one before any login."""
    with login(port) as line:
        line.sendall(submit(1, OAdC=""))
        assert b"/R/51/N" in line.recv(1000)
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as bare:
        bare.sendall(submit(2))
        assert b"/R/51/N" in bare.recv(1000)


def sends_twice(port: int) -> None:
    """The same submit on two connections; it is unknown whether it was requested twice."""
    for _ in range(2):
        with login(port) as line:
            line.sendall(submit(7))
            assert b"/R/51/A" in line.recv(1000)


def until_cut_off(port: int, then: Callable[[int], None]) -> None:
    """Some submits, wait until the connection is ended, then do something else."""
    with login(port) as line:
        line.settimeout(WAIT_S)
        for number in range(BEFORE):
            line.sendall(submit(number))
        with contextlib.suppress(ConnectionError):
            while line.recv(65536):
                pass
    then(port)


def storm(port: int, attempts: int = 60) -> None:
    """Tries again at once whenever it is refused."""

    def hammer(port: int) -> None:
        for _ in range(attempts):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), WAIT_S).close()
            time.sleep(0.005)

    until_cut_off(port, hammer)


def leaves(port: int) -> None:
    """Never comes back."""
    until_cut_off(port, lambda _: None)


def wrong_protocol(port: int) -> None:
    """An SMPP bind, an HTTP request, a frame without its end."""
    smpp = (26).to_bytes(4) + (0x15).to_bytes(4) + bytes(4) + (1).to_bytes(4) + bytes(10)
    for octets in (smpp, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", submit(1)[:-1]):
        with socket.create_connection(("127.0.0.1", port), WAIT_S) as line:
            line.sendall(octets)
            line.settimeout(1)
            with contextlib.suppress(TimeoutError, ConnectionError):
                line.recv(100)
