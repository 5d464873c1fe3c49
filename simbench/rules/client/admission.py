"""The objections to each submit: the reasons for which the platform may refuse it, computed independently of the SMSC.

Rules on the platform count only submits without an objection, since the contract requires some refusals. An objection
that the record can neither prove nor rule out counts.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final, Literal

from simbench.base.calendar import parse_minute
from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.events import SubscriberSet
from simbench.numbering.plan import classify
from simbench.rules.client.limits import (
    captured,
    option_unknown,
    options,
    owners,
    rate_periods,
    suspensions,
    truth,
    windows,
)
from simbench.rules.meters import Meter, Operation, counted, meter_of
from simbench.rules.rule import Case
from simbench.trace.rows import Submit
from simbench.ucp.fields import At

Objection = Literal[
    "malformed", "no session", "originator", "name", "rate", "window", "recipient", "crowded", "validity", "suspended",
    "outage", "special",
]  # fmt: skip

REFUSED_AT_ONCE: Final = {"malformed", "fixed", "overseas", "foreign"}
NEVER_DELIVERED: Final = {"other-operator", "ported-out", "unknown"}
SETTLE_US: Final = SECOND_US  # operations in flight at the start or end of an outage
CROWD: Final = 30  # messages to one recipient within a minute: their SCTS, a second apart, run ahead of the clock
_SPECIAL: Final = (At.AC, At.PR, At.DDT)  # fields that need a subscription or an allowed instant
_FIELDS: Final = 4  # of a frame before its data, counted by slashes


def expectation(subscriber: SubscriberSet, code: str, m2m_prefix: str) -> str:
    """The expected outcome of a message to such a subscriber: an error code, "undelivered" or "delivered"."""
    kind = subscriber.fate
    if kind in REFUSED_AT_ONCE or (kind == "m2m" and not code.startswith(m2m_prefix)):
        return "06"
    # A message to an absent subscriber becomes undelivered when its validity ends, and not before.
    return "delivered" if kind not in NEVER_DELIVERED and subscriber.attached else "undelivered"


def objections(case: Case) -> list[frozenset[Objection]]:
    """For each submit, in order of arrival: the reasons to refuse it or leave it unanswered."""
    return case.once(_objections)


def _objections(case: Case) -> list[frozenset[Objection]]:
    return _Admission(case).run()


class _Admission:
    """One pass over the submits of a run."""

    def __init__(self, case: Case) -> None:
        trace, terms = case.trace, case.contract.terms
        frames = trace.frames
        self.case, self.submits = case, trace.submits
        self.unsound = {(row.session, row.at, row.trn) for row in frames.where(frames.problem != "").rows()}
        self.seen_from_start = {row.session for row in trace.sessions.rows() if row.opened_at >= 0}
        self.open = {
            row.session for row in self.submits.rows() if row.ack == "A"
        }  # an accepted submit implies a login, recorded or not
        self.owners, self.options, self.truth = owners(case), options(case), truth(case)
        self.option_unknown = option_unknown(case)
        self.suspended, self.windows, self.window = suspensions(case), windows(case), terms.session.window.value
        self.timer_us = terms.session.result_timer_max_s.value * SECOND_US
        self.m2m_prefix = terms.numbering.m2m_prefix.value
        self.name = re.compile(terms.numbering.oadc_alpha_pattern.value, re.ASCII)
        self.outages = [(start - SETTLE_US, end + SETTLE_US, scope) for start, end, scope, _ in trace.outages]
        self.pending: dict[int, list[int]] = defaultdict(list)  # session -> until when each operation is unanswered
        self.crowd: dict[str, deque[int]] = defaultdict(deque)

    def run(self) -> list[frozenset[Objection]]:
        over = over_rate(self.case)
        found = []
        for place, row in enumerate(self.submits.rows()):
            against = set(self._sender(row)) | set(self._message(row)) | set(self._moment(row))
            if (row.session, row.at, row.trn) in self.unsound:
                against.add("malformed")
            if over[place]:
                against.add("rate")
            found.append(frozenset(against))
        return found

    def _sender(self, row: Submit) -> list[Objection]:
        """Objections to the sender."""
        against: list[Objection] = []
        if not row.account and (row.session in self.seen_from_start or row.session not in self.open):
            against.append("no session")
        if row.alphanumeric:
            if row.account not in self.options:
                against.append("name" if self.option_unknown(row.account) else "originator")
            elif not self.name.fullmatch(row.oadc):
                against.append("name")
        elif row.oadc not in self.owners[row.account]:
            against.append("originator")
        if any(start <= row.at < end for start, end in self.suspended.get(row.account, ())):
            against.append("suspended")
        return against

    def _message(self, row: Submit) -> list[Objection]:
        """Objections to the recipient and the content."""
        against: list[Objection] = []
        known = self.truth.get(row.recipient)
        subscriber = known or SubscriberSet(row.recipient, classify(row.recipient).kind, "", attached=True)
        if expectation(subscriber, row.code, self.m2m_prefix) == "06":
            against.append("recipient")
        elif row.ec == "06" and subscriber.fate in NEVER_DELIVERED:
            against.append("recipient")  # a platform may also refuse these at once (AMB-09)
        until = parse_minute(row.validity) if row.validity else None
        if row.validity and (until is None or until <= row.at + MINUTE_US):
            against.append("validity")
        data = row.frame.split(b"/")[_FIELDS:]
        if any(len(data) > at and data[at] not in {b"", b"0"} for at in _SPECIAL):
            against.append("special")
        return against

    def _moment(self, row: Submit) -> list[Objection]:
        """Objections to the instant: an outage, a full window, too many messages to one recipient."""
        against: list[Objection] = []
        if any(start <= row.at <= end and scope in {"total", row.code} for start, end, scope in self.outages):
            against.append("outage")
        pending = [until for until in self.pending[row.session] if until > row.at]
        if len(pending) >= self.windows.get(row.account, self.window):
            against.append("window")
        pending.append(row.result_at if row.result_at >= 0 else row.at + self.timer_us)
        self.pending[row.session] = pending
        recent = self.crowd[row.recipient]
        while recent and recent[0] <= row.at - MINUTE_US:
            recent.popleft()
        if len(recent) >= CROWD:
            against.append("crowded")
        recent.append(row.at)
        return against


def over_rate(case: Case) -> list[bool]:
    """For each submit, whether it arrived earlier than its code's rate allows, or too near to that for certainty.

    Accepted operations and those in time, accepted or not, use the rate.
    """
    submits = case.trace.submits
    # An operation in time by the stamps of a capture may be early by the platform's clock.
    tau = case.contract.terms.throughput.jitter_ms.value * 1000 if captured(case) else 0
    counting = counted(case.contract, case.trace)
    found: list[bool] = [False] * len(submits)
    places = {id_of: place for place, id_of in enumerate(_ids(submits.rows()))}
    metered = {
        code: [(one, meter_of(case.contract, one.rate)) for one in rate_periods(case, code)]
        for code in case.trace.limits
    }
    for row, id_of in zip(counting.rows(), _ids(counting.rows()), strict=True):
        meter = next((m for one, m in metered.get(row.code, ()) if one.start <= row.at < one.end), None)
        if meter is None:
            continue
        early, place = _early(meter, row.at, row.segments), places.get(id_of)
        if place is not None:
            found[place] = early > -max(tau, case.trace.largest_timing_error(row.at - SECOND_US, row.at))
        if early <= 0 or (place is not None and submits.ack[place] == "A"):
            for _ in range(row.segments):
                meter.take(row.at)
    return found


def _ids(rows: Iterable[Submit | Operation]) -> list[tuple[int, int, bytes]]:
    return [(row.session, row.at, row.frame) for row in rows]


def _early(meter: Meter, at: int, segments: int) -> int:
    """How early (us) an operation of that many segments arrives; negative when it arrives after its due time."""
    probe = meter.copy() if segments > 1 else meter
    for _ in range(segments - 1):
        probe.take(probe.due(at))
    spare = probe.due(at - SECOND_US)  # with an earlier instant, due() also shows the margin
    return spare - at
