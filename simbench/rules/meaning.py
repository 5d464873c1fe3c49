"""Why a purpose matters and what usually breaks it, by topic (the first part of its name); rules may name a cause."""

from __future__ import annotations

from typing import Final

import msgspec

from simbench.rules.rule import load


class Meaning(msgspec.Struct, frozen=True):
    """The consequence of a breach, and its most frequent cause; both are sentences."""

    matters: str
    cause: str


TOPICS: Final[dict[str, Meaning]] = {
    "rate": Meaning(
        "The platform may refuse or delay whatever exceeds the subscribed rate, and a lower rate makes messages late.",
        "A limiter that counts messages instead of segments, or by the second of the clock, or that starts anew with"
        " each connection.",
    ),
    "sessions": Meaning(
        "The operator may refuse or close such a connection, and the traffic of its codes stops.",
        "A timer, a window or a retry that one connection has and the next one lacks.",
    ),
    "submits": Meaning(
        "The platform refuses or drops such an operation: the message is lost, or sent twice.",
        "A field, a length or a number that is composed by hand, or a result that is matched by its order.",
    ),
    "texts": Meaning(
        "Users read wrong characters or pieces of a text, and each further segment counts against the rate.",
        "Characters counted instead of septets, Latin-1 in place of GSM 03.38, or one reference for all long texts.",
    ),
    "mo": Meaning(
        "A user's message that is lost or garbled may be an opt-out or an order.",
        "The coding scheme (extra service 02) is not read, or the parts of a long message are.",
    ),
    "outage": Meaning(
        "Each outage then loses messages, or sends them twice.",
        "What was sent without a result is forgotten with the connection, or is sent again although its result came.",
    ),
    "validity": Meaning(
        "A message that arrives after its time may be wrong by then, or not permitted any more.",
        "The end is counted from the submit instead of the request, or is written in another zone or season.",
    ),
    "notifications": Meaning(
        "Who relies on the reported status informs users and bills wrongly.",
        "A notification is matched without its time stamp, or only while its submit is waiting for the result.",
    ),
    "reports": Meaning(
        "Who relies on the client's reports informs users and bills wrongly.",
        "A negative result is handled as any result, or results are matched by their order.",
    ),
    "recipients": Meaning(
        "The operator refuses messages to others than its subscribers, and limits their share.",
        "Numbers are not checked against the numbering plan and the portability base before they are sent.",
    ),
    "sender": Meaning(
        "Users cannot answer, complain to or recognise a sender that is not allotted.",
        "The originator of a request is passed on, or changed, without a check against the contract.",
    ),
    "marketing": Meaning(
        "The contract forbids such marketing, and the operator may suspend the code.",
        "Consent, brand or opt-out mention are left to whoever requests the message.",
    ),
    "hours": Meaning(
        "The contract forbids marketing at that time, and the operator may suspend the code.",
        "The hour is taken from UTC or a fixed offset, or the calendar lacks Sundays and public holidays.",
    ),
    "opt-out": Meaning(
        "Marketing after an opt-out is forbidden, and users complain to the operator.",
        "Only the bare word is recognised, or the opt-out holds for one of the brand's codes only.",
    ),
    "ranges": Meaning(
        "Each range of codes has a use of its own, which users and operator rely on.",
        "The code of a request is used without a check of what its range is for.",
    ),
    "sla": Meaning(
        "The contract promises this level of service.",
        "An interruption or work that was longer than planned, or was announced too late.",
    ),
    "soak": Meaning(
        "A client that grows or falls behind stops sooner or later.",
        "A table of messages or numbers from which nothing is removed.",
    ),
}


def meaning_of(purpose: str) -> Meaning:
    """Why a purpose matters, and what usually breaks it; empty for a topic of somebody else's rules."""
    topic = TOPICS.get(purpose.partition(".")[0], Meaning("", ""))
    rule = load().get(purpose)
    return Meaning(topic.matters, rule.usual_cause if rule is not None and rule.usual_cause else topic.cause)
