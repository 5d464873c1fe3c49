"""Requests to the client against the wire: whole messages, and requests that the client must not carry out.

A forbidden request asks the client for a message that the contract rules out; a good client does not send it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from simbench.finding import Evidence, Outcome
from simbench.ledger.stimuli import Request
from simbench.rules.rule import Case, Verdict
from simbench.trace.messages import TOKEN
from simbench.trace.rows import Submit
from simbench.ucp import content
from simbench.ucp.frame import Framer, WireError
from simbench.ucp.xser import Concatenation

MARKETING = "marketing"
SHOWN = 6


class Whole(msgspec.Struct, frozen=True):
    """A message as a user reads it: all its segments in order; `missing` is how many did not arrive.

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
    """Token to request."""
    return {one.token: one for one in case.trace.requests}


def of_marketing(one: Request) -> bool:
    """Whether a marketing message is requested."""
    return one.traffic_class == MARKETING


def wholes(case: Case) -> list[Whole]:
    """Every message on the wire in order of its first segment; a segment sent again counts once more."""
    by_token, found = sends(case), []
    open_: dict[tuple[int, str, int, int], list[tuple[int, Submit]]] = {}
    for row in case.trace.submits.rows():
        place = _concatenation(row.frame)
        if place is None:
            found.append(_whole([(1, row)], 1, by_token))
            continue
        key = (row.session, row.recipient, place.ref, place.total)
        parts = open_.setdefault(key, [])
        if any(number == place.sequence for number, _ in parts):  # a later message with the same reference
            found.append(_whole(parts, place.total, by_token))
            parts = open_[key] = []
        parts.append((place.sequence, row))
        if len(parts) == place.total:
            found.append(_whole(open_.pop(key), place.total, by_token))
    found += [_whole(parts, key[3], by_token) for key, parts in open_.items() if parts]
    return sorted(found, key=lambda one: one.at)


def _whole(parts: list[tuple[int, Submit]], total: int, by_token: dict[str, Request]) -> Whole:
    first = min((row for _, row in parts), key=lambda row: row.at)
    text = "".join(row.text for _, row in sorted(parts, key=lambda part: part[0]))
    token = TOKEN.search(text)
    return Whole(
        first.at, first.session, first.code, first.recipient, first.oadc, first.alphanumeric, text, total,
        total - len(parts), first.frame, by_token.get(token.group()) if token else None,
    )  # fmt: skip


def _concatenation(octets: bytes) -> Concatenation | None:
    frames = [item for item in Framer(len(octets)).feed(octets) if not isinstance(item, WireError)]
    return content.read(frames[0].data).concatenation if frames else None


def shown(messages: Iterable[Whole], note: str) -> tuple[Evidence, ...]:
    """The first few messages as evidence, each with its first frame."""
    return tuple(Evidence(note, one.at, one.at, one.session, one.frame.hex().upper()) for one in list(messages)[:SHOWN])


def not_sent(
    case: Case,
    forbids: Callable[[Request], bool],
    what: str,
    *,
    outcome: Outcome = "fail",
    assumed: tuple[str, ...] = (),
) -> Verdict:
    """Whether the client sent none of the requested messages that `forbids` picks; `what` names them in findings."""
    forbidden = {token for token, row in sends(case).items() if forbids(row)}
    if not forbidden:
        return Verdict("inconclusive", f"{what}: none requested", blame="bench")
    if not len(case.trace.submits):
        return Verdict("inconclusive", "the client submitted nothing", blame="client")
    wrong = [one for one in wholes(case) if one.asked is not None and one.asked.token in forbidden]
    summary = f"{what}: {len(forbidden)} requested, {len(wrong)} sent"
    if not wrong:
        return Verdict("pass", summary, 0, 0, "messages", "", assumed)
    return Verdict(outcome, summary, len(wrong), 0, "messages", "client", assumed, shown(wrong, what))
