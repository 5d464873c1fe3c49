"""Rules on rates, windows, objections and repetitions, one operation after the other: oracles of those on arrays.

They are the rules as they were written first.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Any

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.events import SubscriberSet
from simbench.rules.client.admission import CROWD, NEVER_DELIVERED, SETTLE_US, expectation
from simbench.rules.client.limits import option_unknown, options, owners, rate_periods, suspensions, truth, windows
from simbench.rules.rule import Case
from simbench.ucp.fields import At

LONG_AGO = -(10**15)


class Sliding:
    def __init__(self, most: int) -> None:
        self.last = deque([LONG_AGO] * most, maxlen=most)

    def due(self, instant: int) -> int:
        return max(instant, self.last[0] + SECOND_US)

    def copy(self) -> Sliding:
        twin = Sliding(1)
        twin.last = self.last.copy()
        return twin


def data_of(frame: bytes) -> list[bytes]:
    return frame.split(b"/")[4:]


def over_rate(case: Case) -> list[bool]:
    """Under the usual reading, of a run of the bench."""
    metered = {code: [(one, Sliding(one.rate)) for one in rate_periods(case, code)] for code in case.trace.limits}
    found = []
    for row in case.trace.submits.rows():
        meter = next((m for one, m in metered.get(row.code, ()) if one.start <= row.at < one.end), None)
        if meter is None:
            found.append(False)
            continue
        probe = meter.copy()
        for _ in range(row.segments - 1):
            probe.last.append(probe.due(row.at))
        early = probe.due(row.at - SECOND_US) - row.at
        found.append(early > -case.trace.largest_timing_error(row.at - SECOND_US, row.at))
        if early <= 0 or row.ack == "A":
            meter.last.extend([row.at] * row.segments)
    return found


def objections(case: Case) -> list[set[str]]:  # noqa: C901, PLR0912 - one objection after the other
    trace, terms = case.trace, case.contract.terms
    rows = list(trace.submits.rows())
    early, known, plan = over_rate(case), truth(case), case.plan
    timer_us = terms.session.result_timer_max_s.value * SECOND_US
    unsound = {(row.session, row.at, row.trn) for row in trace.frames.rows() if row.problem}
    from_start = {row.session for row in trace.sessions.rows() if row.opened_at >= 0}
    open_ = {row.session for row in rows if row.ack == "A"}
    own, named, unknown = owners(case), options(case), option_unknown(case)
    pattern = re.compile(terms.numbering.oadc_alpha_pattern.value, re.ASCII)
    found = []
    for place, row in enumerate(rows):
        against: set[str] = {"rate"} if early[place] else set()
        before = rows[:place]
        waiting = [
            one
            for one in before
            if one.session == row.session and (one.result_at if one.result_at >= 0 else one.at + timer_us) > row.at
        ]
        if len(waiting) >= windows(case).get(row.account, terms.session.window.value):
            against.add("window")
        if sum(one.recipient == row.recipient and one.at > row.at - MINUTE_US for one in before) >= CROWD:
            against.add("crowded")
        if (row.session, row.at, row.trn) in unsound:
            against.add("malformed")
        if not row.account and (row.session in from_start or row.session not in open_):
            against.add("no session")
        if row.alphanumeric and row.account not in named:
            against.add("name" if unknown(row.account) else "originator")
        elif row.alphanumeric and not pattern.fullmatch(row.oadc):
            against.add("name")
        elif not row.alphanumeric and row.oadc not in own[row.account]:
            against.add("originator")
        if any(start <= row.at < end for start, end in suspensions(case).get(row.account, ())):
            against.add("suspended")
        subscriber = known.get(row.recipient) or SubscriberSet(
            row.recipient, plan.classify(row.recipient).kind, "", attached=True
        )
        refused = expectation(subscriber, row.code, terms.numbering.prefixes("machines")) == "06"
        if refused or (row.ec == "06" and subscriber.standing in NEVER_DELIVERED):
            against.add("recipient")
        if row.validity:
            until = case.contract.calendar.parse_minute(row.validity)
            if until is None or until <= row.at + MINUTE_US:
                against.add("validity")
        if any(
            start - SETTLE_US <= row.at <= end + SETTLE_US and scope in {"total", row.code}
            for start, end, scope, _ in trace.outages
        ):
            against.add("outage")
        data = data_of(row.frame)
        if any(len(data) > at and data[at] not in {b"", b"0"} for at in (At.AC, At.PR, At.DDT)):
            against.add("special")
        found.append(against)
    return found


class _Unshown:
    """Return submits of a session with a result that the client has not yet shown to have received."""

    def __init__(self) -> None:
        self._by_trn: dict[str, tuple[int, int, str]] = {}  # result, place, TRN
        self._answered: list[tuple[int, int, str]] = []

    def freed_by(self, place: int, row: Any, window: int) -> list[int]:
        surplus, freed = len(self._by_trn) + 1 - window, []
        while surplus > 0 and self._answered and self._answered[0][0] < row.at:
            one = heappop(self._answered)
            if self._by_trn.get(one[2]) is one:
                surplus -= 1
                freed.append(self._by_trn.pop(one[2])[1])
        again = self._by_trn.get(row.trn)
        if again is not None and 0 <= again[0] < row.at:
            freed.append(self._by_trn.pop(row.trn)[1])
            again = None
        if again is None:
            mine = self._by_trn[row.trn] = (row.result_at, place, row.trn)
            if row.result_at >= 0:
                heappush(self._answered, mine)
        return freed


def received_results(case: Case) -> list[int]:
    rows, known = list(case.trace.submits.rows()), windows(case)
    reported: dict[str, int] = {}
    for report in case.trace.reports:
        if report.kind in {"accepted", "delivered", "undelivered", "buffered"} and report.token:
            reported.setdefault(report.token, report.at)
    shown = [-1] * len(rows)
    by_session: dict[int, _Unshown] = defaultdict(_Unshown)
    for place, row in enumerate(rows):
        if row.ack == "A" and row.token in reported:
            shown[place] = max(reported[row.token], row.result_at)
        window = known.get(row.account, case.contract.terms.session.window.value)
        for freed in by_session[row.session].freed_by(place, row, window):
            if rows[freed].ack == "A":
                shown[freed] = row.at if shown[freed] < 0 else min(row.at, shown[freed])
    return shown


def duplicates(case: Case) -> tuple[int, list[int], list[int], list[int]]:
    """Return the number of accepted messages, and the indices of known, doubtful and possibly requested repetitions."""
    before: dict[Hashable, list[int]] = defaultdict(list)
    taken: set[Hashable] = set()
    known, doubtful, alike = list[int](), list[int](), list[int]()
    shown = received_results(case)
    seen = {one.token for one in case.trace.unrequested}
    for place, row in enumerate(case.trace.submits.rows()):
        requested, data = bool(row.token) and row.token not in seen, data_of(row.frame)
        part = data[At.XSER] if len(data) > At.XSER else b""
        key: Hashable = (row.token, row.recipient, row.text) if requested else (row.recipient, row.oadc, row.text, part)
        earlier = before[key]
        if earlier and requested:
            (known if any(0 <= shown[one] <= row.at for one in earlier) else doubtful).append(place)
        elif earlier:
            alike.append(place)
        if row.ack != "N" and (requested or not earlier):
            earlier.append(place)
        if row.ack == "A":
            taken.add(key)
    return len(taken), known, doubtful, alike


def window(case: Case) -> tuple[int, int, list[str]]:
    """The most unanswered operations, the window then, and each violation by session and in order."""
    size = case.contract.terms.session.window.value
    timer_us = case.contract.terms.session.result_timer_max_s.value * SECOND_US
    rows, known = list(case.trace.submits.rows()), windows(case)
    highest, allowed, broken = 0, size, list[str]()
    for session in sorted({row.session for row in rows}):
        outstanding: dict[str, int] = {}
        for row in rows:
            if row.session != session:
                continue
            outstanding = {trn: until for trn, until in outstanding.items() if until > row.at}
            mine = known.get(row.account, size)
            if row.trn in outstanding:
                broken.append("TRN in use")
                continue
            outstanding[row.trn] = row.result_at if row.result_at >= 0 else row.at + timer_us
            if len(outstanding) > highest:
                highest, allowed = len(outstanding), mine
            if len(outstanding) > mine:
                broken.append("beyond the window")
    return highest, allowed, broken


def trn_discipline(case: Case) -> tuple[int, int, int, int]:
    """The client's operations but logins; with a number in use, out of order, the same as before."""
    last: dict[int, int] = {}
    total = in_use = odd = same = 0
    for row in case.trace.frames.rows():
        if row.direction != "in" or row.kind != "O" or row.ot == "60":
            continue
        if row.problem in {"header", "length", "checksum", "lower-case-checksum"}:
            continue
        total += 1
        if not row.trn.isdigit():
            continue
        number, before = int(row.trn), last.get(row.session)
        if row.problem == "TRN in use":
            in_use += 1
        elif number == before:
            same += 1
        elif before is not None and not 0 < (number - before) % 100 <= 50:
            odd += 1
        last[row.session] = number
    return total, in_use, odd, same


def longest_silences(case: Case) -> dict[int, tuple[int, int]]:
    """Session to the longest time between two frames of the client, -1 for none, and its last frame."""
    found: dict[int, tuple[int, int]] = {}
    for row in case.trace.frames.rows():
        if row.direction == "in":
            longest, last = found.get(row.session, (-1, -1))
            found[row.session] = (max(longest, row.at - last) if last >= 0 and row.at > last else longest, row.at)
    return found
