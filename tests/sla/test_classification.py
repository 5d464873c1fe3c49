"""Classes of incidents, restoration and notices: the readings of AMB-04 and AMB-14, and the margins."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.units import HOUR_US
from simbench.contract import Contract, load_contract
from simbench.ledger import MemoryLedger
from simbench.ledger.incidents import Incident
from simbench.rules.rule import judge
from simbench.sla.availability import timeline
from simbench.sla.classification import counted, service_of
from simbench.sla.restoration import outages_of, restoration_times
from tests.paris import instant
from tests.sla.years import END, SERVICE_LEVEL, START, case_of, judged, maintenance, outage

NOTICE, OURS, SIX = "sla.maintenance-notice", "sla.interruption-notice", "sla.restoration"


def reading(folder: Path, name: str, key: str) -> Contract:
    path = folder / "mine.toml"
    text = (
        f'extends = "orange_ops_2016"\ntitle = "Signed"\n[ambiguities.{name}]\nreading = "{key}"\nstatus = "contract"\n'
    )
    path.write_text(text, encoding="utf-8")
    return load_contract(path)


@pytest.mark.parametrize("purpose", SERVICE_LEVEL)
def test_a_year_without_any_incident_keeps_what_it_had_occasion_to(purpose: str) -> None:
    kept = {"sla.availability", "sla.restoration"}
    assert judged(purpose, []).outcome == ("pass" if purpose in kept else "unsupported")


@pytest.mark.parametrize(
    ("incident", "counted_as", "variants"),
    [
        (outage(10, 1), "unplanned", ("V1", "V2", "V3", "V4")),
        (maintenance(10, 1, 6), "planned", ("V2", "V3")),
        (maintenance(10, 1, 4), "unplanned", ("V1", "V2", "V3", "V4")),
        (maintenance(10, 1, None), "unplanned", ("V1", "V2", "V3", "V4")),
        (outage(10, 1, scope="partial", share=0.5, subject="platform:north"), "partial", ("V4",)),
        (maintenance(10, 1, 6, scope="partial", share=0.5, subject="36010"), "excluded", ()),
        (outage(10, 1, attributed_to="client"), "excluded", ()),
        (outage(10, 1, attributed_to="another operator"), "excluded", ()),
    ],
)
def test_every_incident_counts_as_one_class_with_a_reason(
    incident: Incident, counted_as: str, variants: tuple[str, ...]
) -> None:
    (found,) = counted([incident], load_contract())
    assert (found.counted_as, found.variants) == (counted_as, variants)
    assert found.why


def test_one_platform_of_several_is_down_altogether_only_by_the_other_reading(tmp_path: Path) -> None:
    north = [outage(100, 90, scope="partial", share=0.5, subject="platform:north")]
    assert judged("sla.availability", north).outcome == "pass"
    any_down = reading(tmp_path, "AMB-14", "any_down")
    assert judged("sla.availability", north, contract=any_down).outcome == "fail"
    code = [outage(100, 90, scope="partial", share=0.5, subject="36010")]
    assert judged("sla.availability", code, contract=any_down).outcome == "pass"


def test_five_calendar_days_are_enough_until_a_contract_says_working_days(tmp_path: Path) -> None:
    monday = (instant(2025, 6, 16, 2) - START) / HOUR_US  # five days earlier is a Wednesday
    found = judged(NOTICE, [maintenance(monday, 2, 5)])
    assert found.outcome == "pass"
    assert "1 would be late in jours ouvrables" in found.summary
    assert "AMB-04" in found.assumed
    assert (
        judged(NOTICE, [maintenance(monday, 2, 5)], contract=reading(tmp_path, "AMB-04", "ouvrables")).outcome == "fail"
    )


def test_a_notice_too_late_by_every_reading_fails() -> None:
    found = judged(NOTICE, [maintenance(3000, 2, 4.99), maintenance(5000, 2, 30, 2)])
    assert (found.outcome, found.blame, len(found.evidence)) == ("fail", "platform", 1)
    unannounced = judged(NOTICE, [maintenance(3000, 2, None)]).summary
    assert unannounced.startswith("1 planned interruption, without announcement")


def test_a_notice_shorter_than_an_assumed_figure_is_weak_and_none_at_all_fails(tmp_path: Path) -> None:
    path = tmp_path / "assumed.toml"
    path.write_text(
        'extends = "orange_ops_2016"\ntitle = "assumed"\n'
        '[terms.quality]\nnotice_days = { value = 10, status = "assumption" }\n'
    )
    assumed = load_contract(path)
    short = judged(NOTICE, [maintenance(3000, 2, 8)], contract=assumed)
    assert (short.outcome, "quality.notice_days" in short.assumed) == ("weak", True)
    assert judged(NOTICE, [maintenance(3000, 2, None)], contract=assumed).outcome == "fail"


def test_a_notice_is_each_party_s_own() -> None:
    mine = maintenance(3000, 2, 1, attributed_to="client")
    assert judged(NOTICE, [mine]).outcome == "unsupported"
    found = judged(OURS, [mine])
    assert (found.outcome, found.blame) == ("fail", "client")
    assert judged(OURS, [maintenance(3000, 2, 6, attributed_to="client")]).outcome == "pass"


def test_a_verdict_that_the_ticket_s_instant_would_change_names_that_assumption() -> None:
    found = judged(SIX, [outage(3000, 7, noticed_at=START + 3002 * HOUR_US)])
    assert found.outcome == "fail"
    assert found.assumed == ("time counts from the failure",)
    assert judged(SIX, [outage(3000, 7, noticed_at=START + 3000 * HOUR_US)]).assumed == ()


def test_an_outage_known_only_to_a_margin_is_inconclusive_within_it() -> None:
    def seen(hours: float) -> str:
        ledger = MemoryLedger()
        end = START + round((3000 + hours) * HOUR_US)
        ledger.timing_error.append((START + 3000 * HOUR_US, end, HOUR_US // 30, "log"))
        return judge(SIX, case_of([outage(3000, hours)], ledger=ledger), "log").outcome

    assert [seen(hours) for hours in (5.9, 6.01, 5.99, 6.1)] == ["pass", "inconclusive", "inconclusive", "fail"]


def test_measures_are_plain_arrays() -> None:
    service = service_of(case_of([outage(10, 1, 1), maintenance(100, 3, 6, 2), Incident("T3", END - 2 * HOUR_US)]))
    starts, ends, classes = timeline(service)
    assert classes == ("unplanned", "planned", "unplanned")
    assert ((ends - starts) / HOUR_US).tolist() == [1, 3, 2]
    _, hours, tickets = restoration_times(service)
    assert (hours.tolist(), tickets) == ([1, 2], ("T1", "T3"))


def test_outages_that_overlap_or_touch_are_restored_together() -> None:
    found = judged(SIX, [outage(100, 4, 1), outage(103, 3, 2), outage(106, 1, 3)])
    assert (found.outcome, found.measured) == ("fail", 7.0)
    assert found.evidence[0].note.startswith("T1+T2+T3")
    assert judged(SIX, [outage(100, 4, 1), outage(105, 4, 2)]).outcome == "pass"


def test_work_that_overruns_its_announced_end_counts_as_unplanned_from_there() -> None:
    """Eight hours announced, fifteen taken: seven are an outage too long for six hours."""
    work = maintenance(1000, 15, 6, announced_end=START + 1008 * HOUR_US)
    planned, over = service_of(case_of([work])).counted
    assert (planned.counted_as, planned.incident.end) == ("planned", START + 1008 * HOUR_US)
    assert (over.counted_as, over.incident.ticket) == ("unplanned", "T1 (overrun)")
    found = judged("sla.restoration", [work])
    assert (found.outcome, found.measured) == ("fail", 7)
    assert judged("sla.availability", [work]).measured == pytest.approx(1 - 7 / 8760)
    in_time = maintenance(1000, 8, 6, announced_end=START + 1008 * HOUR_US)
    assert [one.counted_as for one in service_of(case_of([in_time])).counted] == ["planned"]
    # announced too late, all of it is unplanned
    late = maintenance(1000, 15, 1, announced_end=START + 1008 * HOUR_US)
    assert judged("sla.restoration", [late]).measured == 15


def test_work_that_overruns_into_an_outage_begun_before_its_announced_end_is_one_outage_with_it(tmp_path: Path) -> None:
    """An outage of nine hours begins during announced work: all nine count, under any meaning of platforms."""
    work = maintenance(1000, 10, 6, 1, announced_end=START + 1008 * HOUR_US)
    for key in ("all_down", "any_down"):
        contract = reading(tmp_path, "AMB-14", key)
        service = service_of(case_of([work, outage(1002, 9, 2)], contract=contract))
        starts = [one.incident.start for one in service.counted]
        assert starts == sorted(starts)
        assert judged(SIX, [work, outage(1002, 9, 2)], contract=contract).measured == 9


def test_an_outage_of_several_tickets_counts_from_the_first_of_them() -> None:
    """Noticed after 3 h and after 2 h, ended after 7 h: 5 h since the first ticket."""
    both = [
        outage(100, 4, 1, noticed_at=START + 103 * HOUR_US), outage(102, 5, 2, noticed_at=START + 102 * HOUR_US),
    ]  # fmt: skip
    (one,) = outages_of(service_of(case_of(both)))
    assert one.incident.noticed_at == START + 102 * HOUR_US
    found = judged(SIX, both)
    assert (found.outcome, found.assumed) == ("fail", ("time counts from the failure",))


def test_all_platforms_are_down_from_the_ticket_of_the_last_of_them() -> None:
    """South falls at 105, its ticket comes at 106; the ticket of north, from 101, says nothing of south."""
    platforms = [
        outage(100, 20, 1, scope="partial", share=0.5, subject="platform:north", noticed_at=START + 101 * HOUR_US),
        outage(105, 7, 2, scope="partial", share=0.5, subject="platform:south", noticed_at=START + 106 * HOUR_US),
    ]
    (one,) = outages_of(service_of(case_of(platforms)))
    assert (one.incident.start, one.incident.noticed_at) == (START + 105 * HOUR_US, START + 106 * HOUR_US)


def announced(ahead_h: float, hours: float = 7) -> list[Incident]:
    """Work on 2 April at 10:00, three days after the clocks went forward: five civil days earlier is 119 h earlier."""
    start = (instant(2025, 4, 2, 10) - START) / HOUR_US
    return [maintenance(start, hours, ahead_h / 24)]


@pytest.mark.parametrize(
    ("ahead_h", "notice", "restoration"),
    [(120, "pass", "pass"), (119.5, "weak", "weak"), (119, "weak", "weak"), (118.5, "fail", "fail")],
)
def test_a_breach_by_the_assumed_reading_of_a_day_only_is_weak(ahead_h: float, notice: str, restoration: str) -> None:
    assert judged(NOTICE, announced(ahead_h)).outcome == notice
    found = judged(SIX, announced(ahead_h))
    assert found.outcome == restoration
    assert ("AMB-04" in found.assumed) == (ahead_h > 118.5)


def test_availability_that_hangs_on_the_reading_of_a_day_is_weak_until_the_contract_says_it(tmp_path: Path) -> None:
    long = announced(119, 90)
    found = judged("sla.availability", long)
    assert (found.outcome, found.summary.endswith("would pass if notice were counted in civil days")) == ("weak", True)
    for days, outcome in (("civil", "pass"), ("calendar", "fail")):
        contract = reading(tmp_path, "AMB-04", days)
        assert judged("sla.availability", long, contract=contract).outcome == outcome


def test_a_microsecond_more_than_the_limit_does_not_read_as_the_limit() -> None:
    found = judged(SIX, [Incident("T", START, START + 6 * HOUR_US + 1)])
    assert found.outcome == "fail"
    assert "6 h 00 min 00.000001 s" in found.summary
