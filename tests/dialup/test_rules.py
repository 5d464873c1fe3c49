"""The judge: a true statement passes, and every tampered statement or record file is condemned for it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.dialup.calls import Call, calls_of
from simbench.dialup.grid import grid_of
from simbench.dialup.minutes import by_month, lay
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.records import read_records
from simbench.dialup.recount import recount, share_is
from simbench.dialup.rules import Case, judge
from simbench.dialup.settlement import settle
from simbench.dialup.statement import read_statement, write_statement
from simbench.finding import Finding, exit_status
from tests.dialup.scene import MONTH, OFFER, written

Tamper = Callable[[str], str]
PORTS = {"lyon": 6, "paris": 4}


def judged(
    folder: Path, statement: Tamper = str, records: Tamper = str, readings: dict[str, str] | None = None
) -> dict[str, Finding]:
    """Settle valid records, write the statement, change either, and judge."""
    offer = OFFER.with_readings(readings or {})
    path = written(folder / "calls.csv")
    sound = read_records(path, offer, MONTH)
    months = by_month(lay(sound.calls, sound.grid, offer), offer)
    (folder / "statement.csv").unlink(missing_ok=True)
    write_statement(folder / "statement.csv", months, settle(months, offer))
    text = (folder / "statement.csv").read_text("utf-8")
    (folder / "statement.csv").write_text(statement(text), "utf-8")
    path.write_text(records(path.read_text("utf-8")), "utf-8")
    case = Case(offer, offer.reading("NRV-AMB-01"), read_records(path, offer, MONTH),
                read_statement(folder / "statement.csv"), PORTS)  # fmt: skip
    findings = judge(case)
    assert exit_status(findings) == int(any(finding.outcome == "fail" for finding in findings))
    return {finding.clause: finding for finding in findings}


def failed(findings: dict[str, Finding]) -> set[str]:
    return {clause for clause, finding in findings.items() if finding.outcome == "fail"}


READINGS: list[dict[str, str]] = [
    {}, {"NRV-AMB-01": "F2"}, {"NRV-AMB-01": "F3"}, {"NRV-AMB-01": "F4"}, {"NRV-AMB-02": "second"},
    {"NRV-AMB-02": "minute"}, {"NRV-AMB-03": "start"}, {"NRV-AMB-04": "ordinary"}, {"NRV-AMB-05": "with"},
    {"NRV-AMB-02": "minute", "NRV-AMB-03": "start"},
]  # fmt: skip


@pytest.mark.parametrize("readings", READINGS, ids=str)
def test_a_true_statement_passes_every_rule_under_every_reading(readings: dict[str, str], tmp_path: Path) -> None:
    findings = judged(tmp_path, readings=readings)
    assert failed(findings) == set()
    others = {clause for clause in load_netrevenu().clauses if clause.startswith(("NRV-RET", "NRV-ACC"))}
    assert set(findings) == set(load_netrevenu().clauses) - others


def changed(old: str, new: str) -> Tamper:
    def tamper(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return tamper


def field(period: str, column: int, add: str) -> Tamper:
    """Add to one field of the line of a period."""

    def tamper(text: str) -> str:
        lines = text.splitlines()
        place = next(place for place, line in enumerate(lines) if f",{period}," in line)
        fields = lines[place].split(",")
        whole = "." not in fields[column]
        number = Fraction(fields[column]) + Fraction(add)
        fields[column] = str(int(number)) if whole else f"{float(number):.2f}"
        return "\n".join([*lines[:place], ",".join(fields), *lines[place + 1 :]]) + "\n"

    return tamper


def without(period: str) -> Tamper:
    return lambda text: "\n".join(line for line in text.splitlines() if f",{period}," not in line) + "\n"


def last_line_again(text: str) -> str:
    return text + text.splitlines()[-1] + "\n"


def appended(line: str) -> Tamper:
    return lambda text: text + line + "\n"


STATEMENTS: dict[str, tuple[Tamper, set[str]]] = {
    "minutes at the peak": (field("peak", 3, "5"), {"NRV-STA-01", "NRV-STA-05"}),
    "calls off the peak": (field("off-peak", 2, "1"), {"NRV-STA-01", "NRV-STA-05"}),
    "minutes in all, share as before": (field("total", 3, "1"), {"NRV-STA-01", "NRV-STA-02"}),
    "a centime of share": (field("total", 4, "0.01"), {"NRV-STA-02", "NRV-STA-03"}),
    "a centime of VAT": (field("total", 5, "0.01"), {"NRV-STA-03"}),
    "a centime of both": (field("total", 6, "0.01"), {"NRV-STA-03"}),
    "a cent": (field("total", 7, "0.01"), {"NRV-STA-04"}),
    "a cent with VAT": (field("total", 8, "-0.01"), {"NRV-STA-04"}),
    "a line missing": (without("off-peak"), {"NRV-STA-05"}),
    "a total missing": (without("total"), {"NRV-STA-05"}),
    "a line twice": (last_line_again, {"NRV-STA-05"}),
    "another month": (appended("2000-10,total,0,0,0.00,0.00,0.00,0.00,0.00"), {"NRV-STA-05"}),
    "a line nobody can read": (appended("2000-09,evening,many,minutes,,,,,"), {"NRV-STA-05"}),
    "money beside the peak": (changed(",off-peak,", ",peak,"), {"NRV-STA-01", "NRV-STA-05"}),
}  # fmt: skip


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_tampered_statement_is_condemned_by_the_rule_it_breaks(name: str, tmp_path: Path) -> None:
    tamper, clauses = STATEMENTS[name]
    assert clauses <= failed(judged(tmp_path, statement=tamper))


BROKEN_CALL = "2000-09-05T20:00:00+02:00,-5,lyon,1,u,x1,1"
RECORDS: dict[str, tuple[Tamper, set[str]]] = {
    "a call that never was": (appended("2000-09-05T04:00:00+02:00,3600,marseille,1,u,x0,1"), {"NRV-STA-01"}),
    "a negative duration": (appended(BROKEN_CALL), {"NRV-CDR-01"}),
    "a call of a week": (appended("2000-09-05T20:00:00+02:00,604800,lyon,1,u,x2,1"), {"NRV-CDR-01"}),
    "two calls on a port": (
        appended("2000-09-05T04:00:00+02:00,9,nice,1,u,x3,1\n2000-09-05T04:00:01+02:00,9,nice,1,u,x4,1"),
        {"NRV-CDR-02", "NRV-STA-01"},
    ),
    "a session twice": (last_line_again, {"NRV-CDR-03"}),
    "a call taken away": (lambda text: text[: text.rstrip().rindex("\n") + 1], {"NRV-STA-01"}),
    "more calls than ports": (
        appended("\n".join(f"2000-09-05T20:00:00+02:00,60,lyon,{port},u,y{port},1" for port in range(50, 57))),
        {"NRV-POR-01", "NRV-STA-01"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_a_tampered_record_file_is_condemned_by_the_rule_it_breaks(name: str, tmp_path: Path) -> None:
    tamper, clauses = RECORDS[name]
    assert clauses <= failed(judged(tmp_path, records=tamper))


AUGUST = appended("2000-08-05T20:00:00+02:00,60,lyon,1,u,x5,1")


@pytest.mark.parametrize(
    ("billed", "outcome"),
    [(str, "pass"), (field("total", 3, "1"), "fail"), (field("total", 2, "1"), "fail"),
     (field("total", 3, "-1"), "inconclusive"), (without("total"), "inconclusive")],
)  # fmt: skip
def test_a_call_of_another_month_is_a_fault_if_it_is_billed(billed: Tamper, outcome: str, tmp_path: Path) -> None:
    found = judged(tmp_path, statement=billed, records=AUGUST)["NRV-CDR-04"]
    assert (found.outcome, "1 row outside the month set aside" in found.summary) == (outcome, True)
    assert "2000-08-05" in found.evidence[0].note


def test_records_of_another_month_without_a_statement_condemn_nobody(tmp_path: Path) -> None:
    path = written(tmp_path / "calls.csv")
    path.write_text(AUGUST(path.read_text("utf-8")), "utf-8")
    case = Case(OFFER, OFFER.reading("NRV-AMB-01"), read_records(path, OFFER, MONTH))
    found = {one.clause: one for one in judge(case)}
    assert failed(found) == set()
    assert found["NRV-CDR-04"].outcome == "inconclusive"


def test_an_offer_that_only_reaches_the_second_point_is_condemned(tmp_path: Path) -> None:
    from simbench.contract.layers import HOME

    text = (HOME / "netrevenu_2000.toml").read_text("utf-8")
    flawed = {
        "NRV-REV-01": ('50_000_000, ff_per_min = "0.0185"', '49_000_000, ff_per_min = "0.0185"'),
        "NRV-REV-02": ('ff_per_min = "0.0185"', 'ff_per_min = "0.0180"'),
        "NRV-REV-03": ('kind = "marginal"\ngist = "two', 'kind = "slab"\ngist = "two'),
        "NRV-REV-04": ('ff_per_min = "0.0185"', 'ff_per_min = "0.0139"'),
    }  # fmt: skip
    for clause, (old, new) in flawed.items():
        assert old in text
        mine = text.replace(old, new, 1)
        if clause == "NRV-REV-03":
            mine = mine.replace('ff_per_min = "0.0185"', 'ff_per_min = "0.0130"', 1)
        path = tmp_path / f"{clause}.toml"
        path.write_text(mine, "utf-8")
        found = {finding.clause for finding in judge(Case(load_netrevenu(path), "F1")) if finding.outcome == "fail"}
        assert clause in found


@given(
    st.lists(st.tuples(st.integers(-90_000, 2_700_000), st.integers(0, 86_400)), max_size=30),
    st.sampled_from(READINGS),
    st.sampled_from(["2000-10", "2000-12", "2001-03"]),
)
def test_two_ways_of_counting_agree(times: list[tuple[int, int]], readings: dict[str, str], month: str) -> None:
    offer = OFFER.with_readings(readings)
    grid = grid_of((month,), offer)
    rows = [Call(grid.first_us + at * 1_000_000 + 17, lasts * 1_000_000 + 3) for at, lasts in sorted(times)]
    calls = calls_of(rows)
    (counted,) = by_month(lay(calls, grid, offer), offer)
    again = recount(calls, month, offer)
    assert (counted.peak_us, counted.off_peak_us) == (again.peak_us, again.off_peak_us)
    assert (counted.peak_calls, counted.calls) == (again.peak_calls, again.peak_calls + again.off_peak_calls)


@given(st.integers(0, 10**9), st.sampled_from(sorted(OFFER.functions)))
def test_two_ways_of_reckoning_agree_and_a_centime_more_or_less_does_not(minutes: int, tariff: str) -> None:
    share = Fraction(OFFER.share_ff(minutes, tariff))
    assert share_is(share, minutes, OFFER, tariff)
    assert not share_is(share + Fraction(1, 100), minutes, OFFER, tariff)
    assert not share_is(share - Fraction(1, 100), minutes, OFFER, tariff)
    assert not share_is(share + Fraction(1, 1000), minutes, OFFER, tariff)
