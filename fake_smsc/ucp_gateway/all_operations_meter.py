"""The reading of AMB-05 under which every operation of a client counts against its rate. Answers nothing.

Submissions are counted by the centre as they are admitted. The others are answered whatever the meter says: what they
take is missing to the submissions that follow. Who uses another meter pays nothing for this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fake_smsc.core.centre import Centre
from fake_smsc.ucp_gateway.line import Line
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

Handler = Callable[[Line, Frame, int], None]

OTHERS: Final = ("31", "54", "55", "56", "60", "61")
NAMING_A_CODE: Final = ("54", "55", "56")


def count_all(centre: Centre, operations: dict[str, Handler]) -> None:
    """Let the handlers of all but submissions count first, where the meter of any code counts them."""
    if any(limiter.limit.meter == "all_operations" for limiter in centre.limiters.values()):
        for ot in OTHERS:
            operations[ot] = _counted(centre, operations[ot])


def _counted(centre: Centre, handle: Handler) -> Handler:
    def count_and_handle(line: Line, frame: Frame, now: int) -> None:
        limiter = centre.limiters.get(_code_of(centre, line, frame))
        if limiter is not None and limiter.limit.meter == "all_operations":
            limiter.offer(now, 1)
        handle(line, frame, now)

    return count_and_handle


def _code_of(centre: Centre, line: Line, frame: Frame) -> str:
    """The code an operation is of: the one it names as originator, else the first of its account."""
    name = frame.data[0] if frame.ot == "60" and frame.data else line.account
    account = centre.accounts.get(name)
    if account is None or not account.codes:
        return ""
    named = frame.data[At.OADC] if frame.ot in NAMING_A_CODE and len(frame.data) > At.OADC else ""
    return named if named in account.codes else account.codes[0]
