"""Quality of a capture: what it lacks of the connections it recorded.

The ledger stores it as events, for the rules.
"""

from __future__ import annotations

import msgspec

from simbench.ledger.capture_events import CaptureEvent, CaptureRead, ConnectionCaptured
from simbench.ledger.events import row_of
from simbench.ledger.rows import Rows


class Quality(msgspec.Struct, frozen=True):
    """One UCP connection as captured. `client` and `smsc` are "address:port"; `session` is its first number.

    `moved_us` is the largest contradiction between a time stamp and the order proved by TCP. `directions` names those
    with any packet; `holes` counts places where `missing_octets` were not captured; after each the ledger continues
    with a new session. `cut_packets` were shortened by the capture.
    """

    session: int
    client: str
    smsc: str
    directions: tuple[str, ...]
    began_midway: bool
    holes: int
    missing_octets: int
    cut_packets: int
    resent_segments: int
    moved_us: int = 0

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing."""
        return len(self.directions) == 2 and not (self.began_midway or self.holes or self.cut_packets)

    @property
    def event(self) -> ConnectionCaptured:
        """It as an event."""
        return ConnectionCaptured(**msgspec.structs.asdict(self))


class Summary(msgspec.Struct, frozen=True):
    """A capture file as a whole. `unread` packets contain no TCP segment, `kinds` says what instead; `ignored` are
    connections without UCP; the others count UCP connections, or sum up their `Quality`.

    `attempts` are connections to an SMSC that became no session, `protocols` those spoken on others. `cut_short`: the
    file ends within a packet, which is lost.
    """

    packets: int = 0
    unread: int = 0
    connections: int = 0
    ignored: int = 0
    sessions: int = 0
    began_midway: int = 0
    one_direction: int = 0
    holes: int = 0
    missing_octets: int = 0
    cut_packets: int = 0
    resent_segments: int = 0
    cut_short: bool = False
    kinds: str = ""
    attempts: int = 0
    protocols: str = ""
    moved_us: int = 0

    @property
    def without_ucp(self) -> str:
        """Describe a capture without UCP in one sentence."""
        held = f" ({self.kinds})" if self.kinds else ""
        spoken = f"; connections of {self.protocols}" if self.protocols else ""
        return f"there is no UCP in its {self.packets} packets{held}{spoken}"

    def plus(self, found: Quality) -> Summary:
        """Return the summary with one more connection."""
        return msgspec.structs.replace(
            self,
            connections=self.connections + 1,
            began_midway=self.began_midway + found.began_midway,
            one_direction=self.one_direction + (len(found.directions) < 2),
            holes=self.holes + found.holes,
            missing_octets=self.missing_octets + found.missing_octets,
            cut_packets=self.cut_packets + found.cut_packets,
            resent_segments=self.resent_segments + found.resent_segments,
            moved_us=max(self.moved_us, found.moved_us),
        )

    @property
    def event(self) -> CaptureRead:
        """It as an event."""
        return CaptureRead(**msgspec.structs.asdict(self))


def record(events: Rows, at: int, event: CaptureEvent) -> None:
    """Write one event of the capture."""
    events.append(row_of(at, event))
