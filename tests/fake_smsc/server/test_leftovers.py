"""Which connections are read while octets of them are left over."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fake_smsc.server.leftovers import LEFT_OCTETS, Leftovers

MANY = b"x" * (LEFT_OCTETS + 1)


class Lines:
    """Connections 1 and 2, and whether each is read."""

    def __init__(self) -> None:
        self.is_read = {1: True, 2: True}
        self.shut, self.muted = False, set[int]()

    def open_lines(self) -> Any:
        return {number: SimpleNamespace(transport=self._transport(number)) for number in self.is_read}

    def is_shut(self) -> bool:
        return self.shut

    def is_heard(self, number: int) -> bool:
        return number not in self.muted

    def _transport(self, number: int) -> Any:
        return SimpleNamespace(
            is_closing=lambda: False,
            pause_reading=lambda: self.is_read.update({number: False}),
            resume_reading=lambda: self.is_read.update({number: True}),
        )


def test_a_connection_with_many_octets_left_is_not_read_until_few_are() -> None:
    lines = Lines()
    left = Leftovers(lines)
    left.add([(1, MANY), (2, b"few")])
    assert lines.is_read == {1: False, 2: True}
    left.add([])  # a turn of peers without a login
    assert lines.is_read == {1: False, 2: True}
    assert left.take() == [(1, MANY), (2, b"few")]
    left.add([(1, MANY[:-1])])
    assert lines.is_read == {1: True, 2: True}


@pytest.mark.parametrize("reason", ["shut", "muted"])
def test_a_connection_that_something_else_forbids_to_read_stays_unread(reason: str) -> None:
    lines = Lines()
    left = Leftovers(lines)
    left.add([(1, MANY)])
    left.take()
    lines.shut, lines.muted = reason == "shut", {1} if reason == "muted" else set()
    left.add([])
    assert lines.is_read == {1: False, 2: True}
