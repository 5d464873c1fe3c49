"""Calls from a file of any kind, for whatever reads calls.

The same validation applies to every kind: it sets invalid calls aside with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from simbench.base.errors import BadInput, NothingRead
from simbench.base.inputs import open_input, read_octets
from simbench.capture.files import is_capture_file
from simbench.capture.udp import Datagrams
from simbench.dialup.calls import SetAside
from simbench.dialup.offer import Offer
from simbench.dialup.radius.captured import Captured
from simbench.dialup.radius.detail import read_detail
from simbench.dialup.radius.pairing import Clock, pair
from simbench.dialup.radius.record import Heard
from simbench.dialup.records import Found, Records, read_records, validated
from simbench.dialup.validation import RejectedRows
from simbench.tables.rows import check_rejected

ACCOUNTING_PORTS: Final = (1813,)
MOST_SECRET: Final = 64_000  # octets of the file of a secret
STEP: Final = 10_000  # records between two progress reports
_LOOKED_AT: Final = 4_096  # octets
_INDENTED: Final = re.compile(rb"(?:\t|[ \t]+\S+ [:+]?=)")  # an attribute; editors make spaces of a tab


class Reading(NamedTuple):
    """Options of reading: months ("": that of most calls), clock, and the secret of a capture (b"": none).

    `clock` gives the times of accounting records: "reception" or "event"; `ports` are those of the RADIUS server.
    """

    months: str = ""
    clock: Clock = "reception"
    secret: bytes = b""
    ports: tuple[int, ...] = ACCOUNTING_PORTS


def read_calls(
    path: Path, offer: Offer, how: Reading, progress: Callable[[int, int], object] = lambda _done, _all: None
) -> Records:
    """Read valid calls of call records, a `detail` file or a capture; the rest is set aside. Raises BadInput."""
    if not is_capture_file(path):
        if path.is_file() and is_detail(path):
            return accounted(path, read_detail(path), offer, how, progress)
        return read_records(path, offer, how.months, progress)
    datagrams = Datagrams(path, how.ports)
    captured = Captured(datagrams, how.ports, how.secret, path.name)
    try:
        records = accounted(path, captured, offer, how, progress)
    except NothingRead:
        raise NothingRead(_unseen(path, datagrams, how.ports)) from None
    if not records.rows:
        raise NothingRead(_unseen(path, datagrams, how.ports))
    return records


def is_detail(path: Path) -> bool:
    """Tell whether a file is a detail file: its second line is indented. Raises BadInput: it cannot be read."""
    try:
        with open_input(path) as file:
            head = file.read(_LOOKED_AT)
    except OSError as problem:
        expected = "calls: records, a detail file, a capture"
        raise BadInput(str(path), problem.strerror or str(problem), expected) from None
    lines = head.lstrip(b"\r\n").split(b"\n")
    return len(lines) > 1 and head[:4] != b"PAR1" and bool(_INDENTED.match(lines[1]))


def _unseen(path: Path, datagrams: Datagrams, ports: tuple[int, ...]) -> str:
    """Return why no record was read, with the ports that seem to carry accounting."""
    named = " or ".join(map(str, ports))
    others = sorted(port for port in datagrams.accounting if port not in ports)
    tip = f"; Accounting-Requests go to port {', '.join(map(str, others))}: name it with --port" if others else ""
    unread = f"; {datagrams.unread:,} of {datagrams.packets:,} packets hold no UDP" if datagrams.unread else ""
    return f"{path}: no datagram to UDP port {named}, so nothing was read{tip}{unread}"


def accounted(
    path: Path,
    found: Iterable[Heard | SetAside],
    offer: Offer,
    how: Reading,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> Records:
    """Pair accounting records already read to calls; several records make a call."""
    rows = torn = 0
    first = ""

    def counted() -> Iterator[Heard | SetAside]:
        nonlocal rows, torn, first
        for rows, each in enumerate(found, start=1):
            if isinstance(each, SetAside):
                torn, first = torn + 1, first or f"line {each.line}: {each.text}"
                check_rejected(path, torn, rows - torn, first)
            if rows % STEP == 0:
                progress(rows, 0)
            yield each

    paired, aside = pair(counted(), how.clock, offer.terms.records.longest_s), RejectedRows()
    for row in paired.aside:
        aside.add(row)
    return validated(Found(path, rows, paired.columns(), aside, paired), offer, how.months)


def secret_in(path: Path | None) -> bytes:
    """Read the shared secret in a file of one line, b"" without a file. Raises BadInput."""
    if path is None:
        return b""
    try:
        secret = read_octets(path, MOST_SECRET, inherited=True).rstrip(b"\r\n")
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a file with the shared secret") from None
    if not secret or b"\n" in secret:
        raise BadInput(str(path), "contains no secret" if not secret else "has several lines", "one line, the secret")
    return secret
