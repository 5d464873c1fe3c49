"""Logs made to be expensive: the work grows with the log, and what no Kannel writes is refused in one line."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simbench.base.errors import BadInput
from simbench.contract import load_contract
from simbench.sla.imports.kannel_log import MOST_LINKS, KannelLog, read_kannel_log
from tests.steps import steps_of

CONTRACT = load_contract()
PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 3, 2, 12)
FAILED = "2026-03-02 12:00:00 [1] [6] ERROR: EMI2[36010]: Couldn't connect\n"


def read(folder: Path, text: str) -> KannelLog:
    path = folder / "kannel.log"
    path.write_text(text, encoding="utf-8")
    return read_kannel_log(path, CONTRACT, PARIS)


def flapping(interruptions: int, links: int) -> str:
    """All links go down, and one of them goes up and down again and again."""
    lines = [f"{NOON} [1] [{link}] ERROR: EMI2[L{link}]: Couldn't connect" for link in range(1, links)]
    for number in range(interruptions):
        at = NOON + timedelta(seconds=4 * number)
        lines += [
            f"{at} [1] [9] INFO: EMI2[L0]: Main connection closed by SMSC",
            f"{at + timedelta(seconds=1)} [1] [9] ERROR: EMI2[L0]: Couldn't connect",
            f"{at + timedelta(seconds=2)} [1] [9] INFO: EMI2[L0]: connecting to Primary SMSC",
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("links", [1, 3, 20])
def test_the_work_grows_with_the_number_of_interruptions(tmp_path: Path, links: int) -> None:
    few, many = (steps_of(lambda n=n: read(tmp_path, flapping(n, links))) for n in (200, 1_600))  # type: ignore[misc]
    assert many < 8.5 * few


def test_the_work_of_links_that_go_down_one_after_the_other_grows_with_their_number(tmp_path: Path) -> None:
    def text(links: int) -> str:
        times = [NOON + timedelta(seconds=number) for number in range(links)]
        return "\n".join(f"{at} [1] [6] ERROR: EMI2[L{n}]: Couldn't connect" for n, at in enumerate(times))

    few, many = (steps_of(lambda n=n: read(tmp_path, text(n))) for n in (MOST_LINKS // 8, MOST_LINKS))  # type: ignore[misc]
    assert many < 8.5 * few


def test_more_links_than_anybody_configures_are_refused(tmp_path: Path) -> None:
    lines = [FAILED.replace("36010", f"L{number}") for number in range(MOST_LINKS + 1)]
    assert read(tmp_path, "".join(lines[:-1])).rows == MOST_LINKS
    with pytest.raises(BadInput, match=r"names 201 links; expected at most 200"):
        read(tmp_path, "".join(lines))


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02 12:00:00 Sent" + " Sent" * 60_000 + "[msg:",
        "2026-03-02 12:00:00 Sent SMS [SMSC:36010] " + "[to:" * 60_000,
        "2026-03-02 12:00:00 Sent SMS " + "[SMSC:" * 60_000,
        "<1>1 2026-03-02T12:00:00Z a b c d [" + "]" * 60_000,
        "bearerbox | " * 60_000,
        '{"log": ' * 60_000,
        "[" * 60_000,
    ],
    ids=lambda line: line[-8:],
)
def test_a_long_line_that_no_pattern_fits_costs_as_much_as_any_other(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, FAILED + line + "\n").rows in {1, 2}


def test_stamps_at_the_ends_of_the_calendar_are_set_aside(tmp_path: Path) -> None:
    ends = ("0001-01-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
    found = read(tmp_path, FAILED + "".join(f"{at} [1] [6] INFO: x\n" for at in ends))
    assert len(found.notes) >= 2
    assert found.rows + len(found.notes) >= 4
