"""The planner, bills and service levels: every command does what its page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.reading import follow

pytestmark = pytest.mark.slow


PAGES = (
    "docs/tutorial/capacity-planner.md", "docs/guides/planning.md", "docs/guides/billing.md", "docs/guides/sla.md",
    "docs/guides/contract.md",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_command_does_what_its_page_says(page: str, tmp_path: Path) -> None:
    follow(page, tmp_path)
