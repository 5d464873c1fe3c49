"""Reads a capture file, into a whole ledger or into any two lists of rows."""

from __future__ import annotations

from pathlib import Path

from simbench.capture.reader import read_packets
from simbench.ledger.capture_events import CaptureRead
from simbench.ledger.rows import Rows
from simbench.ledger.writer import AnyLedger


def to_ledger(path: Path, ledger: AnyLedger, port: int | None = None) -> CaptureRead:
    return read_capture(path, ledger.wire, ledger.events, port)


def read_capture(path: Path, wire: Rows, events: Rows, port: int | None = None) -> CaptureRead:
    with path.open("rb") as file:
        return read_packets(file, str(path), wire, events, port)
