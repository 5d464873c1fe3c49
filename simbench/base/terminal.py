"""Standard output and error of a command: text received from a peer or a file cannot control the terminal."""

from __future__ import annotations

import codecs
import io
import os
import re
from typing import Any, Final

from simbench.base.errors import Trouble

# Control characters except tab and line end, C1, and marks that change the direction of text. Allowed are colours,
# "erase to the end of the line", and a carriage return at either end of one write: progress lines need these.
_STYLE: Final = r"(?:[0-79]|[1-9][0-9]{1,2})?"  # a colour or weight; 8 would hide what follows
_DRAWN: Final = rf"\[{_STYLE}(?:;{_STYLE})*[mK]"
_ESCAPED: Final = "simbench-escaped"
_STEERING: Final = re.compile(
    rf"\x1b(?!{_DRAWN})|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
    r"|(?<!\A)\r(?!\n|\Z)"
)


def harmless(text: str) -> str:
    r"""Return text with every character that controls a terminal escaped, such as \x1b or \u202e.

    Characters that JSON does not escape are escaped in the way of JSON, so that JSON remains valid.
    """
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1] if found[0] < "\x7f" else escaped(found[0]), text)


def escaped(text: str) -> str:
    r"""Return text as the escapes of JSON, such as \u00e9."""
    octets = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[at : at + 2].hex()}" for at in range(0, len(octets), 2))


def _escape(problem: UnicodeError) -> tuple[str, int]:
    assert isinstance(problem, UnicodeEncodeError)
    return escaped(problem.object[problem.start : problem.end]), problem.end


codecs.register_error(_ESCAPED, _escape)


class OwnOutput:
    """A text stream that escapes terminal controls and survives a reader that closes it early, such as `head`.

    Output after that is dropped, and the exit status does not change. If the caller closed the descriptor, there is no
    stream, and all output is dropped.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = io.TextIOWrapper(io.FileIO(os.devnull, "w")) if stream is None else stream

    @property
    def buffer(self) -> OwnOutput:
        """The binary layer, with the same protection from a closed reader; octets are written unchanged."""
        return OwnOutput(self._stream.buffer)

    def write(self, text: Any) -> int:
        """Write the text, or drop it if the reader has closed the stream. Raises Trouble if the disk is full."""
        try:
            return int(self._stream.write(self._fitting(text) if isinstance(text, str) else text))
        except BrokenPipeError:
            self._drop()
            return len(text)
        except OSError as problem:
            raise self._refused(problem) from None

    def flush(self) -> None:
        """Flush, unless the reader has closed the stream. Raises Trouble if the disk is full."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()
        except OSError as problem:
            raise self._refused(problem) from None

    def end(self) -> None:
        """Flush, or drop what cannot be written; `write` or `flush` has raised an error about it."""
        try:
            self._stream.flush()
        except OSError:
            self._drop()

    def _fitting(self, text: str) -> str:
        """Return the text with escapes for characters that the encoding of the stream lacks."""
        shown, encoding = harmless(text), self._stream.encoding or "utf-8"
        return shown if shown.isascii() else shown.encode(encoding, _ESCAPED).decode(encoding)

    def _drop(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    @staticmethod
    def _refused(problem: OSError) -> Trouble:
        return Trouble(f"output cannot be written: {problem.strerror or problem}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
