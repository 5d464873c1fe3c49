"""The objections to each submit: the reasons for which the platform may refuse it, computed independently of the SMSC.

Rules on the platform count only submits without an objection, since the contract requires some refusals. An objection
that the record can neither prove nor rule out counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

import numpy as np

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.events import SubscriberSet
from simbench.rules.arrays import crowded, unanswered
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
from simbench.rules.meters import Meter, Operation, counted, counts_all, meter_of
from simbench.rules.rule import Case
from simbench.trace.rows import Submit
from simbench.trace.view import Bools
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
_NONE: Final[frozenset[Objection]] = frozenset()
_FIELDS: Final = 4  # of a frame before its data, counted by slashes


def expectation(subscriber: SubscriberSet, code: str, machines: tuple[str, ...]) -> str:
    """The expected outcome of a message to such a subscriber: an error code, "undelivered" or "delivered".

    `machines` are the first digits of the ranges that serve machines.
    """
    kind = subscriber.fate
    if kind in REFUSED_AT_ONCE or (kind == "m2m" and not code.startswith(machines)):
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
        self.unsound = {(row.session, row.at, row.trn) for row in frames.where(~frames.equal("problem", "")).rows()}
        self.seen_from_start = {row.session for row in trace.sessions.rows() if row.opened_at >= 0}
        # An accepted submit implies a login, recorded or not.
        self.open = set(np.unique(self.submits.session[self.submits.equal("ack", "A")]).tolist())
        self.owners, self.options, self.truth = owners(case), options(case), truth(case)
        self.option_unknown = option_unknown(case)
        self.suspended, self.windows, self.window = suspensions(case), windows(case), terms.session.window.value
        self.timer_us = terms.session.result_timer_max_s.value * SECOND_US
        self.machines = terms.numbering.prefixes("machines")
        self.name = re.compile(terms.numbering.oadc_alpha_pattern.value, re.ASCII)
        self.outages = [(start - SETTLE_US, end + SETTLE_US, scope) for start, end, scope, _ in trace.outages]
        self.originators: dict[tuple[str, str, bool], list[Objection]] = {}  # what is against each sender
        self.classified: dict[str, SubscriberSet] = {}

    def run(self) -> list[frozenset[Objection]]:
        masks: dict[Objection, Bools] = {
            "rate": over_rate(self.case),
            "window": self._full(),
            "crowded": self._crowded(),
        }
        common = self.case.trace.common
        places = np.flatnonzero(np.logical_or.reduce([*masks.values(), ~common, self._doubtful()]))
        found = [_NONE] * len(self.submits)
        for place, row in zip(places.tolist(), self.submits.where(places).rows(), strict=True):
            against = {*self._sender(row), *self._message(row), *self._moment(row)}
            against |= {name for name, mask in masks.items() if mask[place]}
            if not common[place] and _is_special(row):
                against.add("special")
            if (row.session, row.at, row.trn) in self.unsound:
                against.add("malformed")
            found[place] = frozenset(against)
        return found

    def _doubtful(self) -> Bools:
        """Submits that anything but rate, window, crowd and rare fields may be said against; the others are sound."""
        submits = self.submits
        accounts, account = submits.distinct("account")
        oadcs, oadc = submits.distinct("oadc")
        combined = (account * len(oadcs) + oadc) * 2 + submits.alphanumeric
        senders, sender = np.unique(combined, return_inverse=True)
        wrong = [
            bool(self._originator(accounts[one // 2 // len(oadcs)], oadcs[one // 2 % len(oadcs)], bool(one % 2)))
            for one in senders.tolist()
        ]
        stopped = [not name or name in self.suspended for name in accounts]
        found = np.array(wrong, np.bool_)[sender] | np.array(stopped, np.bool_)[account]
        found |= self._recipients() | submits.equal("ec", "06") | ~submits.equal("validity", "")
        for start, end, _ in self.outages:
            found |= (submits.at >= start) & (submits.at <= end)
        return found | np.isin(submits.at, [at for _, at, _ in self.unsound])

    def _recipients(self) -> Bools:
        """Submits to a recipient that an event names, or whose number is refused at once from its code."""
        recipients = self.case.trace.recipients
        examples, group = recipients.heads(self.case.plan.kind_digits())
        codes, code = self.submits.distinct("code")
        pairs, which = np.unique(group * max(len(codes), 1) + code, return_inverse=True)
        refused = [self._refused(examples[one // len(codes)], codes[one % len(codes)]) for one in pairs.tolist()]
        found: Bools = np.array(refused, np.bool_)[which] | recipients.among(self.truth)
        return found

    def _refused(self, recipient: str, code: str) -> bool:
        subscriber = SubscriberSet(recipient, self.case.plan.classify(recipient).kind, "", attached=True)
        return expectation(subscriber, code, self.machines) == "06" or subscriber.fate in NEVER_DELIVERED

    def _full(self) -> Bools:
        """Submits that arrived in a full window."""
        submits = self.submits
        until = np.where(submits.result_at >= 0, submits.result_at, submits.at + self.timer_us)
        accounts, account = submits.distinct("account")
        sizes = np.array([self.windows.get(name, self.window) for name in accounts], np.int64)
        found: Bools = unanswered(submits.session, submits.at, until) >= sizes[account]
        return found

    def _crowded(self) -> Bools:
        """Submits of which too many went to one recipient."""
        return crowded(self.case.trace.recipients.keys(), self.submits.at, CROWD, MINUTE_US)

    def _originator(self, account: str, oadc: str, alphanumeric: bool) -> list[Objection]:
        if alphanumeric:
            if account not in self.options:
                return ["name" if self.option_unknown(account) else "originator"]
            return [] if self.name.fullmatch(oadc) else ["name"]
        return [] if oadc in self.owners[account] else ["originator"]

    def _sender(self, row: Submit) -> list[Objection]:
        """Objections to the sender."""
        account = row.account
        key = account, row.oadc, row.alphanumeric
        if key not in self.originators:
            self.originators[key] = self._originator(*key)
        against = self.originators[key]
        if not account and (row.session in self.seen_from_start or row.session not in self.open):
            against = [*against, "no session"]
        if not self.suspended:
            return against
        if any(start <= row.at < end for start, end in self.suspended.get(account, ())):
            against = [*against, "suspended"]
        return against

    def _message(self, row: Submit) -> list[Objection]:
        """Objections to the recipient and the content."""
        against: list[Objection] = []
        recipient = row.recipient
        subscriber = self.truth.get(recipient) or self.classified.get(recipient)
        if subscriber is None:
            subscriber = SubscriberSet(recipient, self.case.plan.classify(recipient).kind, "", attached=True)
            self.classified[recipient] = subscriber
        if expectation(subscriber, row.code, self.machines) == "06":
            against.append("recipient")
        elif row.ec == "06" and subscriber.fate in NEVER_DELIVERED:
            against.append("recipient")  # a platform may also refuse these at once (AMB-09)
        validity = row.validity
        if validity:
            until = self.case.contract.calendar.parse_minute(validity)
            if until is None or until <= row.at + MINUTE_US:
                against.append("validity")
        return against

    def _moment(self, row: Submit) -> list[Objection]:
        """Objections to the instant: an outage."""
        against: list[Objection] = []
        if self.outages and any(
            start <= row.at <= end and scope in {"total", row.code} for start, end, scope in self.outages
        ):
            against.append("outage")
        return against


def _is_special(row: Submit) -> bool:
    data = row.frame.split(b"/")[_FIELDS:]
    return any(len(data) > at and data[at] not in {b"", b"0"} for at in _SPECIAL)


def over_rate(case: Case) -> Bools:
    """For each submit, whether it arrived earlier than its code's rate allows, or too near to that for certainty.

    Accepted operations and those in time, accepted or not, use the rate.
    """
    submits = case.trace.submits
    # An operation in time by the stamps of a capture may be early by the platform's clock.
    tau = case.contract.terms.throughput.jitter_ms.value * 1000 if captured(case) else 0
    counting = counted(case.contract, case.trace)
    found, acks = np.zeros(len(submits), np.bool_), submits.equal("ack", "A")
    places: Iterable[int | None] = range(len(submits))
    if counts_all(case.contract):
        known = {of: place for place, of in enumerate(_ids(submits.rows()))}
        places = [known.get(of) for of in _ids(counting.rows())]
    metered = {
        code: [(one, meter_of(case.contract, one.rate)) for one in rate_periods(case, code)]
        for code in case.trace.limits
    }
    for row, place in zip(counting.rows(), places, strict=True):
        meter = next((m for one, m in metered.get(row.code, ()) if one.start <= row.at < one.end), None)
        if meter is None:
            continue
        early = _early(meter, row.at, row.segments)
        if place is not None:
            found[place] = early > -max(tau, case.trace.largest_timing_error(row.at - SECOND_US, row.at))
        if early <= 0 or (place is not None and acks[place]):
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
