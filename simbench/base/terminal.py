"""Standard output and standard error of a command: what comes from a wire or a file cannot steer the terminal."""

from __future__ import annotations

import os
import re
from typing import Any, Final

# Control characters but tab and line end, C1, and marks that turn the direction of text; but colours and "erase to the
# end of the line", and a return at either end of what is written at once, as progress that is written over needs them.
_STYLE: Final = r"(?:[0-79]|[1-9][0-9]{1,2})?"  # a colour or weight; 8 would hide what follows
_DRAWN: Final = rf"\[{_STYLE}(?:;{_STYLE})*[mK]"
_STEERING: Final = re.compile(
    rf"\x1b(?!{_DRAWN})|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
    r"|(?<!\A)\r(?!\n|\Z)"
)


def harmless(text: str) -> str:
    r"""Return text with every character that steers a terminal written out, as \x1b or \u202e."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


class OwnOutput:
    """A text stream that shows what steers a terminal, and whose reader may close it, as `head` does.

    Once the reader has gone, later output is dropped and the exit status stays.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def buffer(self) -> OwnOutput:
        """The same for octets written below the text layer, which are written as they are."""
        return OwnOutput(self._stream.buffer)

    def write(self, text: Any) -> int:
        """Write, or drop the text once the reader has gone."""
        try:
            return int(self._stream.write(harmless(text) if isinstance(text, str) else text))
        except BrokenPipeError:
            return self._gone(len(text))

    def flush(self) -> None:
        """Flush, or drop the text once the reader has gone."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._gone(0)

    def _gone(self, length: int) -> int:
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        return length

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
