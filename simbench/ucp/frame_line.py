"""A frame in one line, as results show it in a traceback or at a prompt; telephone numbers and passwords are hidden."""

from __future__ import annotations

from typing import Final

from simbench.ucp.explain import explain, heading
from simbench.ucp.frame import Frame, Framer
from simbench.ucp.masking import masked_frame, masked_runs

LONGEST: Final = 160  # characters
_UNDERSTOOD: Final = frozenset({"OAdC", "Msg", "AMsg"})  # shown as the text they contain, if they contain one


def frame_line(octets: bytes, longest: int = LONGEST) -> str:
    """Return the kind of the frame and its fields, or the characters of octets that are no frame."""
    item = next(iter(Framer(max(len(octets), 1)).feed(octets)), None)
    if not isinstance(item, Frame):
        return cut("".join(filter(str.isprintable, masked_runs(octets).decode("latin-1"))), longest)
    fields = [
        f"{one.name} {one.meaning.partition(': ')[0] if one.name in _UNDERSTOOD and one.meaning else one.value}"
        for one in explain(masked_frame(item))
    ]
    return cut(f"{heading(item)}: {', '.join(fields)}", longest)


def cut(text: str, longest: int) -> str:
    """Return a text without its end if it is longer than so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
