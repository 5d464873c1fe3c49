"""The line protocol between the bench and a client program: one JSON object per line in each direction.

Input lines are commands, output lines are reports. Any client program that speaks it can be tested.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from simbench.client.messages import Buffered, Delivered, Outgoing, Undelivered, Withheld


class Notice(msgspec.Struct, frozen=True, tag_field="do", tag="notice", forbid_unknown_fields=True):
    """The platform will be stopped for maintenance from `start_us` to `end_us` (us since the epoch, UTC)."""

    start_us: int
    end_us: int


class Clock(msgspec.Struct, frozen=True, tag_field="do", tag="clock", forbid_unknown_fields=True):
    """The platform's clock was moved: when the monotonic clock shows `start_ns` it is `epoch_us`; same speed."""

    epoch_us: int
    start_ns: int


class Stop(msgspec.Struct, frozen=True, tag_field="do", tag="stop", forbid_unknown_fields=True):
    """Stop cleanly: wait briefly for results, close the connections, keep the rest in the spool."""


Command = Outgoing | Notice | Clock | Stop


class Ready(msgspec.Struct, frozen=True, tag_field="event", tag="ready"):
    """The client reads its input and is opening its connections."""


class Queued(msgspec.Struct, frozen=True, tag_field="event", tag="queued"):
    """The message is in the spool."""

    token: str = msgspec.field(name="ref")


class Accepted(msgspec.Struct, frozen=True, tag_field="event", tag="accepted"):
    """The SMSC accepted every segment of the message; `scts` is the time stamp of the last one accepted."""

    token: str = msgspec.field(name="ref")
    scts: str


class Refused(msgspec.Struct, frozen=True, tag_field="event", tag="refused"):
    """The SMSC refused a segment with error code `ec`; unless `final` it will be sent again."""

    token: str = msgspec.field(name="ref")
    ec: str
    final: bool


class Mo(msgspec.Struct, frozen=True, tag_field="event", tag="mo"):
    """A mobile-originated message; the key of `sender` is "from"."""

    sender: str = msgspec.field(name="from")
    code: str
    text: str


class Doubtful(msgspec.Struct, frozen=True, tag_field="event", tag="doubtful"):
    """A segment was sent without a result and will be sent again."""

    token: str = msgspec.field(name="ref")


class Error(msgspec.Struct, frozen=True, tag_field="event", tag="error"):
    """A command could not be carried out; the client continues."""

    problem: str


Report = Ready | Queued | Accepted | Refused | Delivered | Undelivered | Buffered | Withheld | Mo | Doubtful | Error

Line = TypeVar("Line")

_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_reports: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
_encoder = msgspec.json.Encoder()


def parse_command(line: bytes) -> Command:
    """Parse an input line. Raises msgspec.DecodeError (or its ValidationError) with the problem and its place."""
    return _read(_commands, line)


def parse_report(line: bytes) -> Report:
    """Parse an output line, for the bench. Raises msgspec.DecodeError with the problem and its place."""
    return _read(_reports, line)


def _read(decoder: msgspec.json.Decoder[Line], line: bytes) -> Line:
    try:
        return decoder.decode(line)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from None


def write(line: Command | Report) -> bytes:
    """Encode a line, with its line feed."""
    return _encoder.encode(line) + b"\n"
