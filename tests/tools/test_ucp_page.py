from __future__ import annotations

import re

from tools.reference.ucp import PAGE, TABLES, named

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_reference_page_has_every_table_once() -> None:
    assert sorted(named(TEXT)) == sorted(TABLES)


def test_sections_the_code_refers_to_are_there() -> None:
    headings = set(re.findall(r"^#+ ([0-9.]+) ", TEXT, re.MULTILINE))
    assert {"1.3", "1.4", "1.5", "5", "7", "9"} <= headings
