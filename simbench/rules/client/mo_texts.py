"""Rules on the texts of users' messages (52): the client accepts every valid one and passes its text on unchanged."""

from __future__ import annotations

from collections import defaultdict

from simbench.base.text import count
from simbench.rules.evidence import first_frames, framed
from simbench.rules.rule import Case, Verdict, none_wrong, rule
from simbench.ucp.checks import check
from simbench.ucp.frame import Frame, Framer


@rule(
    "mo.texts-passed-on",
    "The client passes on the text of each message of a user as it was written, in one piece or part by part",
    catches=("reads-mo-as-gsm",),
    capability="reports_outcomes",
)
def texts_passed_on(case: Case) -> Verdict:
    """Compare fully acknowledged messages with the texts that the client reports for that user and code."""
    rows = case.trace.mo.rows()
    reported: dict[tuple[str, str], set[str]] = defaultdict(set)
    for report in case.trace.reports:
        if report.kind == "mo":
            reported[case.plan.key(report.recipient), report.code].add(report.detail)
    checked, wrong = 0, []
    for message in case.trace.replies.rows():
        parts = [rows[place] for place in message.rows_of]
        passed = reported.get((case.plan.key(message.sender), message.code), set())
        if message.missing or any(row.ack != "A" for row in parts) or not passed:
            continue  # `mo.mo-passed-on` judges messages that are not passed on at all
        checked += 1
        if message.text not in passed and not passed.issuperset(row.text for row in parts):
            note = f"{message.text!r} written, {', '.join(map(repr, sorted(passed)))} passed on"
            wrong.append(framed(note, parts[0]))
    if not checked:
        return Verdict("inconclusive", "the client passed on no message that it acknowledged", blame="client")
    summary = f"{checked - len(wrong)} of {count(checked, 'MO message')} passed on as written"
    return none_wrong(summary, len(wrong), "messages", tuple(wrong[:6]))


def _valid(octets: bytes) -> bool:
    frame = Framer(len(octets)).feed(octets)[-1]
    return isinstance(frame, Frame) and not check(frame, strict=False)


@rule(
    "mo.valid-accepted",
    "The client acknowledges every valid message of a user, in any alphabet and length",
    usual_cause="The parser expects one alphabet or a fixed length and refuses everything else.",
    catches=("refuses-ucs2-mo",),
    suites=("client", "watched", "audit"),
    occasional=True,
)
def valid_accepted(case: Case) -> Verdict:
    """Find operations 52 without a field error that the client answered with a negative result."""
    mo = case.trace.mo
    answered = mo.where(mo.result_at >= 0)
    if not len(answered):
        return Verdict("inconclusive", "the client answered no message of a user", blame="client")
    refused = [row for row in answered.where(~answered.equal("ack", "A")).rows() if _valid(row.frame)]
    texts = {(row.sender, row.code, row.scts, row.text) for row in refused}
    summary = f"{count(len(answered), 'MO message')} answered, {count(len(texts), 'valid one')} refused"
    if len(refused) > len(texts):
        summary += f"; sent again {count(len(refused) - len(texts), 'time')}"
    return none_wrong(summary, len(texts), "messages", first_frames("refused", refused))
