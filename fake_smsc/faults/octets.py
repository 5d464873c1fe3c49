"""Faults of a frame's octets: its content, what surrounds it, and its segmentation.

`ot` limits them to one operation type.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec.structs import replace

from fake_smsc.faults.fault import FrameFault, Hit, Piece, sealed
from fake_smsc.faults.results import body_of
from simbench.base.units import SECOND_US
from simbench.kernels.chance import draw, entity_of
from simbench.ucp.frame import Frame

SEGMENT_GAP_US = 1_000
TICKS_PER_S = 20  # writes per second of a slow connection
OF_ANY: dict[str, float | int | str] = {"ot": ""}


class OctetFault(FrameFault):
    """Base of faults of the octets of a frame."""

    parameters: ClassVar = OF_ANY

    def meets(self, frame: Frame) -> bool:
        """Frames of the operation type set, or of any."""
        return self.text_of("ot") in {"", frame.ot}


class BadChecksum(OctetFault):
    """Writes a checksum that is one too high."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with another checksum."""
        octets = hit.frame.octets
        return [hit.again(octets[:-3] + b"%02X\x03" % ((int(octets[-3:-1], 16) + 1) % 256))]


class WrongLength(OctetFault):
    """Writes a LEN that is one too high, with the matching checksum."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with another LEN."""
        body = body_of(hit.frame.data).encode()
        return [hit.again(sealed(hit.frame.trn, hit.frame.kind, hit.frame.ot, body, longer=1))]


class HighOctet(OctetFault):
    """Puts an octet above 7F into an otherwise valid frame."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame with E9 before the last slash and valid LEN and checksum."""
        body = body_of(hit.frame.data).encode()[:-1] + b"\xe9/"
        return [hit.again(sealed(hit.frame.trn, hit.frame.kind, hit.frame.ot, body))]


class CutFrame(OctetFault):
    """Cuts a frame off in the middle; the next frame follows directly."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the first half of the frame."""
        return [hit.again(hit.frame.octets[: len(hit.frame.octets) // 2])]


class EndlessFrame(OctetFault):
    """Writes an unfinished frame of `octets` octets before a frame."""

    parameters: ClassVar = {"octets": 5_000, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return a header and zeros, then the frame."""
        return [hit.again(b"\x02" + b"0" * int(self.number_of("octets"))), hit.piece]


class Garbage(OctetFault):
    """Writes `octets` octets of random noise, without STX or ETX, before a frame."""

    parameters: ClassVar = {"octets": 16, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return noise drawn by seed and position, then the frame."""
        purpose = entity_of("garbage", str(self._met))
        noise = bytes(4 + draw(self.injector.seed, at, purpose) % 252 for at in range(int(self.number_of("octets"))))
        return [hit.again(noise), hit.piece]


class LineEnds(OctetFault):
    """Writes a carriage return and a line feed after a frame."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame, then CR LF."""
        return [hit.again(hit.piece.octets + b"\r\n")]


class SmallSegments(OctetFault):
    """Writes a frame in segments of `octets` octets, a millisecond apart."""

    parameters: ClassVar = {"octets": 1, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame in small segments."""
        return [replace(hit.piece, step=int(self.number_of("octets")), gap_us=SEGMENT_GAP_US)]


class SlowWrite(OctetFault):
    """Writes a frame no faster than `octets_per_s`; later output of the connection waits."""

    parameters: ClassVar = {"octets_per_s": 200, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame in slow segments."""
        rate = self.number_of("octets_per_s")
        step = max(1, int(rate / TICKS_PER_S))
        return [replace(hit.piece, step=step, gap_us=round(step * SECOND_US / rate))]


class MergedSegments(OctetFault):
    """Collects the output of `delay_s` seconds and writes it as one segment."""

    parameters: ClassVar = {"delay_s": 0.5, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return the frame, delayed to the end of the current interval."""
        every = max(1, round(self.number_of("delay_s") * SECOND_US))
        due = self.injector.server.clock.now() + hit.piece.delay_us
        return [replace(hit.piece, delay_us=hit.piece.delay_us + every - due % every)]
