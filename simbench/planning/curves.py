"""The course of each demand under the chosen code plan: waiting messages, and the share done over time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from simbench.base.units import SECOND_US
from simbench.planning.campaign import Sending, Steady
from simbench.planning.code_plan import CodePlan
from simbench.planning.loads import Group, Replication

STEPS, AFTER, DRAWN = 64, 32, 100  # points up to the deadline and after it; futures the backlog is drawn from
Floats = NDArray[np.float64]


class Curve(msgspec.Struct, frozen=True):
    """A sending from its start to after its deadline: hours, the waiting share at the 5th, 50th and 95th percentile of
    its occasions and in the worst one, and the share of occasions complete by each hour.
    """  # fmt: skip

    demand: str
    hours: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    worst: tuple[float, ...]
    in_time: tuple[float, ...]
    deadline_h: float


class Waits(msgspec.Struct, frozen=True):
    """A flow: minutes, and the share of its days on which no message waited longer."""

    demand: str
    minutes: tuple[float, ...]
    in_time: tuple[float, ...]
    within_min: float


def curves(groups: list[Group], futures: list[Replication], chosen: CodePlan) -> Iterator[Curve | Waits]:
    """Yield the course of each demand in futures; the share at the deadline equals that of a score in these futures."""
    for group in groups:
        rates = chosen.rates(group.prefix)
        runs = [group.run(rates, future) for future in futures]
        done, waits = np.array([one for one, _ in runs]), np.array([each for _, each in runs])
        backlog = [_backlog(group, rates, future) for future in futures[:DRAWN]] if group.sendings else []
        for number, sending in enumerate(group.sendings):
            yield _sending(group, sending, done, [one[number] for one in backlog])
        for number, flow in enumerate(group.flows):
            yield _flow(flow, waits[:, number])


def _backlog(group: Group, rates: tuple[int, ...], future: Replication) -> Floats:
    """Return the waiting messages of each sending's occasions at each point of the period."""
    finest_h = min(one.deadline_h for one in group.sendings) / STEPS
    points = int(group.load.end_s / max(10.0, finest_h * 3600))
    curve = np.zeros((len(group.sendings), points))
    group.run(rates, future, curve)
    return curve


def _sending(group: Group, sending: Sending, done: Floats, backlog: list[Floats]) -> Curve:
    hours = _axis(sending.deadline_h)
    which = [at for at, one in enumerate(group.occasions) if one.demand is sending]
    begins = np.array([(group.occasions[at].start - group.plan.span[0]) / SECOND_US for at in which])
    took_h = (done[:, which] - begins).ravel() / 3600
    due_h = (group.due[which] - begins) / 3600
    in_time = [(took_h <= hour).mean() for hour in hours]
    in_time[STEPS] = float((done[:, which] <= begins + due_h * 3600).mean())  # as in the score
    points = len(backlog[0])
    places = ((begins[:, None] + hours * 3600) / group.load.end_s * points).astype(int)
    volume = sending.volume * sending.parts
    rows = np.concatenate([one[np.minimum(places, points - 1)] for one in backlog]) / volume
    low, middle, high, worst = (_rounded(np.quantile(rows, q, axis=0)) for q in (0.05, 0.5, 0.95, 1))
    return Curve(
        sending.name, _rounded(hours), low, middle, high, worst, tuple(map(float, in_time)), sending.deadline_h
    )


def _flow(flow: Steady, waits: Floats) -> Waits:
    minutes = _axis(flow.within_min)
    in_time = tuple(float((waits <= minute * 60 + 1e-9).mean()) for minute in minutes)
    return Waits(flow.name, _rounded(minutes), in_time, flow.within_min)


def _axis(deadline: float) -> Floats:
    """Return points up to and including a deadline, and half as far after it."""
    found: Floats = np.arange(STEPS + AFTER + 1, dtype=np.float64) * np.float64(deadline / STEPS)
    found[STEPS] = deadline
    return found


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, 4).tolist())
