"""Deferred delivery: a message that the client hands in now for later (DD and DDT of a 51)."""

from __future__ import annotations

from typing import Final

from simbench.rules.rule import Case
from simbench.ucp.fields import At
from simbench.ucp.forms import moment

_DATA: Final = 4  # position of the first data field in a frame split at its slashes


def due(case: Case, at: int, frame: bytes) -> int:
    """Return the instant (us) from which the platform may deliver a submit: its DDT if it is deferred, else `at`."""
    cells = frame.decode("latin-1").split("/")[_DATA:]
    if len(cells) <= At.DDT or cells[At.DD] != "1":
        return at
    civil = moment(cells[At.DDT])
    return at if civil is None else max(at, case.contract.calendar.instant(*civil))
