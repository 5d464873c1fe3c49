"""Why a purpose matters, by topic (the first part of its name), and what usually breaks it, by purpose or topic."""

from __future__ import annotations

from typing import Final

import msgspec


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


CAUSES: Final[dict[str, str]] = {
    "mo.mo-delivered": "A queue of the platform that drops messages while no connection of their account is open.",
    "mo.mo-passed-on": "A message is acknowledged before it is kept, or is read only while no result is awaited.",
    "mo.valid-accepted": (
        "The operation is parsed with one alphabet or a fixed length in mind, and anything else refused."
    ),
    "notifications.doubled-notifications": "Each notification is reported as it comes, and none is remembered.",
    "notifications.early-notifications": "A notification is matched by a time stamp that only the result brings.",
    "notifications.lost-notifications": "A status is assumed after a while without a notification.",
    "opt-out.every-code": "The opt-out is kept for the code that received it, not for the brand.",
    "opt-out.while-busy": "Users' messages wait behind submits, or are read only while no result is awaited.",
    "outage.announced-maintenance": (
        "The announcement reaches no timer of the connection, or nothing connects afterwards."
    ),
    "outage.comes-back": (
        "One failed attempt ends the loop that connects, or the pause between attempts grows without a bound."
    ),
    "outage.partial-outage": "One account's lost connection ends or blocks those of the others.",
    "rate.after-each-return": "The limiter belongs to the connection and starts anew with each.",
    "rate.after-reconnection": "What piled up is sent at once, or the limiter starts anew with the connection.",
    "rate.long-messages": "The limiter counts messages instead of segments.",
    "rate.several-codes": "One limiter serves all codes, so that one waits for another.",
    "rate.tier-granted": "The platform's meter has another rate or window than the contract.",
    "rate.turn-of-the-second": "The limiter counts by the second of the clock, so that two bursts meet at its turn.",
    "rate.uses-its-tier": "A pause after each result, or a window that is smaller than rate times round trip.",
    "recipients.accepted": (
        "The platform's routing or its table of numbers lacks a range, or the code is not in service."
    ),
    "recipients.final-refusals": "Every negative result leads to another attempt, whatever its error code.",
    "recipients.served-recipients": "The platform's routing or its table of numbers differs from the offer.",
    "sender.originator-in-service": "The platform takes any originator for the account's own code.",
    "sessions.answers-notifications": (
        "Notifications are read only while a result is awaited, or answered without their number."
    ),
    "sessions.every-account": "A refused login ends the loop that connects, for its account or for all.",
    "sessions.keepalive": "No operation 31 is sent, or its timer starts anew with whatever the platform sends.",
    "sessions.keepalive-on-each": (
        "One timer serves all connections, or the timer of a lost connection is not started again."
    ),
    "sessions.login-first": (
        "Submits are written as soon as the connection is open, without waiting for the result of 60."
    ),
    "sessions.reconnect-pace": "The client connects again at once after each failure.",
    "sessions.refused-pace": "A refused login is repeated at once, as if the connection had been lost.",
    "sessions.sessions-last": "A timer closes idle connections, or each message has a connection of its own.",
    "sessions.stranger-refused": (
        "The platform compares names only, or accepts whoever asks while its accounts are loaded."
    ),
    "sessions.suspended": "The platform looks at the state of an account at its login only, or not at all.",
    "sessions.violations": (
        "Length and checksum are made before the text is encoded, or by characters instead of octets."
    ),
    "sessions.well-formed": "Length, checksum or fields are composed by hand.",
    "sessions.window": "Operations in flight are not counted, or numbers are reused before their result.",
    "sessions.window-after-return": (
        "Operations of a lost connection count as answered, or the window is not reset with it."
    ),
    "sessions.window-freed": (
        "An operation without a result has no timer, so that it keeps its place in the window for ever."
    ),
    "submits.given-up": "Every negative result leads to another attempt, whatever its error code.",
    "submits.late-results": (
        "The result timer is shorter than what is documented, or a missing result is taken for a refusal."
    ),
    "submits.tried-again": "Every negative result is final, also one whose reason passes.",
    "submits.trn-after-return": "Numbers go on over connections, while those of the lost one still wait.",
    "submits.trn-discipline": "Numbers are drawn, or counted without a look at those still in use.",
    "submits.trn-in-order": "The counter starts at 01, or one counter serves several connections.",
    "texts.alphabet": "The text is encoded in Latin-1 or UTF-8 where GSM 03.38 is expected.",
    "texts.arrive": "Characters outside ASCII are replaced or dropped.",
    "texts.fit": "Characters are counted instead of septets: one of the extension table takes two.",
    "texts.in-few-segments": "Any character outside ASCII switches to UCS-2.",
    "texts.number-of-bits": "NB counts octets or characters instead of bits.",
    "texts.references": "The reference is constant, or starts anew with each connection.",
    "texts.seams": "The text is cut by septets or units, without a look at escapes and surrogates.",
    "validity.validity-kept": "The end is counted anew when the message is sent at last.",
}


def meaning_of(purpose: str) -> Meaning:
    """Why a purpose matters, and what usually breaks it; empty for a topic of somebody else's rules."""
    topic = TOPICS.get(purpose.partition(".")[0], Meaning("", ""))
    return Meaning(topic.matters, CAUSES.get(purpose, topic.cause))
