"""The compiled forms of the kernels: loaded once for a process, from the cache on the disk or by compiling them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from fake_smsc.fast.kernels import layout as lay
from fake_smsc.fast.kernels.notifying import carry
from fake_smsc.fast.kernels.rows import deliver
from fake_smsc.fast.kernels.serving import serve
from simbench.kernels import jit
from simbench.kernels.ahead import Ahead

Kernel = Callable[..., int]


class Kernels(msgspec.Struct, frozen=True):
    """The functions that the fast path calls."""

    serve: Kernel
    deliver: Kernel
    carry: Kernel


_loaded: list[Kernels] = []


def kernels() -> Kernels | None:
    """Return the kernels if they have been loaded."""
    return _loaded[0] if _loaded else None


def load() -> bool:
    """Load the kernels, which compiles them if no earlier process has. False without a compiler."""
    if not _loaded and jit.compiles():
        AHEAD.load()
    return bool(_loaded)


def _load() -> None:
    made = Kernels(*(jit.compiled(each, lean=True) for each in (serve, deliver, carry)))
    _try(made)
    _loaded.append(made)


def _try(made: Kernels) -> None:
    """Call each kernel with empty arrays, which compiles it for arrays of these types."""
    state, numbers = np.zeros(lay.LAW + 2, np.int64), np.zeros(8, np.int64)
    words, octets, square = np.zeros(8, np.uint64), np.zeros(8, np.uint8), np.zeros((1, 8), np.int64)
    slots = np.zeros(8, np.int32)
    made.serve(
        state, np.frombuffer(b"\x02", np.uint8), square[:0], square, square, numbers, square, numbers, words, words,
        words, square, square, slots, numbers, square, numbers, octets, square, square, octets, slots,
    )  # fmt: skip
    made.deliver(state, square, slots, square, words, square, octets, slots, numbers, numbers)
    made.carry(state, square, square, numbers, numbers[:0], square, square, numbers, numbers, octets, square)


AHEAD = Ahead("fast-path", "fake_smsc.fast.compiled", _load)

if __name__ == "__main__":
    AHEAD.compile_for_a_server()
