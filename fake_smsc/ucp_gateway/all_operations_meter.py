"""The reading of AMB-05 in which every operation of a client counts against its rate.

The centre counts submissions as it admits them. Other operations are always answered, but reduce what is left for the
submissions that follow. Platforms with other meters run none of this code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fake_smsc.core.centre import Centre
from fake_smsc.ucp_gateway.line import Line
from simbench.ucp.fields import At
from simbench.ucp.frame import Frame

Handler = Callable[[Line, Frame, int], None]

SUBMISSIONS: Final = frozenset({"01", "02", "03", "30", "51"})  # counted by the centre
NAMING_A_CODE: Final = ("54", "55", "56")


def count_all(centre: Centre, operations: dict[str, Handler]) -> None:
    """Wrap the handlers of all operations but submissions to count first, if any code's meter counts them."""
    if any(limiter.limit.meter == "all_operations" for limiter in centre.limiters.values()):
        for ot in sorted(operations.keys() - SUBMISSIONS):
            operations[ot] = _counted(centre, operations[ot])


def _counted(centre: Centre, handle: Handler) -> Handler:
    def count_and_handle(line: Line, frame: Frame, now: int) -> None:
        limiter = centre.limiters.get(_code_of(centre, line, frame))
        if limiter is not None and limiter.limit.meter == "all_operations":
            limiter.offer(now, 1)
        handle(line, frame, now)

    return count_and_handle


def _code_of(centre: Centre, line: Line, frame: Frame) -> str:
    """Return the code an operation belongs to: the one it names as originator, else the account's first."""
    name = frame.data[0] if frame.ot == "60" and frame.data else line.account
    account = centre.accounts.get(name)
    if account is None or not account.codes:
        return ""
    named = frame.data[At.OADC] if frame.ot in NAMING_A_CODE and len(frame.data) > At.OADC else ""
    return named if named in account.codes else account.codes[0]
