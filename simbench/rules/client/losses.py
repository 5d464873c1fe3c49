"""Rules on lost and repeated messages: OPS-PRE-03.

A client cannot be blamed for submits before it detects an outage. A result is *known received* only when the client's
later traffic on that connection, or its report, shows it.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import takewhile
from typing import Final

import msgspec
import numpy as np

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.finding import Evidence
from simbench.ledger.stimuli import Request
from simbench.rules.arrays import slices, some_of, tokened
from simbench.rules.client.limits import window_sizes
from simbench.rules.client.marketing_hours import allowed
from simbench.rules.client.notified import Notified
from simbench.rules.client.outages import interruptions
from simbench.rules.client.recipients import SHOWN, evidence_of
from simbench.rules.client.throughput import unrequested
from simbench.rules.kernels.queues import earlier_alike, received
from simbench.rules.requests import of_marketing, sends
from simbench.rules.rule import Case, Verdict, rule
from simbench.trace.view import Bools, Ints
from simbench.ucp.fields import BEFORE_DATA, At

QUIET_US = SECOND_US  # a code that submitted this shortly before the end of the record was still active
REPORTS = {"accepted", "refused", "withheld", "delivered", "undelivered", "buffered"}
MIX: Final = np.int64(0x1E3779B97F4A7C15)  # multiplier that spreads recipients over all 64-bit numbers
COMPARED: Final = 10_000  # up to this many repeated keys are compared field by field


@rule(
    "outage.nothing-lost",
    "Every message the client took over is accepted in the end, despite interruptions",
    catches=("forgets-on-reconnect", "never-reconnects"),
    suites=("client", "audit", "soak"),
    reads=("requests",),
    absence="anywhere",
)
def nothing_lost(case: Case) -> Verdict:
    """Count lost messages: requested, neither withheld nor refused, and never accepted on the wire.

    A message that the platform notifies was accepted, even if its result never arrived. Without an interruption, a
    message is lost only if it is missing on the wire long after its request.
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
    if lone := submits.where(submits.among("token", {row.token for row in missing})).rows():
        arrived |= Notified(case, lone).arrived(lone)
        missing = [row for row in missing if row.token not in arrived]
    silent = not any(report.kind in REPORTS for report in reports)  # the client does not report withheld messages
    unanswered = [row for row in missing if row.token in on_wire and not parted]
    held = [row for row in missing if row.token not in on_wire and silent and _may_withhold(case, row)]
    settled = {row.token for row in (*unanswered, *held)}
    rest = [row for row in missing if row.token not in settled]
    waits = _Waiting(case, parted)
    lost = [row for row in rest if not waits.may_wait(row)]
    waiting = len(rest) - len(lost)
    summary = f"{len(arrived & set(taken)):,} of {count(len(taken), 'message')} accepted, {len(lost):,} lost"
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
    """Return whether a client may withhold a requested message: to a number not served, or some marketing.

    Marketing may be withheld without consent, outside hours, to a user who wrote back, or if it is not the first to
    that user.
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
        asked, submits = sends(case), trace.submits
        codes, code = submits.texts("code")
        lasts = np.zeros(len(codes), np.int64)
        for rows in slices(len(submits)):
            np.maximum.at(lasts, code[rows], *some_of(submits, rows, "at"))
        self.last = dict(zip(codes, lasts.tolist(), strict=True))
        self.overtaken: dict[str, int] = {}
        for _, row in tokened(submits):
            if row.token in asked:
                self.overtaken[row.code] = max(asked[row.token].at, self.overtaken.get(row.code, 0))

    def may_wait(self, row: Request) -> bool:
        """Return whether the request is recent, or its code was still active and had sent no much later request."""
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
    """Count repetitions, also across connections: fail if the result was known received; doubtful ones are allowed.

    Without known requests, a submit like an earlier one may have been requested twice.
    """
    submits, keys, requested = case.trace.submits, _keys(case), _requested(case)
    again, accepted = np.zeros(len(submits), np.bool_), submits.equal("ack", "A")
    order = np.argsort(keys, kind="stable")
    taken = int(earlier_alike.at_scale(len(order))(order, keys, ~submits.equal("ack", "N"), accepted, again))
    if not taken:
        return Verdict("inconclusive", "nothing was accepted", blame="client")
    alike = _surely_alike(case, order, keys, again & ~requested)
    known, doubtful = _requested_again(case, order, keys, np.flatnonzero(again & requested))
    summary = f"{taken:,} accepted, {len(known):,} repeated after a received result, {len(doubtful):,} in doubt"
    if len(alike):
        summary += f", {len(alike):,} like an earlier one and perhaps requested twice"
    if known:
        evidence = evidence_of(submits.where(known), "repeated after its result was received")
        return Verdict("fail", summary, len(known), 0, "messages", "client", (), evidence)
    shown = doubtful or alike
    in_doubt = evidence_of(submits.where(shown), "sent again, in doubt") if len(shown) else ()
    if len(alike):
        return Verdict("inconclusive", summary, 0, 0, "messages", "bench", (), in_doubt)
    return Verdict("pass", summary, 0, 0, "messages", "", (), in_doubt)


def _requested(case: Case) -> Bools:
    """Return which submits have a known request, by token."""
    submits, seen = case.trace.submits, _seen(case)
    found = submits.has("token")
    if seen:
        places = np.flatnonzero(found)
        found[places] = [token not in seen for token in submits.values("token", places).tolist()]
    return found


def _keys(case: Case) -> Ints:
    """Return a hash for each submit, equal for equal messages.

    Requested messages are compared by token, recipient and text, others by recipient, originator, text and part.
    """
    trace, submits = case.trace, case.trace.submits
    keys, words = trace.recipients.keys(), trace.words
    (senders, sender), requested = submits.texts("oadc"), _requested(case)
    spread = np.array([_word("oadc", name) for name in senders], np.int64)
    keys = keys * MIX
    for rows in slices(len(keys)):
        keys[rows] += words[rows] + spread[sender[rows]]
    odd = np.flatnonzero((words == 0) | ~trace.common | requested)
    for place, row, known in zip(odd.tolist(), submits.where(odd).rows(), requested[odd].tolist(), strict=True):
        part = b"" if known else _part(row.frame)
        if known:
            keys[place] = _word(row.token, row.recipient, row.text)
        elif part or not words[place]:
            keys[place] = _word(row.recipient, row.oadc, row.text, part)
    return keys


def _word(*parts: str | bytes) -> int:
    octets = msgspec.msgpack.encode(parts)
    return int.from_bytes(blake2b(octets, digest_size=8).digest(), signed=True)


def _surely_alike(case: Case, order: Ints, keys: Ints, again: Bools) -> Ints:
    """Return the positions of repeated messages; up to COMPARED are compared field by field, as hashes may collide."""
    places = np.flatnonzero(again)
    if not 0 < len(places) <= COMPARED:
        return places
    firsts = order[np.searchsorted(keys, keys[places], sorter=order)]
    submits, names = case.trace.submits, ("recipient", "oadc", "text")
    same = np.array([
        all(getattr(one, name) == getattr(other, name) for name in names)
        for one, other in zip(submits.where(places).rows(), submits.where(firsts).rows(), strict=True)
    ], np.bool_)  # fmt: skip
    return places[same]


def _requested_again(case: Case, order: Ints, keys: Ints, places: Ints) -> tuple[list[int], list[int]]:
    """Return requested messages that were sent again: those whose result was known received, and those in doubt."""
    known: list[int] = []
    doubtful: list[int] = []
    if not len(places):
        return known, doubtful
    submits, shown = case.trace.submits, received_results(case)
    refused = submits.equal("ack", "N")
    starts = np.searchsorted(keys, keys[places], sorter=order)
    for place, start, at in zip(places.tolist(), starts.tolist(), submits.values("at", places).tolist(), strict=True):
        earlier = takewhile(lambda one, place=place: one != place, (int(one) for one in order[start:]))  # type: ignore[misc]  # bound now
        was_known = any(not refused[one] and 0 <= shown[one] <= at for one in earlier)
        (known if was_known else doubtful).append(place)
    return known, doubtful


def _seen(case: Case) -> set[str]:
    """Return tokens of messages without a known request."""
    return {one.token for one in case.trace.unrequested}


def _part(frame: bytes) -> bytes:
    """Return the extra services of a submit, which identify the part of a long message."""
    data = frame.split(b"/")[BEFORE_DATA:]
    return data[At.XSER] if len(data) > At.XSER else b""


def received_results(case: Case) -> Ints:
    """Return when the client demonstrably received the positive result of each submit (us); -1 without proof.

    Proof is a reuse of the TRN on that connection, a submit in a window that only this result could have freed
    (results arrive in the order in which they were written), or a report to the bench.
    """
    submits, (sizes, account) = case.trace.submits, window_sizes(case)
    sessions, session = submits.numbers("session")
    trns, trn = submits.texts("trn")
    shown = np.full(len(submits), -1, np.int64)
    received.at_scale(len(submits))(
        submits.at, session, trn, submits.result_at, sizes[account],
        np.full((len(sessions), len(trns)), -1, np.int64), np.zeros((len(sessions), 4 * len(trns)), np.int64),
        np.zeros((len(sessions), 2), np.int64), shown,
    )  # fmt: skip
    accepted = submits.equal("ack", "A")
    shown[~accepted] = -1
    reported: dict[str, int] = {}
    for report in case.trace.reports:
        if report.kind in {"accepted", "delivered", "undelivered", "buffered"} and report.token:
            reported.setdefault(report.token, report.at)
    for place, row in tokened(submits) if reported else ():
        if accepted[place] and row.token in reported:
            at = max(reported[row.token], row.result_at)
            shown[place] = at if shown[place] < 0 else min(at, shown[place])
    return shown
