"""The journal of an accounting run as JSON lines: every due record, its datagrams, and its answer.

The first line describes the run; each record gets a line when it is answered, given up or withheld; the last line marks
the end. Without it the run was interrupted, and requests that were open then are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from simbench.base.errors import BadInput, Trouble
from simbench.base.inputs import bounded_lines, open_input
from simbench.base.json_files import NOT_READ
from simbench.base.outputs import own_folder, owned
from simbench.base.text import count
from simbench.dialup.radius.plan import Planned


class Started(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="run", tag_field="line"):
    """The settings of a run. `speed` 0: as fast as accepted. Instants in us, UTC, by this machine's clock."""

    version: str
    server: str
    started_us: int
    seed: int
    faults: tuple[str, ...]
    window: int
    ports: int
    retransmissions: int
    speed: float


class Try(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One datagram: the instant of sending (us, UTC), its source port, identifier and Acct-Delay-Time."""

    sent_us: int
    port: int
    identifier: int
    delay_s: int


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="record", tag_field="line", omit_defaults=True):
    """The delivery of one record: its datagrams, and when it was answered (us, UTC; -1: never)."""

    planned: Planned
    tries: tuple[Try, ...] = ()
    answered_us: int = -1


class Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end", tag_field="line"):
    """The end of a run, with counts of datagrams that are not answers: `unsigned` ones have an authenticator of another
    secret, `stray` ones belong to no open request. `refused`: the host reported that no server listens.
    """

    finished_us: int
    records: int
    unsigned: int
    stray: int
    refused: int


Line = Started | Sent | Ended
_LINES = msgspec.json.Decoder(Line)


class Journal:
    """A journal being written. Raises BadInput if the file exists or cannot be written."""

    def __init__(self, path: Path) -> None:
        try:
            own_folder(path.parent)
            self._file = owned(path, "xb", buffering=1 << 16)
        except OSError as problem:
            raise BadInput(str(path), problem.strerror or str(problem), "a file that does not exist yet") from None
        self._path = path
        self._encoder = msgspec.json.Encoder()

    def append(self, line: Line) -> None:
        """Add a line; the file is written in pieces of 64 kB. Raises Trouble if the disk is full."""
        try:
            self._file.write(self._encoder.encode(line) + b"\n")
        except OSError as problem:
            raise Trouble(f"{self._path} cannot be written: {problem.strerror or problem}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._file.close()
        except OSError as problem:
            if error is None:
                raise Trouble(f"{self._path} cannot be written: {problem.strerror or problem}") from None


@dataclass(frozen=True)
class RecordedRun:
    """A journal that was read. `end` is None if the run was interrupted."""

    run: Started
    sent: list[Sent]
    end: Ended | None


def read_journal(path: Path) -> RecordedRun:
    """Read a complete journal; an incomplete last line is skipped. Raises BadInput, which names the line."""
    run: Started | None = None
    end: Ended | None = None
    sent: list[Sent] = []
    try:
        with open_input(path) as file:
            for number, octets in enumerate(bounded_lines(file), start=1):
                if not octets.endswith(b"\n"):
                    break
                place = f"{path}, line {number}"
                try:
                    line = _LINES.decode(octets)
                except NOT_READ as problem:
                    raise BadInput(place, str(problem), "a line of an accounting journal") from None
                if end is not None or (number == 1) != isinstance(line, Started):
                    raise BadInput(place, f"a {type(line).__name__} line", "one run, its records, one end")
                if isinstance(line, Sent):
                    sent.append(line)
                elif isinstance(line, Ended):
                    end = line
                else:
                    run = line
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a journal of simbench") from None
    if run is None:
        raise BadInput(str(path), "has no first line", "a journal of simbench")
    if end is not None and end.records != len(sent):
        raise BadInput(str(path), f"has {count(len(sent), 'record')}", f"the {end.records} its last line counts")
    return RecordedRun(run, sent, end)
