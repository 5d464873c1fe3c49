"""Frames for tests of their checks."""

from __future__ import annotations

from simbench.ucp.checks import check
from simbench.ucp.frame import Frame, Framer
from simbench.ucp.operations import build


def frame_of(octets: bytes) -> Frame:
    (frame,) = Framer(99_999).feed(octets)
    assert isinstance(frame, Frame)
    return frame


def submit(ot: str = "51", **fields: str) -> Frame:
    given_fields = {"AdC": "33639980012", "OAdC": "36010", "MT": "3"} | fields
    return frame_of(build(ot, "O", 7, **{name: value for name, value in given_fields.items() if value}))


def problems(frame: Frame, strict: bool = True, long_messages: bool = False) -> list[tuple[str, str, str | None]]:
    return [(error.field, error.problem, error.ec) for error in check(frame, strict, long_messages)]
