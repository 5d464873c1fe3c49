"""The kernels of searches, loaded in a thread after the first search; until then frames are read one by one."""

from __future__ import annotations

import subprocess
import threading
from typing import Final

import numpy as np

from fake_smsc.ucp_gateway.times import UcpTimes
from simbench.base.calendar import UTC_CALENDAR
from simbench.contract import load_contract
from simbench.kernels import jit
from simbench.kernels.ahead import Ahead
from simbench.kernels.frames import Plain, Scanner
from simbench.numbering.plan import plan_of
from simbench.service.message_frames import Waiting, read_plain
from simbench.service.message_rows import Messages
from simbench.ucp.frame import encode
from simbench.ucp.operations import build


def _load() -> None:
    """Search one message, which loads every kernel for arrays of these types."""
    plan = plan_of(load_contract())
    recipient = plan.writer(1)
    operation = build("51", "O", "01", AdC=recipient, OAdC="36010", MT="3", Msg="41")
    octets = np.frombuffer(operation + encode(1, "R", "51", f"A//{recipient}:010126120000/"), np.uint8)
    messages, lanes = Messages(None, UcpTimes(UTC_CALENDAR), plan), np.array([0, 1])
    for block in Scanner(compiled=True).frames(octets, np.array([0, len(operation), len(octets)]), lanes):
        if isinstance(block, Plain):
            read_plain(block, lanes, Waiting(), 0)
    messages.texts.append(b"text")
    messages.compiled = True
    messages.having(b"text", np.zeros(1, np.int64), np.full(1, 4))
    messages.close()


AHEAD: Final = Ahead("search", "simbench.service.search_kernels", _load)


class Kernels:
    """Whether the kernels may be called. A separate process compiles them if necessary."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._begun = False

    def ready(self, wait_s: float = 0.0) -> bool:
        """Return whether they may be called, after waiting at most `wait_s`. The first call begins to load them."""
        with self._lock:
            if not self._begun and jit.is_installed():
                self._begun = True
                threading.Thread(target=self._prepare, name="kernels", daemon=True).start()
        return self._begun and self._ready.wait(wait_s)

    def _prepare(self) -> None:
        if not AHEAD.is_cached():
            out, pipe = subprocess.DEVNULL, subprocess.PIPE
            with subprocess.Popen(AHEAD.command(), stdin=pipe, stdout=out, stderr=out) as process:  # noqa: S603
                process.wait()
        if AHEAD.is_cached() and jit.compiles():
            AHEAD.load()
            self._ready.set()


KERNELS: Final = Kernels()  # one for the process

if __name__ == "__main__":
    AHEAD.compile_for_a_server()
