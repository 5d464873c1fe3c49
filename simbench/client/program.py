"""The links of the reference client, controlled by input lines; they report in output lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from simbench.base.errors import SimbenchError
from simbench.client import lines, messages
from simbench.client.compliance import StopList
from simbench.client.core import Core
from simbench.client.environment import Settings
from simbench.client.shell import GivenClock, Link
from simbench.client.spool import Spool

# The output line for each event of a core; events not named here are internal.
LINES: dict[type, Callable[[Any], lines.Report | None]] = {
    messages.Queued: lambda e: lines.Queued(e.message.token),
    messages.Accepted: lambda e: lines.Accepted(e.token, e.scts) if e.complete else None,
    messages.Refused: lambda e: lines.Refused(e.token, e.ec, e.final),
    messages.Delivered: lambda e: e,
    messages.Undelivered: lambda e: e,
    messages.Buffered: lambda e: e,
    messages.Withheld: lambda e: e,
    messages.MoReceived: lambda e: lines.Mo(e.sender, e.code, e.text),
    messages.Doubtful: lambda e: lines.Doubtful(e.token),
}


class Program:
    """The links of a client between its input and its output."""

    def __init__(self, settings: Settings, write: Callable[[bytes], None]) -> None:
        self._write = write
        self.stopping = asyncio.Event()
        self.failure: SimbenchError | None = None
        self._spool = Spool(settings.spool)
        self._clock = settings.outside.clock
        stops = StopList(settings.links[0].knows.plan, self._spool.stops())
        make = _core_class(settings.faults)
        self._links = {
            config.code: Link(make(config, stops), self._spool, settings.outside, self._report)
            for config in settings.links
        }
        self._rest = b""
        self._unwritten = bytearray()

    def start(self) -> None:
        """Start connecting, and report that input is read."""
        self._say(lines.Ready())
        for link in self._links.values():
            link.turn()

    def fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the client after an error in a callback: unrecorded work must not continue."""
        error = context.get("exception")
        if isinstance(error, SimbenchError):
            self.failure = error
            self.stopping.set()
        else:
            loop.default_exception_handler(context)

    async def end(self) -> None:
        """Close all links cleanly, and the spool."""
        await asyncio.gather(*(link.end() for link in self._links.values()))
        self._flush()
        self._spool.close()

    def feed(self, octets: bytes) -> None:
        """Carry out the lines these octets complete; the end of input (no octets) ends the client."""
        *whole, self._rest = (self._rest + (octets or b"\n")).split(b"\n")
        touched = {link for line in whole if line.strip() and (link := self._obey(line)) is not None}
        for link in touched:
            link.turn()
        if not octets:
            self.stopping.set()

    def _obey(self, line: bytes) -> Link | None:
        """Carry out one line; return the link that then needs a `turn`."""
        try:
            command = lines.parse_command(line)
        except msgspec.DecodeError as error:
            self._say(lines.Error(f"{error}: {line[:200].decode(errors='replace')}"))
            return None
        if isinstance(command, lines.Stop):
            self.stopping.set()
        elif isinstance(command, lines.Notice):
            self.announce(command.start_us, command.end_us)
        elif isinstance(command, lines.Clock):
            self._move_clock(command)
        if not isinstance(command, messages.Outgoing):
            return None
        link = self._links.get(command.code)
        if link is None:
            self._say(lines.Error(f"{command.token}: no account for code {command.code}"))
        elif not link.submit(command):
            self._say(lines.Error(f"{command.token}: a message with this token was already accepted"))
        return link

    def _move_clock(self, command: lines.Clock) -> None:
        if not isinstance(self._clock, GivenClock):
            self._say(lines.Error("clock: the wall clock cannot be moved"))
            return
        self._clock.move(command.epoch_us, command.start_ns)
        self.clock_moved()

    def clock_moved(self) -> None:
        """Tell all links that the clock was stepped forward."""
        for link in self._links.values():
            link.clock_moved()

    def announce(self, start: int, end: int) -> None:
        """Announce maintenance between two instants."""
        for link in self._links.values():
            link.announce(start, end)

    def _report(self, event: messages.Event) -> None:
        say = LINES.get(type(event))
        line = say(event) if say else None
        if line is not None:
            self._say(line)

    def _say(self, line: lines.Report) -> None:
        """Collect lines, to write those of one turn of the loop together."""
        if not self._unwritten:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unwritten += lines.write(line)

    def _flush(self) -> None:
        try:
            self._write(bytes(self._unwritten))
        except BrokenPipeError:  # the reader is gone
            self.stopping.set()
        self._unwritten.clear()


def _core_class(faults: tuple[str, ...]) -> Callable[[messages.LinkConfig, StopList], Core]:
    if not faults:
        return Core
    from simbench.client.faults import faulty  # noqa: PLC0415 - the correct client does not load its faults

    return faulty(faults)
