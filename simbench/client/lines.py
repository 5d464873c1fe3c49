"""The line protocol between the bench and a client program: one JSON object a line each way. Interprets nothing.

In: what to do. Out: what happened. Any client program that speaks it can be put under test.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec


class Send(msgspec.Struct, frozen=True, tag_field="do", tag="send", forbid_unknown_fields=True):
    """Send `text` to `to` from short code `code`. `traffic` is written "class"; `oadc` asks for another sender.

    `opted_in`: the recipient agreed to marketing. `traits`: "all-free" (everything promoted is free), "presence" (the
    recipient comes from a presence list), "optout-told" (told of the opt-out when his number was collected).
    """

    ref: str
    code: str
    to: str
    text: str
    traffic: str = msgspec.field(name="class", default="service")
    brand: str = ""
    oadc: str | None = None
    validity_s: int | None = None
    opted_in: bool = True
    traits: tuple[str, ...] = ()


class Notice(msgspec.Struct, frozen=True, tag_field="do", tag="notice", forbid_unknown_fields=True):
    """The platform will be stopped for maintenance from `start_us` to `end_us` (us since the epoch, UTC)."""

    start_us: int
    end_us: int


class Clock(msgspec.Struct, frozen=True, tag_field="do", tag="clock", forbid_unknown_fields=True):
    """The platform's clock was moved: at `start_ns` of the monotonic clock it shows `epoch_us`; its speed stays."""

    epoch_us: int
    start_ns: int


class Stop(msgspec.Struct, frozen=True, tag_field="do", tag="stop", forbid_unknown_fields=True):
    """End cleanly: wait briefly for results, close the connections, keep the rest in the spool."""


Command = Send | Notice | Clock | Stop


class Ready(msgspec.Struct, frozen=True, tag_field="event", tag="ready"):
    """The client reads its input; its connections are being made."""


class Queued(msgspec.Struct, frozen=True, tag_field="event", tag="queued"):
    """The message is in the spool."""

    ref: str


class Accepted(msgspec.Struct, frozen=True, tag_field="event", tag="accepted"):
    """The SMSC took every segment of the message; `scts` is the time stamp of the last one taken."""

    ref: str
    scts: str


class Refused(msgspec.Struct, frozen=True, tag_field="event", tag="refused"):
    """The SMSC refused a segment with error code `ec`; unless `final` it will be tried again."""

    ref: str
    ec: str
    final: bool


class Delivered(msgspec.Struct, frozen=True, tag_field="event", tag="delivered"):
    """Every segment reached the recipient."""

    ref: str
    reason: str


class Undelivered(msgspec.Struct, frozen=True, tag_field="event", tag="undelivered"):
    """The message will not reach its recipient."""

    ref: str
    reason: str


class Buffered(msgspec.Struct, frozen=True, tag_field="event", tag="buffered"):
    """The message waits in the SMSC."""

    ref: str
    reason: str


class Withheld(msgspec.Struct, frozen=True, tag_field="event", tag="withheld"):
    """The client will not send the message, for this reason."""

    ref: str
    reason: str


class Mo(msgspec.Struct, frozen=True, tag_field="event", tag="mo"):
    """A mobile originated message came in; `sender` is written "from"."""

    sender: str = msgspec.field(name="from")
    code: str
    text: str


class Doubtful(msgspec.Struct, frozen=True, tag_field="event", tag="doubtful"):
    """A segment left without a result and will be sent again."""

    ref: str


class Error(msgspec.Struct, frozen=True, tag_field="event", tag="error"):
    """A line could not be obeyed; the client goes on."""

    problem: str


Report = Ready | Queued | Accepted | Refused | Delivered | Undelivered | Buffered | Withheld | Mo | Doubtful | Error

Line = TypeVar("Line")

_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_reports: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)
_encoder = msgspec.json.Encoder()


def parse_command(line: bytes) -> Command:
    """One line of input. Raises msgspec.DecodeError (or its ValidationError) naming what is wrong and where."""
    return _read(_commands, line)


def parse_report(line: bytes) -> Report:
    """One line of output, for the bench's end. Raises msgspec.DecodeError naming what is wrong and where."""
    return _read(_reports, line)


def _read(decoder: msgspec.json.Decoder[Line], line: bytes) -> Line:
    try:
        return decoder.decode(line)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from None


def write(line: Command | Report) -> bytes:
    """The line, with its line feed."""
    return _encoder.encode(line) + b"\n"
