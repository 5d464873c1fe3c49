"""What was sent compared with what the server kept: findings on the clauses NRV-ACC, and differences by call.

It uses the journal and the records of `detail` files; what neither shows is inconclusive. Blame: "client" is the
access server, "platform" the RADIUS server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from simbench.base.units import SECOND_US
from simbench.dialup.calls import SetAside
from simbench.dialup.offer import Offer, load_netrevenu
from simbench.dialup.radius.journal import RecordedRun, Sent
from simbench.dialup.radius.minutes import Difference, carried_of, differences
from simbench.dialup.radius.pairing import Paired, pair
from simbench.dialup.radius.record import BOOTS, Heard, Record
from simbench.finding import Blame, Evidence, Finding, Outcome

SHOWN: Final = 20  # pieces of evidence of one finding
UNREADABLE: Final = frozenset({"truncated", "unreadable", "encoding", "negative"})  # records that were not read

SENTENCES: Final = {
    "NRV-ACC-01/answered": "every Accounting-Request is answered after at most so many retransmissions",
    "NRV-ACC-02/kept": "records kept, less duplicates, are the records acknowledged, and no others",
    "NRV-ACC-02/unaltered": "records kept say what was sent",
    "NRV-ACC-03/minutes-once": "every second carried is accounted once",
    "NRV-ACC-04/signed": "every response is signed with the shared secret",
    "NRV-ACC-05/clock": "the clocks of the access servers are right, to the tolerance",
    "NRV-ACC-06/order": "the Start of a session is kept before its Stop",
}
"""What each purpose asks, for reports and the contract."""

Key = tuple[str, str, str, int]


class Reconciliation(msgspec.Struct, frozen=True):
    """Findings, differences call by call, records set aside, and counts."""

    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]
    aside: tuple[SetAside, ...]
    counts: dict[str, int]


class _Books:
    """Both sides, by record."""

    def __init__(self, recorded: RecordedRun, found: Sequence[Heard | SetAside], longest_s: int) -> None:
        self.recorded = recorded
        self.whole = recorded.end is not None
        self.sent: defaultdict[Key, list[Sent]] = defaultdict(list)
        self.kept: defaultdict[Key, list[Heard]] = defaultdict(list)
        self.order: dict[int, int] = {}
        for each in recorded.sent:
            self.sent[key_of(each.planned.record)].append(each)
        for place, one in enumerate(found):
            if isinstance(one, Heard):
                self.kept[key_of(one.record)].append(one)
                self.order[id(one)] = place
        self.paired: Paired = pair(found, "event", longest_s, lenient=True)
        self.lost = sum(aside.reason in UNREADABLE for aside in self.paired.aside)
        self.asked = [each for each in recorded.sent if each.tries]
        self.acknowledged = sum(each.answered_us >= 0 for each in self.asked)


def key_of(record: Record) -> Key:
    """The key of a record: access server, session, status, and the second where a session has several."""
    several = record.status in {*BOOTS, "Interim-Update"}
    return record.nas, record.session, record.status, record.event_us // SECOND_US if several else 0


def reconcile(
    recorded: RecordedRun,
    found: Iterable[Heard | SetAside],
    retransmissions: int | None = None,
    offer: Offer | None = None,
) -> Reconciliation:  # fmt: skip
    """Judge a run by its journal and by what the server kept. `retransmissions`: the most allowed, else the offer's."""
    offer = offer or load_netrevenu()
    books = _Books(recorded, list(found), offer.terms.records.longest_s)
    named = differences(carried_of(recorded), books.paired, recorded)
    findings = (
        _answered(books, offer, retransmissions),
        _kept(books),
        _unaltered(books),
        _minutes(books, named),
        _signed(books),
        _clock(books, offer),
        _order(books),
    )
    counts = {
        "records due": len(recorded.sent),
        "records sent": len(books.asked),
        "acknowledged": books.acknowledged,
        "datagrams": sum(len(each.tries) for each in books.asked),
        "records kept": sum(len(kept) for kept in books.kept.values()),
        "kept more than once": sum(len(kept) - 1 for kept in books.kept.values()),
        "set aside": len(books.paired.aside),
        "seconds carried": sum(carried.seconds for carried in carried_of(recorded).values()),
        "seconds accounted": sum(call.seconds for call in books.paired.calls),
    }
    return Reconciliation(findings, tuple(named), tuple(books.paired.aside), counts)


def _finding(  # noqa: PLR0913 - the fields of a finding that differ
    purpose: str,
    outcome: Outcome,
    summary: str,
    notes: Iterable[Evidence] = (),
    measured: float | None = None,
    limit: float | None = 0,
    unit: str = "records",
    blame: Blame = "",
    assumed: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        purpose=purpose,
        clause=purpose.partition("/")[0],
        outcome=outcome,
        summary=summary,
        measured=measured,
        limit=limit if measured is not None else None,
        unit=unit if measured is not None else "",
        blame=blame if outcome in {"fail", "weak"} else "",
        assumed=assumed,
        evidence=tuple(notes)[:SHOWN],
    )


def said(record: Record) -> str:
    """A record named for people."""
    return (
        f"{record.status} of {record.session} at {record.nas}" if record.session else f"{record.status} of {record.nas}"
    )


def _note(each: Sent, text: str) -> Evidence:
    end = each.tries[-1].sent_us if each.tries else 0
    return Evidence(f"{said(each.planned.record)}: {text}", each.tries[0].sent_us if each.tries else 0, end)


def _answered(books: _Books, offer: Offer, asked: int | None) -> Finding:
    purpose, term = "NRV-ACC-01/answered", "accounting.retransmissions"
    most = offer.terms.accounting.retransmissions.value if asked is None else asked
    assumed = offer.assumed(term) if asked is None else ()
    if not books.asked:
        return _finding(purpose, "inconclusive", "nothing was sent")
    bad = [each for each in books.asked if each.answered_us < 0 or len(each.tries) - 1 > most]
    again = max(len(each.tries) for each in books.asked) - 1
    if bad:
        notes = [
            _note(each, f"{'un' if each.answered_us < 0 else ''}answered, sent {len(each.tries)} times") for each in bad
        ]
        summary = f"{len(bad)} of {len(books.asked)} records had no answer within {most} retransmissions"
        return _finding(purpose, "fail", summary, notes, again, most, "retransmissions", "platform", assumed)
    if not books.whole:
        return _finding(purpose, "inconclusive", "the journal has no end: what was on its way is not known")
    summary = f"{len(books.asked)} records answered, after at most {again} retransmissions"
    return _finding(purpose, "pass", summary, measured=again, limit=most, unit="retransmissions", assumed=assumed)


def _kept(books: _Books) -> Finding:
    purpose = "NRV-ACC-02/kept"
    missing = [
        group[0] for key, group in books.sent.items()
        if key not in books.kept and any(each.answered_us >= 0 for each in group)
    ]  # fmt: skip
    foreign = [group[0] for key, group in books.kept.items() if not any(each.tries for each in books.sent.get(key, ()))]
    wrong = len(missing) + len(foreign)
    notes = [_note(each, "acknowledged, not kept") for each in missing]
    notes += [Evidence(f"{said(each.record)}: kept at {each.source}:{each.line}, never sent") for each in foreign]
    if not books.acknowledged and not foreign:
        return _finding(purpose, "inconclusive", "nothing was acknowledged")
    if missing and len(missing) <= books.lost and not foreign:
        summary = f"{len(missing)} acknowledged records are not found, and {books.lost} kept ones cannot be read"
        return _finding(purpose, "inconclusive", summary, notes, wrong)
    if foreign and not missing and not books.whole:
        summary = f"{len(foreign)} records kept are not in the journal, which has no end"
        return _finding(purpose, "inconclusive", summary, notes, wrong)
    if wrong:
        summary = f"{len(missing)} acknowledged records not kept, {len(foreign)} kept that were never sent"
        return _finding(purpose, "fail", summary, notes, wrong, blame="platform")
    copies = sum(len(group) - 1 for group in books.kept.values())
    return _finding(purpose, "pass", f"{len(books.kept)} records kept, {copies} of them more than once", measured=0)


_COMPARED: Final = ("user", "port", "seconds", "input_octets", "output_octets", "cause", "called", "calling")


def _unaltered(books: _Books) -> Finding:
    purpose, bad, compared = "NRV-ACC-02/unaltered", [], 0
    for key, group in books.kept.items():
        if key not in books.sent:
            continue
        sent = books.sent[key][0].planned.record
        for each in group:
            compared += 1
            names = [name for name in _COMPARED if getattr(each.record, name) != getattr(sent, name)]
            if sent.event_us >= 0 and each.record.event_us != sent.event_us // SECOND_US * SECOND_US:
                names.append("event_us")
            if names:
                was = ", ".join(f"{name} {getattr(each.record, name)} for {getattr(sent, name)}" for name in names)
                bad.append(
                    Evidence(f"{said(sent)}, {each.source}:{each.line}: {was}", each.received_us, each.received_us)
                )
    if bad:
        summary = f"{len(bad)} of {compared} records kept say something else than what was sent"
        return _finding(purpose, "fail", summary, bad, len(bad), blame="platform")
    if not compared:
        return _finding(purpose, "inconclusive", "no record kept can be compared with one sent")
    return _finding(purpose, "pass", f"{compared} records kept say what was sent", measured=0)


def _minutes(books: _Books, named: Sequence[Difference]) -> Finding:
    purpose = "NRV-ACC-03/minutes-once"
    off = sum(abs(each.carried_s - each.accounted_s) for each in named)
    notes = [Evidence(str(each)) for each in named]
    if not carried_of(books.recorded):
        return _finding(purpose, "inconclusive", "the journal has no session that ended")
    if named:
        summary = f"{len(named)} calls, {off} s, are not accounted as they were carried"
        unsure = sum(each.unsure for each in named)
        if unsure == len(named) and (unsure <= books.lost or not books.whole):
            why = f"{books.lost} records cannot be read" if books.whole else "the journal has no end"
            return _finding(purpose, "inconclusive", f"{summary}, and {why}", notes, off, unit="s")
        blame: Blame = "client" if all(each.of_access_server for each in named) else "platform"
        return _finding(purpose, "fail", summary, notes, off, unit="s", blame=blame)
    if not books.whole:
        return _finding(purpose, "inconclusive", "the journal has no end: what else was carried is not known")
    return _finding(
        purpose, "pass", f"{len(books.paired.calls)} calls accounted once, to the second", measured=0, unit="s"
    )


def _signed(books: _Books) -> Finding:
    purpose, end = "NRV-ACC-04/signed", books.recorded.end
    if end is not None and end.unsigned:
        summary = f"{end.unsigned} responses carry an authenticator that the shared secret does not give"
        return _finding(purpose, "fail", summary, (), end.unsigned, unit="responses", blame="platform")
    if end is None or not books.acknowledged:
        why = "the journal has no end" if end is None else "there was no response"
        return _finding(purpose, "inconclusive", why)
    return _finding(purpose, "pass", f"{books.acknowledged} responses are signed", measured=0, unit="responses")


def _clock(books: _Books, offer: Offer) -> Finding:
    purpose, allowed_s = "NRV-ACC-05/clock", offer.terms.accounting.clock_tolerance_s.value
    assumed = offer.assumed("accounting.clock_tolerance_s")
    worst: dict[str, tuple[float, Heard]] = {}
    for key, group in books.kept.items():
        for each in group:
            if key in books.sent and each.record.event_us >= 0:
                ahead = (each.record.event_us - books.sent[key][0].planned.at_us) / SECOND_US
                if abs(ahead) >= abs(worst.get(key[0], (0.0, each))[0]):
                    worst[key[0]] = ahead, each
    if not worst:
        return _finding(purpose, "inconclusive", "no record kept has an Event-Timestamp to compare")
    off = {nas: (ahead, each) for nas, (ahead, each) in sorted(worst.items()) if abs(ahead) > allowed_s}
    most = max(abs(ahead) for ahead, _ in worst.values())
    notes = [
        Evidence(f"{nas}: {ahead:+.0f} s, {each.source}:{each.line}", each.received_us, each.received_us)
        for nas, (ahead, each) in off.items()
    ]
    summary = f"{len(off)} of {len(worst)} access servers are off by more than {allowed_s} s"
    return _finding(purpose, "fail" if off else "pass", summary, notes, most, allowed_s, "s", "client", assumed)


def _order(books: _Books) -> Finding:
    purpose, late, seen = "NRV-ACC-06/order", [], 0
    for key, starts in books.kept.items():
        stop = (*key[:2], "Stop", 0)
        if key[2] != "Start" or stop not in books.kept or not books.sent.get(key) or not books.sent.get(stop):
            continue
        seen += 1
        asked, ended = books.sent[key][0], books.sent[stop][0]
        together = asked.tries and ended.tries and asked.tries[0].sent_us <= ended.tries[0].sent_us
        together = together and not 0 <= asked.answered_us < ended.tries[0].sent_us
        if books.order[id(starts[0])] > books.order[id(books.kept[stop][0])] and not together:
            late.append(
                Evidence(f"{said(starts[0].record)}: kept at {starts[0].source}:{starts[0].line}, after its Stop")
            )
    if not seen:
        return _finding(purpose, "inconclusive", "no session has both Start and Stop kept")
    if late:
        summary = f"{len(late)} of {seen} sessions have their Start after their Stop"
        return _finding(purpose, "weak", summary, late, len(late), unit="sessions", blame="client")
    return _finding(purpose, "pass", f"{seen} sessions have their Start before their Stop", measured=0, unit="sessions")
