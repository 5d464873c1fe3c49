"""Calls to account for. Tests nothing itself."""

from __future__ import annotations

import numpy as np

from simbench.dialup.calls import SECOND, Call, Calls, calls_of

START = 960_213_600_000_000  # 2000-06-05 14:00 UTC
NASES = ("192.0.2.10", "192.0.2.11", "pop-lyon")


def some_calls(count: int, seed: int = 1, spacing_us: int = SECOND) -> Calls:
    """Calls of all access servers, a second apart, of a few minutes each."""
    draws = np.random.default_rng(seed)
    return calls_of(
        Call(
            start_us=START + n * spacing_us + int(draws.integers(0, spacing_us)),
            duration_us=int(draws.lognormal(5.0, 1.0) * SECOND),
            nas=NASES[n % len(NASES)],
            port=n % 480,
            user=f"u{n:05d}@isp.example",
            session=f"{n:08X}",
            cause=1 + n % 2,
            line=n + 1,
        )
        for n in range(count)
    )
