"""Links of a Kannel log around restarts, at the edges of the log, and in a log of failures only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import simbench
from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.finding import Outcome
from simbench.sla.imports.kannel_lines import Event, Kind
from simbench.sla.imports.kannel_links import Link

START = "INFO: Kannel bearerbox II version 1.4.5 starting"
STOP = "WARNING: Killing signal or HTTP admin command received, shutting down..."
ALIVE = "INFO: nothing of importance"
A, B = "36010", "36020"
Lines = list[tuple[str, str]]


def connects(at: str, *links: str) -> Lines:
    return [(at, f"INFO: EMI2[{link}]: connecting to Primary SMSC") for link in links]


def lost(at: str, link: str = A) -> Lines:
    return [(at, f"INFO: EMI2[{link}]: Main connection closed by SMSC")]


def failed(at: str, link: str = A) -> Lines:
    return [(at, f"ERROR: EMI2[{link}]: Couldn't connect to SMS center (retrying in 600 seconds).")]


def fails(start: str, end: str, link: str = A, *, errors_only: bool = False) -> Lines:
    """An attempt every ten minutes from one time of the day to another."""
    return [line for at in _times(start, end) for line in (connects(at, link) if not errors_only else []) + failed(at)]


def _times(start: str, end: str) -> Iterator[str]:
    at = datetime.strptime(start, "%H:%M")
    while at < datetime.strptime(end, "%H:%M"):
        yield f"{at:%H:%M}"
        at += timedelta(minutes=10)


def restoration(folder: Path, *parts: Lines) -> Outcome:
    path = folder / "bearerbox.log"
    lines = [*(line for part in parts for line in part), ("23:59", ALIVE)]
    stamped = ((at if at.count(":") == 2 else f"{at}:00", text) for at, text in lines)
    path.write_text("".join(f"2025-03-03 {at} [1] [6] {text}\n" for at, text in stamped), "utf-8")
    (found,) = (one for one in simbench.judge(path, tz="Europe/Paris") if one.purpose == "sla.restoration")
    return found.outcome


def up(at: str, *links: str) -> Lines:
    return [(at, START), *connects(at, *links)]


SEVEN_HOURS = [*lost("02:00"), *fails("02:00", "09:00"), *connects("09:00", A)]


@pytest.mark.parametrize(("end", "outcome"), [("07:00", "inconclusive"), ("09:00", "fail"), ("02:10", "inconclusive")])
@pytest.mark.parametrize("first", [[], [("02:00", START)]])
def test_an_outage_under_way_when_the_log_begins_may_have_begun_before(
    tmp_path: Path, first: Lines, end: str, outcome: Outcome
) -> None:
    assert restoration(tmp_path, first, fails("02:00", end), connects(end, A)) == outcome


def test_a_moment_without_connection_after_the_start_is_no_outage(tmp_path: Path) -> None:
    moment = [("02:00", START), *connects("02:00", A), *failed("02:00"), *connects("02:00", A)]
    assert restoration(tmp_path, moment) == "pass"


@pytest.mark.parametrize(("began", "outcome"), [("06:00", "inconclusive"), ("04:00", "pass")])
def test_a_link_down_before_and_after_a_stop_may_have_been_down_throughout(
    tmp_path: Path, began: str, outcome: Outcome
) -> None:
    """Down from 02:00 until Kannel stops, and again when it begins until three hours later."""
    before = [*up("00:00", A), *lost("02:00"), *fails("02:00", "03:00"), ("03:00", STOP)]
    back = f"{int(began[:2]) + 3:02}:00"
    recovered = [*connects(began, A), *lost(began), *connects(began, A)] if outcome == "pass" else []
    after = [(began, START), *recovered, *fails(began, back), *connects(back, A)]
    assert restoration(tmp_path, before, after) == outcome


def test_a_crash_during_an_outage_does_not_end_it(tmp_path: Path) -> None:
    parts = up("00:00", A), lost("02:00"), fails("02:00", "05:00"), [("05:00", START)], fails("05:00", "09:00")
    assert restoration(tmp_path, *parts, connects("09:00", A)) == "fail"


def test_a_link_counts_only_in_runs_that_name_it(tmp_path: Path) -> None:
    later = [("20:00", STOP), *up("20:01", A, B)]
    assert restoration(tmp_path, up("00:00", A), SEVEN_HOURS, later) == "fail"
    removed = [*up("00:00", A, B), ("01:00", STOP), *up("01:01", A)]
    assert restoration(tmp_path, removed, SEVEN_HOURS) == "fail"
    assert restoration(tmp_path, up("00:00", A, B), SEVEN_HOURS, later) == "pass"  # B was up


def test_a_link_may_have_been_silent_in_a_run_whose_start_is_not_logged(tmp_path: Path) -> None:
    later = [("20:00", STOP), *up("20:01", A, B)]
    assert restoration(tmp_path, connects("00:00", A), SEVEN_HOURS, later) == "inconclusive"


@pytest.mark.parametrize(("until", "outcome"), [("02:40", "pass"), ("09:00", "fail")])
def test_a_log_of_failures_shows_the_end_of_an_outage_by_the_failure_that_is_missing(
    tmp_path: Path, until: str, outcome: Outcome
) -> None:
    """Another outage at 20:00 is one of its own; the first began after the link was lost."""
    errors = [("01:59", f"ERROR: EMI2[{A}]: Error reading from the main connection")]
    later = [("20:00", errors[0][1]), *fails("20:00", "20:20", errors_only=True)]
    assert restoration(tmp_path, errors, fails("02:00", until, errors_only=True), later) == outcome


@pytest.mark.parametrize(("until", "outcome"), [(4, "pass"), (9, "inconclusive")])
def test_connections_that_are_lost_at_once_may_restore_nothing(tmp_path: Path, until: int, outcome: Outcome) -> None:
    """Every minute a connection is lost, and made again half a minute later, from 02:00 on."""
    minutes = [f"{hour:02}:{minute:02}" for hour in range(2, until) for minute in range(60)]
    flaps = [line for at in minutes for line in (*lost(at), *failed(at), *connects(f"{at}:30", A))]
    back = connects(f"{until:02}:00", A)
    assert restoration(tmp_path, up("00:00", A), flaps, back) == outcome


@pytest.mark.parametrize(("between", "outages"), [([], 1), (["heard"], 1), (["accepted"], 2), (["refused"], 2)])
def test_a_message_with_a_result_shows_that_the_service_was_restored(between: list[Kind], outages: int) -> None:
    """Two outages of three hours, twenty seconds apart."""
    kinds: list[tuple[int, Kind]] = [(0, "lost"), (3 * HOUR_US, "connecting")]
    kinds += [(3 * HOUR_US + 10 * SECOND_US, kind) for kind in between]
    kinds += [(3 * HOUR_US + 20 * SECOND_US, "lost"), (6 * HOUR_US, "connecting")]
    link = Link()
    for at, kind in kinds:
        link.take(Event(1, at, kind, A))
    link.end(7 * HOUR_US)
    assert (len(link.downs), len(link.at_worst(MINUTE_US))) == (2, outages)
