"""Events that a capture records about itself: its content, its gaps, and the reliability of its clock.

Instants are microseconds since the Unix epoch, UTC. A `session` is a number of the wire, 0 for the whole file.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from simbench.ledger.recorded import Recorded

ClockDefect = Literal["untimed", "step", "pieces", "disorder", "coarse"]
Attempted = Literal["", "closed", "refused", "unanswered"]


class ConnectionCaptured(Recorded, frozen=True, tag="connection"):
    """How completely one UCP connection was captured. `client` and `smsc` are "address:port"; `session` is its first
    number.

    `moved_us` is the largest contradiction between a time stamp and the order proved by TCP. `directions` names those
    with any packet; `holes` counts places where `missing_octets` were not captured; after each the ledger continues
    with a new session. `cut_packets` were shortened by the capture. `digest` is of the octets and sequence numbers of
    both directions, "" if some are missing.
    """

    SUBJECT: ClassVar[str] = "session"
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
    digest: str = ""


class CaptureRead(Recorded, frozen=True, tag="capture"):
    """A capture file as a whole. `unread` packets contain no TCP segment, and `kinds` describes their content.
    `ignored` are connections without UCP; the other counts are UCP connections, or sums over their
    `ConnectionCaptured`.

    `attempts` are connections to an SMSC that became no session; `protocols` are those of the ignored connections.
    `cut_short`: the file ends within a packet, which is lost.
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

    def plus(self, found: ConnectionCaptured) -> CaptureRead:
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


class BeganMidway(Recorded, frozen=True, tag="midway"):
    """The capture began while the connection was open."""

    SUBJECT: ClassVar[str] = "session"
    session: int


class OctetsMissing(Recorded, frozen=True, tag="hole"):
    """Octets were not captured; the connection continues as session `continues`, or ends there (None)."""

    SUBJECT: ClassVar[str] = "session"
    session: int
    direction: str
    octets: int
    continues: int | None


class ClockDoubted(Recorded, frozen=True, tag="capture-clock"):
    """A defect of the capture's clock: its kind, a description, and the possible error of its time stamps."""

    SUBJECT: ClassVar[str] = "defect"
    defect: ClockDefect
    sentence: str
    off_us: int


class ConnectionAttempted(Recorded, frozen=True, omit_defaults=True, tag="attempt"):
    """A connection to an SMSC that became no session. `protocol` is its protocol if that was not UCP."""

    SUBJECT: ClassVar[str] = "client"
    client: str
    to: str = ""
    outcome: Attempted = ""
    protocol: str = ""


class ClearFrame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frame seen outside ESP, in hexadecimal."""

    at: int
    direction: str
    frame: str


class TunnelsSeen(Recorded, frozen=True, tag="tunnel"):
    """ESP in the capture: packets, those opened, those with an unknown key or broken (by SPI), and frames in clear."""

    packets: int
    opened: int
    keys: bool
    unknown: dict[str, int]
    broken: dict[str, int]
    clear: dict[str, int]
    frames: tuple[ClearFrame, ...]


class MetadataGiven(Recorded, frozen=True, tag="metadata"):
    """The kinds of lists given with the capture, and the number of unread lines of each."""

    given: tuple[str, ...]
    unread: dict[str, int] = msgspec.field(default_factory=dict)


CaptureEvent = (
    CaptureRead | ConnectionCaptured | BeganMidway | OctetsMissing | ClockDoubted | ConnectionAttempted | TunnelsSeen
    | MetadataGiven
)  # fmt: skip
