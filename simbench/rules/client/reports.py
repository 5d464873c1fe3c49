"""The rule on the client's reports (OPS-PRO-06): in every exercise they agree with the wire."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from simbench.base.text import count
from simbench.finding import Evidence
from simbench.ledger.stimuli import Reported
from simbench.rules.client.named_results import named_results
from simbench.rules.client.notified import Notified
from simbench.rules.evidence import framed
from simbench.rules.requests import sends
from simbench.rules.rule import Case, Verdict, none_wrong, rule
from simbench.trace.rows import Message, Submit

STATUS: Final = {"delivered": 0, "undelivered": 2}  # Dst of a notification
_ACK: Final = 15  # offset of ACK in a frame: after STX, TRN, LEN, O/R and OT
JUDGED: Final = ("accepted", "refused", *STATUS)


class _Wire:
    """The submits, results and notifications of each message, by token."""

    def __init__(self, case: Case) -> None:
        self._plan = case.plan
        self._submits = case.trace.submits.rows()
        self._named = named_results(case, self._submits, case.plan.key)
        self.messages: dict[str, list[Message]] = defaultdict(list)
        for message in case.trace.messages.rows():
            if message.token:
                self.messages[message.token].append(message)
        frames = case.trace.frames
        answers = frames.where(~frames.equal("direction", "in") & frames.equal("kind", "R") & frames.equal("ot", "51"))
        known = {row.result_at for row in self._submits}
        # Negative results of damaged submits: the message of each is unknown.
        self._stray = [row.at for row in answers.rows() if row.frame[_ACK:][:1] == b"N" and row.at not in known]
        self._early = Notified(case, self._submits)
        self._notified: dict[tuple[str, str, int], int] = {}
        for row in case.trace.notifications.rows():
            self._notified.setdefault((case.plan.key(row.recipient), row.scts, row.outcome), row.at)

    def submits(self, token: str) -> list[Submit]:
        """Return every submit of a message, in order."""
        of = self.messages.get(token, ())
        return [self._submits[place] for one in of for place in sorted((*one.rows_of, *one.doubles))]

    def _by_name(self, token: str) -> list[Submit]:
        """Return its submits whose number other submits used as well, with the result that names the recipient."""
        places = [place for one in self.messages.get(token, ()) for place in (*one.rows_of, *one.doubles)]
        return [self._named[place] for place in places if place in self._named]

    def bears_out(self, report: Reported) -> bool:
        """Return whether frames written before a report confirm it."""
        submits = self.submits(report.token)
        # A client may learn from a notification alone that a message was accepted; the recipient identifies it.
        early = {status for row in submits for status in self._early.before_the_result(row, report.at)}
        if (report.kind == "accepted" and early) or STATUS.get(report.kind) in early:
            return True
        rows = [row for row in (*submits, *self._by_name(report.token)) if 0 <= row.result_at <= report.at]
        taken, refused = ([row for row in rows if row.ack == ack] for ack in "AN")
        if report.kind == "accepted":
            whole = any(not one.missing for one in self.messages.get(report.token, ()))
            return bool(taken) and (whole or not refused)
        if report.kind == "refused":
            return bool(refused) or any(at <= report.at for at in self._stray)
        stamps = ((self._plan.key(row.recipient), row.scts, STATUS[report.kind]) for row in taken)
        notified = any(self._notified.get(stamp, report.at + 1) <= report.at for stamp in stamps)
        return notified or (report.kind == "undelivered" and bool(refused))


@rule(
    "reports.as-on-the-wire",
    "The client reports a message as accepted, refused, delivered or undelivered only if the platform said so",
    catches=("reports-nack-as-accepted",),
    capability="reports_outcomes",
    standing=True,
    occasional=True,
)
def as_on_the_wire(case: Case) -> Verdict:
    """Compare reports on requested messages with results and notifications written before them.

    Messages that the client refused without a submit do not count.
    """
    asked, wire = sends(case), _Wire(case)
    reports = [one for one in case.trace.reports if one.kind in JUDGED and one.token in asked]
    judged = [one for one in reports if one.kind != "refused" or wire.submits(one.token)]
    if not judged:
        return Verdict("unsupported", "the client reported no outcome of a message")
    wrong = [one for one in judged if not wire.bears_out(one)]
    summary, shown = f"{len(judged) - len(wrong):,} of {count(len(judged), 'report')} as on the wire", []
    for one in wrong[:6]:
        rows = wire.submits(one.token)
        results = ", ".join(f"{row.ack or 'no answer'}{f' {row.ec}' if row.ec else ''}" for row in rows)
        note = f"{one.token} reported {one.kind}; on the wire: {results or 'no submit'}"
        shown.append(framed(note, rows[0], until=one.at) if rows else Evidence(note, one.at, one.at))
    summary += f"; {len(wrong):,} reported {', '.join(sorted({one.kind for one in wrong}))}" if wrong else ""
    return none_wrong(summary, len(wrong), "reports", tuple(shown))
