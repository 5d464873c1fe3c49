"""The rate granted while a backlog exists, from the rows of a centre that holds answers back."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.units import HOUR_US, MINUTE_US, SECOND_US
from simbench.ledger import Ledger, MemoryLedger, RunInfo, open_run
from simbench.ledger.incidents import Incident, Period
from simbench.rules.rule import Case, judge
from simbench.sla.classification import service_of
from simbench.sla.granted_rate import backlog_minutes, by_table, rates_at
from simbench.sla.traffic_minutes import Minutes, held_seconds
from simbench.trace.trace import Trace
from tests.sla.years import START, case_of

PURPOSE = "sla.rate-with-backlog"
HOUR = Period(START, START + HOUR_US, START)
Row = tuple[object, ...]


def platform(arrivals: Iterable[int], rate: int, code: str = "36010") -> list[Row]:
    """Return the rows of a centre that answers at most `rate` per second and holds earlier submits."""
    rows: list[Row] = []
    ring: deque[int] = deque([-(10**15)] * rate, maxlen=rate)
    for number, at in enumerate(arrivals):
        due = max(at, ring[0] + SECOND_US)
        ring.append(due)
        if due > at:
            rows.append((at, "held", 1, code, "33639980001", 0, 0, 0, None, 1, 0, 0))
        rows.append((due, "accepted", 1, code, "33639980001", number, 0, 0, due // SECOND_US, 1, 0, 0))
    return sorted(rows, key=lambda row: int(str(row[0])))


def case(rows: Iterable[Row], rate: int = 10, incidents: Iterable[Incident] = (), code: str = "36010") -> Case:
    ledger = MemoryLedger()
    detail = json.dumps({"rate_per_s": rate, "mode": "delay"})
    ledger.events.append((START, "limit", code, None, detail))
    ledger.centre.extend(rows)
    return case_of(incidents, HOUR, ledger=ledger)


def arriving(count: int, per_s: float, start: int = START) -> list[int]:
    return [start + round(number * SECOND_US / per_s) for number in range(count)]


@pytest.mark.parametrize("rate", [10, 20, 150])
def test_a_platform_that_grants_the_tier_passes(rate: int) -> None:
    found = judge(PURPOSE, case(platform(arriving(600 * 4, rate * 1.5), rate), rate), "held")
    assert found.outcome == "pass"
    assert "with a backlog" in found.summary


@pytest.mark.parametrize(("tier", "granted"), [(10, 9), (20, 19), (150, 140)])
def test_a_platform_that_grants_less_fails(tier: int, granted: int) -> None:
    found = judge(PURPOSE, case(platform(arriving(160 * tier, tier), granted), tier), "held")
    assert (found.outcome, found.blame) == ("fail", "platform")
    assert found.evidence


def test_where_nothing_waits_the_platform_is_neither_blamed_nor_praised() -> None:
    found = judge(PURPOSE, case(platform(arriving(2000, 5), 10)), "held")
    assert (found.outcome, found.summary) == ("unsupported", "no short code had a backlog at the platform")


def refusing(arrivals: Iterable[int], accepted: int, ec: int) -> list[Row]:
    """Return the rows of a centre that accepts the first messages of each second and refuses the others at once."""
    rows: list[Row] = []
    taken: Counter[int] = Counter()
    for number, at in enumerate(arrivals):
        second = at // SECOND_US
        taken[second] += 1
        kind, value = ("accepted", 0) if taken[second] <= accepted else ("refused", ec)
        rows.append((at, kind, 1, "36010", "33639980001", number, 0, value, None, 1, 0, 0))
    return rows


@pytest.mark.parametrize(
    ("accepted", "ec", "outcome"),
    [(10, 4, "unsupported"), (4, 4, "inconclusive"), (0, 4, "inconclusive"), (4, 6, "unsupported")],
)
def test_messages_refused_for_now_below_the_tier_may_have_waited(accepted: int, ec: int, outcome: str) -> None:
    found = judge(PURPOSE, case(refusing(arriving(600, 15), accepted, ec), 10), "held")
    assert found.outcome == outcome
    assert found.summary.startswith("no short code had a backlog at the platform")
    assert ("refused with EC 04 below the subscribed rate" in found.summary) == (outcome == "inconclusive")


def test_messages_refused_for_now_within_an_outage_say_nothing_of_the_rate() -> None:
    rows = refusing(arriving(600, 15), 0, 4)
    outage = Incident("I", START - SECOND_US, START + 60 * SECOND_US, attributed_to="orange")
    found = judge(PURPOSE, case(rows, 10, [outage]), "held")
    assert found.outcome == "unsupported"


def test_a_platform_that_stops_with_a_backlog_fails() -> None:
    rows = platform(arriving(600, 20), 10)
    stopped = [(int(str(row[0])) + (30 * SECOND_US if row[1] == "accepted" else 0), *row[1:]) for row in rows if row[0]]
    late = [row for row in stopped if row[1] == "accepted" or int(str(row[0])) < START + 30 * SECOND_US]
    assert judge(PURPOSE, case(sorted(late, key=lambda row: int(str(row[0])))), "held").outcome == "fail"


def test_minutes_touched_by_an_incident_of_the_code_do_not_count() -> None:
    slow = platform(arriving(300, 10), 5)
    mine = Incident("T1", START, START + 5 * MINUTE_US, "partial", 0.1, "36010")
    other = Incident("T1", START, START + 5 * MINUTE_US, "partial", 0.1, "36020")
    assert judge(PURPOSE, case(slow, incidents=[mine]), "held").outcome == "unsupported"
    assert judge(PURPOSE, case(slow, incidents=[other]), "held").outcome == "fail"


def test_what_was_held_is_forgotten_when_the_connection_ends() -> None:
    held: list[Row] = [(START + n, "held", 1, "36010", "33639980001", 0, 0, 0, None, 1, 0, 0) for n in range(50)]
    ended: Row = (START + SECOND_US, "logout", 1, "", "", 0, 0, 0, None, 0, 0, 0)
    later = platform(arriving(200, 11, START + 2 * SECOND_US), 10)
    assert judge(PURPOSE, case([*held, ended, *later]), "held").outcome == "pass"


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 600_000), st.integers(1, 40)), min_size=1, max_size=40), st.integers(1, 30))
def test_a_platform_that_grants_the_tier_is_never_blamed(bursts: list[tuple[int, int]], rate: int) -> None:
    arrivals, at = [], START
    for gap_ms, count in bursts:
        at += gap_ms * 1000
        arrivals += [at] * count
    assert judge(PURPOSE, case(platform(arrivals, rate), rate), "held").outcome in {"pass", "unsupported"}


def test_a_ledger_on_disk_and_one_in_memory_give_the_same_minutes(tmp_path: Path) -> None:
    rows = platform(arriving(3000, 12), 9)
    memory = case(rows)
    with Ledger.create(tmp_path / "run", RunInfo("held")) as ledger:
        ledger.events.extend(tuple(row.values())[:5] for row in memory.trace.run.events.to_pylist())
        ledger.centre.extend(rows)
    disk = Case(Trace(open_run(tmp_path / "run")), memory.contract)
    on_disk, in_memory = (held_seconds(each.trace.run) for each in (disk, memory))
    assert on_disk["accepted"].sum() > 0
    assert {name: found.tolist() for name, found in on_disk.items()} == {
        name: found.tolist() for name, found in in_memory.items()
    }
    (one,), (other,) = (backlog_minutes(each, service_of(each)) for each in (memory, disk))
    assert one.granted.tolist() == other.granted.tolist()
    assert judge(PURPOSE, disk, "") == judge(PURPOSE, memory, "")
    assert judge(PURPOSE, disk, "").outcome == "fail"


def minutes(accepted: list[int], submitted: list[int], backlog: list[int]) -> Minutes:
    count = len(accepted)
    none = np.zeros(count, dtype=np.int64)
    at = START + MINUTE_US * np.arange(count)
    codes = np.array(["36010"] * count, dtype=object)
    return Minutes(codes, at, np.array(accepted), none, none, np.array(submitted), np.array(backlog))


@pytest.mark.parametrize(
    ("accepted", "submitted", "backlog", "short"),
    [
        ([600, 600, 600], [600, 600, 600], [900, 900, 900], 0),
        ([600, 540, 600], [600, 600, 600], [900, 960, 960], 1),
        ([600, 100, 600], [600, 100, 600], [900, 1400, 1400], 0),  # the client handed no more over
        ([600, 540, 540], [1900, 0, 0], [1300, 760, 220], 2),  # it had all been handed over
        ([600, 50, 0], [600, 50, 0], [50, 0, 0], 0),
    ],
)
def test_a_ledger_of_minutes_is_judged_by_what_had_been_handed_over(
    accepted: list[int], submitted: list[int], backlog: list[int], short: int
) -> None:
    given = case([])
    (found,) = by_table(given, service_of(given), minutes(accepted, submitted, backlog))
    assert int((found.granted < found.due - 1).sum()) == short


def test_the_lowest_tier_within_a_minute_is_what_is_due() -> None:
    given = case([], rate=20)
    row = (START + MINUTE_US + 30 * SECOND_US, "tier", "36010", None, '{"rate_per_s": 50}')
    down = (START + 3 * MINUTE_US, "tier", "36010", None, '{"rate_per_s": 10}')
    ledger = MemoryLedger()
    ledger.events.extend([*(tuple(one.values())[:5] for one in given.trace.run.events.to_pylist()), row, down])
    reported = Case(Trace(ledger.snapshot()), given.contract)
    at = START + MINUTE_US * np.arange(5)
    assert rates_at(reported, "36010", at).tolist() == [20, 20, 50, 10, 10]
    assert rates_at(reported, "36020", at).tolist() == [10] * 5


def delayed(arrivals: Iterable[int], delay_s: int) -> list[Row]:
    """Return the rows of a centre that answers every submit after the same time."""
    rows: list[Row] = []
    for number, at in enumerate(arrivals):
        due = at + delay_s * SECOND_US
        rows.append((at, "held", 1, "36010", "33639980001", 0, 0, 0, None, 1, 0, 0))
        rows.append((due, "accepted", 1, "36010", "33639980001", number, 0, 0, due // SECOND_US, 1, 0, 0))
    return sorted(rows, key=lambda row: int(str(row[0])))


@pytest.mark.parametrize("delay_s", [1, 3, 20])
def test_messages_on_their_way_are_no_backlog(delay_s: int) -> None:
    """Five a second, each answered after the same time: nothing more was submitted, so nothing was withheld."""
    found = judge(PURPOSE, case(delayed(arriving(1000, 5), delay_s)), "held")
    assert (found.outcome, found.summary) == ("unsupported", "no short code had a backlog at the platform")


def test_a_slow_platform_fails_beside_its_round_trip() -> None:
    """It answers five of ten a second, each no sooner than after three seconds."""
    rows = platform(arriving(2000, 10), 5)
    slow = [(int(str(row[0])) + 3 * SECOND_US, *row[1:]) if row[1] == "accepted" else row for row in rows]
    held = {row[0] for row in rows if row[1] == "held"}
    first = [(at, "held", 1, "36010", "33639980001", 0, 0, 0, None, 1, 0, 0) for at in arriving(2000, 10)]
    missing = [row for row in first if row[0] not in held]
    found = judge(PURPOSE, case(sorted([*slow, *missing], key=lambda row: int(str(row[0])))), "held")
    assert found.outcome == "fail"


def test_a_message_that_an_end_of_its_connection_drops_says_nothing_about_the_round_trip() -> None:
    """Ten a second, each answered after two seconds; then a single one that its connection outlives by a second."""
    arrivals = arriving(3000, 10)
    ends = [arrivals[-1] + after_s * SECOND_US for after_s in (50, 101)]
    rows = delayed(arrivals, 2) + [(at, "logout", 1, "", "", 0, 0, 0, None, 0, 0, 0) for at in ends]
    rows.append((ends[-1] - SECOND_US, "held", 1, "36010", "33639980001", 0, 0, 0, None, 1, 0, 0))
    assert judge(PURPOSE, case(sorted(rows, key=lambda row: int(str(row[0])))), "held").outcome == "unsupported"


def test_a_code_that_is_never_answered_has_a_backlog_although_another_has_none() -> None:
    mute: list[Row] = [row for row in delayed(arriving(3000, 10), 2) if row[1] == "held"]
    other: list[Row] = [(*row[:3], "36020", *row[4:]) for row in delayed(arriving(1000, 5), 2)]
    found = judge(PURPOSE, case(sorted([*mute, *other], key=lambda row: int(str(row[0])))), "held")
    assert (found.outcome, found.blame) == ("fail", "platform")
    assert "0.00 % of the due messages granted" in found.summary
