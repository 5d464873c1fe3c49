"""Faults of the octets of any frame: what it holds, what stands around it, how it is cut into segments.

With `ot`, frames of that operation type only. Decides nothing about messages.
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
TICKS_PER_S = 20  # how often a slow line takes a few octets
OF_ANY: dict[str, float | int | str] = {"ot": ""}


class OctetFault(FrameFault):
    """Any fault of the octets of a frame."""

    parameters: ClassVar = OF_ANY

    def meets(self, frame: Frame) -> bool:
        """Frames of the operation type that was asked for, or of any."""
        return self.text_of("ot") in {"", frame.ot}


class BadChecksum(OctetFault):
    """Writes a checksum that is one too great."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same with another sum."""
        octets = hit.frame.octets
        return [hit.again(octets[:-3] + b"%02X\x03" % ((int(octets[-3:-1], 16) + 1) % 256))]


class WrongLength(OctetFault):
    """Writes a LEN that is one too great, with the right checksum for it."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same with another length."""
        body = body_of(hit.frame.data).encode()
        return [hit.again(sealed(hit.frame.trn, hit.frame.kind, hit.frame.ot, body, longer=1))]


class HighOctet(OctetFault):
    """Puts an octet above 7F into a frame that is sound otherwise."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same with E9 before the last slash, LEN and checksum right."""
        body = body_of(hit.frame.data).encode()[:-1] + b"\xe9/"
        return [hit.again(sealed(hit.frame.trn, hit.frame.kind, hit.frame.ot, body))]


class CutFrame(OctetFault):
    """Breaks a frame off in the middle; what comes next begins with the next frame."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Its first half."""
        return [hit.again(hit.frame.octets[: len(hit.frame.octets) // 2])]


class EndlessFrame(OctetFault):
    """Writes a begun frame of `octets` octets without end before a frame."""

    parameters: ClassVar = {"octets": 5_000, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """A header and zeros, then the hit.frame."""
        return [hit.again(b"\x02" + b"0" * int(self.number_of("octets"))), hit.piece]


class Garbage(OctetFault):
    """Writes `octets` octets of noise, without STX or ETX, before a frame."""

    parameters: ClassVar = {"octets": 16, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """Noise drawn by seed and place, then the hit.frame."""
        purpose = entity_of("garbage", str(self._met))
        noise = bytes(4 + draw(self.injector.seed, at, purpose) % 252 for at in range(int(self.number_of("octets"))))
        return [hit.again(noise), hit.piece]


class LineEnds(OctetFault):
    """Writes a carriage return and a line feed behind a frame."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The frame, then CR LF."""
        return [hit.again(hit.piece.octets + b"\r\n")]


class SmallSegments(OctetFault):
    """Writes a frame in segments of `octets` octets, a millisecond apart."""

    parameters: ClassVar = {"octets": 1, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """The same in small steps."""
        return [replace(hit.piece, step=int(self.number_of("octets")), gap_us=SEGMENT_GAP_US)]


class SlowWrite(OctetFault):
    """Writes a frame no faster than `octets_per_s`; what follows on the line waits for it."""

    parameters: ClassVar = {"octets_per_s": 200, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """The same in slow steps."""
        rate = self.number_of("octets_per_s")
        step = max(1, int(rate / TICKS_PER_S))
        return [replace(hit.piece, step=step, gap_us=round(step * SECOND_US / rate))]


class MergedSegments(OctetFault):
    """Gathers what falls into `delay_s` and writes it as one segment."""

    parameters: ClassVar = {"delay_s": 0.5, **OF_ANY}

    def changed(self, hit: Hit) -> list[Piece]:
        """The same at the end of the present interval."""
        every = max(1, round(self.number_of("delay_s") * SECOND_US))
        due = self.injector.server.clock.now() + hit.piece.delay_us
        return [replace(hit.piece, delay_us=hit.piece.delay_us + every - due % every)]
