"""Dial-up and roaming: every command does what its page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reading import follow

pytestmark = pytest.mark.slow


PAGES = ("docs/guides/dialup.md", "docs/guides/roaming.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_command_does_what_its_page_says(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)
