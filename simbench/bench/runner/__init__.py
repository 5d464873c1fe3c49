"""Runs exercises with a system under test and judges them."""

from typing import Final

AT_ONCE: Final = 12  # concurrent exercises, each with a server on this loop and its own client
MOST_AT_ONCE: Final = 64
