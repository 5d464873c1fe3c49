"""Ports and their calls: assignment of ports to carried calls, and detection of overlapping calls on a port."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simbench.kernels.jit import kernel

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Bits = NDArray[np.bool_]


@kernel
def assign_ports(start: I64, length: I64, pool: I32, ports: I64) -> I32:
    """Return the port of each call, from 0 within its pool: the one free longest, else a new one; -1 if none is free.

    Calls are sorted by start. Each pool keeps a heap of (first free instant, port) of the ports used so far.
    """
    first = np.zeros(len(ports) + 1, np.int64)
    for p in range(len(ports)):
        first[p + 1] = first[p] + ports[p]
    frees, names, used = np.empty(first[-1], np.int64), np.empty(first[-1], np.int32), np.zeros(len(ports), np.int64)
    given = np.full(len(start), -1, np.int32)
    for call in range(len(start)):
        p = pool[call]
        free, name = frees[first[p] : first[p + 1]], names[first[p] : first[p + 1]]
        ends = start[call] + length[call]
        if used[p] > 0 and free[0] <= start[call]:
            given[call] = name[0]
            _settle(free, name, used[p], ends)
        elif used[p] < ports[p]:
            given[call] = used[p]
            used[p] += 1
            _rise(free, name, used[p] - 1, ends)
    return given


@kernel
def _settle(free: I64, name: I32, size: int, ends: int) -> None:
    """Set the first port of the heap to be free at `ends`, and restore the heap."""
    at, port = 0, name[0]
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and free[child + 1] < free[child]:
            child += 1
        if free[child] >= ends:
            break
        free[at], name[at] = free[child], name[child]
        at = child
    free[at], name[at] = ends, port


@kernel
def _rise(free: I64, name: I32, size: int, ends: int) -> None:
    """Add port number `size`, free at `ends`."""
    at = size
    while at > 0 and free[(at - 1) // 2] > ends:
        free[at], name[at] = free[(at - 1) // 2], name[(at - 1) // 2]
        at = (at - 1) // 2
    free[at], name[at] = ends, size


@kernel
def overlapping(start: I64, end: I64, port: I64, count: int) -> Bits:
    """Mark calls that begin while an earlier unmarked one holds their port (a number below `count`; -1: none).

    Calls are sorted by start.
    """
    held, marked = np.full(count, np.iinfo(np.int64).min), np.zeros(len(start), np.bool_)
    for call in range(len(start)):
        place = port[call]
        if place < 0:
            continue
        if start[call] < held[place]:
            marked[call] = True
        else:
            held[place] = end[call]
    return marked
