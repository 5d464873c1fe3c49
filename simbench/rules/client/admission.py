"""Objections: the reasons for which the platform may refuse a submit, computed independently of the SMSC.

Rules on the platform count only submits without an objection, because the contract requires some refusals. An
objection that the record can neither prove nor rule out counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray

from simbench.base.units import MINUTE_US, SECOND_US
from simbench.ledger.events import SubscriberSet
from simbench.numbering.plan import NumberingPlan
from simbench.rules.arrays import combined, crowded, holds, slices, some_of, unanswered, where, within
from simbench.rules.client.limits import (
    captured,
    option_unknown,
    options,
    owners,
    rate_periods,
    suspensions,
    truth,
    window_sizes,
)
from simbench.rules.client.originators import name_of, number_of
from simbench.rules.kernels import metering
from simbench.rules.kernels.metering import FORMS
from simbench.rules.meters import Operations, counted, form_of, submit_of
from simbench.rules.rule import Case
from simbench.trace.stores import numbered
from simbench.trace.view import Bools, Ints
from simbench.ucp.fields import BEFORE_DATA, At

Objection = Literal[
    "malformed", "no session", "originator", "name", "rate", "window", "recipient", "crowded", "validity", "suspended",
    "outage", "special",
]  # fmt: skip

REFUSED_AT_ONCE: Final = {"malformed", "fixed", "overseas", "foreign"}
NEVER_DELIVERED: Final = {"other-operator", "ported-out", "unknown"}
SETTLE_US: Final = SECOND_US  # operations in flight at the start or end of an outage
CROWD: Final = 30  # messages to one recipient within a minute: their SCTS, a second apart, run ahead of the clock
_SPECIAL: Final = (At.AC, At.PR, At.DDT)  # fields that need a subscription or an allowed instant
NAMES: Final[tuple[Objection, ...]] = get_args(Objection)
HEAD: Final = 5  # first digits that suffice to recognise most mobile numbers


def expectation(subscriber: SubscriberSet, code: str, machines: tuple[str, ...]) -> str:
    """Return the expected outcome of a message to a subscriber: an error code, "undelivered" or "delivered".

    `machines` are the first digits of the code ranges that serve machines.
    """
    kind = subscriber.standing
    if kind in REFUSED_AT_ONCE or (kind == "m2m" and not code.startswith(machines)):
        return "06"
    # A message to an absent subscriber becomes undelivered only when its validity ends.
    return "delivered" if kind not in NEVER_DELIVERED and subscriber.attached else "undelivered"


class Objections(Sequence[frozenset[Objection]]):
    """The objections to each submit, in order of arrival."""

    def __init__(self, size: int) -> None:
        self._bits = np.zeros(size, np.uint16)

    def add(self, name: Objection, where: Bools | Ints) -> None:
        """Add an objection to these submits, given as flags or positions."""
        self._bits[where] |= np.uint16(1 << NAMES.index(name))

    def has(self, *names: Objection) -> Bools:
        """Return which submits have one of these objections."""
        wanted = sum(1 << NAMES.index(name) for name in names)
        found: Bools = (self._bits & np.uint16(wanted)) != 0
        return found

    @property
    def none(self) -> Bools:
        """Which submits have no objection."""
        found: Bools = self._bits == 0
        return found

    def __len__(self) -> int:
        return len(self._bits)

    @overload
    def __getitem__(self, place: int) -> frozenset[Objection]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[frozenset[Objection]]: ...
    def __getitem__(self, place: int | slice) -> frozenset[Objection] | Sequence[frozenset[Objection]]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        bits = int(self._bits[place])
        return frozenset(name for number, name in enumerate(NAMES) if bits >> number & 1)


def objections(case: Case) -> Objections:
    """Return the objections to every submit."""
    return case.once(_objections)


def _objections(case: Case) -> Objections:
    found = Objections(len(case.trace.submits))
    for name, submits in _against(case):
        found.add(name, submits)
    return found


def _against(case: Case) -> Iterator[tuple[Objection, Bools | Ints]]:
    """Yield each objection with the submits that have it."""
    yield "rate", over_rate(case)
    yield "window", _full(case)
    yield "crowded", crowded(case.trace.recipients.keys(), case.trace.submits, CROWD, MINUTE_US)
    yield "malformed", _unsound(case)
    yield "no session", _without_session(case)
    for name in ("originator", "name", "malformed"):
        yield name, _from(case, name)
    yield "suspended", _while_suspended(case)
    yield "recipient", _unserved(case)
    yield "validity", _over(case)
    yield "outage", _during_outages(case)
    places = np.flatnonzero(~case.trace.common)
    special = [_is_special(row.frame) for row in case.trace.submits.where(places).rows()]
    yield "special", places[np.array(special, np.bool_)]


def _full(case: Case) -> Bools:
    """Return which submits arrived while their window was full."""
    submits, terms = case.trace.submits, case.contract.terms.session
    sizes, account = window_sizes(case)
    found: Bools = unanswered(submits, terms.result_timer_max_s.value * SECOND_US) >= sizes[account]
    return found


def _unsound(case: Case) -> Ints:
    """Return the positions of submits whose frame has a problem."""
    frames, submits = case.trace.other_frames, case.trace.submits
    unsound = {(row.session, row.at, row.trn) for row in frames.where(~frames.equal("problem", "")).rows()}
    instants = np.array([at for _, at, _ in unsound], np.int64)
    places = (
        np.flatnonzero(where(submits, lambda at: np.isin(at, instants), "at")) if unsound else np.zeros(0, np.int64)
    )
    near = submits.where(places).rows()
    return places[np.array([(row.session, row.at, row.trn) in unsound for row in near], np.bool_)]


def _without_session(case: Case) -> Bools:
    """Return which submits preceded a login. An accepted submit proves a login, even an unrecorded one."""
    trace = case.trace
    seen_from_start = {row.session for row in trace.sessions.rows() if row.opened_at >= 0}
    accepted = trace.submits.where(trace.submits.equal("ack", "A"))
    open_ = {number for (number,) in combined(accepted, "session")[0]}
    return holds(
        trace.submits,
        lambda session, account: not account and (session in seen_from_start or session not in open_),
        "session", "account",
    )  # fmt: skip


def _from(case: Case, objection: Objection) -> Bools:
    """Return which submits have this objection to their originator: "malformed" if it is neither number nor name."""
    known, with_option, unknown = owners(case), options(case), option_unknown(case)
    pattern = re.compile(case.contract.terms.numbering.oadc_alpha_pattern.value, re.ASCII)

    def against(account: str, oadc: str, alphanumeric: bool) -> Objection | None:
        if number := number_of(oadc, alphanumeric):
            return None if number in known[account] else "originator"
        if not (name := name_of(oadc, alphanumeric)):
            return "malformed"
        if account not in with_option:
            return "name" if unknown(account) else "originator"
        return None if pattern.fullmatch(name) else "name"

    return holds(case.trace.submits, lambda *one: against(*one) == objection, "account", "oadc", "alphanumeric")


def _while_suspended(case: Case) -> Bools:
    """Return which submits come from suspended accounts."""
    submits = case.trace.submits
    found = np.zeros(len(submits), np.bool_)
    for account, spans in suspensions(case).items():
        own = submits.equal("account", account)
        for start, end in spans:
            found |= own & within(submits, start, end)
    return found


def _unserved(case: Case) -> Bools:
    """Return which submits go to a recipient that is refused at once, or may be refused (AMB-09) and was.

    The numbering plan classifies recipients that no event names.
    """
    recipients, submits = case.trace.recipients, case.trace.submits
    machines = case.contract.terms.numbering.prefixes("machines")
    examples, group = recipients.heads(HEAD)
    odd = np.flatnonzero(np.array([not _all_mobile(case.plan, example) for example in examples], np.bool_)[group])
    examples, group = recipients.taken(odd).heads(case.plan.kind_digits())
    codes, code = submits.where(odd).texts("code")
    pairs, which = numbered(group.astype(np.int64) * max(len(codes), 1) + code)

    def look(subscriber: SubscriberSet, code: str) -> int:
        refused = expectation(subscriber, code, machines) == "06"
        return 2 if refused else int(subscriber.standing in NEVER_DELIVERED)

    kinds = [
        look(SubscriberSet(recipient, case.plan.classify(recipient).kind, "", attached=True), codes[pair % len(codes)])
        for pair in pairs.tolist()
        for recipient in (examples[pair // len(codes)],)
    ]
    found = np.zeros(len(submits), np.int8)
    found[odd] = np.array(kinds, np.int8)[which]
    known = truth(case)
    places = np.flatnonzero(recipients.among(known))
    found[places] = [look(known[row.recipient], row.code) for row in submits.where(places).rows()]
    refused: Bools = (found == 2) | ((found == 1) & submits.equal("ec", "06"))
    return refused


def _all_mobile(plan: NumberingPlan, recipient: str) -> bool:
    """Return whether all numbers of this length with the same first digits are mobile numbers."""
    number, code = plan.classify(recipient), plan.data.country_code
    known = number.kind == "mobile" and number.msisdn == recipient and recipient.startswith(code)
    return known and plan.plain_mobile(plan.data.trunk + recipient[len(code) : HEAD])


def _over(case: Case) -> Ints:
    """Return the positions of submits whose validity ends within a minute or is not a valid time."""
    submits = case.trace.submits
    places = np.flatnonzero(~submits.equal("validity", ""))
    texts, which = submits.where(places).texts("validity")
    minute = case.contract.calendar.parse_minute
    ends = np.array([-1 if (end := minute(text)) is None else end for text in texts], np.int64)[which]
    return places[ends <= submits.whole("at", places) + MINUTE_US]


def _during_outages(case: Case) -> Bools:
    """Return which submits arrived during an outage of the platform or of their code."""
    submits = case.trace.submits
    found = np.zeros(len(submits), np.bool_)
    for start, end, scope, _ in case.trace.outages:
        during = within(submits, start - SETTLE_US, end + SETTLE_US + 1)
        found |= during if scope == "total" else during & submits.equal("code", scope)
    return found


def _is_special(frame: bytes) -> bool:
    data = frame.split(b"/")[BEFORE_DATA:]
    return any(len(data) > at and data[at] not in {b"", b"0"} for at in _SPECIAL)


def over_rate(case: Case) -> Bools:
    """Return which submits arrived earlier than their code's rate allows, or too near to that for certainty.

    Operations that were accepted or in time consume the rate.
    """
    trace, counting = case.trace, counted(case.contract, case.trace)
    # An operation in time by a capture's timestamps may be early by the platform's clock.
    tau = case.contract.terms.throughput.jitter_ms.value * 1000 if captured(case) else 0
    places, accepted = submit_of(case.contract, trace), trace.submits.equal("ack", "A")
    meters, forms = _meters(case, counting)
    rings = np.zeros(sum(form[1] for form in forms), np.int64)
    heads, numbers = np.zeros(len(forms), np.int64), np.zeros((len(forms), 2), np.int64)
    table = np.array(forms, np.int64).reshape(-1, FORMS)
    metering.prepared(table, rings, heads, numbers)
    found = np.zeros(len(trace.submits), np.bool_)
    for rows in slices(len(counting)):
        at, segments = some_of(counting, rows, "at", "segments")
        mine, dues = places[rows], np.zeros(int(segments.max()) + 1, np.int64)
        early, taken = np.zeros(len(at), np.bool_), mine >= 0
        taken[taken] = accepted[mine[taken]]
        bounds = np.maximum(tau, trace.largest_timing_errors(at - SECOND_US, at))
        metering.over_rate.at_scale(len(counting))(
            at, segments, meters[rows], table, taken, bounds, early, rings, heads, numbers, dues
        )
        found[mine[mine >= 0]] = early[mine >= 0]
    return found


def _meters(case: Case, counting: Operations) -> tuple[NDArray[np.int32], list[list[int]]]:
    """Return the meter of each operation (-1: none), and the forms of the meters, one for each code and period."""
    meters, forms, size = np.full(len(counting), -1, np.int32), list[list[int]](), 0
    segments = int(sum(some.sum() for rows in slices(len(counting)) for some in some_of(counting, rows, "segments")))
    for code in case.trace.limits:
        own = counting.equal("code", code)
        for period in rate_periods(case, code):
            chosen = own & within(counting, period.start, period.end)
            meters[chosen] = len(forms)
            forms.append(form_of(case.contract, period.rate).row(segments, size))
            size += forms[-1][1]
    return meters, forms
