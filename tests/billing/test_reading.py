"""Acts, counts, bills and forecasts are read whole or refused in one line that names the place."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from simbench.base.errors import BadInput, LedgerError
from simbench.billing.acts import ActsError, Month, read_acts
from simbench.billing.counts import Count, count_run, read_counts
from simbench.billing.forecast import ForecastError, read_forecast
from simbench.billing.received import read_received, sum_names
from simbench.cli.main import cli
from simbench.contract import load_contract
from simbench.ledger import Ledger, MemoryLedger, RunInfo
from tests.billing.worked import CONTRACT, OCTOBER
from tests.paris import FRANCE, instant

ACTS = """
[[codes]]
code = "36010"
opened = 2016-03-01
tiers = [{ month = "2016-04", rate_per_s = 20 }, { month = "2016-10", rate_per_s = 50, request_id = "R-1" }]
oadc_options = [{ activated = 2016-05-01, deactivated = 2016-06-30 }]

[[other_changes]]
day = 2016-10-05
what = "Changement d'adresse IP"

[[qualifications]]
company = "Alpha"
month = "2016-10"
numbers = 100
"""


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "acts.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ActsError) as caught:
        read_acts(path, CONTRACT)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), "acts.toml")


def test_acts_are_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "acts.toml"
    path.write_text(ACTS)
    acts = read_acts(path, CONTRACT)
    assert (acts.codes[0].code, acts.codes[0].tiers[1].rate_per_s) == ("36010", 50)
    assert acts.qualifications[0].numbers == 100


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        ('"36010"', '"99010"', "acts.toml: codes[0].code: '99010'; expected a short code matching"),
        ("2016-04", "2016-13", "acts.toml: codes[0].tiers[0].month: '2016-13'; expected a month"),
        ("2016-04", "2016-02", "acts.toml: codes[0].tiers[0].month: 2016-02; expected a month from 2016-03"),
        ('month = "2016-10", rate', 'month = "2016-04", rate', "expected a month after 2016-04"),
        (
            "rate_per_s = 20",
            "rate_per_s = 21",
            "acts.toml: codes[0].tiers[0].rate_per_s: 21; expected one of the tiers",
        ),
        ("2016-06-30", "2016-04-30", "oadc_options[0].deactivated: 2016-04-30; expected a day from 2016-05-01 on"),
        ("activated = 2016-05-01", "activated = 2016-02-01", "expected a day from 2016-03-01 on"),
        ("opened = 2016-03-01", "opened = 2016-03-01\nclosed = 2016-02-01", "expected a day from 2016-03-01 on"),
        ("opened = 2016-03-01", "opened = 2016-03-01\nshut = 2016-02-01", "unknown key"),
        (
            "opened = 2016-03-01",
            "opened = 2016-03-01\nclosed = 2016-09-30",
            "acts.toml: codes[0].tiers[1].month: 2016-10; expected a month up to 2016-09-30, when the code was closed",
        ),
        (
            'month = "2016-10"\nnumbers',
            'month = "0000-10"\nnumbers',
            "qualifications[0].month: '0000-10'; expected a month",
        ),
        (
            'month = "2016-10"\nnumbers',
            'month = "9999-12"\nnumbers',
            "qualifications[0].month: '9999-12'; expected a month",
        ),
        ("numbers = 100", "numbers = -1", "acts.toml: qualifications[0].numbers: is -1"),
        ("what =", 'code = "36011"\nwhat =', "other_changes[0].code: '36011'; expected a short code above"),
    ],
)
def test_acts_that_cannot_be_are_refused_in_one_line(tmp_path: Path, old: str, new: str, reported: str) -> None:
    assert old in ACTS
    assert reported in refused(tmp_path, ACTS.replace(old, new, 1))


def test_two_codes_of_one_number_and_a_quote_for_no_tier_are_refused(tmp_path: Path) -> None:
    twice = '[[codes]]\ncode = "36010"\nopened = 2016-03-01\n'
    assert "appears twice" in refused(tmp_path, twice + twice)
    assert "no such tier" in refused(tmp_path, twice + '[quotes]\n30 = "700"\n')


@pytest.mark.parametrize("price", ["-1", "NaN", "Infinity", "1e99"])
def test_a_quote_that_is_no_price_is_refused(tmp_path: Path, price: str) -> None:
    reported = refused(tmp_path, f'[[codes]]\ncode = "36010"\nopened = 2016-03-01\n[quotes]\n50 = "{price}"\n')
    assert "acts.toml: quotes.50: is " in reported
    assert reported.endswith("expected an amount from 0 to 1000000000")


def test_a_company_has_one_access_a_month(tmp_path: Path) -> None:
    again = '[[qualifications]]\ncompany = "Alpha"\nmonth = "2016-10"\n'
    assert "qualifications[1].company: 'Alpha' appears twice in 2016-10" in refused(tmp_path, ACTS + again)


def test_an_option_of_a_closed_code_is_refused(tmp_path: Path) -> None:
    code = '[[codes]]\ncode = "36010"\nopened = 2016-03-01\nclosed = 2016-04-30\n'
    code += "oadc_options = [{ activated = 2016-05-01 }]\n"
    assert "oadc_options[0]: 2016-05-01; expected days up to 2016-04-30, its closing" in refused(tmp_path, code)


def test_counts_are_read_from_csv(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("month,code,delivered,accepted\n2016-10,36010,90,100\n2016-11,36010,5,\n")
    counts = read_counts(path, FRANCE)
    assert counts.of(OCTOBER, "36010") == Count(90, 100)
    assert counts.of(Month(2016, 11), "36010") == Count(5, 5)
    assert (counts.months, counts.codes(OCTOBER)) == ((OCTOBER, Month(2016, 11)), ("36010",))


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("month,code\n", 'no column "delivered"; expected one for delivered'),
        (
            "month,code,delivered\n2016-10,36010,many\n",
            'line 2: delivered: is "many"; expected a whole number from 0 on',
        ),
        ("month,code,delivered\n2016-1,36010,1\n", "line 2: month: '2016-1'; expected a month such as 2016-10"),
        ("month,code,delivered\n0000-01,36010,1\n", "line 2: month: '0000-01'; expected a month such as 2016-10"),
        ("month,code,delivered\n2016-10,36010\n", "line 2: delivered: is empty; expected a value"),
        ("month,code,delivered\n2016-10,3,1\n2016-10,3,1\n", "line 3: 2016-10 of 3 appears twice"),
        ("month,code,delivered\n" + "2016-10,3," + "9" * 5000, "expected a whole number"),
        ("", "is empty; expected a line of column names"),
    ],
)
def test_counts_that_cannot_be_are_refused_in_one_line(tmp_path: Path, text: str, reported: str) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_counts(path, FRANCE)
    assert reported in str(caught.value)
    assert "\n" not in str(caught.value)


def test_messages_of_a_ledger_count_in_the_month_of_paris_they_were_delivered_in() -> None:
    ledger = MemoryLedger()
    midnight = instant(2016, 11, 1)
    for at, kind, code, segments in (
        (midnight - 1, "accepted", "36010", 3),
        (midnight - 1, "delivered", "36010", 1),
        (midnight, "delivered", "36010", 3),
        (midnight + 5, "undelivered", "36010", 1),
        (midnight + 9, "delivered", "36020", 2),
    ):
        ledger.centre.append((at, kind, 1, code, "33639980001", 7, 0, 0, None, segments, 0, 0))
    counts = count_run(ledger.snapshot(), FRANCE)
    november = Month(2016, 11)
    assert counts.of(OCTOBER, "36010") == Count(1, 3)
    assert counts.of(november, "36010") == Count(3, 0)
    assert counts.of(november, "36020") == Count(2, 0)


def test_a_ledger_that_lost_rows_is_not_billed(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "run", RunInfo("lossy")) as ledger:
        ledger.centre.append((instant(2016, 10, 3), "delivered", 1, "36010", "33639980001", 7, 0, 0, None, 2, 0, 0))
    assert read_counts(tmp_path / "run", FRANCE).of(OCTOBER, "36010") == Count(2, 0)
    reported = tmp_path / "run" / "run.json"
    reported.write_text(re.sub(r'"centre": ?1', '"centre": 2', reported.read_text()))
    with pytest.raises(LedgerError, match="1 row in centre; expected the 2 rows it was closed with"):
        read_counts(tmp_path / "run", FRANCE)


def test_messages_of_a_code_without_acts_are_not_billed_silently(tmp_path: Path) -> None:
    (tmp_path / "acts.toml").write_text('[[codes]]\ncode = "36010"\nopened = 2015-01-01\n')
    (tmp_path / "counts.csv").write_text("month,code,delivered\n2016-10,36010,5\n2016-10,36999,5\n")
    reported = CliRunner().invoke(cli, ["bill", str(tmp_path / "counts.csv"), "--acts", str(tmp_path / "acts.toml")])
    assert isinstance(reported.exception, BadInput)
    assert str(reported.exception).endswith("2016-10: messages of '36999'; expected one of 36010, the codes with acts")


FORECAST = 'issued = 2016-12-01\n[[expected]]\nmonth = "2017-01"\ncode = "36010"\nmessages = 1000\n'


@pytest.mark.parametrize(
    ("old", "new", "reported"),
    [
        ("2017-01", "2016-11", "expected[0].month: 2016-11; expected a month from that of 2016-12-01 on"),
        ("2017-01", "January", "expected[0].month: 'January'"),
        ("1000", "-4", "expected[0].messages: is -4"),
        ("36010", "99010", "expected[0].code: '99010'; expected a short code matching"),
        ("issued = 2016-12-01", "issued = 2016-12-01\nexpected = []", "not valid TOML"),
    ],
)
def test_forecasts_that_cannot_be_are_refused_in_one_line(tmp_path: Path, old: str, new: str, reported: str) -> None:
    path = tmp_path / "forecast.toml"
    path.write_text(FORECAST.replace(old, new))
    with pytest.raises(ForecastError) as caught:
        read_forecast(path, CONTRACT)
    assert reported in str(caught.value)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_octets_break_a_reader(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "file"
    for head in (b"", b"month,code,delivered\n", b"clause,code,quantity,unit_price,amount\n"):
        path.write_bytes(head + octets)
        for read in (
            lambda: read_counts(path, FRANCE),
            lambda: read_received(path, CONTRACT),
            lambda: read_acts(path, CONTRACT),
            lambda: read_forecast(path, CONTRACT),
        ):
            with contextlib.suppress(BadInput):
                read()


@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("OPS-TAR-99,,1,1,1", "line 2: clause: 'OPS-TAR-99'; expected perhaps"),
        ("OPS-TAR-06,,1.5,150,225", 'line 2: quantity: is "1.5"'),
        ("OPS-TAR-06,,1,150 EUR,150", 'line 2: unit_price: is "150 EUR"'),
        ("HT,,,,x", 'line 2: amount: is "x"'),
        ("HT,,,,1\nHT,,,,1", "line 3: clause: HT appears twice"),
    ],
)
def test_a_bill_that_cannot_be_is_refused_in_one_line(tmp_path: Path, line: str, reported: str) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(f"clause,code,quantity,unit_price,amount\n{line}\n")
    with pytest.raises(BadInput) as caught:
        read_received(path, CONTRACT)
    assert reported in str(caught.value)


def test_sums_are_named_in_the_language_of_the_contract_and_read_in_both(tmp_path: Path) -> None:
    demo, path = load_contract("demo_telecom"), tmp_path / "bill.csv"
    for contract, names in ((demo, ("NET", "VAT", "GROSS")), (load_contract(), ("HT", "VAT", "TTC"))):
        assert tuple(sum_names(contract).values()) == names
        for net, vat, gross in (("net", "TVA", "ttc"), ("HT", "vat", "GROSS")):
            path.write_text(f"clause,amount\n{net},10.00\n{vat},2.00\n{gross},12.00\n")
            assert read_received(path, contract).sums == {"HT": Decimal(10), "VAT": Decimal(2), "TTC": Decimal(12)}
