"""What a wire fault is: hooks that see outgoing frames and connection events; the injector writes the result.

A fault is one small class; the first line of its docstring is its sentence, `parameters` what a scenario may set
beside `share`, `code`, `from_s` and `for_s`. Faults stack: what one hands on, the next one sees.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Protocol

import msgspec

from fake_smsc.faults.host import Host
from fake_smsc.scenario import FaultConfig
from simbench.base.units import SECOND_US
from simbench.kernels.chance import entity_of, share
from simbench.ledger.events import FaultActed
from simbench.ucp.frame import STX, Frame, Framer, checksum

Action = Callable[[], None]


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Octets to be written `delay_us` from now; with a `step`, in segments of that many octets, `gap_us` apart."""

    octets: bytes
    delay_us: int = 0
    step: int = 0
    gap_us: int = 0


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A frame that a fault hits: the line it is for, what it says, and the piece that was to carry it."""

    number: int
    frame: Frame
    piece: Piece

    def again(self, octets: bytes) -> Piece:
        """The same piece with other octets."""
        return msgspec.structs.replace(self.piece, octets=octets)

    def later(self, seconds: float) -> Piece:
        """The same piece, so much later (platform s)."""
        return msgspec.structs.replace(self.piece, delay_us=self.piece.delay_us + round(seconds * SECOND_US))


def read(octets: bytes) -> Frame | None:
    """The sound frame these octets end with, or None."""
    items = Framer(len(octets)).feed(octets)
    return items[-1] if items and isinstance(items[-1], Frame) else None


def sealed(trn: str, kind: str, ot: str, body: bytes, longer: int = 0) -> bytes:
    """A frame whose checksum is right, with any octets as data and a LEN that says `longer` more than there is."""
    text = f"{trn}/{len(body) + 16 + longer:05d}/{kind}/{ot}/".encode() + body
    return STX + text + b"%02X\x03" % checksum(text)


class Injector(Protocol):
    """What a fault asks of the injector that has it."""

    server: Host
    seed: int
    gone: set[int]

    def tell(self, event: FaultActed) -> None:
        """Write one row of the story."""

    def is_active(self, fault: Fault) -> bool:
        """Whether the fault is in force."""

    def later(self, delay_us: int, action: Action) -> None:
        """Do something after a while of platform time."""

    def write_after(self, fault: Fault, number: int, pieces: list[Piece]) -> None:
        """Write these, once the faults that stand after this one have seen them."""

    def answer(self, fault: Fault, number: int, octets: bytes) -> None:
        """Write a frame in the gateway's place."""

    def originate(self, sender: str, code: str, text: str) -> None:
        """Let a subscriber send a text to a short code."""

    def tell_gateway(self, number: int, octets: bytes) -> None:
        """Let the gateway hear what nobody sent."""

    def codes_of(self, number: int) -> tuple[str, ...]:
        """The short codes of the account a line is logged in for."""

    def vanish(self, number: int) -> None:
        """Read and write nothing more on a line."""


class Fault:
    """One fault in force. `ordinal` tells faults of one name apart, in their chance too."""

    parameters: ClassVar[dict[str, float | int | str]] = {}
    before_login = False  # also sees lines that nobody logged in over

    def __init__(self, config: FaultConfig, injector: Injector, ordinal: int) -> None:
        self.config, self.injector = config, injector
        self._purpose = entity_of("wire fault", config.name, str(ordinal))
        self._share_ppm = round(config.share * 1_000_000)
        self._met = 0

    # Hooks -----------------------------------------------------------------------------------------------------

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """What one write of a line holds, frame by frame: return what is to be written instead."""
        del number
        return pieces

    def hear(self, number: int, frames: list[bytes]) -> list[bytes]:
        """What one read of a line completed, frame by frame: return what the gateway is to see."""
        del number
        return frames

    def arrived(self, number: int, octets: int) -> None:
        """So many octets were read from a line."""

    def connected(self, number: int) -> None:
        """A connection was made."""

    def begun(self) -> None:
        """The fault takes effect."""

    def ended(self) -> None:
        """The fault is over: let go of what it keeps."""

    # For the hooks ---------------------------------------------------------------------------------------------

    def strikes(self) -> bool:
        """Whether the next candidate is hit: by seed, name, ordinal and how many candidates there were before."""
        self._met += 1
        return share(self.injector.seed, self._met, self._purpose, self._share_ppm)

    def number_of(self, parameter: str) -> float:
        """A numeric parameter, as set or by default."""
        given = getattr(self.config, parameter)
        return float(self.parameters[parameter] if given is None else given)

    def text_of(self, parameter: str) -> str:
        """A text parameter, as set or by default."""
        given = getattr(self.config, parameter)
        return str(self.parameters[parameter] if given is None else given)

    def tell(self, number: int, what: str, **more: Any) -> None:
        """Record that the fault is about to be applied to a line; `more`: further fields of the event."""
        self.injector.tell(FaultActed(self.config.name, line=number, what=what, **more))


class FrameFault(Fault):
    """A fault of single frames: `kind` "O" or "R" and `ot` say of which; "" is any."""

    kind = ""
    ot = ""

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Pass on what is not hit, and `changed` instead of what is."""
        passed: list[Piece] = []
        for piece in pieces:
            frame = read(piece.octets)
            if frame is None or not self.meets(frame) or not self.strikes():
                passed.append(piece)
            else:
                self.tell(number, f"{frame.kind}/{frame.ot}", trn=frame.trn)
                passed += self.changed(Hit(number, frame, piece))
        return passed

    def meets(self, frame: Frame) -> bool:
        """Whether the fault is about such frames."""
        return self.kind in {"", frame.kind} and self.ot in {"", frame.ot}

    def changed(self, hit: Hit) -> list[Piece]:
        """What is written instead of a frame that is hit."""
        raise NotImplementedError


class KeepingFault(FrameFault):
    """A fault that keeps frames back until something happens, at most `delay_s`."""

    def __init__(self, config: FaultConfig, injector: Injector, ordinal: int) -> None:
        super().__init__(config, injector, ordinal)
        self._kept: dict[int, dict[int, tuple[object, Piece]]] = {}
        self._count = 0

    def keep(self, number: int, piece: Piece, key: object = None) -> None:
        """Keep a piece back."""
        self._count += 1
        self._kept.setdefault(number, {})[self._count] = (key, piece)
        self.injector.later(round(self.number_of("delay_s") * SECOND_US), partial(self._give_up, number, self._count))

    def kept(self, number: int) -> int:
        """How many pieces of a line are kept back."""
        return len(self._kept.get(number, ()))

    def released(self, number: int, key: object = None) -> list[Piece]:
        """The pieces of a line kept under that key, no longer kept."""
        line = self._kept.get(number, {})
        return [line.pop(place)[1] for place, (known, _) in list(line.items()) if known == key]

    def _give_up(self, number: int, place: int) -> None:
        found = self._kept.get(number, {}).pop(place, None)
        if found is not None:
            self.injector.write_after(self, number, [found[1]])

    def ended(self) -> None:
        """Write what is still kept."""
        for number, line in self._kept.items():
            self.injector.write_after(self, number, [piece for _, piece in line.values()])
        self._kept.clear()
