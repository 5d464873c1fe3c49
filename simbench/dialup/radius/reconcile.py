"""Compares the records sent with those the server stored: findings on the clauses NRV-ACC, and differences by call.

It uses the journal and the records of `detail` files; facts that neither shows are inconclusive. Blame: "client" is
the access server, "platform" the RADIUS server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, TypedDict, Unpack

import msgspec

from simbench.base.text import count
from simbench.base.units import SECOND_US
from simbench.contract.term import clause_of
from simbench.dialup.calls import SetAside
from simbench.dialup.offer import Offer, load_netrevenu
from simbench.dialup.radius.journal import RecordedRun, Sent
from simbench.dialup.radius.minutes import Difference, carried_of, differences
from simbench.dialup.radius.pairing import Paired, pair
from simbench.dialup.radius.record import BOOTS, COMPARED, Heard, Record
from simbench.finding import Blame, Evidence, Finding, Outcome
from simbench.rulebook import Rulebook, Verdict

SHOWN: Final = 20  # pieces of evidence of one finding
UNREADABLE: Final = frozenset({"truncated", "unreadable", "encoding", "negative"})  # records that were not read


Key = tuple[str, str, str, int]


class More(TypedDict, total=False):
    """The fields of a verdict that few rules set."""

    blame: Blame
    assumed: tuple[str, ...]


class Reconciliation(msgspec.Struct, frozen=True):
    """Findings, differences call by call, records set aside, and counts."""

    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]
    aside: tuple[SetAside, ...]
    counts: dict[str, int]


class Books:
    """Both sides by record, and the offer; `retransmissions` is the allowed number if it is not the offer's."""

    def __init__(
        self, recorded: RecordedRun, found: Sequence[Heard | SetAside], offer: Offer, retransmissions: int | None
    ) -> None:
        self.recorded, self.offer, self.retransmissions = recorded, offer, retransmissions
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
        self.paired: Paired = pair(found, "event", offer.terms.records.longest_s, lenient=True)
        self.lost = sum(aside.reason in UNREADABLE for aside in self.paired.aside)
        self.requested = [each for each in recorded.sent if each.tries]
        self.acknowledged = sum(each.answered_us >= 0 for each in self.requested)
        self.carried = carried_of(recorded)
        self.differences = differences(self.carried, self.paired, recorded)


RULES: Final = Rulebook[Books](
    lambda books, purpose: clause_of(books.offer.clauses, purpose), suites=("audit",), binds="platform", unit="records"
)


def key_of(record: Record) -> Key:
    """Return the key of a record: access server, session, status, and the second if a session has several."""
    several = record.status in {*BOOTS, "Interim-Update"}
    return record.nas, record.session, record.status, record.event_us // SECOND_US if several else 0


def reconcile(
    recorded: RecordedRun,
    found: Iterable[Heard | SetAside],
    retransmissions: int | None = None,
    offer: Offer | None = None,
) -> Reconciliation:  # fmt: skip
    """Judge a run by its journal and the server's records.

    `retransmissions`: the allowed number (default: the offer's).
    """
    books = Books(recorded, list(found), offer or load_netrevenu(), retransmissions)
    counts = {
        "records due": len(recorded.sent),
        "records sent": len(books.requested),
        "acknowledged": books.acknowledged,
        "datagrams": sum(len(each.tries) for each in books.requested),
        "records kept": sum(len(kept) for kept in books.kept.values()),
        "kept more than once": sum(len(kept) - 1 for kept in books.kept.values()),
        "set aside": len(books.paired.aside),
        "seconds carried": sum(carried.seconds for carried in books.carried.values()),
        "seconds accounted": sum(call.seconds for call in books.paired.calls),
    }
    return Reconciliation(tuple(RULES.judge_all(books)), tuple(books.differences), tuple(books.paired.aside), counts)


def _verdict(
    outcome: Outcome, summary: str, notes: Iterable[Evidence] = (), measured: float | None = None,
    limit: float = 0, **more: Unpack[More],
) -> Verdict:  # fmt: skip
    most = None if measured is None else limit
    return Verdict(outcome, summary, measured, most, evidence=tuple(notes)[:SHOWN], **more)


def _described(record: Record) -> str:
    return f"{record.status} of {f'{record.session} at ' if record.session else ''}{record.nas}"


def _note(each: Sent, text: str) -> Evidence:
    end = each.tries[-1].sent_us if each.tries else 0
    return Evidence(f"{_described(each.planned.record)}: {text}", each.tries[0].sent_us if each.tries else 0, end)


@RULES.rule(
    "accounting.answered",
    "Every Accounting-Request is answered after at most so many retransmissions",
    unit="retransmissions",
)
def answered(books: Books) -> Verdict:
    """Check the answers in the journal."""
    own = books.retransmissions is None
    most = books.offer.terms.accounting.retransmissions.value if own else books.retransmissions or 0
    assumed = books.offer.assumed("accounting.retransmissions") if own else ()
    if not books.requested:
        return _verdict("inconclusive", "nothing was sent")
    bad = [each for each in books.requested if each.answered_us < 0 or len(each.tries) - 1 > most]
    again = max(len(each.tries) for each in books.requested) - 1
    if bad:
        notes = [
            _note(each, f"{'un' if each.answered_us < 0 else ''}answered, sent {count(len(each.tries), 'time')}")
            for each in bad
        ]
        summary = (
            f"{len(bad)} of {count(len(books.requested), 'record')} unanswered within {count(most, 'retransmission')}"
        )
        return _verdict("fail", summary, notes, again, limit=most, assumed=assumed)
    if not books.whole:
        return _verdict("inconclusive", "the journal has no end: requests open at that time are unknown")
    summary = f"{count(len(books.requested), 'record')} answered, after at most {count(again, 'retransmission')}"
    return _verdict("pass", summary, measured=again, limit=most, assumed=assumed)


@RULES.rule("accounting.kept", "Records kept, less duplicates, are the records acknowledged, and no others")
def kept(books: Books) -> Verdict:
    """Compare by key; only a complete journal can show that a stored record was never sent."""
    missing = [
        group[0] for key, group in books.sent.items()
        if key not in books.kept and any(each.answered_us >= 0 for each in group)
    ]  # fmt: skip
    foreign = [group[0] for key, group in books.kept.items() if not any(each.tries for each in books.sent.get(key, ()))]
    wrong = len(missing) + len(foreign)
    notes = [_note(each, "acknowledged, not kept") for each in missing]
    notes += [Evidence(f"{_described(each.record)}: kept at {each.source}:{each.line}, never sent") for each in foreign]
    if not books.acknowledged and not foreign:
        return _verdict("inconclusive", "nothing was acknowledged")
    if missing and len(missing) <= books.lost and not foreign:
        summary = f"{count(len(missing), 'acknowledged record')} not found, {count(books.lost, 'kept one')} unreadable"
        return _verdict("inconclusive", summary, notes, wrong)
    if foreign and not missing and not books.whole:
        summary = f"{count(len(foreign), 'record')} kept and not in the journal, which has no end"
        return _verdict("inconclusive", summary, notes, wrong)
    if wrong:
        summary = f"{count(len(missing), 'acknowledged record')} not kept, {len(foreign)} kept that were never sent"
        return _verdict("fail", summary, notes, wrong)
    copies = sum(len(group) - 1 for group in books.kept.values())
    return _verdict("pass", f"{count(len(books.kept), 'record')} kept, {copies} of them more than once", measured=0)


@RULES.rule("accounting.unaltered", "Records kept are equal to those sent")
def unaltered(books: Books) -> Verdict:
    """Compare the fields of `COMPARED`, and the second of Event-Timestamp."""
    bad, compared = list[Evidence](), 0
    for key, group in books.kept.items():
        if key not in books.sent:
            continue
        sent = books.sent[key][0].planned.record
        for each in group:
            compared += 1
            names = [name for name in COMPARED if getattr(each.record, name) != getattr(sent, name)]
            if sent.event_us >= 0 and each.record.event_us != sent.event_us // SECOND_US * SECOND_US:
                names.append("event_us")
            if names:
                was = ", ".join(f"{name} {getattr(each.record, name)} for {getattr(sent, name)}" for name in names)
                bad.append(
                    Evidence(
                        f"{_described(sent)}, {each.source}:{each.line}: {was}", each.received_us, each.received_us
                    )
                )
    if bad:
        summary = f"{len(bad)} of {count(compared, 'record')} kept differ from what was sent"
        return _verdict("fail", summary, bad, len(bad))
    if not compared:
        return _verdict("inconclusive", "no record kept can be compared with one sent")
    return _verdict("pass", f"{count(compared, 'record')} kept as sent", measured=0)


@RULES.rule("accounting.minutes-once", "Every second carried is accounted once", unit="s")
def minutes_once(books: Books) -> Verdict:
    """Compare by call."""
    named = books.differences
    off = sum(abs(each.carried_s - each.accounted_s) for each in named)
    notes = [Evidence(str(each)) for each in named]
    if not books.carried:
        return _verdict("inconclusive", "the journal has no session that ended")
    if named:
        summary = f"{count(len(named), 'call')}, {off} s, not accounted as carried"
        unsure = sum(each.unsure for each in named)
        if unsure == len(named) and (unsure <= books.lost or not books.whole):
            why = f"{count(books.lost, 'record')} unreadable" if books.whole else "the journal has no end"
            return _verdict("inconclusive", f"{summary}, and {why}", notes, off)
        blame: Blame = "client" if all(each.of_access_server for each in named) else "platform"
        return _verdict("fail", summary, notes, off, blame=blame)
    if not books.whole:
        return _verdict("inconclusive", "the journal has no end: other carried calls are unknown")
    return _verdict("pass", f"{count(len(books.paired.calls), 'call')} accounted once, to the second", measured=0)


@RULES.rule("accounting.signed", "Every response is signed with the shared secret", unit="responses")
def signed(books: Books) -> Verdict:
    """Check the counts of the sender."""
    end = books.recorded.end
    if end is not None and end.unsigned:
        summary = f"{count(end.unsigned, 'response')} with an authenticator that does not match the shared secret"
        return _verdict("fail", summary, (), end.unsigned)
    if end is None or not books.acknowledged:
        why = "the journal has no end" if end is None else "there was no response"
        return _verdict("inconclusive", why)
    return _verdict("pass", f"{count(books.acknowledged, 'response')} signed", measured=0)


@RULES.rule(
    "accounting.clock", "The clocks of the access servers are right within the tolerance", binds="client", unit="s"
)
def clock(books: Books) -> Verdict:
    """Compare Event-Timestamp with the instant at which each record was due."""
    allowed_s = books.offer.terms.accounting.clock_tolerance_s.value
    assumed = books.offer.assumed("accounting.clock_tolerance_s")
    worst: dict[str, tuple[float, Heard]] = {}
    for key, group in books.kept.items():
        for each in group:
            if key in books.sent and each.record.event_us >= 0:
                ahead = (each.record.event_us - books.sent[key][0].planned.at_us) / SECOND_US
                if abs(ahead) >= abs(worst.get(key[0], (0.0, each))[0]):
                    worst[key[0]] = ahead, each
    if not worst:
        return _verdict("inconclusive", "no record kept has an Event-Timestamp to compare")
    off = {nas: (ahead, each) for nas, (ahead, each) in sorted(worst.items()) if abs(ahead) > allowed_s}
    most = max(abs(ahead) for ahead, _ in worst.values())
    notes = [
        Evidence(f"{nas}: {ahead:+.0f} s, {each.source}:{each.line}", each.received_us, each.received_us)
        for nas, (ahead, each) in off.items()
    ]
    summary = f"{len(off)} of {count(len(worst), 'access server')} off by more than {allowed_s} s"
    return _verdict("fail" if off else "pass", summary, notes, most, limit=allowed_s, assumed=assumed)


@RULES.rule("accounting.order", "The Start of a session is kept before its Stop", binds="client", unit="sessions")
def order(books: Books) -> Verdict:
    """Check sessions whose Stop was sent after the Start was answered."""
    late, seen = list[Evidence](), 0
    for key, starts in books.kept.items():
        stop = (*key[:2], "Stop", 0)
        if key[2] != "Start" or stop not in books.kept or not books.sent.get(key) or not books.sent.get(stop):
            continue
        seen += 1
        begun, ended = books.sent[key][0], books.sent[stop][0]
        together = begun.tries and ended.tries and begun.tries[0].sent_us <= ended.tries[0].sent_us
        together = together and not 0 <= begun.answered_us < ended.tries[0].sent_us
        if books.order[id(starts[0])] > books.order[id(books.kept[stop][0])] and not together:
            late.append(
                Evidence(f"{_described(starts[0].record)}: kept at {starts[0].source}:{starts[0].line}, after its Stop")
            )
    if not seen:
        return _verdict("inconclusive", "no session has both Start and Stop kept")
    if late:
        summary = f"{len(late)} of {count(seen, 'session')} with the Start after the Stop"
        return _verdict("weak", summary, late, len(late))
    return _verdict("pass", f"{count(seen, 'session')} with the Start before the Stop", measured=0)
