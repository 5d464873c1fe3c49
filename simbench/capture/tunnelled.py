"""Reads a capture for an audit, including its ESP tunnels and the traffic outside them.

Rows are those of `simbench.capture.reader`, plus a "tunnel" event with the unencrypted frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simbench.base.errors import BadInput
from simbench.base.inputs import open_input
from simbench.base.toml_files import label
from simbench.capture.esp import Tunnels
from simbench.capture.frames import FramesOfRows, Seen
from simbench.capture.layers import Segment, segment_of
from simbench.capture.links import RAW_IP
from simbench.capture.network import Network
from simbench.capture.order import Packets
from simbench.capture.reader import finished
from simbench.capture.streams import Streams
from simbench.ledger.capture_events import CaptureRead, ClearFrame, TunnelsSeen
from simbench.ledger.events import row_of
from simbench.ledger.rows import Row
from simbench.ledger.writer import AnyLedger
from simbench.ucp.frame import Frame, WireError

SHOWN: Final = 5  # unencrypted frames kept in the event, per direction
PACKETS_A_PAUSE: Final = 20_000
Progress = Callable[[int], object]


class _Clear:
    """UCP outside tunnels: the number of frames in each direction, and the first of them."""

    def __init__(self, port: int | None) -> None:
        self.frames: Counter[str] = Counter()
        self.first: list[ClearFrame] = []
        self.streams = Streams(FramesOfRows(self._take), list[Row](), port)

    def _take(self, seen: Seen, items: list[Frame | WireError]) -> None:
        for item in items:
            if not isinstance(item, Frame):
                continue
            self.frames[seen.direction] += 1
            if self.frames[seen.direction] <= SHOWN:
                self.first.append(ClearFrame(seen.at, seen.direction, item.octets.hex().upper()))


def read_tunnelled(
    path: Path, ledger: AnyLedger, port: int | None, tunnels: Tunnels, progress: Progress = lambda _: None
) -> CaptureRead:
    """`read_packets` of a file, including ESP. `progress` receives the number of packets now and then.

    A segment seen both in clear and inside a tunnel (a capture at the tunnel's end) counts once. Raises BadInput like
    `read_packets`, for an unreadable file, and for keys that decrypt nothing.
    """
    streams, clear, network = Streams(ledger.wire, ledger.events, port), _Clear(port), Network()
    number = at = 0
    try:
        with open_input(path) as file:
            capture = Packets(file, label(path))
            for number, (_, at, link, octets, _) in enumerate(capture, 1):
                segment, inside = _segment(network, tunnels, link, octets)
                if segment is None:
                    network.note(link, octets)
                else:
                    streams.feed(at, segment)
                    if not inside:
                        clear.streams.feed(at, segment)
                if not number % PACKETS_A_PAUSE:
                    ledger.flush()
                    progress(number)
    except OSError as problem:
        raise BadInput(label(path), problem.strerror or str(problem), "a capture file that can be read") from None
    finally:
        streams.finish()
        clear.streams.finish()
    tunnels.finish()
    summary = finished(capture, network, streams, ledger.events, at)
    ledger.events.append(row_of(at, _seen(tunnels, clear)))
    return summary


def _segment(network: Network, tunnels: Tunnels, link: int, octets: bytes) -> tuple[Segment | None, bool]:
    """Return the TCP segment in a packet, and whether it came through an ESP tunnel."""
    inner = tunnels.inner(link, octets)
    if inner is None:
        found = segment_of(link, octets)
        if found is not None:
            return found, False
        packet = network.packet(link, octets)
        if packet is None:
            return None, False
        inner = tunnels.inner(RAW_IP, packet)
        if inner is None:
            return segment_of(RAW_IP, packet), False
    return (network.segment(RAW_IP, inner) if inner else None), True


def _seen(tunnels: Tunnels, clear: _Clear) -> TunnelsSeen:
    return TunnelsSeen(
        packets=tunnels.packets,
        opened=tunnels.opened,
        keys=tunnels.has_keys,
        unknown={f"{spi:#010x}": count for spi, count in tunnels.unknown.items()},
        broken={f"{spi:#010x}": count for spi, count in tunnels.broken.items()},
        clear={"in": clear.frames["in"], "out": clear.frames["out"]},
        frames=tuple(clear.first),
    )
