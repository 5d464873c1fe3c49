"""The gateway's output: octets to write, connections to close, protocol violations to report."""

from __future__ import annotations

from collections import Counter, deque

from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.ucp.frame import Frame, encode

EVENTS_KEPT = 10_000  # beyond this the oldest are dropped; the counters continue


class Output:
    """Collects output until the driver takes it; `times` writes and reads the times in it."""

    def __init__(self, times: UcpTimes) -> None:
        self.times = times
        self.dirty: dict[int, Line] = {}
        self.closings: dict[int, str] = {}
        self.protocol_violations: Counter[str] = Counter()
        self.violation_events: deque[tuple[int, int, str, str]] = deque(maxlen=EVENTS_KEPT)

    def close(self, line: Line, reason: str) -> None:
        """Close a connection after writing its output; its further input is not served."""
        line.closing = True
        self.closings[line.number] = reason

    def write(self, line: Line, octets: bytes) -> None:
        """Write to a connection, unless an outage mutes it."""
        if not line.mute:
            line.out.append(octets)
            self.dirty[line.number] = line

    def taken(self) -> list[tuple[int, bytes]]:
        """Return and clear the octets to write, one piece per connection."""
        if not self.dirty:
            return []
        written = [(number, b"".join(line.out)) for number, line in self.dirty.items()]
        for line in self.dirty.values():
            line.out.clear()
        self.dirty.clear()
        return written

    def reply(self, line: Line, frame: Frame, body: str) -> None:
        """Write the result of an operation; its TRN is echoed unchanged."""
        self.write(line, encode(frame.trn, "R", frame.ot, body))

    def nack(self, line: Line, frame: Frame, ec: str, text: str) -> None:
        """Write a negative result."""
        self.reply(line, frame, f"N/{ec}/{text}/")

    def violation(self, line: Line, name: str, now: int, what: str = "") -> None:
        """Count a client's protocol violation and keep it for the driver; `what` adds detail to the name."""
        self.protocol_violations[name] += 1
        self.violation_events.append((now, line.number, name, what))
