"""Joins segments to whole messages, so that rules on texts see what the recipient reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from simbench.base.units import HOUR_US
from simbench.trace.rows import Message, Messages, Mo, Submit
from simbench.ucp import content
from simbench.ucp.concat import Assembler, LongMessage
from simbench.ucp.fields import BEFORE_DATA, At

TOKEN: Final = re.compile(r"#[0-9A-Z]{5}")  # the token by which the bench recognises a requested message in its text
WITHIN_US: Final = HOUR_US  # parts further apart belong to different messages, as references repeat


class Part(NamedTuple):
    """One segment: its row, sender and recipient."""

    row: Submit | Mo
    sender: str
    recipient: str


def messages_of_submits(submits: Iterable[Submit]) -> Messages:
    """Return the messages of a client's submits."""
    return _messages([Part(row, row.oadc, row.recipient) for row in submits])


def messages_of_mo(segments: Iterable[Mo]) -> Messages:
    """Return the messages that subscribers sent."""
    return _messages([Part(row, row.sender, row.code) for row in segments])


def _messages(parts: Sequence[Part]) -> Messages:
    """Return messages in order of their first parts."""
    assembler, ended = Assembler(WITHIN_US), list[LongMessage]()
    for position, (row, sender, recipient) in enumerate(parts):
        data = row.frame.split(b"/")[BEFORE_DATA:]
        if len(data) > At.XSER and data[At.XSER]:
            read = content.read([field.decode("latin-1") for field in data[:-1]])
            ended += assembler.add(row.at, sender, recipient, read, position)
        else:
            ended.append(LongMessage(sender, recipient, row.text, (position,)))
    ended += assembler.left()
    rows = [_row(parts, message) for message in ended if message.handles]
    return Messages(sorted(rows, key=lambda row: min(row.rows_of)))


def _row(parts: Sequence[Part], message: LongMessage) -> Message:
    positions = sorted(message.handles)
    first = parts[positions[0]].row
    text = message.text or ""
    token = first.token if isinstance(first, Submit) else ""
    if not token and (found := TOKEN.search(text)):
        token = found.group()
    rows = (parts[place].row for place in positions)
    segments = sum(row.segments if isinstance(row, Submit) else 1 for row in rows)
    return Message(
        first.at, first.session, first.account, first.code, message.sender, message.recipient, text, token,
        message.total, message.missing, segments, message.doubles, message.handles,
    )  # fmt: skip
