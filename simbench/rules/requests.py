"""Requests to the client against the wire: whole messages, and requests that the client must not carry out.

A forbidden request asks the client for a message that the contract rules out; a good client does not send it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from simbench.finding import Evidence, Outcome
from simbench.rules.rule import Case, Judged
from simbench.trace.messages import MARK
from simbench.ucp import content
from simbench.ucp.frame import Framer, WireError

MARKETING = "marketing"
SHOWN = 6


class Whole(msgspec.Struct, frozen=True):
    """A message as a user reads it: all its segments in order; `missing` is how many did not arrive.

    `at`, `session` and `frame` are those of its first segment; `asked` is the row of the request with the same mark.
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
    asked: Any = None


def sends(case: Case) -> dict[str, Any]:
    """Mark to the row of the request."""
    return {row.mark: row for row in case.reading.asked.rows() if row.kind == "send"}


def of_marketing(row: Any) -> bool:
    """Whether a row of `sends` requests a marketing message."""
    return bool(row.klass == MARKETING)


def wholes(case: Case) -> list[Whole]:
    """Every message on the wire in order of its first segment; a segment sent again counts once more."""
    by_mark, found = sends(case), []
    open_: dict[tuple[int, str, int, int], list[tuple[int, Any]]] = {}
    for row in case.reading.submits.rows():
        place = _concatenation(row.frame)
        if place is None:
            found.append(_whole([(1, row)], 1, by_mark))
            continue
        key = (row.session, row.adc, place.ref, place.total)
        parts = open_.setdefault(key, [])
        if any(number == place.sequence for number, _ in parts):  # a later message with the same reference
            found.append(_whole(parts, place.total, by_mark))
            parts = open_[key] = []
        parts.append((place.sequence, row))
        if len(parts) == place.total:
            found.append(_whole(open_.pop(key), place.total, by_mark))
    found += [_whole(parts, key[3], by_mark) for key, parts in open_.items() if parts]
    return sorted(found, key=lambda one: one.at)


def _whole(parts: list[tuple[int, Any]], total: int, by_mark: dict[str, Any]) -> Whole:
    first = min((row for _, row in parts), key=lambda row: row.at)
    text = "".join(row.text for _, row in sorted(parts, key=lambda part: part[0]))
    mark = MARK.search(text)
    return Whole(
        first.at, first.session, first.code, first.adc, first.oadc, first.alphanumeric, text, total,
        total - len(parts), first.frame, by_mark.get(mark.group()) if mark else None,
    )  # fmt: skip


def _concatenation(octets: bytes) -> Any:
    frames = [item for item in Framer(len(octets)).feed(octets) if not isinstance(item, WireError)]
    return content.read(frames[0].data).concatenation if frames else None


def shown(messages: Iterable[Whole], note: str) -> tuple[Evidence, ...]:
    """The first few messages as evidence, each with its first frame."""
    return tuple(Evidence(note, one.at, one.at, one.session, one.frame.hex().upper()) for one in list(messages)[:SHOWN])


def not_sent(
    case: Case, forbids: Callable[[Any], bool], what: str, *, outcome: Outcome = "fail", assumed: tuple[str, ...] = ()
) -> Judged:
    """Whether the client sent none of the requested messages that `forbids` picks; `what` names them in findings."""
    forbidden = {mark for mark, row in sends(case).items() if forbids(row)}
    if not forbidden:
        return Judged("inconclusive", f"{what}: none requested", blame="bench")
    if not len(case.reading.submits):
        return Judged("inconclusive", "the client submitted nothing", blame="client")
    wrong = [one for one in wholes(case) if one.asked is not None and one.asked.mark in forbidden]
    summary = f"{what}: {len(forbidden)} requested, {len(wrong)} sent"
    if not wrong:
        return Judged("pass", summary, 0, 0, "messages", "", assumed)
    return Judged(outcome, summary, len(wrong), 0, "messages", "client", assumed, shown(wrong, what))
