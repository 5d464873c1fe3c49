"""Standard output and standard error of a command: what comes from a wire or a file cannot steer the terminal."""

from __future__ import annotations

import codecs
import io
import os
import re
from typing import Any, Final

from simbench.base.errors import Trouble

# Control characters but tab and line end, C1, and marks that turn the direction of text; but colours and "erase to the
# end of the line", and a return at either end of what is written at once, as progress that is written over needs them.
_STYLE: Final = r"(?:[0-79]|[1-9][0-9]{1,2})?"  # a colour or weight; 8 would hide what follows
_DRAWN: Final = rf"\[{_STYLE}(?:;{_STYLE})*[mK]"
_ESCAPED: Final = "simbench-escaped"
_STEERING: Final = re.compile(
    rf"\x1b(?!{_DRAWN})|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
    r"|(?<!\A)\r(?!\n|\Z)"
)


def harmless(text: str) -> str:
    r"""Return text with every character that steers a terminal written out, as \x1b or \u202e.

    Characters that JSON leaves as they are come out as JSON writes them, so that it stays JSON.
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
    """A text stream that shows what steers a terminal, and whose reader may close it, as `head` does.

    Once the reader has gone, later output is dropped and the exit status stays. Where the caller closed the
    descriptor there is no stream, and all output is dropped.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = io.TextIOWrapper(io.FileIO(os.devnull, "w")) if stream is None else stream

    @property
    def buffer(self) -> OwnOutput:
        """The same for octets written below the text layer, which are written as they are."""
        return OwnOutput(self._stream.buffer)

    def write(self, text: Any) -> int:
        """Write, or drop the text once the reader has gone. Raises Trouble where the disk is full."""
        try:
            return int(self._stream.write(self._fitting(text) if isinstance(text, str) else text))
        except BrokenPipeError:
            self._drop()
            return len(text)
        except OSError as problem:
            raise self._refused(problem) from None

    def flush(self) -> None:
        """Flush, or drop the text once the reader has gone. Raises Trouble where the disk is full."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._drop()
        except OSError as problem:
            raise self._refused(problem) from None

    def end(self) -> None:
        """Flush, or drop what cannot be written, about which `write` or `flush` has complained."""
        try:
            self._stream.flush()
        except OSError:
            self._drop()

    def _fitting(self, text: str) -> str:
        """The text as this stream can write it, with escapes for characters that its encoding lacks."""
        shown, encoding = harmless(text), self._stream.encoding or "utf-8"
        return shown if shown.isascii() else shown.encode(encoding, _ESCAPED).decode(encoding)

    def _drop(self) -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    @staticmethod
    def _refused(problem: OSError) -> Trouble:
        return Trouble(f"output cannot be written: {problem.strerror or problem}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
