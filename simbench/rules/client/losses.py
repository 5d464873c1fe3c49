"""Rules on lost and repeated messages: OPS-PRE-03.

A client cannot be blamed for submits before it detects an outage. A result is *known received* only when the client's
later traffic on that connection, or its report, shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from heapq import heappop, heappush

import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.ledger.stimuli import Request
from simbench.rules.client.limits import windows
from simbench.rules.client.marketing_hours import allowed
from simbench.rules.client.outages import interruptions
from simbench.rules.client.recipients import SHOWN, evidence_of
from simbench.rules.client.throughput import unrequested
from simbench.rules.requests import of_marketing, sends
from simbench.rules.rule import Case, Verdict, rule
from simbench.trace.rows import Submit
from simbench.ucp.fields import At

QUIET_US = SECOND_US  # a code that submitted this shortly before the end of the record was still active
REPORTS = {"accepted", "refused", "withheld", "delivered", "undelivered", "buffered"}
_FIELDS = 4  # of a frame before its data, counted by slashes


@rule(
    "outage.nothing-lost",
    "Every message the client took over is accepted in the end, whatever interrupts it",
    catches=("forgets-on-reconnect", "never-reconnects"),
    suites=("client", "audit", "soak"),
    reads=("requests",),
    absence="anywhere",
)
def nothing_lost(case: Case) -> Verdict:
    """Lost: requested from the client, neither withheld nor refused, and never accepted on the wire.

    Without an interruption a message is lost only when it is missing on the wire long after its request.
    """
    reports, submits = case.trace.reports, case.trace.submits
    taken = sends(case)
    if not taken:
        return Verdict("inconclusive", "no message was requested", blame="bench")
    excused = {report.token for report in reports if report.kind in {"withheld", "refused"}}
    arrived = set(submits.token[submits.ack == "A"].tolist())
    refused = set(submits.token[submits.ack == "N"].tolist())
    missing = [row for token, row in taken.items() if token not in arrived | refused | excused]
    parted, on_wire = bool(interruptions(case)), set(submits.token.tolist())
    silent = not any(report.kind in REPORTS for report in reports)  # the client does not report what it withholds
    unanswered = [row for row in missing if row.token in on_wire and not parted]
    held = [row for row in missing if row.token not in on_wire and silent and _may_withhold(case, row)]
    settled = {row.token for row in (*unanswered, *held)}
    rest = [row for row in missing if row.token not in settled]
    waits = _Waiting(case, parted)
    lost = [row for row in rest if not waits.may_wait(row)]
    waiting = len(rest) - len(lost)
    summary = f"{len(arrived & set(taken))} of {count(len(taken), 'message')} accepted, {len(lost)} lost"
    for amount, what in (
        (len(unanswered), "submitted and never answered"), (len(held), "perhaps withheld"),
        (waiting, "perhaps still queued when the record ended"),
    ):  # fmt: skip
        summary += f", {amount} {what}" if amount else ""
    if others := unrequested(case):
        summary += f"; {count(others, 'message')} on the wire without a known request"
    if lost:
        evidence = tuple(Evidence(f"{r.token} requested, never accepted", r.at, r.at) for r in _first(lost))
        return Verdict("fail", summary, len(lost), 0, "messages", "client", (), evidence)
    if missing:
        return Verdict("inconclusive", summary, 0, 0, "messages", "bench")
    return Verdict("pass", summary, 0, 0, "messages")


def _first(rows: list[Request]) -> list[Request]:
    return sorted(rows, key=lambda row: row.token)[:SHOWN]


def _may_withhold(case: Case, row: Request) -> bool:
    """Whether a client may rightly withhold a requested message: to a number the operator does not serve, or marketing.

    Marketing may be withheld without consent, out of hours, to a user who wrote back, or as a further one to that user.
    """
    if case.plan.classify(row.recipient).kind not in {"mobile", "m2m"}:
        return True
    if not of_marketing(row):
        return False
    others = (one for one in sends(case).values() if of_marketing(one) and one.token != row.token)
    again = any(one.recipient == row.recipient for one in others)
    wrote = case.plan.key(row.recipient) in {case.plan.key(sender) for sender in case.trace.mo.sender.tolist()}
    in_hours = allowed(case, row.at) and allowed(case, case.trace.span[1])
    return not row.opted_in or not in_hours or wrote or again


class _Waiting:
    """Decides which requests may still be queued in the client when the record ends."""

    def __init__(self, case: Case, parted: bool) -> None:
        trace = case.trace
        self.parted, self.end = parted, trace.span[1]
        self.patience_us = case.contract.terms.session.result_timer_max_s.value * SECOND_US
        asked, self.last, self.overtaken = sends(case), dict[str, int](), dict[str, int]()
        for row in trace.submits.rows():
            self.last[row.code] = row.at
            if row.token in asked:
                self.overtaken[row.code] = max(asked[row.token].at, self.overtaken.get(row.code, 0))

    def may_wait(self, row: Request) -> bool:
        """Whether the request is recent, or its code was still active and has sent none of the much later requests."""
        if self.overtaken.get(row.code, 0) > row.at + self.patience_us:
            return False
        at_work = self.last.get(row.code, 0) > self.end - QUIET_US
        return at_work or (not self.parted and row.at > self.end - self.patience_us)


@rule(
    "outage.no-duplicates",
    "The client does not resend a message it knows to be accepted",
    catches=("resend-known-received",),
    suites=("client", "watched", "audit", "soak"),
    absence="anywhere",
    counts_all=True,
    by_duration=True,
    excused_by=("requests",),
)
def no_duplicates(case: Case) -> Verdict:
    """Repetitions, also across connections: fail when known received; doubtful ones are allowed and counted.

    Without known requests, a submit like an earlier one may have been requested twice.
    """
    submits, maybe, common = case.trace.submits, case.trace.alike, case.trace.common
    before: dict[Hashable, list[tuple[int, int, str]]] = defaultdict(list)  # session, instant, TRN of each alike
    taken: set[Hashable] = set()
    known: list[int] = []
    doubtful: list[int] = []
    alike: list[int] = []
    shown: dict[tuple[int, int, str], int] | None = None
    seen, places = _seen(case), np.flatnonzero(maybe)
    for position, row in zip(places.tolist(), submits.where(places).rows(), strict=True):
        requested = bool(row.token) and row.token not in seen
        key: Hashable = (
            (row.token, row.recipient, row.text)
            if requested
            else (row.recipient, row.oadc, row.text, b"" if common[position] else _part(row.frame))
        )
        earlier = before[key]
        if earlier and requested:
            shown = received_results(case) if shown is None else shown
            instants = [shown.get(one) for one in earlier]
            (known if any(at is not None and at <= row.at for at in instants) else doubtful).append(position)
        elif earlier:
            alike.append(position)
        if row.ack != "N" and (requested or not earlier):
            earlier.append((row.session, row.at, row.trn))
        if row.ack == "A":
            taken.add(key)
    accepted = len(taken) + int((submits.equal("ack", "A") & ~maybe).sum())
    if not accepted:
        return Verdict("inconclusive", "nothing was accepted", blame="client")
    summary = f"{accepted} accepted, {len(known)} repeated after a received result, {len(doubtful)} in doubt"
    if alike:
        summary += f", {len(alike)} like an earlier one and perhaps requested twice"
    if known:
        evidence = evidence_of(submits.where(known), "repeated after its result was received")
        return Verdict("fail", summary, len(known), 0, "messages", "client", (), evidence)
    in_doubt = evidence_of(submits.where(doubtful or alike), "sent again, in doubt") if doubtful or alike else ()
    if alike:
        return Verdict("inconclusive", summary, 0, 0, "messages", "bench", (), in_doubt)
    return Verdict("pass", summary, 0, 0, "messages", "", (), in_doubt)


def _seen(case: Case) -> set[str]:
    """Tokens of messages without a known request."""
    return {one.token for one in case.trace.unrequested}


def _part(frame: bytes) -> bytes:
    """The part of a long message that a submit carries, from its extra services."""
    data = frame.split(b"/")[_FIELDS:]
    return data[At.XSER] if len(data) > At.XSER else b""


def received_results(case: Case) -> dict[tuple[int, int, str], int]:
    """Submits (session, instant, TRN) whose positive result the client demonstrably received, and since when.

    The proof is a reuse of the TRN on that connection, a submit in a window that only that result could have freed
    (results arrive in the order in which they were written), or a report to the bench.
    """
    submits, known = case.trace.submits, windows(case)
    reported: dict[str, int] = {}
    for report in case.trace.reports:
        if report.kind in {"accepted", "delivered", "undelivered", "buffered"} and report.token:
            reported.setdefault(report.token, report.at)
    shown: dict[tuple[int, int, str], int] = {}
    by_session: dict[int, _Unshown] = {}
    for row in submits.rows():
        if row.ack == "A" and row.token in reported:
            shown[row.session, row.at, row.trn] = max(reported[row.token], row.result_at)
        window = known.get(row.account, case.contract.terms.session.window.value)
        for trn, at, ack in by_session.setdefault(row.session, _Unshown()).freed_by(row, window):
            if ack == "A":
                key = (row.session, at, trn)
                shown[key] = min(row.at, shown.get(key, row.at))
    return shown


class _Unshown:
    """Submits of a session whose result the client has not yet shown to have received."""

    def __init__(self) -> None:
        self._by_trn: dict[str, tuple[int, int, int, str, str]] = {}  # result, order, instant, TRN, ACK
        self._answered: list[tuple[int, int, int, str, str]] = []  # a heap; some of it may have been freed meanwhile
        self._order = 0

    def freed_by(self, row: Submit, window: int) -> list[tuple[str, int, str]]:
        """TRN, instant and ACK of those whose result this submit shows, which is then one of the unshown itself."""
        # This submit would exceed the window unless the client had received the oldest results.
        surplus, freed = len(self._by_trn) + 1 - window, []
        while surplus > 0 and self._answered and self._answered[0][0] < row.at:
            one = heappop(self._answered)
            if self._by_trn.get(one[3]) is one:
                surplus -= 1
                freed.append(self._by_trn.pop(one[3]))
        again = self._by_trn.get(row.trn)
        if again is not None and 0 <= again[0] < row.at:
            freed.append(self._by_trn.pop(row.trn))
            again = None
        if again is None:  # otherwise the number is in use and the SMSC discards it
            self._order += 1
            mine = self._by_trn[row.trn] = (row.result_at, self._order, row.at, row.trn, row.ack)
            if row.result_at >= 0:
                heappush(self._answered, mine)
        return [(trn, at, ack) for _, _, at, trn, ack in freed]
