"""Call records as CSV, line by line. Vets nothing but the line itself; `records` says what the columns are."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from simbench.base.calendar import from_civil
from simbench.base.errors import BadInput
from simbench.base.units import SECOND_US
from simbench.dialup.calls import Call, Calls, SetAside, calls_of, cause_of
from simbench.dialup.columns import MOST_PORT, TIMES, Told, check_columns
from simbench.dialup.kernels.row_checks import MISSING
from simbench.dialup.vetting import Aside, Ends, durations_of

LONGEST_LINE: Final = 1 << 16


def read_csv(file: BinaryIO, path: Path, aside: Aside, told: Told) -> tuple[int, Calls]:
    """Read call records from text: the number of rows, and the calls their own words support. Raises BadInput."""
    size, rows, octets = path.stat().st_size, 0, 0
    lines = iter(lambda: file.readline(LONGEST_LINE), b"")
    header, delimiter = _header(next(lines, b""), path)
    sound: list[Call] = []
    for number, line in enumerate(lines, 2):
        octets += len(line)
        if number % 50_000 == 0:
            told(octets, size)
        if not line.strip():
            continue
        rows += 1
        try:
            sound.append(_call(line, header, delimiter, number))
        except _Unfit as unfit:
            aside.add(SetAside(number, unfit.reason, unfit.text, unfit.duration_us))
    told(size, size)
    return rows, calls_of(sound)


def _header(line: bytes, path: Path) -> tuple[list[str], str]:
    try:
        text = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8").strip()
    except UnicodeDecodeError:
        raise BadInput(f"{path}: line 1", "is not UTF-8", "a header with names of columns") from None
    delimiter = max(";,\t", key=text.count)
    header = [name.strip().strip('"').lower() for name in text.split(delimiter)]
    check_columns(header, f"{path}: line 1")
    return header, delimiter


class _Unfit(Exception):
    """A line that is no call: the reason, and what stands there."""

    def __init__(self, reason: str, text: str, duration_us: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.text, self.duration_us = reason, text[:80], duration_us


def _call(line: bytes, header: list[str], delimiter: str, number: int) -> Call:
    """Read one line; what its own words do not support is unfit."""
    said = _fields(line, header, delimiter)
    start, end, lasts = _times(said)
    port, cause = _numbers(said)
    if _odd(start, end, lasts):
        one = Aside()
        durations_of(Ends(*(np.array([value]) for value in (start, end, lasts, number))), one)
        if one.rows:
            raise _Unfit(one.rows[0].reason, one.rows[0].text, one.rows[0].duration_us)
    names = {name: said.get(name, "") for name in ("nas", "user", "session")}
    return Call(start_us=start, duration_us=_lasting(start, end, lasts), port=port, cause=cause, line=number, **names)


def _fields(line: bytes, header: list[str], delimiter: str) -> dict[str, str]:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
        fields = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError as problem:
        raise _Unfit("encoding", f"octet {line[problem.start]:02X} at {problem.start + 1}") from None
    except csv.Error as problem:
        raise _Unfit("unreadable", str(problem)) from None
    if len(fields) != len(header):
        raise _Unfit("columns", f"{len(fields)} fields, {len(header)} names")
    return dict(zip(header, (field.strip() for field in fields), strict=True))


def _times(said: dict[str, str]) -> tuple[int, int, int]:
    times: dict[str, tuple[int, ...]] = {}
    for name in TIMES:
        if said.get(name):
            try:
                times[name.partition("_")[0]] = _time(name, said[name])
            except (ValueError, OverflowError):
                raise _Unfit("unreadable", f"{name} {said[name]!r}") from None
    starts, ends, lasts = (times.get(name, (MISSING,)) for name in ("start", "end", "duration"))
    if len(starts) + len(ends) > len(("start", "end")) and MISSING not in {starts[0], ends[0]}:
        starts, ends = _fitting(starts, ends, lasts[0], said)
    return starts[0], ends[0], lasts[0]


def _fitting(
    starts: tuple[int, ...], ends: tuple[int, ...], lasts: int, said: dict[str, str]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The reading of times in the hour that exists twice which makes a call. Unfit: two lengths fit."""
    fit = [(end - start, start, end) for start in starts for end in ends if end >= start]
    if lasts != MISSING:
        fit = [one for one in fit if abs(one[0] - lasts) < SECOND_US]
    if len({length for length, *_ in fit}) > 1:
        lengths = " or ".join(f"{length // SECOND_US} s" for length in sorted({one[0] for one in fit}))
        raise _Unfit("ambiguous", f"{said.get('start')} to {said.get('end')}: {lengths}", min(fit)[0])
    return ((fit[0][1],), (fit[0][2],)) if fit else (starts, ends)


def _numbers(said: dict[str, str]) -> tuple[int, int]:
    try:
        port = int(said.get("port") or -1)
        if not -1 <= port < MOST_PORT:
            raise ValueError(port)
    except ValueError:
        raise _Unfit("unreadable", f"port {said.get('port', '')!r}") from None
    return port, cause_of(said["cause"]) if said.get("cause") else 0


def _odd(start: int, end: int, lasts: int) -> bool:
    """Tell whether the times of a row need a closer look: those of most rows do not."""
    if start == MISSING or (end == MISSING) == (lasts == MISSING):
        return True
    return not 0 <= start < 1 << 60 or not 0 <= _lasting(start, end, lasts) < 1 << 60


def _lasting(start: int, end: int, lasts: int) -> int:
    return lasts if lasts != MISSING else end - start


def _time(name: str, text: str) -> tuple[int, ...]:
    """Microseconds; two instants for a civil time that exists twice."""
    if name.endswith("_us"):
        value = int(text)
    elif name == "duration_s":
        whole, _, part = text.replace(",", ".").partition(".")
        if not (part.isdigit() or not part):
            raise ValueError(text)
        sign = -1 if whole.startswith("-") else 1
        value = int(whole) * SECOND_US + sign * int((part + "000000")[:6])
    else:
        moment = datetime.fromisoformat(text)
        first, second = (from_civil(moment, fold) for fold in (0, 1))
        return (first, second) if first < second else (first,)  # in the hour that is skipped the second comes first
    if abs(value) >= 1 << 62:
        raise OverflowError
    return (value,)
