"""Compares requests with the wire: whole messages, and forbidden requests.

A forbidden request is one for a message that the contract rules out; a correct client does not send it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from simbench.ledger.stimuli import Request
from simbench.rules.evidence import first_frames
from simbench.rules.rule import Case, Verdict, none_wrong

MARKETING = "marketing"


class Whole(msgspec.Struct, frozen=True):
    """A message as a user reads it, all segments in order; `missing` is the number that did not arrive.

    `at`, `session` and `frame` are those of its first segment; `asked` is the request with the same token.
    """

    at: int
    session: int
    code: str
    recipient: str
    oadc: str
    alphanumeric: bool
    text: str
    segments: int
    missing: int
    frame: bytes
    asked: Request | None = None


def sends(case: Case) -> dict[str, Request]:
    """Return the requests by token."""
    return {one.token: one for one in case.trace.requests}


def of_marketing(one: Request) -> bool:
    """Return whether a request is for marketing."""
    return one.traffic_class == MARKETING


def wholes(case: Case) -> list[Whole]:
    """Return every message on the wire in order of its first segment."""
    by_token, submits = sends(case), case.trace.submits.rows()
    found = []
    for one in case.trace.messages.rows():
        first = submits[min(one.rows_of)]
        found.append(
            Whole(
                one.at, one.session, one.code, one.recipient, one.sender, first.alphanumeric, one.text, one.total,
                len(one.missing), first.frame, by_token.get(one.token),
            )
        )  # fmt: skip
    return found


def not_sent(case: Case, forbids: Callable[[Request], bool], what: str, *, assumed: tuple[str, ...] = ()) -> Verdict:
    """Check that the client sent none of the requests that `forbids` selects; `what` describes them in findings."""
    forbidden = {token for token, row in sends(case).items() if forbids(row)}
    if not forbidden:
        return Verdict("inconclusive", f"{what}: none requested", blame="bench")
    if not len(case.trace.submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    wrong = [one for one in wholes(case) if one.asked is not None and one.asked.token in forbidden]
    summary = f"{what}: {len(forbidden):,} requested, {len(wrong):,} sent"
    return none_wrong(summary, len(wrong), "messages", first_frames(what, wrong), assumed=assumed)
