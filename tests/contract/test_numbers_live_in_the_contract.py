"""The numbers of the contract stand in contract files and nowhere else in the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.contract import load_contract
from simbench.dialup.offer import load_netrevenu
from simbench.roaming.contract import load_roaming
from tests.contract.francs import FrancFigures
from tests.contract.roaming_strays import roaming_strays
from tests.contract.strays import Figures, Stray, strays

ROOT = Path(__file__).parents[2]
FIGURES = Figures(load_contract())
FRANCS = FrancFigures(load_netrevenu())

OWN_SETTING = "the reference client's own setting, as any client has one; the contract only bounds it"
ALLOWED = {
    ("simbench/client/messages.py", "window: int = 10"): OWN_SETTING,
    ("simbench/client/messages.py", "result_timer_s: float = 60.0"): OWN_SETTING,
    ("simbench/client/messages.py", "validity_s: int = 48 * 3600"): OWN_SETTING,
    ("simbench/bench/sut/protocol.py", "result_timer_s: int = 60"): "proposed to a client, which declares its own",
}
"""(file, statement) -> why this figure may stand there."""


def in_the_program() -> list[tuple[str, Stray]]:
    paths = sorted(path for tree in ("simbench", "fake_smsc") for path in (ROOT / tree).rglob("*.py"))
    return [
        (path.relative_to(ROOT).as_posix(), stray)
        for path in paths
        for figures in ((FIGURES, FRANCS) if "dialup" in path.as_posix() else (FIGURES,))
        for stray in strays(path.read_text("utf-8"), figures)
    ]


def test_no_program_text_repeats_a_number_of_the_contract() -> None:
    found = [(file, stray) for file, stray in in_the_program() if (file, stray.text) not in ALLOWED]
    lines = [f"{file}:{stray.line}: `{stray.text}` repeats terms.{stray.term}" for file, stray in found]
    assert not lines, "take these from the contract, or explain them in ALLOWED:\n" + "\n".join(lines)


def test_every_exception_is_still_needed() -> None:
    assert not set(ALLOWED) - {(file, stray.text) for file, stray in in_the_program()}


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("fee = 280", "tariff.code_technical_setup"),
        ("total += 1600", "throughput.tiers[2].price"),
        ("x = f(2500)", "throughput.tiers[3].price"),
        ("if cost > 3000: pass", "throughput.tiers[4].price"),
        ("bill = count * Decimal('0.03')", "tariff.per_delivered_mt"),
        ("monthly_price = 150", "tariff.rate_change"),
        ("f(price=0.030)", "tariff.per_delivered_mt"),
        ("VAT_SHARE = Decimal('0.2')", "money.vat_share"),
        ("ok = share >= 0.99", "quality.availability"),
        ("budget = (1 - 0.99) * total", "quality.availability"),
        ("BUDGET_H = 87.6", "quality.availability"),
        ("late = spent > 6 * 3600", "quality.restoration_h"),
        ("late = spent > 6 * HOUR_US", "quality.restoration_h"),
        ("LIMIT = 21_600_000_000", "quality.restoration_h"),
        ("ok = end - start <= timedelta(hours=6)", "quality.restoration_h"),
        ("NOTICE = 5 * 86400 * 1_000_000", "quality.notice_days"),
        ("f(432000)", "quality.notice_days"),
        ("validity = 48 * 60 * 60", "delivery.validity_default_h"),
        ("if not 8 <= moment.hour < 22: pass", "hours.marketing.opens_at_h"),
        ("if hour >= 22: pass", "hours.marketing.closes_at_h"),
        ("CLOSE = datetime.time(22, 0)", "hours.marketing.closes_at_h"),
        ("HOURS = (8, 22)", "hours.marketing.opens_at_h"),
        ("day = 504000", "throughput.tiers"),
        ("TIERS = [10, 20, 50, 100, 150]", "throughput.tiers"),
        ("PRICES = {20: a, 50: b, 100: c, 150: d}", "throughput.tiers"),
        (
            "RETRY_US = (300_000_000, 900_000_000, 1_800_000_000, 3_600_000_000, 10_800_000_000)",
            "delivery.absent_retry",
        ),
        ("CODE = re.compile('^3[4-8][0-9]{3}$')", "numbering.ranges"),
        ("steps = [60, 120, 240]", "session.notice_retry_s"),
        ("def send(rate: int = 10): pass", "throughput.tiers"),
        ("code = Code('36010', rate_per_s=50)", "throughput.tiers"),
        ("class C:\n    window: int = 10", "session.window"),
        ("self.notice_days = 5", "quality.notice_days"),
        ("x = {'idle_close_s': 120}", "session.idle_close_s"),
        ("def f(*, idle_close_us=120_000_000): pass", "session.idle_close_s"),
        ("KEEPALIVE_S = 60", "session.keepalive_expected_s"),
        ("jitter_us = 50_000", "throughput.jitter_ms"),
        ("reconnect_attempts_per_minute = 12", "session.reconnect_attempts_per_minute"),
    ],
)
def test_a_planted_number_is_found(text: str, term: str) -> None:
    found = [stray.term for stray in strays(text, FIGURES)]
    assert found
    assert found[0].startswith(term)


@pytest.mark.parametrize(
    "text",
    [
        "PORT = 3000",
        "timeout_ms = 2500",
        "rows = [0] * 100",
        "f(10, 20, 50)",
        "TICKS = (10, 20, 50, 100)",
        "p99 = quantile(delays, 0.99)",
        "QUANTILES = (0.5, 0.9, 0.99)",
        "cents = amount.quantize(Decimal('0.01'))",
        "DAY_US = 86_400_000_000",
        "interval_s = 1",
        "INTERVAL_MS = 1000",
        "window_s = 10",
        "sample_rate = 20",
        "retries = 5",
        "moment.replace(hour=8)",
        "batch_rows, batch_ms = 50_000, 200",
        "if len(text) == 10: pass",
        "TWENTY = range(8)",
        "width = 1600",
        "flag = True",
        "text = text[8:22]",
        "lifetime_s = 3600",
        "EC = {6: 'AdC invalid', 22: 'time period not valid'}",
        "ratio = 1 / 0",
        "BACK_OFF_S = (1, 2, 5, 10, 30)",
        "",
    ],
)
def test_ordinary_code_raises_no_alarm(text: str) -> None:
    assert strays(text, FIGURES) == []


def test_no_program_text_repeats_a_figure_of_the_roaming_contract() -> None:
    paths = [
        path
        for path in (ROOT / "simbench").rglob("*.py")
        if "roaming" in path.relative_to(ROOT).as_posix() or path.stem in {"fair_use", "travel"}
        if path.stem != "figures"  # widths and shades are figures of another kind
    ]
    assert len(paths) > 10
    found = [
        f"{path.relative_to(ROOT)}:{stray.line}: `{stray.text}` repeats terms.{stray.term}"
        for path in paths
        for stray in roaming_strays(path.read_text("utf-8"), load_roaming())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("price = Decimal('7.70')", "caps.data[0]"),
        ("CAPS = (7.7, 6.0, 4.5)", "caps.data[0]"),
        ("neur_per_kb = 7700", "caps.data[0]"),
        ("x = f(0.032)", "caps.voice[0]"),
        ("cost = '0.004'", "caps.sms[1]"),
        ("alert_days: int = 14", "fair_use.alert_days"),
        ("if waited_days >= 14: pass", "fair_use.alert_days"),
        ("WINDOW_DAYS = 123", "fair_use.observation_days"),
        ("f(observation_months=4)", "fair_use.observation_months"),
        ("limit_eur = 50", "spending.limit_eur"),
        ("warning = 0.8 * limit", "spending.warning_share"),
        ("VOICE_FIRST_S = 30", "rating.voice_first_s"),
    ],
)
def test_a_planted_roaming_figure_is_found(text: str, term: str) -> None:
    assert [stray.term for stray in roaming_strays(text, load_roaming())][:1] == [term]


@pytest.mark.parametrize("text", ["alpha = 0.35", "SIZE = (5.6, 3.4)", "n = 1_000_000", "x = rows[:14]", "days = 365"])
def test_ordinary_code_about_roaming_raises_no_alarm(text: str) -> None:
    assert roaming_strays(text, load_roaming()) == []


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("POINT = 50_000_000", "points.first_minutes"),
        ("if minutes > 150 * 1_000_000: pass", "points.second_minutes"),
        ("share_ff = 700_000", "points.first_share_ff"),
        ("x = minutes * 0.0185", "functions.F1"),
        ("rate = Decimal('0.0140')", "functions.F"),
        ("f(Decimal('1.16'))", "functions.F4"),
        ("eur = ff / 6.55957", "money.ff_per_eur"),
        ("tax = share * 0.196", "vat.2000-04-01"),
        ("vat = Decimal('0.206')", "vat.1995-08-01"),
        ("credit_price = Decimal('0.74')", "retail.1999-03-01"),
        ("if 8 <= moment.hour < 19: pass", "hours.peak_from_h"),
        ("short_median_s = 120", "demand.short_median_s"),
    ],
)
def test_a_planted_figure_in_francs_is_found(text: str, term: str) -> None:
    found = [stray.term for stray in strays(text, FRANCS)]
    assert found
    assert found[0].startswith(term)
