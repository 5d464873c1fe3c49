"""Reads a capture into a ledger: `wire` rows as if the bench had recorded them, and the capture's defects as events.

Memory does not grow with the length of the capture.
"""

from __future__ import annotations

from typing import BinaryIO

import msgspec

from simbench.base.errors import BadInput
from simbench.capture.layers import segment_of
from simbench.capture.links import LINK_NAMES
from simbench.capture.network import Network, named
from simbench.capture.order import Packets, clock_defects
from simbench.capture.streams import Streams
from simbench.ledger.capture_events import CaptureRead
from simbench.ledger.events import row_of
from simbench.ledger.rows import Rows


def read_packets(file: BinaryIO, name: str, wire: Rows, events: Rows, port: int | None = None) -> CaptureRead:
    """Append the `wire` and event rows of an open, seekable capture file to anything with `append`; return a summary.

    Every UCP connection becomes a session; after each hole it continues as another session without an "open" row. The
    chunk is dated when its last octet was seen in order. `port` is the SMSC's, if the frames do not show it. Raises
    BadInput if the file is no capture, damaged (rows before the damage are appended), or contains only unknown link
    types; `name` is its name in errors.
    """
    capture, streams, network = Packets(file, name), Streams(wire, events, port), Network()
    at = 0
    feed = streams.feed
    try:
        for _, at, link, octets, _ in capture:
            segment = segment_of(link, octets) or network.segment(link, octets)
            if segment is not None:
                feed(at, segment)
            else:
                network.note(link, octets)
    finally:
        streams.finish()
    return finished(capture, network, streams, events, at)


def finished(capture: Packets, network: Network, streams: Streams, events: Rows, at: int) -> CaptureRead:
    """Write the summary of a capture as events, at its end. Raises BadInput if all link types are unknown."""
    number, unread = capture.clock.packets, network.unread.total()
    strange = [kind for kind in network.unread if kind.startswith("link type ")]
    if strange and number and sum(network.unread[kind] for kind in strange) == number:
        raise BadInput(capture.name, f"packets of {min(strange)} only", LINK_NAMES)
    summary = msgspec.structs.replace(
        streams.summary, packets=number, unread=unread, kinds=named(network.unread), cut_short=capture.cut_short
    )
    events.append(row_of(at, summary))
    for since, defect in clock_defects(capture.clock):
        events.append(row_of(at if since is None else since, defect))
    return summary
