"""The base of the groups of operations on messages."""

from __future__ import annotations

from fake_smsc.core.centre import Centre
from fake_smsc.ucp_gateway.admission import WindowAdmission
from fake_smsc.ucp_gateway.line import Line
from fake_smsc.ucp_gateway.output import Output
from fake_smsc.ucp_gateway.strictness_policy import StrictnessPolicy
from simbench.ucp.frame import Frame


class Operations:
    """A group of operations: the centre that decides, and the previous checks of every frame."""

    def __init__(
        self, centre: Centre, out: Output, window_admission: WindowAdmission, strictness_policy: StrictnessPolicy
    ) -> None:
        self.centre, self.out = centre, out
        self.window_admission, self.strictness_policy = window_admission, strictness_policy

    def sound(self, line: Line, frame: Frame, now: int) -> Frame | None:
        """Return the frame with valid fields; None if it was refused, or ignored without a login."""
        return self.strictness_policy.sound(line, frame, now) if self.window_admission.key(line, frame, now) else None
