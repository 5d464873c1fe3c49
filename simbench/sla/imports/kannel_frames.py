"""Log lines of a file in any of its framings: plain, syslog, docker's JSON, docker compose, a container runtime.

A line is its text with an instant: Kannel's own stamp if present, otherwise the stamp of the framing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from simbench.base.calendar import us_of
from simbench.base.errors import BadInput
from simbench.base.units import DAY_US, SECOND_US
from simbench.tables.instants import FIRST_YEAR, LAST_YEAR, NoZone
from simbench.tables.rows import RejectedRow

LONGEST_TEXT: Final = 160_000  # octets of the longest text: 255 parts of 153 characters, four octets each

_OWN = re.compile(r"(?P<own>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d{1,6})?) (?P<rest>\S.*)", re.DOTALL)
_ISO = r"(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"
_TAG = r"\S+ (?:[^\s:\[\]]+)(?:\[\d+\])?: ?"
_CARRIERS: Final = (
    re.compile(rf"(?:<\d+>)?(?P<bsd>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) {_TAG}(?P<rest>.*)", re.DOTALL),
    re.compile(rf"(?:<\d+>)?{_ISO} {_TAG}(?P<rest>.*)", re.DOTALL),
    re.compile(rf"<\d+>1 {_ISO} \S+ \S+ \S+ \S+ (?:-|\[.*?\]) (?P<rest>.*)", re.DOTALL),
    re.compile(rf"{_ISO} (?:std(?:out|err) [FP] )?(?P<rest>.*)", re.DOTALL),
)
_COMPOSE = re.compile(r"(?:[\w.-]+ *\| )+(?P<rest>.*)", re.DOTALL)
_TEXT = re.compile(rb"\[msg:(\d{1,9}):")
_ACCESS = re.compile(rb"(?:Sent|Receive|FAILED|Failed|Rejected|DLR)[A-Za-z ]{0,20} \[SMSC:")


class Line(msgspec.Struct, frozen=True):
    """One line: its number in the file, its instant (us), and its text."""

    number: int
    at: int
    text: str


class Clock(msgspec.Struct):
    """Converts stamps to instants in order; a stamp that goes back is noted and set to the last instant.

    The hour repeated in October is read as its second occurrence once the first is over. `year` is the year of
    syslog's stamps, which name none; it increases when they go back by months.
    """

    zone: tzinfo | None
    year: int = 0
    last: int = 0
    jumps: list[tuple[int, int, int]] = []  # line, instant, and how far the clock went back (us)
    without_year: bool = False

    def read(self, found: re.Match[str], line: int) -> int | None:
        """Return the instant of a line's stamp, None if it is not a time. Raises NoZone if no time zone is known."""
        stamp = found.groupdict()
        try:
            if stamp.get("iso"):
                return self._held(us_of(datetime.fromisoformat(stamp["iso"])), line)
            if stamp.get("bsd"):
                return self._without_year(stamp["bsd"], line)
            return self._civil(datetime.fromisoformat(stamp["own"].replace(",", ".")), line)
        except (ValueError, OverflowError) as problem:
            if isinstance(problem, BadInput):
                raise
            return None

    def _without_year(self, text: str, line: int) -> int | None:
        self.without_year = True
        return self._civil(datetime.strptime(f"{self.year} {text}", "%Y %b %d %H:%M:%S"), line, months=True)

    def _civil(self, moment: datetime, line: int, *, months: bool = False) -> int | None:
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return None
        if self.zone is None:
            raise NoZone(f"line {line}", "its times say no time zone", "the option --tz, as in --tz Europe/Paris")
        at = us_of(moment.replace(tzinfo=self.zone))
        if months and self.last - at > 180 * DAY_US:
            self.year += 1
            return self._civil(moment.replace(year=self.year), line)
        if at < self.last:
            again = us_of(moment.replace(tzinfo=self.zone, fold=1))
            at = again if again >= self.last else at
        return self._held(at, line)

    def _held(self, at: int, line: int) -> int:
        if at < self.last:
            if self.last - at > SECOND_US:  # threads write out of order within a second
                self.jumps.append((line, self.last, self.last - at))
            return self.last
        self.last = at
        return at


def stamped(text: str) -> tuple[re.Match[str], str] | None:
    """Return the stamp of a line as a match of `own`, `bsd` or `iso`, and the text after it; None without a stamp."""
    compose = _COMPOSE.match(text)
    text = compose["rest"] if compose else text
    own = _OWN.fullmatch(text)
    if own:
        return own, own["rest"]
    for carrier in _CARRIERS:
        found = carrier.fullmatch(text)
        if found:
            own = _OWN.fullmatch(found["rest"])
            return (own, own["rest"]) if own else (found, found["rest"])
    return None


def texts(octets: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line: extracted from docker's JSON, with all lines of a message's text.

    The access log writes texts unchanged, line feeds included, after their length: everything within that length is
    text.
    """
    pending, started = "", 0
    for number, raw in _whole(octets):
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not text.startswith("{"):
            yield number, text
            continue
        piece, stamp = _of_json(text)
        if piece is None:
            yield number, text
            continue
        started = started or number
        pending += piece
        if piece.endswith("\n"):
            line = pending.rstrip("\r\n")
            yield started, line if _OWN.fullmatch(line) or not stamp else f"{stamp} {line}"
            pending, started = "", 0
    if pending:
        yield started, pending


def _of_json(text: str) -> tuple[str | None, str]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None, ""
    piece, stamp = (record.get(key) for key in ("log", "time")) if isinstance(record, dict) else (None, None)
    return (piece, stamp if isinstance(stamp, str) else "") if isinstance(piece, str) else (None, "")


def _whole(octets: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    lines = enumerate(octets, 1)
    for number, line in lines:
        whole = line
        found = _TEXT.search(line) if _ACCESS.search(line) else None
        length = int(found[1]) if found else 0
        if found and length <= LONGEST_TEXT:
            ends = found.end() + length
            while len(whole) <= ends or not whole.endswith(b"\n"):
                after = next(lines, None)
                if after is None:
                    break
                whole += after[1]
        yield number, whole


def lines(octets: Iterable[bytes], clock: Clock, reject: Callable[[RejectedRow], object]) -> Iterator[Line]:
    """Yield the lines that have an instant, in order; the others go to `reject`."""
    for number, text in texts(octets):
        found = stamped(text)
        at = clock.read(found[0], number) if found else None
        if found is None or at is None:
            if text.strip():
                reject(RejectedRow(number, "has no time at its beginning that can be read"))
            continue
        yield Line(number, at, found[1])


def year_of(us: int) -> int:
    """Return the year of an instant, UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).year
