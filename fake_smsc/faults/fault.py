"""Base classes of wire faults: hooks for outgoing frames and connection events; the injector writes the result.

A fault is one small class. The first line of its docstring describes it in the reference; `parameters` are the keys a
scenario may set besides `share`, `code`, `from_s` and `for_s`. Faults stack: each sees the output of the one before.
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
from simbench.numbering.plan import NumberingPlan
from simbench.ucp.frame import STX, Frame, Framer, checksum

Action = Callable[[], None]


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Octets to write `delay_us` from now; with a `step`, in segments of that many octets, `gap_us` apart."""

    octets: bytes
    delay_us: int = 0
    step: int = 0
    gap_us: int = 0


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A frame hit by a fault: its connection, the decoded frame, and the piece that would have been written."""

    number: int
    frame: Frame
    piece: Piece

    def again(self, octets: bytes) -> Piece:
        """Return the piece with other octets."""
        return msgspec.structs.replace(self.piece, octets=octets)

    def later(self, seconds: float) -> Piece:
        """Return the piece, delayed by `seconds` (platform time)."""
        return msgspec.structs.replace(self.piece, delay_us=self.piece.delay_us + round(seconds * SECOND_US))


def read(octets: bytes) -> Frame | None:
    """Return the valid frame at the end of these octets, or None."""
    items = Framer(len(octets)).feed(octets)
    return items[-1] if items and isinstance(items[-1], Frame) else None


def sealed(trn: str, kind: str, ot: str, body: bytes, longer: int = 0) -> bytes:
    """Build a frame with any octets as data, a LEN `longer` too large, and the right checksum."""
    text = f"{trn}/{len(body) + 16 + longer:05d}/{kind}/{ot}/".encode() + body
    return STX + text + b"%02X\x03" % checksum(text)


class Injector(Protocol):
    """The services of an injector for its faults."""

    server: Host
    seed: int
    gone: set[int]

    def record(self, event: FaultActed) -> None:
        """Write one event to the ledger."""

    def is_active(self, fault: Fault) -> bool:
        """Tell whether the fault is active."""

    def later(self, delay_us: int, action: Action) -> None:
        """Run an action after a delay of platform time (us)."""

    def write_after(self, fault: Fault, number: int, pieces: list[Piece]) -> None:
        """Pass pieces through the faults after this one, then write them."""

    def answer(self, fault: Fault, number: int, octets: bytes) -> None:
        """Write a frame instead of the gateway."""

    def originate(self, sender: str, code: str, text: str) -> None:
        """Send a text from a subscriber to a short code."""

    def tell_gateway(self, number: int, octets: bytes) -> None:
        """Pass octets to the gateway as if the client had sent them."""

    def codes_of(self, number: int) -> tuple[str, ...]:
        """Return the short codes of the account logged in on a connection."""

    def vanish(self, number: int) -> None:
        """Stop reading and writing on a connection."""


class Fault:
    """One active fault. `ordinal` distinguishes faults of one name, and their random draws."""

    parameters: ClassVar[dict[str, float | int | str]] = {}
    before_login = False  # whether it also applies to connections without a login

    def __init__(self, config: FaultConfig, injector: Injector, ordinal: int) -> None:
        self.config, self.injector = config, injector
        self._purpose = entity_of("wire fault", config.name, str(ordinal))
        self._share_ppm = round(config.share * 1_000_000)
        self._met = 0

    @property
    def plan(self) -> NumberingPlan:
        """The numbering plan of the platform."""
        return self.injector.server.gateway.centre.base.plan

    # Hooks -----------------------------------------------------------------------------------------------------

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Receive the frames of one write; return what is written instead."""
        del number
        return pieces

    def hear(self, number: int, frames: list[bytes]) -> list[bytes]:
        """Receive the frames completed by one read; return what the gateway gets instead."""
        del number
        return frames

    def arrived(self, number: int, octets: int) -> None:
        """Called when `octets` octets were read from a connection."""

    def connected(self, number: int) -> None:
        """Called when a connection was made."""

    def begun(self) -> None:
        """The fault starts."""

    def ended(self) -> None:
        """The fault ends: release what it keeps."""

    # For the hooks ---------------------------------------------------------------------------------------------

    def strikes(self) -> bool:
        """Draw whether the next candidate is hit, from seed, name, ordinal and the number of earlier candidates."""
        self._met += 1
        return share(self.injector.seed, self._met, self._purpose, self._share_ppm)

    def number_of(self, parameter: str) -> float:
        """Return a numeric parameter, as set or by default."""
        given = getattr(self.config, parameter)
        return float(self.parameters[parameter] if given is None else given)

    def text_of(self, parameter: str) -> str:
        """Return a text parameter, as set or by default."""
        given = getattr(self.config, parameter)
        return str(self.parameters[parameter] if given is None else given)

    def record(self, number: int, what: str, **more: Any) -> None:
        """Record that the fault is about to hit a connection; `more` adds fields to the event."""
        self.injector.record(FaultActed(self.config.name, line=number, what=what, **more))


class FrameFault(Fault):
    """A fault of single frames, selected by `kind` ("O" or "R") and `ot`; "" matches any."""

    kind = ""
    ot = ""

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Write each frame, or `changed` for those that are hit."""
        passed: list[Piece] = []
        for piece in pieces:
            frame = read(piece.octets)
            if frame is None or not self.meets(frame) or not self.strikes():
                passed.append(piece)
            else:
                self.record(number, f"{frame.kind}/{frame.ot}", trn=frame.trn)
                passed += self.changed(Hit(number, frame, piece))
        return passed

    def meets(self, frame: Frame) -> bool:
        """Tell whether the fault applies to this frame."""
        return self.kind in {"", frame.kind} and self.ot in {"", frame.ot}

    def changed(self, hit: Hit) -> list[Piece]:
        """Return what is written instead of a frame that is hit."""
        raise NotImplementedError


class KeepingFault(FrameFault):
    """A fault that holds frames back until some event, for `delay_s` at most."""

    def __init__(self, config: FaultConfig, injector: Injector, ordinal: int) -> None:
        super().__init__(config, injector, ordinal)
        self._kept: dict[int, dict[int, tuple[object, Piece]]] = {}
        self._count = 0

    def keep(self, number: int, piece: Piece, key: object = None) -> None:
        """Hold a piece back."""
        self._count += 1
        self._kept.setdefault(number, {})[self._count] = (key, piece)
        self.injector.later(round(self.number_of("delay_s") * SECOND_US), partial(self._give_up, number, self._count))

    def kept(self, number: int) -> int:
        """Return how many pieces of a connection are held back."""
        return len(self._kept.get(number, ()))

    def released(self, number: int, key: object = None) -> list[Piece]:
        """Release and return the pieces of a connection held back under `key`."""
        line = self._kept.get(number, {})
        return [line.pop(place)[1] for place, (known, _) in list(line.items()) if known == key]

    def _give_up(self, number: int, place: int) -> None:
        found = self._kept.get(number, {}).pop(place, None)
        if found is not None:
            self.injector.write_after(self, number, [found[1]])

    def ended(self) -> None:
        """Write everything still held back."""
        for number, line in self._kept.items():
            self.injector.write_after(self, number, [piece for _, piece in line.values()])
        self._kept.clear()
