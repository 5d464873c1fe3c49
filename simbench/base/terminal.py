"""Standard output and error of a command: text received from a peer or a file cannot control the terminal."""

from __future__ import annotations

import os
import re
from typing import Any, Final

# Control characters except tab and line end, C1, and marks that change the direction of text. Allowed are colours,
# "erase to the end of the line", and a carriage return at either end of one write: progress lines need these.
_STYLE: Final = r"(?:[0-79]|[1-9][0-9]{1,2})?"  # a colour or weight; 8 would hide what follows
_DRAWN: Final = rf"\[{_STYLE}(?:;{_STYLE})*[mK]"
_STEERING: Final = re.compile(
    rf"\x1b(?!{_DRAWN})|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
    r"|(?<!\A)\r(?!\n|\Z)"
)


def harmless(text: str) -> str:
    r"""Return text with every character that controls a terminal escaped, such as \x1b or \u202e."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


class OwnOutput:
    """A text stream that escapes terminal controls and survives a reader that closes it early, such as `head`.

    Output after that is dropped, and the exit status does not change.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def buffer(self) -> OwnOutput:
        """The binary layer, with the same protection from a closed reader; octets are written unchanged."""
        return OwnOutput(self._stream.buffer)

    def write(self, text: Any) -> int:
        """Write the text, or drop it if the reader has closed the stream."""
        try:
            return int(self._stream.write(harmless(text) if isinstance(text, str) else text))
        except BrokenPipeError:
            return self._gone(len(text))

    def flush(self) -> None:
        """Flush, unless the reader has closed the stream."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._gone(0)

    def _gone(self, length: int) -> int:
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        return length

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
