"""Pages that serve a platform, one after the other on the same port: every command does what its page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reading import follow

pytestmark = pytest.mark.slow


PAGES = (
    "README.md",
    "docs/tutorial/first-session.md",
    "docs/guides/service.md",
    "docs/guides/probe.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_does_what_its_page_says(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)
