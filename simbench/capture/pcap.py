"""Writes a ledger's wire rows as `traffic.pcapng`: each session as a TCP conversation on loopback addresses.

Octets and instants are those of the ledger. TCP headers are synthesised, with valid sequence numbers and checksums, and
an acknowledgement after each chunk. Formats: the IETF's pcapng draft; RFC 791; RFC 9293.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

from simbench.base.errors import LedgerError
from simbench.base.outputs import replacing
from simbench.base.version import __version__
from simbench.capture.layers import ACK, FIN, RST, SYN, TCP
from simbench.ledger.reader import Run

PORT: Final = 5000  # the SMSC's port in the capture, independent of the run's
MSS: Final = 1460  # octets per segment
_PSH: Final = 8
_RAW_IP: Final = 101
_SMSC: Final = b"\x7f\x00\x00\x01"
_SYN_OPTIONS: Final = struct.pack("!BBHBBBB", 2, 4, MSS, 3, 3, 7, 0)  # segment size; window times 128
_COMMENT, _NAME, _APPLICATION = 1, 2, 4
_CHUNK_ROWS: Final = 10_000


def write_pcapng(run: Run, path: Path) -> int:
    """Write the wire of a run as a capture and return its number of packets.

    The SMSC is 127.0.0.1 at `PORT`; each session has its own address and port. A session without an "open" row has no
    handshake. The ledger's note on an opening or a close becomes the comment of its first packet.
    Raises LedgerError if the run kept no octets or has rows a capture cannot hold; else like `outputs.replacing`.
    """
    if run.info.keep != "octets":
        raise LedgerError(run.info.run, f"its ledger keeps the {run.info.keep} only", "a run that kept its octets")
    with replacing(path) as part, part.open("wb") as file:
        return _Writer(file).write(run)


def _rows(run: Run) -> Iterator[tuple[int, int, str, bytes]]:
    wire = run.wire.select(["at", "session", "direction", "octets"])
    for batch in wire.to_batches(max_chunksize=_CHUNK_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


class _End:
    """One end of a conversation: its address, and the sequence number of its next octet."""

    def __init__(self, address: bytes, port: int, seq: int) -> None:
        self.address, self.port, self.seq = address, port, seq


class _Writer:
    """Writes packets into an open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._packets = file, 0
        self._ends: dict[int, tuple[_End, _End] | None] = {}  # client and SMSC; None after the end
        self._begun: dict[int, int] = {}  # connections a session has had

    def write(self, run: Run) -> int:
        application = _option(_APPLICATION, f"simbench {__version__}")
        self._block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + application)
        self._block(1, struct.pack("<HHI", _RAW_IP, 0, 0) + _option(_NAME, "simbench"))
        for at, session, direction, octets in _rows(run):
            if at < 0:
                raise LedgerError(run.info.run, f"a row dated {at} us", "instants from 1970 on")
            if direction == "open":
                self._open(at, session, octets)
            elif direction == "close":
                self._close(at, session, octets)
            elif direction in {"in", "out"}:
                self._chunk(at, session, direction, octets)
            else:
                raise LedgerError(run.info.run, f"a row of direction {direction!r}", "open, in, out or close")
        return self._packets

    def _begin(self, session: int) -> tuple[_End, _End]:
        """Return both ends of a new connection, with sequence numbers that depend on the session only."""
        count = self._begun[session] = self._begun.get(session, 0) + 1
        block, offset = divmod(session & 0xFFFFFFFF, 50_000)
        # A different address for each connection.
        address = struct.pack("!I", 0x7F000002 + block + (count - 1 & 0x3F) * 0x20000)
        numbers = [crc32(f"{session} {count} {end}".encode()) for end in ("client", "smsc")]
        ends = _End(address, 10_000 + offset, numbers[0]), _End(_SMSC, PORT, numbers[1])
        self._ends[session] = ends
        return ends

    def _open(self, at: int, session: int, peer: bytes) -> tuple[_End, _End]:
        client, smsc = ends = self._begin(session)
        self._send(at, client, smsc, SYN, comment=peer.decode("utf-8", "replace"))
        self._send(at, smsc, client, SYN | ACK)
        self._send(at, client, smsc, ACK)
        return ends

    def _close(self, at: int, session: int, reason: bytes) -> None:
        ends = self._ends.get(session)
        text = reason.decode("utf-8", "replace")
        if ends is None or text.startswith("capture:"):  # the capture ended, not the connection
            return
        first, second = ends if not text.startswith("server") else ends[::-1]
        self._ends[session] = None
        if "reset" in text.lower():
            self._send(at, first, second, RST | ACK, comment=text)
            return
        self._send(at, first, second, FIN | ACK, comment=text)
        self._send(at, second, first, FIN | ACK)
        self._send(at, first, second, ACK)

    def _chunk(self, at: int, session: int, direction: str, octets: bytes) -> None:
        ends = self._ends.get(session)
        if ends is None:  # captured midway, or closed before and now another connection
            ends = self._open(at, session, b"") if session in self._ends else self._begin(session)
        sender, receiver = ends if direction == "in" else ends[::-1]
        for start in range(0, len(octets), MSS):
            self._send(at, sender, receiver, ACK | _PSH, octets[start : start + MSS])
        if octets:
            self._send(at, receiver, sender, ACK)

    def _send(self, at: int, sender: _End, receiver: _End, flags: int, payload: bytes = b"", comment: str = "") -> None:
        options = _SYN_OPTIONS if flags & SYN else b""
        ack = receiver.seq if flags & ACK else 0
        words = (20 + len(options)) // 4 << 12 | flags
        tcp = struct.pack("!HHIIHHHH", sender.port, receiver.port, sender.seq, ack, words, 0xFFFF, 0, 0) + options
        addresses, length = sender.address + receiver.address, len(tcp) + len(payload)
        check = _checksum(addresses + struct.pack("!HH", TCP, length) + tcp + payload)
        tcp = tcp[:16] + struct.pack("!H", check) + tcp[18:]
        identity = self._packets & 0xFFFF
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, identity, 0x4000, 64, TCP, 0) + addresses
        ip = ip[:10] + struct.pack("!H", _checksum(ip)) + ip[12:]
        self._packet(at, ip + tcp + payload, comment)
        sender.seq = sender.seq + len(payload) + bool(flags & (SYN | FIN)) & 0xFFFFFFFF

    def _packet(self, at: int, octets: bytes, comment: str) -> None:
        length = len(octets)
        body = struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, length, length) + octets + bytes(-length % 4)
        self._block(6, body + (_option(_COMMENT, comment) if comment else b""))
        self._packets += 1

    def _block(self, kind: int, body: bytes) -> None:
        length = struct.pack("<I", len(body) + 12)
        self._file.write(struct.pack("<I", kind) + length + body + length)


def _option(code: int, text: str) -> bytes:
    """One option, the last of its block."""
    value = text.encode()[:0xFFFC]
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4) + bytes(4)


def _checksum(octets: bytes) -> int:
    """Return the checksum of IP and TCP: the complement of a one's-complement sum, computed modulo 65535."""
    total = int.from_bytes(octets + bytes(len(octets) % 2), "big") % 0xFFFF
    return 0xFFFF - (total or 0xFFFF)
