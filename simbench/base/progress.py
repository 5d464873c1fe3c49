"""Shows the progress of long work: a line on standard error, or below the cell of a notebook."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

Progress = Callable[[float | None, str], object]
"""A function of the share done, from 0 to 1 (None if the total is unknown), and a description of the work."""

QUIET_S: Final = 2.0  # shorter work shows no progress
EVERY_S: Final = 1.0
KNOWN: Final = 0.03  # share done before the time left is estimated; until then mostly loading was timed


def silent(_share: float | None, _doing: str = "") -> None:
    """Show nothing."""


class Shown:
    """Shows progress after two seconds, at most once a second, with the time left once it can be estimated."""

    def __init__(self) -> None:
        self.done = 0.0
        self._began = self._last = time.monotonic()
        self._line = _Notebook() if in_notebook() else _Terminal()

    def __call__(self, share: float | None, doing: str = "") -> None:
        """Update the share done and the description of the work."""
        now = time.monotonic()
        if share is not None:
            self.done = share
            if not 0 < share < 1:
                return
        if now - self._began < QUIET_S or now - self._last < EVERY_S:
            return
        self._last = now
        parts = [doing] if doing else []
        if share is not None:
            parts.append(f"{share:6.1%} done")
            if share >= KNOWN:
                parts[-1] += f", about {(now - self._began) / share * (1 - share):.0f} s left"
        self._line.show("  " + ": ".join(parts))

    def end(self) -> None:
        """End the line."""
        self._line.end()


@contextmanager
def reported(progress: Progress | bool) -> Iterator[Progress]:
    """Yield the caller's own function, one that shows progress for `True`, or one that shows nothing for `False`."""
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield silent
    else:
        shown = Shown()
        try:
            yield shown
        finally:
            shown.end()


def in_notebook() -> bool:
    """Return whether the code runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class _Terminal:
    """One line on standard error, overwritten in place on a terminal."""

    def __init__(self) -> None:
        self._spoke = False

    def show(self, text: str) -> None:
        self._spoke = True
        sys.stderr.write(text + ("  \r" if sys.stderr.isatty() else "\n"))
        sys.stderr.flush()

    def end(self) -> None:
        if self._spoke and sys.stderr.isatty():
            sys.stderr.write("\n")


class _Notebook:
    """One line below the cell, replaced as work goes on and empty at its end."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        from IPython.display import display  # noqa: PLC0415 - there is a kernel, so there is IPython

        shown = _Plain(text.strip())
        if self._handle is None:
            self._handle = display(shown, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(shown)

    def end(self) -> None:
        if self._handle is not None:
            self._handle.update(_Plain(""))


class _Plain:
    """A text that notebooks print without quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text
