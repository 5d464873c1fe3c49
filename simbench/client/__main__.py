"""The reference client as a process: `python -m simbench.client`.

It reads and writes the lines of `client/lines.py`; `client/environment.py` lists its environment variables.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable

from simbench.base.errors import BadInput, SimbenchError
from simbench.client.environment import Settings, read_settings
from simbench.client.program import Program


def _write_output(octets: bytes) -> None:
    """Write to standard output. Raises BrokenPipeError once, when the reader is gone."""
    try:
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _read_input(loop: asyncio.AbstractEventLoop, feed: Callable[[bytes], None]) -> None:
    """Pass standard input, of any kind of file, to `feed` until it ends."""
    octets = b" "
    while octets:
        octets = os.read(sys.stdin.fileno(), 65_536)
        try:
            loop.call_soon_threadsafe(feed, octets)
        except RuntimeError:  # the loop, and so the client, has ended
            return


async def run(settings: Settings) -> None:
    """Run the client until a stop line, the end of its input, or a signal."""
    program = Program(settings, _write_output)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, program.stopping.set)
    loop.set_exception_handler(program.fail)
    program.start()
    threading.Thread(target=_read_input, args=(loop, program.feed), daemon=True).start()
    await program.stopping.wait()
    if program.failure is not None:
        raise program.failure
    await program.end()


def main() -> int:
    """Run the client; return 0 after a clean end, 2 for an invalid environment, 3 for a lacking resource."""
    try:
        asyncio.run(run(read_settings(os.environ)))
    except SimbenchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's error message
        return 2 if isinstance(error, BadInput) else 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
