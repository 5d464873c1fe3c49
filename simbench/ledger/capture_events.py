"""Events that a capture records about itself: what it holds, what it lacks, and how far its clock can be trusted.

Instants are microseconds since the Unix epoch, UTC. A `session` is a number of the wire, 0 for the whole file.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from simbench.ledger.recorded import Recorded

ClockDefect = Literal["untimed", "step", "pieces", "disorder", "coarse"]
Attempted = Literal["", "closed", "refused", "unanswered"]


class CaptureRead(Recorded, frozen=True, tag="capture"):
    """The capture file as a whole; the fields are those of `simbench.capture.quality.Summary`."""

    packets: int
    unread: int
    connections: int
    ignored: int
    sessions: int
    began_midway: int
    one_direction: int
    holes: int
    missing_octets: int
    cut_packets: int
    resent_segments: int
    cut_short: bool
    kinds: str
    attempts: int
    protocols: str
    moved_us: int


class ConnectionCaptured(Recorded, frozen=True, tag="connection"):
    """One connection as captured; the fields are those of `simbench.capture.quality.Quality`."""

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


class BeganMidway(Recorded, frozen=True, tag="midway"):
    """The capture began while the connection was open."""

    SUBJECT: ClassVar[str] = "session"
    session: int


class OctetsMissing(Recorded, frozen=True, tag="hole"):
    """Octets were not captured; the connection continues as the session `continues`, or nothing followed."""

    SUBJECT: ClassVar[str] = "session"
    session: int
    direction: str
    octets: int
    continues: int | None


class ClockDoubted(Recorded, frozen=True, tag="capture-clock"):
    """A defect of the capture's clock: its kind, a sentence, and how far its time stamps may be off."""

    SUBJECT: ClassVar[str] = "defect"
    defect: ClockDefect
    sentence: str
    off_us: int


class ConnectionAttempted(Recorded, frozen=True, omit_defaults=True, tag="attempt"):
    """A connection to an SMSC that became no session. `protocol` is what was spoken on it, where that was not UCP."""

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
    """The kinds of information given beside the capture, and unread lines by kind of list."""

    given: tuple[str, ...]
    unread: dict[str, int] = msgspec.field(default_factory=dict)


CaptureEvent = (
    CaptureRead | ConnectionCaptured | BeganMidway | OctetsMissing | ClockDoubted | ConnectionAttempted | TunnelsSeen
    | MetadataGiven
)  # fmt: skip
