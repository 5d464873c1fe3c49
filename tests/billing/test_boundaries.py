"""Bills where one line of arithmetic could change unseen: sums, roundings, edges of days, blame."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from simbench.billing.acts import Acts, ActsError, CodeActs, Month, Option, Qualification, Tier, read_acts
from simbench.billing.counts import Count, Counts, count_run
from simbench.billing.forecast import Expected, Forecast, judge_forecasts, read_forecast
from simbench.billing.invoice import invoice
from simbench.billing.page import as_csv
from simbench.billing.received import read_received
from simbench.billing.rules import Bill, judge_bill
from simbench.finding import Finding
from simbench.ledger import MemoryLedger
from tests.billing.test_forecast import TWICE, forecast, traffic
from tests.billing.worked import BILLED, CONTRACT, LONG_SINCE, OCTOBER, codes, delivered
from tests.paris import FRANCE, instant


@pytest.mark.parametrize(
    ("kinds", "count"),
    [
        (("accepted", "delivered"), Count(3, 3)),  # everything accepted was delivered
        (("delivered",), Count(3, 0)),
        (("accepted",), Count(0, 3)),
        (("accepted", "undelivered"), Count(0, 3)),
        (("accepted", "delivered", "accepted", "delivered"), Count(6, 6)),
    ],
)
def test_segments_of_a_ledger_are_counted_whatever_became_of_them(kinds: tuple[str, ...], count: Count) -> None:
    ledger, at = MemoryLedger(), instant(2016, 10, 3)
    for number, kind in enumerate(kinds):
        ledger.centre.append((at + number, kind, number // 2, "36010", "33639980001", 7, 0, 0, None, 3, 0, 0))
    counts = count_run(ledger.snapshot(), FRANCE)
    assert counts.of(OCTOBER, "36010") == count
    assert counts.codes(OCTOBER) == ("36010",)


@pytest.mark.parametrize(
    ("numbers", "messages", "total", "vat", "gross"),
    [
        (3, 1, "350.06", "70.01", "420.07"),  # line by line: 70.02
        (0, 1, "150.03", "30.01", "180.04"),
        (2, 0, "350.02", "70.00", "420.02"),  # 70.004
        (3, 0, "350.03", "70.01", "420.04"),  # 70.006
    ],
)
def test_vat_is_on_the_total_and_never_line_by_line(
    numbers: int, messages: int, total: str, vat: str, gross: str
) -> None:
    used = (Qualification("Alpha", "2016-10", numbers),) if numbers else ()
    bill = invoice(CONTRACT, Acts(codes(1), qualifications=used), delivered(messages), OCTOBER)
    assert (bill.total_ht, bill.vat, bill.total_ttc) == (Decimal(total), Decimal(vat), Decimal(gross))


def billed(tmp_path: Path, old: str, new: str) -> dict[str, Finding]:
    """The findings of a bill of 98,000 messages, 36050 at 50/s and one ordinary code, with one piece changed."""
    acts = Acts((*codes(1), CodeActs("36050", LONG_SINCE, None, (Tier("2016-01", 50, "R-1"),))))
    counts = Counts("hand", {(OCTOBER, "36001"): Count(98_000, 100_000)})
    text = as_csv(invoice(CONTRACT, acts, counts, OCTOBER), CONTRACT)
    assert old in text
    path = tmp_path / "bill.csv"
    lines = text.replace(old, new).splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith(("HT", "VAT", "TTC"))))
    bill = Bill(CONTRACT, acts, counts, OCTOBER, read_received(path, CONTRACT))
    return {finding.purpose: finding for finding in judge_bill(bill)}


@pytest.mark.parametrize(
    ("old", "new", "row", "measured", "limit"),
    [
        ("OPS-TAR-05,,98000,0.030,2940.00", "OPS-TAR-05,,100000,0.030,3000.00", "05", 3000.0, 2940.0),
        ("OPS-TAR-05,,98000,0.030,2940.00", "OPS-TAR-05,,98000,0.030,2940.00", "05", 2940.0, 2940.0),
        ("OPS-TAR-05,,98000,0.030,2940.00", "OPS-TAR-05,,99000,0.030,2970.00", "05", 2970.0, 2940.0),
        ("OPS-TAR-06,,2,150,300.00", "OPS-TAR-06,,3,150,450.00", "06", 450.0, 300.0),
        ("OPS-TAR-10,36050,1,1600,1600.00", "OPS-TAR-10,36050,2,1600,3200.00", "10", 3200.0, 1600.0),
    ],
)
def test_a_row_says_what_was_billed_and_what_is_due(
    old: str, new: str, row: str, measured: float, limit: float, tmp_path: Path
) -> None:
    found = billed(tmp_path, old, new)[BILLED[f"OPS-TAR-{row}"]]
    assert (found.measured, found.limit, found.unit) == (measured, limit, "EUR")
    expected = "pass" if measured == limit else "weak" if measured == 3000 else "fail"  # 100,000 were accepted: AMB-11
    assert (found.outcome, found.blame) == (expected, "" if expected == "pass" else "platform")


OPENED = '[[codes]]\ncode = "36010"\nopened = 2016-03-01\nclosed = 2016-04-30\noadc_options = ['


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (
            "{ activated = 2016-04-01, deactivated = 2016-05-31 }",
            "2016-05-31; expected days up to 2016-04-30, its closing",
        ),
        ("{ activated = 2016-04-01, deactivated = 2016-04-30 }", ""),
        ("{ activated = 2016-05-01, deactivated = 2016-05-01 }", "expected days up to 2016-04-30, its closing"),
        ("{ activated = 2016-04-30 }", ""),
        ("{ activated = 2016-02-29, deactivated = 2016-03-05 }", "expected a day from 2016-03-01 on"),
        ("{ activated = 2016-03-01, deactivated = 2016-03-01 }", ""),
        ("{ activated = 2016-03-05, deactivated = 2016-03-04 }", "expected a day from 2016-03-05 on"),
        (
            "{ activated = 2016-03-05, deactivated = 2016-03-20 }, { activated = 2016-03-19 }",
            "oadc_options[1].activated: 2016-03-19; expected a day from 2016-03-20 on",
        ),
        ("{ activated = 2016-03-05, deactivated = 2016-03-20 }, { activated = 2016-03-20 }", ""),
        ("{ activated = 2016-03-05 }, { activated = 2016-03-20 }", "since another activation follows"),
    ],
)
def test_options_lie_within_the_life_of_their_code_and_one_behind_the_other(
    options: str, reported: str, tmp_path: Path
) -> None:
    path = tmp_path / "acts.toml"
    path.write_text(OPENED + options + "]\n")
    if not reported:
        assert read_acts(path, CONTRACT).codes[0].oadc_options
        return
    with pytest.raises(ActsError) as caught:
        read_acts(path, CONTRACT)
    assert reported in str(caught.value)


def test_an_option_switched_off_and_on_again_in_a_month_is_one_month_and_three_acts() -> None:
    options = (Option(date(2016, 10, 3), date(2016, 10, 9)), Option(date(2016, 10, 20)))
    bill = invoice(CONTRACT, Acts((CodeActs("36001", LONG_SINCE, None, (), options),)), delivered(0), OCTOBER)
    found = {line.clause: (line.quantity, line.amount) for line in bill.lines}
    assert found["OPS-TAR-19"] == (1, Decimal("150.00"))
    assert found["OPS-TAR-20"] == (3, Decimal("840.00"))


@pytest.mark.parametrize(
    ("messages", "outcome", "blame", "measured"),
    [(1201, "weak", "client", 12), (1200, "pass", "", 0), (800, "pass", "", 0), (799, "weak", "client", 12)],
)
def test_traffic_beyond_its_forecast_is_the_clients(messages: int, outcome: str, blame: str, measured: int) -> None:
    (found,) = (one for one in judge_forecasts(CONTRACT, TWICE, traffic(messages)) if one.clause == "OPS-ACH-05")
    assert (found.outcome, found.blame, found.measured, found.limit) == (outcome, blame, measured, 0)
    (yearly,) = (one for one in judge_forecasts(CONTRACT, TWICE, traffic(messages)) if one.clause == "OPS-ENG-03")
    assert (yearly.outcome, yearly.blame, yearly.unit) == ("pass", "", "forecasts")


def test_too_few_forecasts_are_the_clients_and_none_at_all_the_benchs() -> None:
    found = {one.clause: one.blame for one in judge_forecasts(CONTRACT, TWICE[:1], traffic(1000))}
    assert found["OPS-ENG-03"] == "client"
    found = {one.clause: one.blame for one in judge_forecasts(CONTRACT, [], traffic(1000))}
    assert found["OPS-ACH-05"] == "bench"


def test_a_forecast_handed_in_on_the_first_of_a_month_counts_for_it() -> None:
    first, second = (forecast(date(2017, 1, day), 1000) for day in (1, 2))
    january = Counts("hand", {(Month(2017, 1), "36010"): Count(1000, 1000)})
    outcomes = [
        {one.clause: one.outcome for one in judge_forecasts(CONTRACT, [given], january)}["OPS-ACH-05"]
        for given in (first, second)
    ]
    assert outcomes == ["pass", "inconclusive"]


def test_a_forecast_that_names_no_rate_names_none(tmp_path: Path) -> None:
    path = tmp_path / "forecast.toml"
    path.write_text('issued = 2017-01-01\n[[expected]]\nmonth = "2017-02"\ncode = "36010"\nmessages = 5\n')
    assert read_forecast(path, CONTRACT) == Forecast(date(2017, 1, 1), (Expected("2017-02", "36010", 5, 0),))
