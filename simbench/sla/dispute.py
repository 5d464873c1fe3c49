"""The client's observations and the tickets compared line by line, with the reason for each difference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
import numpy as np

from simbench.base.calendar import civil
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.rules.rule import Case
from simbench.sla.classification import Counted, Service
from simbench.sla.probes import Probes

Agreement = Literal["agree", "differ", "only the ticket", "only the client", "nobody looked"]
Silence = tuple[int, int]


class Side(msgspec.Struct, frozen=True):
    """One line of the comparison: instants (us, -1 for none), seconds of each side, and the reason in a sentence."""

    verdict: Agreement
    ticket: str
    told_start: int
    told_end: int
    seen_start: int
    seen_end: int
    told_s: float
    seen_s: float
    why: str


def compare(service: Service, probes: Probes, least_s: int) -> list[Side]:
    """Each ticket of the period with what the probes saw of it, then each silence without a ticket, by start.

    Without a ticket, silences shorter than `least_s` are no outage. A silence's ends are known to the
    probe's period.
    """
    period, every = service.period, probes.every_us
    silences = [(start, period.end if end is None else end) for start, end, _ in probes.silences()]
    recorded = [one for one in service.counted if one.incident.start < period.end and _end(one, service) > period.start]
    matched: set[Silence] = set()
    sides = []
    for one in recorded:
        start, end = one.incident.start, _end(one, service)
        mine = [silence for silence in silences if silence[0] < end + every and silence[1] > start - every]
        matched.update(mine)
        sides.append(_side(one, (start, end), mine, probes))
    alone = [
        silence for silence in silences if silence not in matched and silence[1] - silence[0] >= least_s * SECOND_US
    ]
    sides += [_unticketed(silence) for silence in alone]
    return sorted(sides, key=lambda side: min(at for at in (side.told_start, side.seen_start) if at >= 0))


def seen_by_the_client(case: Case) -> Probes:
    """Probes made of a ledger's wire: results of 51 and 31, logins, and connections that the platform ended.

    An operation is answered when it has a result (a 51: a positive one); a connection ended by the platform is
    unanswered at that instant.
    """
    trace = case.trace
    points: list[tuple[int, bool]] = [(row.at, row.ack == "A") for row in trace.submits.rows()]
    points += [(row.at, row.result_at >= 0) for row in trace.alerts.rows()]
    for row in trace.sessions.rows():
        if row.login_at >= 0:
            points.append((row.login_at, row.login_ack == "A"))
        if row.closed_at >= 0 and row.closed_by != "peer":
            points.append((row.closed_at, False))
    points.sort()
    at = np.array([instant for instant, _ in points], dtype=np.int64)
    return Probes(at, np.array([ok for _, ok in points], dtype=np.bool_))


def _end(one: Counted, service: Service) -> int:
    return service.period.end if one.incident.end is None else one.incident.end


def _side(one: Counted, recorded: Silence, mine: list[Silence], probes: Probes) -> Side:
    start, end = recorded
    recorded_s, ticket = (end - start) / SECOND_US, one.incident.ticket
    tried, good = probes.between(start, end)
    if not mine:
        if not tried:
            return Side(
                "nobody looked", ticket, start, end, -1, -1, recorded_s, 0, "the client sent no probe during it"
            )
        why = f"{good} of {count(tried, 'probe')} answered during the ticket"
        partial = one.incident.scope == "partial" and good < tried
        verdict: Agreement = "agree" if partial else "only the ticket"
        return Side(verdict, ticket, start, end, -1, -1, recorded_s, 0, why)
    seen_start, seen_end = min(s for s, _ in mine), max(e for _, e in mine)
    seen_s = sum(e - s for s, e in mine) / SECOND_US
    reasons = list(_reasons(one, recorded, (seen_start, seen_end), probes.every_us))
    if len(mine) > 1:
        reasons.append(f"the client saw {len(mine)} separate silences")
    why = "; ".join(reasons) or "agrees with the ticket to within a probe's period"
    return Side("differ" if reasons else "agree", ticket, start, end, seen_start, seen_end, recorded_s, seen_s, why)


def _reasons(one: Counted, recorded: Silence, seen: Silence, every: int) -> Iterable[str]:
    """Where the two ends differ by more than a probe's period."""
    early, late = recorded[0] - seen[0], seen[1] - recorded[1]
    if early > every:
        noticed = one.incident.noticed_at
        opened = f" (ticket opened at {civil(noticed):%H:%M})" if noticed else ""
        yield f"down for the client {_length(early)} before the ticket's start{opened}"
    elif early < -every:
        yield f"the client saw it only {_length(-early)} after the ticket's start"
    if late > every:
        yield f"still down for the client {_length(late)} after the ticket's end"
    elif late < -every:
        yield f"the client was served again {_length(-late)} before the ticket's end"


def _unticketed(silence: Silence) -> Side:
    start, end = silence
    why = f"no ticket for {_length(end - start)} without an answer"
    return Side("only the client", "", -1, -1, start, end, 0, (end - start) / SECOND_US, why)


def _length(us: int) -> str:
    minutes, seconds = divmod(us // SECOND_US, 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
