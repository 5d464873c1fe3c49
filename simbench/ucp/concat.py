"""Reassembles long messages from their parts, in any order of arrival.

Parts belong together by sender, recipient, reference (8 or 16 bits) and number of parts. Repeated parts are used once;
messages that stay incomplete are returned as such. Source: GSM 03.40 sections 9.2.3.24.1 and 9.2.3.24.8.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from simbench.ucp import alphabet
from simbench.ucp.content import Content, ucs2

PENDING: Final = 100_000  # incomplete messages kept; beyond this the oldest is returned as incomplete

Key = tuple[str, str, int, int, int]  # sender, recipient, reference, its width, parts


class LongMessage(msgspec.Struct, frozen=True):
    """A message as the recipient reads it: its text (None if a part is not text) and the handles of its parts.

    `handles` are in order of the parts; `missing` are the numbers of parts that never came, () for a complete message;
    `doubles` are the handles of repeated parts.
    """

    sender: str
    recipient: str
    text: str | None
    handles: tuple[Any, ...]
    total: int = 1
    missing: tuple[int, ...] = ()
    doubles: tuple[Any, ...] = ()


class _Begun:
    """The parts of one message received so far."""

    __slots__ = ("at", "doubles", "parts", "repeats")

    def __init__(self, repeats: dict[int, Content]) -> None:
        self.at = 0
        self.parts: dict[int, tuple[Content, Any]] = {}
        self.doubles: list[Any] = []
        self.repeats = repeats  # content of the previous message with this reference


class Assembler:
    """Takes parts as they arrive and returns messages as they become complete; `left` returns incomplete ones.

    Parts further apart than `within_us` belong to different messages, as references are reused.
    """

    def __init__(self, within_us: int) -> None:
        self._within_us = within_us
        self._begun: dict[Key, _Begun] = {}
        self._last: dict[Key, dict[int, Content]] = {}

    def add(self, at: int, sender: str, recipient: str, content: Content, handle: Any) -> list[LongMessage]:
        """Add a segment. Return the messages it ends: its own if now complete, and one returned as incomplete.

        `at` is in microseconds and does not decrease; `handle` identifies the segment to the caller.
        """
        place = content.concatenation
        if place is None or place.total == 1:
            return [LongMessage(sender, recipient, content.text, (handle,))]
        key = (sender, recipient, place.ref, place.bits, place.total)
        ended = []
        begun = self._begun.get(key)
        if begun is not None and self._is_another(begun, place.sequence, content, at):
            ended += self._give_up(key)
            begun = None
        if begun is None:
            begun = self._begun[key] = _Begun(self._last.get(key, {}))
        begun.at = at
        if place.sequence in begun.parts:
            begun.doubles.append(handle)
        else:
            begun.parts[place.sequence] = (content, handle)
        if len(begun.parts) == place.total:
            del self._begun[key]
            self._last[key] = {number: part for number, (part, _) in begun.parts.items()}
            ended.append(_message(key, begun))
        elif len(self._begun) > PENDING:
            ended += self._give_up(next(iter(self._begun)))
        while len(self._last) > PENDING:
            del self._last[next(iter(self._last))]
        return ended

    def left(self) -> list[LongMessage]:
        """Return the incomplete messages. Call once, at the end."""
        return [message for key in [*self._begun] for message in self._give_up(key)]

    def _is_another(self, begun: _Begun, sequence: int, content: Content, at: int) -> bool:
        """Return whether the segment begins a new message: it is too late, or repeats a part with another text."""
        known = begun.parts.get(sequence)
        return at - begun.at > self._within_us or (known is not None and not _same(known[0], content))

    def _give_up(self, key: Key) -> list[LongMessage]:
        begun = self._begun.pop(key)
        message = _message(key, begun)
        repeats = begun.repeats
        if all(number in repeats and _same(repeats[number], part) for number, (part, _) in begun.parts.items()):
            # Only repeats of a complete message: parts of it sent twice.
            doubles = (*message.handles, *message.doubles)
            return [msgspec.structs.replace(message, text=None, handles=(), missing=(), doubles=doubles)]
        return [message]


def _same(one: Content, other: Content) -> bool:
    return one.octets == other.octets and one.encoding == other.encoding


def _message(key: Key, begun: _Begun) -> LongMessage:
    sender, recipient, _, _, total = key
    numbers = sorted(begun.parts)
    missing = tuple(number for number in range(1, total + 1) if number not in begun.parts)
    text = _text([begun.parts[number][0] for number in numbers])
    handles = tuple(begun.parts[number][1] for number in numbers)
    return LongMessage(sender, recipient, text, handles, total, missing, tuple(begun.doubles))


def _text(parts: list[Content]) -> str | None:
    """The text of the parts in order. Octets of one alphabet are joined first: some clients split a character."""
    encodings = {part.encoding for part in parts}
    octets = b"".join(part.octets for part in parts)
    tables = {part.languages for part in parts}
    if encodings == {"gsm7"} and len(tables) == 1:
        return alphabet.decode(octets, tables.pop())
    if encodings == {"ucs2"}:  # a byte-order mark stands before the first part only, or before each
        return ucs2(octets).replace("\ufeff", "")
    texts = [part.text for part in parts]
    return None if None in texts else "".join(text or "" for text in texts)
