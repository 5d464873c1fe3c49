"""Minutes and francs where one line of arithmetic could change unseen."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simbench.cli.main import cli
from simbench.dialup.dimensioning import curve
from simbench.dialup.records import Records, read_records
from simbench.dialup.replay import Replayed, replay
from simbench.dialup.rules import Case, judge
from simbench.dialup.settlement import settle_minutes, span
from simbench.dialup.statement import read_statement
from tests.dialup.scene import OFFER
from tests.paris import instant

TUESDAY = instant(2000, 9, 5)
HOUR_S = 3_600


def records(tmp_path: Path, *calls: tuple[float, float]) -> Records:
    """Calls as (seconds from Tuesday 5 September 2000, 0 h in Paris; seconds), each on a port of its own."""
    path = tmp_path / "calls.csv"
    rows = [f"{TUESDAY + round(at * 1e6)},{round(lasts * 1e6)},{port}" for port, (at, lasts) in enumerate(calls)]
    path.write_text("\n".join(["start_us,duration_us,port", *rows]))
    return read_records(path, OFFER, "2000-09")


def done(tmp_path: Path, *calls: tuple[float, float]) -> Replayed:
    return replay(records(tmp_path, *calls), OFFER)


@pytest.mark.parametrize(
    ("at_h", "lasts_s", "francs"),
    [
        (10, 600, "2.70"),  # 0.74 for 180 s, 7 minutes at 0.28
        (3, 600, "1.72"),  # 7 minutes at 0.14
        (10, 180, "0.74"),
        (10, 60, "0.74"),
        (10, 0, "0.74"),
        (7.99, 600, "2.70"),  # begun before 8 h, its minutes after the credit behind it
        (7.9, 600, "2.28"),  # 3 of its 7 minutes before 8 h
        (8, 600, "2.70"),
        (18.99, 600, "1.72"),
        (18.9, 600, "2.14"),
        (19, 600, "1.72"),
        (10 + 4 * 24, 600, "1.72"),  # Saturday
    ],
)
def test_users_pay_the_credit_of_the_day_and_each_minute_by_the_hour_it_begins_in(
    at_h: float, lasts_s: float, francs: str, tmp_path: Path
) -> None:
    assert done(tmp_path, (at_h * HOUR_S, lasts_s)).retail_ff == Decimal(francs)


def test_users_of_no_call_pay_nothing_and_of_two_both(tmp_path: Path) -> None:
    assert done(tmp_path).retail_ff == Decimal("0.00")
    assert done(tmp_path, (10 * HOUR_S, 600), (3 * HOUR_S, 600)).retail_ff == Decimal("4.42")


@pytest.mark.parametrize(
    ("minutes", "share", "average"),
    [
        (50_000_000, "700000.00", "1.4000"),
        (150_000_000, "2550000.00", "1.7000"),
        (100_000_000, "1625000.00", "1.6250"),
        (1, "0.01", "1.0000"),  # 1.4 centimes, paid as one
        (3, "0.04", "1.3333"),
        (0, "0.00", "0"),
    ],
)
def test_the_average_is_in_centimes_a_minute(minutes: int, share: str, average: str) -> None:
    settled = settle_minutes(minutes, OFFER)
    assert (settled.share_ff, settled.average_centimes) == (Decimal(share), Decimal(average))


def test_the_average_is_rounded_half_up_like_every_other_figure() -> None:
    for minutes in range(1, 20_000):
        settled = settle_minutes(minutes, OFFER)
        exact = settled.share_ff * 100 / minutes
        assert abs(settled.average_centimes - exact) <= Decimal("0.00005")
        if abs(settled.average_centimes - exact) == Decimal("0.00005"):
            assert settled.average_centimes > exact


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.025", "0.03"), ("0.125", "0.13"), ("0.135", "0.14"), ("-0.025", "-0.03"), ("0.0249999", "0.02"),
        ("0.005", "0.01"), ("0", "0.00"),
    ],
)  # fmt: skip
def test_money_is_rounded_half_away_from_zero(amount: str, rounded: str) -> None:
    assert OFFER.rounded(Decimal(amount)) == Decimal(rounded)


@pytest.mark.parametrize(
    ("ff", "eur"),
    [("6.55957", "1.00"), ("655.957", "100.00"), ("0.03", "0.00"), ("0.04", "0.01"), ("700000", "106714.31")],
)
def test_francs_become_euros_by_the_full_rate_and_one_rounding(ff: str, eur: str) -> None:
    assert OFFER.eur(Decimal(ff)) == Decimal(eur)


def test_one_more_port_never_brings_less() -> None:
    rows = curve(60_000_000, OFFER, "2000-09")
    assert (rows[0][0], rows[0][3]) == (1634, Decimal("224.18"))
    assert len(rows) == 41
    assert all(marginal >= 0 for *_, marginal in rows)
    assert [size for size, *_ in rows] == sorted({size for size, *_ in rows})
    assert np.all(np.diff([blocking for _, blocking, *_ in rows]) < 0)
    assert np.all(np.diff([float(share) for *_, share, _ in rows]) > 0)
    assert float(rows[0][3]) > float(rows[-1][3])  # the first ports are the busy ones


@pytest.mark.parametrize(
    ("calls", "most"),
    [
        (((0, 10), (5, 10), (20, 10)), 2),
        (((0, 10), (10, 10)), 1),  # a port is free at the very instant a call ends
        (((0, 10), (9.999999, 10)), 2),
        (((0, 30), (1, 30), (2, 30), (31, 1)), 3),
        (((0, 10),), 1),
        ((), 0),
    ],
)
def test_the_most_calls_at_once(calls: tuple[tuple[float, float], ...], most: int, tmp_path: Path) -> None:
    assert done(tmp_path, *calls).most_at_once == most


def test_a_minute_that_is_whole_in_the_total_alone_is_counted_as_off_the_peak(tmp_path: Path) -> None:
    held = records(tmp_path, (12 * HOUR_S, 90), (20 * HOUR_S, 90))  # a minute and a half each
    (month,) = replay(held, OFFER).months
    assert (month.peak_minutes, month.off_peak_minutes, month.minutes) == (1, 2, 3)
    for peak, off_peak, outcome in (
        (1, 2, "pass"),
        (2, 1, "pass"),
        (1, 1, "pass"),
        (0, 3, "fail"),
        (3, 1, "fail"),
        (1, 3, "fail"),
    ):
        lines = [f"2000-09,peak,1,{peak},,,,,", f"2000-09,off-peak,1,{off_peak},,,,,", "2000-09,total,2,3,,,,,"]
        path = tmp_path / "statement.csv"
        path.write_text(
            "\n".join(["month,period,calls,minutes,share_ff,vat_ff,share_ttc_ff,share_eur,share_ttc_eur", *lines])
        )
        found = {one.purpose: one.outcome for one in judge(Case(OFFER, "F1", held, read_statement(path)))}
        assert found["statement.minutes"] == outcome, (peak, off_peak)


@pytest.mark.parametrize(
    ("minutes", "least", "most"),
    [
        (100_000_000, ("F2", "1550000.00"), ("F3", "1700000.00")),
        (50_000_000, ("F1", "700000.00"), ("F1", "700000.00")),
        (0, ("F1", "0.00"), ("F1", "0.00")),
    ],
)
def test_the_span_is_that_of_every_tariff_function(minutes: int, least: tuple[str, str], most: tuple[str, str]) -> None:
    found = span(minutes, OFFER)
    assert (found.least, str(found.least_ff)) == least
    assert (found.most, str(found.most_ff)) == most
    assert list(found.by_tariff) == ["F1", "F2", "F3", "F4"]


def test_settle_prints_the_readings_it_used() -> None:
    printed = CliRunner().invoke(cli, ["dialup", "settle", "--minutes", "100000000", "--tariff", "F4"]).output
    assert "Read as: NRV-AMB-01 F4, NRV-AMB-05 " in printed
    assert "1,550,000.00 FF (F2) to 1,700,000.00 FF (F3)" in printed
    reported = json.loads(CliRunner().invoke(cli, ["dialup", "settle", "--minutes", "100000000", "--json"]).stdout)
    assert reported["readings"]["NRV-AMB-01"] == "F1"
    assert (reported["span"]["least_ff"], reported["span"]["most_ff"]) == ("1550000.00", "1700000.00")


def test_peak_and_off_peak_make_the_month(tmp_path: Path) -> None:
    found = done(tmp_path, (18.5 * HOUR_S, HOUR_S), (7.5 * HOUR_S, HOUR_S), (20 * HOUR_S, 90))
    (month,) = found.months
    assert (month.peak_us, month.off_peak_us) == (60 * 60_000_000, 60 * 60_000_000 + 90_000_000)
    assert (month.calls, month.peak_calls, month.minutes) == (3, 1, 121)
