"""Rules on rate: OPS-ENG-01, OPS-QOS-04, OPS-ACH-04. Share no code with the centre's meter.

An operation conforms when it comes no more than tau before the instant at which the r-th operation before it is one
second old; the ring keeps conforming instants, so that earliness never adds up. Other readings of AMB-05 have meters
of their own (`simbench.verdict.meters`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from simbench.finding import Evidence
from simbench.units import SECOND_US
from simbench.verdict.meters import AMBIGUITY, Meter, Sliding, counted, meter_of, said_of
from simbench.verdict.rule import Case, Judged, rule, worst
from simbench.verdict.view import Column, View

SHOWN = 5  # frames shown as evidence of one code


class Policed(msgspec.Struct, frozen=True):
    """A code's operations held against its rate: positions of those too early, and the worst earliness (us)."""

    early: tuple[int, ...]
    worst_us: int
    peak: int  # operations in the busiest sliding second
    sustained_per_s: float


def police(
    at: Column,
    segments: Column,
    rate: int,
    tolerance_us: int,
    grain_at: Callable[[int], int] = lambda _: 0,
    meter: Meter | None = None,
) -> Policed:
    """Hold operations (instants in us, ascending; segments each) against a rate, refusing those too early.

    `grain_at` tells how late the bench itself was around an instant (us). Conforming instants that rest on a late
    reading may have been that much earlier, so they are taken to be: what is forgiven once is not held against the
    client a second later. `meter` says how the rate is read; the sliding second without.
    """
    meter = meter or Sliding(rate)
    early: list[int] = []
    worst_us = 0
    for position, (instant, count) in enumerate(zip(at.tolist(), segments.tolist(), strict=True)):
        probe = meter.copy() if count > 1 else meter
        for _ in range(count - 1):
            probe.take(probe.due(instant))
        due = probe.due(instant)
        if due > instant:
            due = max(instant, due - grain_at(instant))
        worst_us = max(worst_us, due - instant)
        if due - instant > tolerance_us:
            early.append(position)
            continue
        probe.take(due)
        meter = probe
    return Policed(tuple(early), worst_us, peak_in_a_second(at, segments), sustained(each_segment(at, segments), rate))


def each_segment(instants: Column, segments: Column) -> Column:
    """The instant of every segment, where there is one of every operation."""
    return np.repeat(instants, segments) if len(instants) else instants


def peak_in_a_second(at: Column, segments: Column) -> int:
    """The most segments in any half-open second."""
    if not len(at):
        return 0
    total = np.concatenate(([0], np.cumsum(segments)))
    ends = np.searchsorted(at, at + SECOND_US, side="left")
    return int((total[ends] - total[:-1]).max())


def sustained(at: Column, rate: int) -> float:
    """Segments per second over a backlog, leaving out the first burst of r: (n - r) / (last - r-th)."""
    if len(at) <= rate:
        return 0.0
    elapsed = int(at[-1]) - int(at[rate - 1])
    return (len(at) - rate) * SECOND_US / elapsed if elapsed > 0 else float("inf")


def code_rates(case: Case) -> dict[str, int]:
    """Each code's rate, from the limits the story tells (the last one set)."""
    return {code: limits[-1][1] for code, limits in case.reading.limits.items()}


def held_against(case: Case, operations: View, rate: int) -> tuple[Policed, Policed]:
    """Operations held against their rate: with tau alone, and with the bench's own lateness where it was late."""
    at, segments, grain = operations.at, operations.segments, case.reading.local_grain
    jitter_us = case.contract.terms.throughput.jitter_ms.value * 1000
    strict = police(at, segments, rate, jitter_us, meter=meter_of(case.contract, rate))
    if not strict.early:
        return strict, strict
    meter = meter_of(case.contract, rate)
    return strict, police(at, segments, rate, jitter_us, lambda instant: grain(instant - SECOND_US, instant), meter)


def _within_tier(case: Case, code: str, rate: int, submits: View) -> Judged:
    """One code's submits against its tier: fails beyond tau and the bench's own grain, inconclusive in between."""
    assumed = case.contract.assumed("throughput.jitter_ms", AMBIGUITY)
    if not len(submits):
        return Judged("inconclusive", f"{code}: the client submitted nothing", blame="client")
    at = submits.at
    strict, lenient = held_against(case, submits, rate)
    told = (
        f"{code} at {rate}/s: {len(at)} operations, {strict.sustained_per_s:.2f}/s sustained, "
        f"{strict.peak} in the busiest second, at most {strict.worst_us / 1000:.1f} ms early"
        f"{said_of(case.contract, rate)}"
    )
    if not strict.early:
        told += no_backlog(case, code, rate)
        return Judged("pass", told, 0, 0, "operations too early", "", assumed)
    evidence = tuple(
        Evidence(
            f"{code}: too early for {rate}/s", int(at[p]) - SECOND_US, int(at[p]), int(submits.session[p]),
            submits.frame[p].hex().upper(),
        )
        for p in (lenient.early or strict.early)[:SHOWN]
    )  # fmt: skip
    if lenient.early:
        count = len(lenient.early)
        told += f"; {count} too early"
        return Judged("fail", told, count, 0, "operations too early", "client", assumed, evidence)
    grain = max(case.reading.local_grain(int(at[p]) - SECOND_US, int(at[p])) for p in strict.early)
    return Judged(
        "inconclusive", f"{told}, but the bench itself was {grain / 1000:.1f} ms late there", len(strict.early), 0,
        "operations too early", "bench", assumed, evidence,
    )  # fmt: skip


def no_backlog(case: Case, code: str, rate: int) -> str:
    """Words for a code whose messages the bench handed over more slowly than its rate, so that none waited; else ""."""
    asked = case.reading.asked
    at = asked.at[(asked.kind == "send") & (asked.code == code)]
    took_us = int(at[-1] - at[0]) if len(at) else 0
    if took_us <= len(at) * SECOND_US // rate:
        return ""
    return f"; but no backlog, handed over at {len(at) * SECOND_US / took_us:.1f}/s"


def if_waited(case: Case, code: str, rate: int, judged: Judged) -> Judged:
    """What was found, unless nothing waited: then the bench, not the client, decided how fast it sent."""
    words = no_backlog(case, code, rate)
    if judged.outcome not in {"pass", "weak"} or not words:
        return judged
    return msgspec.structs.replace(judged, outcome="inconclusive", summary=judged.summary + words, blame="bench")


def _every_code_within_tier(case: Case) -> Judged:
    operations = counted(case.contract, case.reading)
    asked = case.reading.asked
    wanted = set(asked.code[asked.kind == "send"].tolist())
    return worst(
        _within_tier(case, code, rate, operations.where(operations.code == code))
        for code, rate in code_rates(case).items()
        if code in wanted
    )


@rule(
    "OPS-ENG-01/backlog-at-tier",
    "With a backlog and nobody holding it back, the client keeps each short code within its subscribed rate",
    catches=("no-pacing", "fast-1-percent", "burst"),
    needs="limits_rate",
)
def backlog_at_tier(case: Case) -> Judged:
    """The SMSC only monitors: what keeps the tier is the client's own mechanism (AMB-18)."""
    return _every_code_within_tier(case)


@rule(
    "OPS-ENG-01/one-by-one",
    "Messages that arrive one by one faster than the tier leave within it",
    catches=("no-pacing", "fast-1-percent", "burst"),
    needs="limits_rate",
)
def one_by_one(case: Case) -> Judged:
    """As with a backlog; arrivals one by one defeat a limiter that only spaces batches."""
    return _every_code_within_tier(case)


@rule(
    "OPS-ACH-04/uses-its-tier",
    "With a backlog, the client uses the rate its codes have subscribed",
    catches=("uses-half-its-tier",),
    needs="limits_rate",
    at_worst="weak",
)
def uses_its_tier(case: Case) -> Judged:
    """No clause obliges a client to use what it pays for, so falling short is weak."""
    share = case.contract.terms.throughput.use_share.value
    submits = case.reading.submits
    judged = []
    for code, rate in code_rates(case).items():
        of_code = submits.where(submits.code == code)
        if not len(of_code):
            continue
        reached = sustained(each_segment(of_code.at, of_code.segments), rate)
        told = f"{code}: {reached:.2f}/s of {rate}/s ({reached / rate:.1%})"
        enough = reached >= share * rate
        found = Judged(
            "pass" if enough else "weak", told, round(reached, 3), rate, "messages/s", "" if enough else "client"
        )
        judged.append(if_waited(case, code, rate, found))
    return worst(judged, "the client submitted nothing")


@rule(
    "OPS-QOS-04/tier-granted",
    "Each short code gets at least its subscribed rate while the client offers it",
    binds="platform",
    catches=("slow-platform",),
)
def tier_granted(case: Case) -> Judged:
    """Accepted results per second over the backlog; what the client did not offer is not held against the platform.

    A client that fell a little short was granted its tier where its results came no later than the tier explains.
    """
    terms = case.contract.terms.throughput
    submits = case.reading.submits
    judged = []
    for code, rate in code_rates(case).items():
        of_code = submits.where((submits.code == code) & (submits.result_at >= 0))
        if len(of_code) <= 2 * rate:
            judged.append(Judged("inconclusive", f"{code}: only {len(of_code)} results", blame="client"))
            continue
        answered = np.argsort(of_code.result_at, kind="stable")
        granted = sustained(each_segment(of_code.result_at[answered], of_code.segments[answered]), rate)
        offered = sustained(each_segment(of_code.at, of_code.segments), rate)
        floor = rate * (1 - terms.sustained_tolerance_share.value)
        told = f"{code}: {granted:.2f}/s granted of {rate}/s ({offered:.2f}/s offered)"
        start, end = int(of_code.at[0]), int(of_code.at[-1])
        late_us = case.reading.local_grain(start, end)
        late, unexcused = _late_answers(of_code, rate, case) if granted < floor else (0, 0)
        if granted >= floor:
            judged.append(Judged("pass", told, round(granted, 4), rate, "messages/s"))
        elif late * 100 <= len(of_code) and not unexcused and offered >= rate * terms.use_share.value:
            told += ", results as soon as the tier allows"
            assumed = case.contract.assumed("throughput.use_share")
            judged.append(Judged("pass", told, round(granted, 4), rate, "messages/s", "", assumed))
        elif unexcused * 100 > len(of_code):
            evidence = (Evidence(f"{code}: results later than the tier explains", start, end),)
            judged.append(Judged("fail", told, round(granted, 4), rate, "messages/s", "platform", (), evidence))
        elif late_us > case.contract.terms.throughput.jitter_ms.value * 1000:
            told += f", but the bench itself was up to {late_us / 1000:.1f} ms late"
            evidence = (Evidence(f"{code}: fewer offered while the bench was late", start, end),)
            judged.append(Judged("inconclusive", told, round(granted, 4), rate, "messages/s", "bench", (), evidence))
        else:
            judged.append(Judged("inconclusive", told, round(granted, 4), rate, "messages/s", "client"))
    return worst(judged, "the client submitted nothing")


def _late_answers(submits: View, rate: int, case: Case) -> tuple[int, int]:
    """How many results came later than the tier explains; how many of them later than the bench's grain excuses."""
    meter = meter_of(case.contract, rate)
    slack = case.contract.terms.throughput.jitter_ms.value * 1000
    late = unexcused = 0
    for instant, count, answered in zip(
        submits.at.tolist(), submits.segments.tolist(), submits.result_at.tolist(), strict=True
    ):
        due = instant
        for _ in range(count):
            due = meter.due(instant)
            meter.take(due)
        if answered - due > slack:
            late += 1
            unexcused += answered - due > slack + case.reading.local_grain(due, answered)
    return late, unexcused
