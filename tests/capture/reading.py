"""Reads a capture into a whole ledger."""

from __future__ import annotations

from pathlib import Path

from simbench.capture.reader import read_capture
from simbench.ledger.capture_events import CaptureRead
from simbench.ledger.writer import AnyLedger


def to_ledger(path: Path, ledger: AnyLedger, port: int | None = None) -> CaptureRead:
    """`read_capture` into a ledger, pausing for its disk so that rows do not pile up."""
    return read_capture(path, ledger.wire, ledger.events, port, ledger.flush)
