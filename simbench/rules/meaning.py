"""The importance of each purpose and its usual cause of a breach, by topic (the first part of its name)."""

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
        "The platform may refuse or delay traffic above the subscribed rate, and a lower rate makes messages late.",
        "The limiter counts messages instead of segments, or by the second of the clock, or is reset with"
        " each connection.",
    ),
    "sessions": Meaning(
        "The operator may refuse or close such a connection, and the traffic of its codes stops.",
        "A timer, a window or a retry exists on one connection and is missing on the next.",
    ),
    "submits": Meaning(
        "The platform refuses or drops such an operation: the message is lost, or sent twice.",
        "A field, a length or a number is composed by hand, or results are matched by their order.",
    ),
    "texts": Meaning(
        "Users read wrong characters or pieces of a text, and each further segment counts against the rate.",
        "The client counts characters instead of septets, uses Latin-1, or gives all long texts one reference.",
    ),
    "mo": Meaning(
        "A user's message that is lost or garbled may be an opt-out or an order.",
        "The coding scheme (extra service 02) or the parts of a long message are not handled.",
    ),
    "outage": Meaning(
        "Each outage then loses messages, or sends them twice.",
        "Submits without a result are forgotten with the connection, or are repeated although their result came.",
    ),
    "validity": Meaning(
        "A message that arrives after its time may be wrong or no longer permitted.",
        "The end is counted from the submit instead of the request, or is written in another zone or season.",
    ),
    "notifications": Meaning(
        "Anyone who relies on the reported status informs users and bills wrongly.",
        "A notification is matched without its time stamp, or only while its submit is waiting for the result.",
    ),
    "reports": Meaning(
        "Anyone who relies on the client's reports informs users and bills wrongly.",
        "A negative result is handled like a positive one, or results are matched by their order.",
    ),
    "recipients": Meaning(
        "The operator refuses messages to numbers other than its subscribers', and limits their share.",
        "Numbers are not checked against the numbering plan and the portability data before sending.",
    ),
    "sender": Meaning(
        "Users cannot answer, complain to or recognise a sender that was not allotted.",
        "The originator of a request is passed on, or changed, without a check against the contract.",
    ),
    "marketing": Meaning(
        "The contract forbids such marketing, and the operator may suspend the code.",
        "Consent, brand and opt-out mention are left to the application that requests the message.",
    ),
    "hours": Meaning(
        "The contract forbids marketing at that time, and the operator may suspend the code.",
        "The hour is taken from UTC or a fixed offset, or the calendar lacks Sundays and public holidays.",
    ),
    "opt-out": Meaning(
        "Marketing after an opt-out is forbidden, and users complain to the operator.",
        "Only the bare word is recognised, or the opt-out is applied to one of the brand's codes only.",
    ),
    "ranges": Meaning(
        "Each range of codes has its own use, on which users and operator rely.",
        "The code of a request is used without a check of the use of its range.",
    ),
    "sla": Meaning(
        "The contract guarantees this level of service.",
        "An interruption or maintenance lasted too long, or was announced too late.",
    ),
    "soak": Meaning(
        "A client whose memory or backlog grows stops sooner or later.",
        "Entries are never removed from a table of messages or numbers.",
    ),
}


def meaning_of(purpose: str) -> Meaning:
    """Return why a purpose matters and the usual cause of a breach; empty for topics of other packages' rules."""
    topic = TOPICS.get(purpose.partition(".")[0], Meaning("", ""))
    rule = load().get(purpose)
    return Meaning(topic.matters, rule.usual_cause if rule is not None and rule.usual_cause else topic.cause)
