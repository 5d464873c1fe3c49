"""Kannel's logs as incidents and traffic; the two files in this folder are lines of Kannel 1.4.5."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.base.units import HOUR_US
from simbench.contract import load_contract
from simbench.sla.imports.kannel_log import KannelLog, looks_like, read_kannel_log
from tests.paris import instant

HERE = Path(__file__).parent
CONTRACT = load_contract()
PARIS = ZoneInfo("Europe/Paris")
CONNECTING, LOST = "INFO: EMI2[{}]: connecting to Primary SMSC", "INFO: EMI2[{}]: Main connection closed by SMSC"
FAILED = "ERROR: EMI2[{}]: Couldn't connect to SMS center (retrying in 2 seconds)."


def log(*output: tuple[str, str, str]) -> str:
    return "".join(f"{time} [99] [6] {what.format(link)}\n" for time, what, link in output)


def read(folder: Path, text: str) -> KannelLog:
    path = folder / "bearerbox.log"
    path.write_text(text, encoding="utf-8")
    return read_kannel_log(path, CONTRACT, PARIS)


def outage(day: str, begins: str, ends: str, link: str = "36010") -> list[tuple[str, str, str]]:
    return [
        (f"{day} {begins}", LOST, link), (f"{day} {begins}", CONNECTING, link), (f"{day} {begins}", FAILED, link),
        (f"{day} {ends}", CONNECTING, link),
    ]  # fmt: skip


def test_what_kannel_wrote_is_recognised_and_read() -> None:
    text = (HERE / "bearerbox.log").read_text("utf-8")
    assert looks_like(text[:8192])
    assert looks_like((HERE / "access.log").read_text("utf-8"))
    assert not looks_like("start,end,scope\n2025-01-01 00:00:00,x,y\n")
    found = read_kannel_log(HERE / "bearerbox.log", CONTRACT, PARIS)
    kinds = [row[1] for row in found.centre]
    assert (kinds.count("accepted"), kinds.count("delivered")) == (10, 10)
    assert {row[3] for row in found.centre if row[1] == "accepted"} == {"36010"}
    assert found.incidents == ()
    assert "1 interruptions shorter than 60 s are no outage" in [one.reason for one in found.notes]
    assert found.timing_error[0][0] == instant(2026, 11, 22, 20, 46, 17)
    assert found.timing_error[0][1] == instant(2026, 11, 22, 20, 46, 27)


def test_the_access_log_holds_the_same_traffic() -> None:
    found = read_kannel_log(HERE / "access.log", CONTRACT, PARIS)
    kinds = [row[1] for row in found.centre]
    assert (kinds.count("accepted"), kinds.count("delivered")) == (10, 10)
    assert found.incidents == ()


def test_a_link_is_down_until_the_attempt_that_no_failure_follows(tmp_path: Path) -> None:
    day = "2025-03-03"
    start = [(f"{day} 08:00:00", CONNECTING, "36010")]
    again = [(f"{day} 10:30:00", CONNECTING, "36010"), (f"{day} 10:30:01", FAILED, "36010")]
    found = read(
        tmp_path,
        log(
            *start,
            *outage(day, "10:00:00", "10:20:00")[:3],
            *again,
            (f"{day} 12:00:00", CONNECTING, "36010"),
            (f"{day} 18:00:00", LOST, "36010"),
        ),
    )
    assert [(one.start, one.end, one.scope) for one in found.incidents] == [
        (instant(2025, 3, 3, 10), instant(2025, 3, 3, 12), "total")
    ]
    ((_, _, margin, _),) = found.timing_error
    assert margin == instant(2025, 3, 3, 12) - instant(2025, 3, 3, 10, 30, 1) + 2_000_000


def test_one_link_of_two_is_a_partial_outage_and_both_are_a_total_one(tmp_path: Path) -> None:
    day = "2025-03-03"
    begun = [(f"{day} 08:00:00", CONNECTING, "36010"), (f"{day} 08:00:00", CONNECTING, "36020")]
    both = sorted([*begun, *outage(day, "10:00:00", "12:00:00"), *outage(day, "11:00:00", "13:00:00", "36020")])
    output = sorted(both, key=lambda one: one[0])
    found = read(tmp_path, log(*_ordered(output)))
    assert [(one.scope, one.subject, (one.end or 0) - one.start) for one in found.incidents] == [
        ("partial", "36010", HOUR_US), ("total", "platform", HOUR_US), ("partial", "36020", HOUR_US),
    ]  # fmt: skip
    assert found.incidents[0].share == 0.5


def _ordered(texts: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """By time; within one instant as Kannel does it: lost, connecting, failed."""
    rank = {LOST: 0, CONNECTING: 1, FAILED: 2}
    return sorted(texts, key=lambda one: (one[0], rank[one[1]]))


def test_time_in_which_kannel_did_not_run_is_the_client_s(tmp_path: Path) -> None:
    text = log(
        ("2025-03-03 08:00:00", CONNECTING, "36010"),
        ("2025-03-03 10:00:00", "WARNING: Killing signal or HTTP admin command received, shutting down...", ""),
        ("2025-03-03 10:00:00", LOST, "36010"),
        ("2025-03-03 12:00:00", "INFO: Kannel bearerbox II version 1.4.5 starting", ""),
        ("2025-03-03 12:00:01", CONNECTING, "36010"),
        ("2025-03-03 14:00:01", LOST, "36010"),
    )
    found = read(tmp_path, text).incidents
    assert [(one.attributed_to, one.start, one.end) for one in found] == [
        ("client", instant(2025, 3, 3, 10), instant(2025, 3, 3, 12))
    ]


def test_holes_and_jumps_of_the_clock_are_reported(tmp_path: Path) -> None:
    text = log(
        ("2025-03-03 08:00:00", CONNECTING, "36010"),
        ("2025-03-03 07:00:00", LOST, "36010"),
        ("2025-03-06 09:00:00", CONNECTING, "36010"),
    )
    reported = [(one.line, one.reason) for one in read(tmp_path, text).notes]
    assert reported[0] == (2, "the clock goes back by 3600 s; held at the last time")
    assert reported[1][0] == 3
    assert "nothing was logged for 73.0 h" in reported[1][1]


def test_the_hour_that_october_repeats_is_no_jump(tmp_path: Path) -> None:
    text = log(
        ("2025-10-26 02:30:00", LOST, "36010"),
        ("2025-10-26 02:59:00", FAILED, "36010"),
        ("2025-10-26 02:10:00", CONNECTING, "36010"),
        ("2025-10-26 03:10:00", LOST, "36010"),
    )
    found = read(tmp_path, text)
    assert not [one for one in found.notes if "clock" in one.reason]
    assert (found.incidents[0].end or 0) - found.incidents[0].start == 40 * HOUR_US // 60


def test_lines_without_a_time_are_set_aside_and_a_zone_is_asked_for(tmp_path: Path) -> None:
    text = log(("2025-03-03 08:00:00", CONNECTING, "36010")) + "rubbish\n2025-13-45 99:99:99 [1] [1] INFO: x\n"
    assert [one.line for one in read(tmp_path, text).notes] == [2, 3]
    with pytest.raises(BadInput, match="--tz Europe/Paris"):
        read_kannel_log(tmp_path / "bearerbox.log", CONTRACT, None)
    with pytest.raises(BadInput, match="no line of it is Kannel's"):
        read(tmp_path, "rubbish\n")


PIECES = st.sampled_from(
    [
        "2025-03-03 08:00:00 ", "2024-01-01 00:00:00 ", "[1] [6] ", "INFO: EMI2[36010]: ", "connecting to ",
        "Couldn't connect", "Main connection closed", "emi2 parsing packet: <01/00044/R/51/", "A/>", "N/04/>", "O/53/",
        "\n", "\x02", "/", "Sent SMS [SMSC:a] ", "emi2 sending packet: <01/00044/O/51/", "INFO: Kannel bearerbox",
        "WARNING: Killing signal",
    ]
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join))
def test_no_log_makes_the_reader_stumble(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "bearerbox.log"
    path.write_text(text, encoding="utf-8", errors="replace")
    output = ""
    try:
        found = read_kannel_log(path, CONTRACT, PARIS).incidents
    except BadInput as refused:
        output, found = str(refused), ()
    assert "\n" not in output
    assert all(one.end is not None and one.end > one.start for one in found)
