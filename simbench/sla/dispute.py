"""Comparison of the client's observations with the tickets, line by line with reasons, and in total."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec
import numpy as np

from simbench.base.calendar import Calendar
from simbench.base.spans import Span, common
from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.contract import Contract
from simbench.sla.classification import VARIANTS_OF, Counted, Service
from simbench.sla.probes import Probes
from simbench.trace.trace import Trace

Outcome = Literal["agree", "differ", "only the ticket", "only the client", "nobody looked"]
DOWN = ("unplanned", "planned")


class Reason(msgspec.Struct, frozen=True):
    """Why the two sides differ: the kind of reason, and the duration (us), instant or numbers that its text names."""

    kind: Literal[
        "no probe", "answered", "early", "late start", "late", "early end", "several", "no ticket", "opened", "same"
    ]
    us: int = 0
    some: int = 0
    of: int = 0

    def text(self, calendar: Calendar) -> str:
        """Return the reason in English, with instants in the civil time of a calendar."""
        return {
            "no probe": "the client sent no probe during it",
            "answered": f"{self.some} of {count(self.of, 'probe')} answered during the ticket",
            "early": f"down for the client {_length(self.us)} before the ticket's start",
            "opened": f"(ticket opened at {calendar.civil(self.us):%H:%M})",
            "late start": f"the client saw it only {_length(self.us)} after the ticket's start",
            "late": f"still down for the client {_length(self.us)} after the ticket's end",
            "early end": f"the client was served again {_length(self.us)} before the ticket's end",
            "several": f"the client saw {self.some} separate silences",
            "no ticket": f"no ticket for {_length(self.us)} without an answer",
            "same": "agrees with the ticket to within a probe's period",
        }[self.kind]


class Side(msgspec.Struct, frozen=True):
    """One line of the comparison: instants (us, -1 for none), seconds of each side, and the reason as a sentence."""

    verdict: Outcome
    ticket: str
    ticket_start: int
    ticket_end: int
    seen_start: int
    seen_end: int
    ticket_s: float
    seen_s: float
    why: str
    reasons: tuple[Reason, ...] = ()


class Totals(msgspec.Struct, frozen=True):
    """Down time of the period in seconds, by source; the tickets are those of the whole platform, planned or not.

    `tickets_s` - `served_s` (a probe was answered) - `unwatched_s` (no probe) + `other_s` (under a ticket that is not
    about down time of the whole platform) + `unticketed_s` is `client_s`.
    `covered` is the share of the period in which probes were sent.
    """

    tickets_s: float
    served_s: float
    unwatched_s: float
    other_s: float
    unticketed_s: float
    client_s: float
    covered: float


class Dispute(msgspec.Struct, frozen=True):
    """All lines by start, the totals, and the number of consecutive lost probes that counts as an outage."""

    sides: tuple[Side, ...]
    totals: Totals
    in_a_row: int


def dispute_of(service: Service, probes: Probes, contract: Contract, in_a_row: int | None = None) -> Dispute:
    """Compare and add up; fewer consecutive lost probes than `in_a_row` (default: the contract's) are not a silence."""
    least_s = contract.terms.quality.total_outage_after_s.value
    lost = contract.terms.quality.probes_lost_in_a_row.value if in_a_row is None else in_a_row
    return Dispute(
        tuple(compare(service, probes, least_s, lost, contract.calendar)), _totals(service, probes, least_s, lost), lost
    )


def compare(service: Service, probes: Probes, least_s: int, in_a_row: int, calendar: Calendar) -> list[Side]:
    """Return each ticket of the period with the result of its probes, and each silence without a ticket, by start.

    Without a ticket, a silence shorter than `least_s` is not an outage. The ends of a silence are known to within the
    interval between probes.
    """
    every = probes.every_us
    silences = _silences(service, probes, in_a_row)
    recorded = service.of(*VARIANTS_OF)
    matched: set[Span] = set()
    sides = []
    for one in recorded:
        start, end = one.incident.start, _end(one, service)
        mine = [silence for silence in silences if silence[0] < end + every and silence[1] > start - every]
        matched.update(mine)
        sides.append(_side(one, (start, end), mine, probes, calendar))
    alone = [
        silence for silence in silences if silence not in matched and silence[1] - silence[0] >= least_s * SECOND_US
    ]
    sides += [_unticketed(silence, calendar) for silence in alone]
    return sorted(sides, key=lambda side: min(at for at in (side.ticket_start, side.seen_start) if at >= 0))


def seen_by_the_client(trace: Trace) -> Probes:
    """Derive probes from a ledger's wire: results of 51 and 31, logins, and connections that the platform closed.

    An operation is answered when it has a result (a 51: a positive one). A connection closed by the platform is an
    unanswered probe at that instant.
    """
    points: list[tuple[int, bool]] = [(row.at, row.result_at >= 0) for row in trace.alerts.rows()]
    for row in trace.sessions.rows():
        if row.login_at >= 0:
            points.append((row.login_at, row.login_ack == "A"))
        if row.closed_at >= 0 and row.closed_by != "peer":
            points.append((row.closed_at, False))
    # Sorted by instant, then unanswered ones first.
    both = np.append(trace.submits.at, np.array([instant for instant, _ in points], dtype=np.int64))
    both *= 2
    both += np.append(trace.submits.equal("ack", "A"), np.array([ok for _, ok in points], dtype=np.bool_))
    both.sort()
    ok = (both & 1).astype(np.bool_)
    both >>= 1
    return Probes(both, ok)


def _silences(service: Service, probes: Probes, in_a_row: int) -> list[Span]:
    end_of = service.period.end
    return [(start, end_of if end is None else end) for start, end, lost in probes.silences() if lost >= in_a_row]


def _end(one: Counted, service: Service) -> int:
    return service.period.end if one.incident.end is None else one.incident.end


def _totals(service: Service, probes: Probes, least_s: int, in_a_row: int) -> Totals:
    period = service.period
    within = (period.start, period.end)
    tickets = _united(
        [(one.incident.start, _end(one, service)) for one in service.counted if one.counted_as in DOWN], within
    )
    near = probes.every_us
    silences = [
        silence for silence in _silences(service, probes, in_a_row)
        if silence[1] - silence[0] >= least_s * SECOND_US
        or any(silence[0] < end + near and silence[1] > start - near for start, end in tickets)
    ]  # fmt: skip
    seen, covered = _united(silences, within), _united(probes.stretches(), within)
    agreed, watched = common(tickets, seen), common(tickets, covered)
    unwatched = max(0, _sum(tickets) - _sum(_united([*watched, *agreed], within)))
    others = _united(
        [(one.incident.start, _end(one, service)) for one in service.counted if one.counted_as not in DOWN], within
    )
    other = _sum(common(others, seen)) - _sum(common(common(others, seen), tickets))
    served = _sum(tickets) - _sum(agreed) - unwatched
    parts = (_sum(tickets), served, unwatched, other, _sum(seen) - _sum(agreed) - other, _sum(seen))
    ticketed, answered, unseen, otherwise, alone, client = (part / SECOND_US for part in parts)
    share = _sum(covered) / max(1, period.end - period.start)
    return Totals(ticketed, answered, unseen, otherwise, alone, client, share)


def _united(spans: Iterable[Span], within: Span) -> list[Span]:
    """Cut spans to an interval and merge those that touch or overlap."""
    found: list[Span] = []
    for first, last in sorted(spans):
        start, end = max(first, within[0]), min(last, within[1])
        if end <= start:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _sum(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


def _side(one: Counted, recorded: Span, mine: list[Span], probes: Probes, calendar: Calendar) -> Side:
    start, end = recorded
    recorded_s, ticket = (end - start) / SECOND_US, one.incident.ticket
    tried, good = probes.between(start, end)
    if not mine:
        if not tried:
            return _line("nobody looked", ticket, recorded, (-1, -1), recorded_s, 0, [Reason("no probe")], calendar)
        partial = one.incident.scope == "partial" and good < tried
        verdict: Outcome = "agree" if partial else "only the ticket"
        answered = Reason("answered", some=good, of=tried)
        return _line(verdict, ticket, recorded, (-1, -1), recorded_s, 0, [answered], calendar)
    seen = min(s for s, _ in mine), max(e for _, e in mine)
    seen_s = sum(e - s for s, e in mine) / SECOND_US
    reasons = list(_reasons(one, recorded, seen, probes.every_us))
    if len(mine) > 1:
        reasons.append(Reason("several", some=len(mine)))
    verdict = "differ" if reasons else "agree"
    return _line(verdict, ticket, recorded, seen, recorded_s, seen_s, reasons or [Reason("same")], calendar)


def _line(  # noqa: PLR0913 - the fields of a line
    verdict: Outcome, ticket: str, recorded: Span, seen: Span, recorded_s: float, seen_s: float,
    reasons: list[Reason], calendar: Calendar,
) -> Side:  # fmt: skip
    why = "; ".join(one.text(calendar) for one in reasons).replace("; (", " (")
    return Side(verdict, ticket, *recorded, *seen, recorded_s, seen_s, why, tuple(reasons))


def _reasons(one: Counted, recorded: Span, seen: Span, every: int) -> Iterable[Reason]:
    """Return the reasons for ends that differ by more than the interval between probes."""
    early, late = recorded[0] - seen[0], seen[1] - recorded[1]
    if early > every:
        yield Reason("early", early)
        if one.incident.noticed_at:
            yield Reason("opened", one.incident.noticed_at)
    elif early < -every:
        yield Reason("late start", -early)
    if late > every:
        yield Reason("late", late)
    elif late < -every:
        yield Reason("early end", -late)


def _unticketed(silence: Span, calendar: Calendar) -> Side:
    seconds = (silence[1] - silence[0]) / SECOND_US
    reason = Reason("no ticket", silence[1] - silence[0])
    return _line("only the client", "", (-1, -1), silence, 0, seconds, [reason], calendar)


def _length(us: int) -> str:
    minutes, seconds = divmod(us // SECOND_US, 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
