"""Whole messages out of a view of segments, so that rules on texts see what the recipient reads."""

from __future__ import annotations

import re
from typing import Any, Final

from simbench.base.units import HOUR_US
from simbench.trace.view import View, view_of
from simbench.ucp import content
from simbench.ucp.concat import Assembler, LongMessage
from simbench.ucp.fields import At

TOKEN: Final = re.compile(r"#[0-9A-Z]{5}")  # the token by which the bench recognises a requested message in its text
MESSAGES: Final = (
    "at", "ended_at", "session", "account", "code", "sender", "recipient", "text", "token", "total", "missing",
    "segments", "doubles", "rows_of",
)  # fmt: skip
WITHIN_US: Final = HOUR_US  # parts more than an hour apart belong to different messages, as references repeat
_FIELDS: Final = 4  # of a frame before its data, counted by slashes


def messages_of(view: View, sender: str, recipient: str) -> View:
    """One row a message (MESSAGES), in order of first parts, from a view of 51s or 52s and its two address columns.

    `rows_of` are the positions of its parts in the view, `doubles` of those that came twice; a message with `missing`
    parts never became whole. `segments` counts what the network carried, doubles left out.
    """
    assembler, ended = Assembler(WITHIN_US), list[LongMessage]()
    for position, (at, octets, from_, to) in enumerate(
        zip(view.at.tolist(), view.frame, getattr(view, sender), getattr(view, recipient), strict=True)
    ):
        data = octets.split(b"/")[_FIELDS:]
        if len(data) > At.XSER and data[At.XSER]:
            read = content.read([field.decode("latin-1") for field in data[:-1]])
            ended += assembler.add(at, from_, to, read, position)
        else:
            ended.append(LongMessage(from_, to, view.text[position], (position,)))
    ended += assembler.left()
    rows = [_row(view, message) for message in ended if message.handles]
    return view_of(MESSAGES, sorted(rows, key=lambda row: min(row[-1])))


def _row(view: View, message: LongMessage) -> tuple[Any, ...]:
    positions = sorted(message.handles)
    first, last = positions[0], positions[-1]
    text = message.text or ""
    token = str(view.token[first]) if "token" in view.names else ""
    if not token and (found := TOKEN.search(text)):
        token = found.group()
    segments = sum(int(view.segments[p]) for p in positions) if "segments" in view.names else len(positions)
    return (
        int(view.at[first]), int(view.at[last]), int(view.session[first]), view.account[first], view.code[first],
        message.sender, message.recipient, text, token, message.total, message.missing,
        segments, message.doubles, tuple(message.handles),
    )  # fmt: skip
