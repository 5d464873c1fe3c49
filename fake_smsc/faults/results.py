"""Faults of the results of submits: late, missing, doubled, misnumbered, refused, or untrue. Touch no other frame."""

from __future__ import annotations

from typing import ClassVar

from fake_smsc.faults.fault import Fault, FrameFault, Hit, KeepingFault, Piece, read, sealed
from simbench.base.calendar import scts_text
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame, encode

FURTHER = 50  # TRNs between a right and a wrong one: more than the windows in use, so that it hits nobody else's
SUBMIT = "51"


def numbered(trn: str) -> str:
    """A TRN the other end is not using."""
    return f"{(int(trn) + FURTHER) % 100:02d}"


def body_of(fields: list[str]) -> str:
    """The data part of these fields."""
    return "".join(field + "/" for field in fields)


class ResultFault(FrameFault):
    """Any fault of the result of a submit."""

    kind = "R"
    ot = SUBMIT


class PositiveFault(ResultFault):
    """Any fault of a positive result only."""

    def meets(self, frame: Frame) -> bool:
        """Positive results, `A/MVP/SM`."""
        return super().meets(frame) and len(frame.data) == 3 and frame.data[0] == "A"


class LateResult(ResultFault):
    """Answers a submit `delay_s` late."""

    parameters: ClassVar = {"delay_s": 5.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """The same, later."""
        return [hit.later(self.number_of("delay_s"))]


class NoResult(ResultFault):
    """Decides on a submit and never answers it."""

    def changed(self, hit: Hit) -> list[Piece]:
        """Nothing."""
        del hit
        return []


class DoubleResult(ResultFault):
    """Answers a submit twice under the same TRN, the second time `delay_s` later."""

    parameters: ClassVar = {"delay_s": 0.0}

    def changed(self, hit: Hit) -> list[Piece]:
        """Twice the same."""
        return [hit.piece, hit.later(self.number_of("delay_s"))]


class ReorderedResults(KeepingFault):
    """Keeps the result of a submit back until the next one has overtaken it, at most `delay_s`."""

    parameters: ClassVar = {"delay_s": 1.0}
    kind, ot = "R", SUBMIT

    def write(self, number: int, pieces: list[Piece]) -> list[Piece]:
        """Whatever is kept follows the next frame of the kind."""
        passed: list[Piece] = []
        for piece in pieces:
            frame = read(piece.octets)
            if frame is not None and self.meets(frame) and self.kept(number):
                passed += [piece, *self.released(number)]
            else:
                passed += super().write(number, [piece])
        return passed

    def changed(self, hit: Hit) -> list[Piece]:
        """Nothing yet."""
        self.keep(hit.number, hit.piece)
        return []


class WrongTrn(ResultFault):
    """Answers a submit under a TRN fifty further on, which the client is not using."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same under another number."""
        return [hit.again(encode(numbered(hit.frame.trn), "R", SUBMIT, body_of(hit.frame.data)))]


class WrongOt(ResultFault):
    """Answers a submit as if it had been a 52."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The same of another type."""
        return [hit.again(encode(hit.frame.trn, "R", "52", body_of(hit.frame.data)))]


class NackThoughStored(PositiveFault):
    """Takes a message over and answers its submit with error code `ec` all the same."""

    parameters: ClassVar = {"ec": "04"}

    def changed(self, hit: Hit) -> list[Piece]:
        """A refusal."""
        return [hit.again(encode(hit.frame.trn, "R", SUBMIT, f"N/{self.text_of('ec')}//"))]


class ResultWithoutStamp(PositiveFault):
    """Leaves recipient and time stamp out of a positive result, so that its notification fits nothing."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The result with an empty SM."""
        return [hit.again(encode(hit.frame.trn, "R", SUBMIT, f"A/{hit.frame.data[1]}//"))]


class ShortResult(PositiveFault):
    """Leaves the empty second field out of a positive result, so that it has two fields where three are due."""

    def changed(self, hit: Hit) -> list[Piece]:
        """The result without its MVP."""
        return [hit.again(encode(hit.frame.trn, "R", SUBMIT, f"A/{hit.frame.data[2]}/"))]


class StrayResult(ResultFault):
    """Adds a positive result under a TRN for which there is no submit."""

    def changed(self, hit: Hit) -> list[Piece]:
        """One more."""
        return [hit.piece, hit.again(encode(numbered(hit.frame.trn), "R", SUBMIT, "A///"))]


class SubmitFault(Fault):
    """Any fault that answers a submit instead of the platform, which never sees it."""

    def hear(self, number: int, frames: list[bytes]) -> list[bytes]:
        """Swallow the submits that are hit, of a line that is logged in, and answer them."""
        passed: list[bytes] = []
        for octets in frames:
            frame = read(octets)
            submits = frame is not None and (frame.kind, frame.ot) == ("O", SUBMIT) and self.injector.codes_of(number)
            if frame is None or not submits or not self.strikes():
                passed.append(octets)
                continue
            self.tell(number, "O/51", trn=frame.trn)
            self.injector.answer(self, number, sealed(frame.trn, "R", SUBMIT, self.reply(frame).encode()))
        return passed

    def reply(self, frame: Frame) -> str:
        """The data part of the answer."""
        raise NotImplementedError


class Nack(SubmitFault):
    """Refuses a submit with error code `ec`; the platform does not have the message."""

    parameters: ClassVar = {"ec": "04"}

    def reply(self, frame: Frame) -> str:
        """A refusal."""
        del frame
        return f"N/{self.text_of('ec')}//"


class NackWithoutEc(SubmitFault):
    """Refuses a submit with an empty error code; the platform does not have the message."""

    def reply(self, frame: Frame) -> str:
        """A refusal that says nothing."""
        del frame
        return "N///"


class AckThoughLost(SubmitFault):
    """Answers a submit positively and forgets the message."""

    def reply(self, frame: Frame) -> str:
        """What a true result would say, stamped now."""
        return f"A//{frame.data[At.ADC]}:{scts_text(self.injector.server.clock.now())}/"
