"""The exercise of an observed client."""

from __future__ import annotations

from simbench.bench.exercises.exercise import Exercise
from simbench.bench.exercises.tester import Bench
from simbench.bench.sut.protocol import Reach
from simbench.rules.rule import load


def watching(reach: Reach, watch_s: float) -> Exercise:
    """Return the exercise of an observed client: wait for its login, send each code an MO, record for `watch_s`."""

    async def script(bench: Bench) -> None:
        await bench.connected([account.account for account in reach.accounts or ()])
        await bench.pause(watch_s / 2)
        for code in bench.rates:
            bench.control.mo(bench.subscriber(), code, "Bonjour")
        await bench.pause(watch_s / 2)

    rates = {account.code: account.rate_per_s for account in reach.accounts or ()}
    purposes = tuple(load("watched"))
    return Exercise("watched", "The bench observes a client on its own", purposes, rates, script, watch_s, asks=False)
