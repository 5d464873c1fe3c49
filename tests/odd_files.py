"""Paths that are no regular files, for tests of whatever reads a path."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Make = Callable[[Path], object]
ODD: dict[str, Make] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
    "loop": lambda path: path.symlink_to(path.name),
}


NOTHING: Make = bool
"""Makes no file."""


@contextmanager
def fed(path: Path, octets: bytes = b"x\n") -> Iterator[None]:
    """Write octets into a pipe for whoever opens it, so that a reader which does so fails a test instead of hanging."""
    ended = threading.Event()

    def feed() -> None:
        while not ended.is_set():
            with suppress(OSError):  # nobody reads it now
                writing = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                with os.fdopen(writing, "wb") as pipe:
                    pipe.write(octets)
            ended.wait(0.01)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield
    finally:
        ended.set()
        feeder.join()
