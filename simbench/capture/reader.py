"""A capture read into a ledger: `wire` rows as if we had listened ourselves, and what the capture lacks as `story`.

Holds a bounded part of the file and of each connection, however long the capture is. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from simbench.capture.files import CaptureFile, Readable
from simbench.capture.layers import LINK_NAMES, LINKS, segment_of
from simbench.capture.quality import Summary, tell
from simbench.capture.streams import Streams
from simbench.errors import BadInput
from simbench.ledger.rows import Rows
from simbench.ledger.writer import AnyLedger

Pause = Callable[[], object]
PACKETS_A_PAUSE: Final = 50_000


def to_ledger(path: Path, ledger: AnyLedger, port: int | None = None) -> Summary:
    """`read_capture` into a ledger, waiting for its disk now and then so that rows do not pile up."""
    return read_capture(path, ledger.wire, ledger.story, port, ledger.flush)


def read_capture(path: Path, wire: Rows, story: Rows, port: int | None = None, pause: Pause = lambda: None) -> Summary:
    """Append the `wire` and `story` rows of a capture file to anything with `append`; return what it was like.

    Every UCP connection becomes a session (after each hole another, which began midway, without an "open" row). A
    chunk is dated when its last octet was seen in order. `port` is the SMSC's, where the frames do not show it;
    `pause` is called every 50,000 packets. Raises BadInput: the file cannot be read, is no capture, is damaged (rows
    before the damage are appended), or of link types that are not known.
    """
    try:
        with path.open("rb") as file:
            return read_packets(file, str(path), wire, story, port, pause)
    except OSError as problem:
        raise BadInput(str(path), problem.strerror or str(problem), "a capture file that can be read") from None


def read_packets(
    file: Readable, name: str, wire: Rows, story: Rows, port: int | None = None, pause: Pause = lambda: None
) -> Summary:
    """`read_capture` from an open file of that name."""
    capture, streams = CaptureFile(file, name), Streams(wire, story, port)
    number = unread = at = 0
    strange: set[int] = set()
    feed = streams.feed
    try:
        for number, at, link, octets, _ in capture:
            segment = segment_of(link, octets)
            if segment is not None:
                feed(at, segment)
            else:
                unread += 1
                if link not in LINKS:
                    strange.add(link)
            if not number % PACKETS_A_PAUSE:
                pause()
    finally:
        streams.finish()
    if strange and unread == number:
        raise BadInput(name, f"packets of link type {min(strange)} only", LINK_NAMES)
    summary = msgspec.structs.replace(streams.summary, packets=number, unread=unread, cut_short=capture.cut_short)
    tell(story, at, 0, "file", summary)
    return summary
