"""A right bill changed in every way that was thought of: each is caught by name, or excused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simbench.base.errors import BadInput
from simbench.billing.acts import Acts, CodeActs
from simbench.billing.counts import Count, Counts, oddly_counted
from simbench.billing.invoice import invoice
from simbench.billing.received import read_received
from simbench.billing.rules import Bill, balance, judge_bill
from simbench.cli.main import cli
from simbench.finding import Finding
from tests.billing.test_rules import ACTS, COUNTS, right_bill
from tests.billing.worked import BILLED, CONTRACT, OCTOBER, ROWS

Lines = list[list[str]]
CLAUSE, CODE, QUANTITY, PRICE, AMOUNT = range(5)
SUMS = ("HT", "VAT", "TTC")
UNPRICED = sorted(
    name for name in CONTRACT.clauses if name.startswith("OPS-TAR-") and name.removeprefix("OPS-TAR-") not in ROWS
)


def right() -> Lines:
    return [line.split(",") for line in right_bill().splitlines()[1:]]


def place(lines: Lines, clause: str) -> int:
    return next(at for at, line in enumerate(lines) if line[CLAUSE] == clause)


def summed(lines: Lines) -> Lines:
    """The same with sums that follow from its lines."""
    rest = [line for line in lines if line[CLAUSE] not in SUMS]
    total = sum((Decimal(line[AMOUNT]) for line in rest), Decimal(0))
    vat = round(total * 20 / 100 + Decimal("1e-9"), 2)
    return [
        *rest,
        *([name, "", "", "", f"{amount}"] for name, amount in zip(SUMS, (total, vat, total + vat), strict=True)),
    ]


def judged(tmp_path: Path, lines: Lines, header: str = "clause,code,quantity,unit_price,amount") -> tuple[Finding, ...]:
    path = tmp_path / "bill.csv"
    path.write_text("\n".join([header, *(",".join(line) for line in lines)]))
    return judge_bill(Bill(CONTRACT, ACTS, COUNTS, OCTOBER, read_received(path, CONTRACT)))


def broken(findings: tuple[Finding, ...]) -> dict[str, str]:
    return {one.purpose: one.outcome for one in findings if one.outcome not in {"pass", "unsupported"}}


@pytest.mark.parametrize("clause", UNPRICED)
@pytest.mark.parametrize("amount", ["99.00", "0.01", "500000.00", "-99.00"])
def test_a_row_under_a_clause_without_a_price_fails(clause: str, amount: str, tmp_path: Path) -> None:
    assert UNPRICED
    findings = judged(tmp_path, summed([*right(), [clause, "36001", "1", amount, amount]]))
    assert broken(findings) == {"bill.nothing-else": "fail"}
    (found,) = (one for one in findings if one.purpose == "bill.nothing-else")
    assert (found.measured, found.blame) == (float(amount), "platform")
    assert clause in found.evidence[0].note


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("by", ["0.01", "-0.01", "1000"])
def test_a_unit_price_that_is_not_the_contracts_fails_though_the_amount_is_right(
    row: str, by: str, tmp_path: Path
) -> None:
    lines = right()
    at = place(lines, f"OPS-TAR-{row}")
    lines[at][PRICE] = str(Decimal(lines[at][PRICE]) + Decimal(by))
    findings = judged(tmp_path, lines)
    assert broken(findings) == {BILLED[f"OPS-TAR-{row}"]: "fail"}
    lines[at][PRICE] = ""
    assert broken(judged(tmp_path, lines)) == {}  # none stated


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("by", ["0.01", "-0.01", "1000"])
def test_an_amount_that_is_not_due_fails_though_the_sums_follow_it(row: str, by: str, tmp_path: Path) -> None:
    lines = right()
    at = place(lines, f"OPS-TAR-{row}")
    lines[at][AMOUNT] = str(Decimal(lines[at][AMOUNT]) + Decimal(by))
    found = broken(judged(tmp_path, summed(lines)))
    assert found.pop(BILLED[f"OPS-TAR-{row}"]) == "fail"
    assert set(found) <= {"bill.whole-months"}


@pytest.mark.parametrize("row", ROWS)
def test_a_line_left_out_or_doubled_fails_and_one_that_is_credited_or_cut_in_two_does_not(
    row: str, tmp_path: Path
) -> None:
    lines, clause = right(), f"OPS-TAR-{row}"
    line = lines[place(lines, clause)]
    without = [one for one in lines if one is not line]
    for changed in (without, [*lines, line]):
        assert broken(judged(tmp_path, summed(changed)))[BILLED[clause]] in {"fail", "weak"}
    credit = [clause, line[CODE], f"-{line[QUANTITY]}", line[PRICE], f"-{line[AMOUNT]}"]
    assert broken(judged(tmp_path, summed([*lines, line, credit]))) == {}
    if (quantity := int(line[QUANTITY])) > 1:
        price = Decimal(line[PRICE])
        halves = [
            [clause, line[CODE], str(part), line[PRICE], f"{price * part:.2f}"]
            for part in (quantity // 2, quantity - quantity // 2)
        ]
        assert broken(judged(tmp_path, summed([*without, *halves]))) == {}


@pytest.mark.parametrize("row", ["05", "06", "07", "21", "22"])
def test_a_row_of_the_contract_may_be_split_by_its_codes_and_by_no_other(row: str, tmp_path: Path) -> None:
    lines, clause = right(), f"OPS-TAR-{row}"
    line = lines[place(lines, clause)]
    line[CODE] = "36001"
    assert broken(judged(tmp_path, lines)) == {}
    line[CODE] = "36999"
    assert broken(judged(tmp_path, lines))[BILLED[clause]] == "fail"


def vat_of(share: str) -> Callable[[Decimal], Decimal]:
    return lambda net: round(net * Decimal(share), 2)


@pytest.mark.parametrize(
    ("vat", "adds_up", "outcome"),
    [
        (vat_of("0.2"), True, "pass"),
        (vat_of("0.2"), False, "fail"),
        (vat_of("0.196"), True, "weak"),
        (vat_of("0.196"), False, "fail"),
        (vat_of("0"), True, "weak"),
        (vat_of("0"), False, "fail"),
        (lambda net: net * Decimal("0.2") + 1, True, "fail"),  # no rate makes it
        (lambda net: -net * Decimal("0.2"), True, "fail"),
        (lambda net: net * 2, True, "fail"),
    ],
)
def test_net_and_vat_make_the_gross_and_another_rate_is_weak(
    vat: Callable[[Decimal], Decimal], adds_up: bool, outcome: str, tmp_path: Path
) -> None:
    lines = right()
    net = Decimal(lines[place(lines, "HT")][AMOUNT])
    lines[place(lines, "VAT")][AMOUNT] = f"{vat(net):.2f}"
    lines[place(lines, "TTC")][AMOUNT] = f"{net + round(vat(net), 2) + (0 if adds_up else 1):.2f}"
    found = broken(judged(tmp_path, lines))
    assert found == ({} if outcome == "pass" else {"bill.sums": outcome})


@pytest.mark.parametrize("vat", ["0", "0.055", "0.196"])
def test_a_right_gross_excuses_no_wrong_vat(vat: str, tmp_path: Path) -> None:
    lines = right()
    net = Decimal(lines[place(lines, "HT")][AMOUNT])
    lines[place(lines, "VAT")][AMOUNT] = f"{net * Decimal(vat):.2f}"
    findings = judged(tmp_path, lines)
    assert broken(findings) == {"bill.sums": "fail"}
    (found,) = (one for one in findings if one.purpose == "bill.sums")
    assert "of VAT are not" in found.summary


@pytest.mark.parametrize("name", SUMS)
def test_a_sum_that_is_not_that_of_the_lines_fails_whichever_are_left_out(name: str, tmp_path: Path) -> None:
    lines = right()
    at = place(lines, name)
    alone = [line for line in lines if line[CLAUSE] not in SUMS]
    assert broken(judged(tmp_path, alone)) == {}
    assert broken(judged(tmp_path, [*alone, lines[at]])) == {}
    lines[at][AMOUNT] = str(Decimal(lines[at][AMOUNT]) + Decimal("0.01"))
    assert broken(judged(tmp_path, [*alone, lines[at]])) == {"bill.sums": "fail"}


def test_the_order_of_lines_means_nothing(tmp_path: Path) -> None:
    assert broken(judged(tmp_path, right()[::-1])) == {}


@pytest.mark.parametrize(
    ("header", "cell", "reported"),
    [
        ("clause,code,quantity,unit_price,amount,currency", "EUR", ""),
        ("clause,code,quantity,unit_price,amount,currency", "USD", "'USD'; expected EUR, the currency of the contract"),
        ("clause,code,quantity,unit_price,amount,month", "2016-10", ""),
    ],
)
def test_a_bill_names_its_currency_and_month(header: str, cell: str, reported: str, tmp_path: Path) -> None:
    lines = [[*line, cell] for line in right()]
    if not reported:
        assert broken(judged(tmp_path, lines, header)) == {}
        return
    with pytest.raises(BadInput) as caught:
        judged(tmp_path, lines, header)
    assert reported in str(caught.value)


# By command -----------------------------------------------------------------------------------------------------------

ONE_CODE = '[[codes]]\ncode = "36010"\nopened = 2016-10-05\nclosed = 2016-11-12\n'


def command(tmp_path: Path, counts: str, bill: str, *options: str) -> Result:
    for name, text in (("acts.toml", ONE_CODE), ("counts.csv", counts), ("bill.csv", bill)):
        (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in ("counts.csv", "acts.toml", "bill.csv")]
    against = ["--against", files[2]] if bill else []
    return CliRunner().invoke(cli, ["bill", files[0], "--acts", files[1], *against, *options])


NOVEMBER = "month,code,delivered\n2016-11,36010,1000\n"
DUE = "clause,quantity,amount\nOPS-TAR-05,1000,30.00\nOPS-TAR-06,1,150.00\n"  # the closing is not billed
WITH_CODES = "clause,code,quantity,amount\nOPS-TAR-03,36010,1,150.00\nOPS-TAR-05,,1000,30.00\nOPS-TAR-06,,1,150.00\n"


def test_the_first_line_says_how_much_too_much_or_too_little(tmp_path: Path) -> None:
    month = ("--month", "2016-11")
    assert command(tmp_path, NOVEMBER, WITH_CODES, *month).output.startswith(
        "330.00 EUR billed before VAT, the amount due\n"
    )
    more = command(tmp_path, NOVEMBER, WITH_CODES.replace("30.00", "60.00"), *month)
    assert more.output.startswith("360.00 EUR billed before VAT: 30.00 EUR more than the amount due\n")
    less = command(tmp_path, NOVEMBER, DUE, *month)
    assert less.output.startswith("180.00 EUR billed before VAT: 150.00 EUR less than the amount due\n")
    assert (more.exit_code, less.exit_code) == (1, 1)
    found = json.loads(command(tmp_path, NOVEMBER, DUE, *month, "--json").stdout)
    assert (Decimal(found["billed_ht"]), Decimal(found["over_billed_ht"])) == (
        Decimal("180.00"),
        Decimal("-150.00"),
    )


@pytest.mark.parametrize(
    ("column", "options", "reported"),
    [
        ("", (), "the invoice states no month; expected --month YYYY-MM as well"),
        ("2016-10", ("--month", "2016-11"), "the invoice is for 2016-10; expected 2016-11"),
        ("October", (), "'October'; expected a month such as 2016-10"),
        ("2016-11", (), ""),
        ("2016-11", ("--month", "2016-11"), ""),
        ("", ("--month", "2016-11"), ""),
    ],
)
def test_a_bill_is_held_against_its_own_month(
    column: str, options: tuple[str, ...], reported: str, tmp_path: Path
) -> None:
    lines = WITH_CODES.splitlines()
    bill = "\n".join([f"{lines[0]},month", *(f"{line},{column}" for line in lines[1:])])
    done = command(tmp_path, NOVEMBER, bill, *options)
    if reported:
        assert isinstance(done.exception, BadInput)
        assert reported in str(done.exception)
    else:
        assert done.exit_code == 0


def test_messages_outside_the_life_of_a_code_are_reported_and_leave_the_bill_open(tmp_path: Path) -> None:
    late = "month,code,delivered,accepted\n2016-12,36010,1000,1000\n"
    alone = command(tmp_path, late, "")
    assert "note: 1,000 messages of 36010 delivered in 2016-12, after its closing on 2016-11-12" in alone.output
    early = late.replace("2016-12", "2016-09")
    assert "before its opening on 2016-10-05" in command(tmp_path, early, "").output
    bill = "clause,quantity,amount\nOPS-TAR-05,1000,30.00\n"
    done = command(tmp_path, late, bill, "--month", "2016-12", "--json")
    outcomes = {one["purpose"]: one["outcome"] for one in json.loads(done.stdout)["findings"]}
    assert outcomes["bill.in-service"] == "inconclusive"
    assert done.exit_code == 3


@pytest.mark.parametrize(
    ("opened", "closed", "noted"),
    [
        ("2016-10-31", "2016-12-31", ""), ("2016-11-01", "2016-12-31", "before its opening"),
        ("2015-01-01", "2016-10-01", ""), ("2015-01-01", "2016-09-30", "after its closing"),
    ],
)  # fmt: skip
def test_a_code_is_in_service_in_the_months_of_its_opening_and_of_its_closing(
    opened: str, closed: str, noted: str
) -> None:
    acts = Acts((CodeActs("36010", date.fromisoformat(opened), date.fromisoformat(closed)),))
    reported = list(oddly_counted(acts, Counts("hand", {(OCTOBER, "36010"): Count(5, 5)}), OCTOBER, CONTRACT))
    assert len(reported) == bool(noted)
    assert all(noted in one for one in reported)


def test_more_delivered_than_was_accepted_is_reported(tmp_path: Path) -> None:
    counts = "month,code,delivered,accepted\n2016-10,36010,90,100\n2016-11,36010,11,0\n"
    assert "101 up to its end, though only 100 had been accepted" in command(tmp_path, counts, "").output
    assert "note:" not in command(tmp_path, counts.replace(",11,", ",10,"), "").output


def test_the_balance_leaves_prices_out_that_only_a_quotation_tells(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text(right_bill())
    received = read_received(path, CONTRACT)
    assert balance(Bill(CONTRACT, ACTS, COUNTS, OCTOBER, received)) == 0
    less = Counts("hand", {(OCTOBER, "36001"): Count(0, 0)})
    assert balance(Bill(CONTRACT, ACTS, less, OCTOBER, received)) == Decimal("2940.00")
    assert received.total == invoice(CONTRACT, ACTS, COUNTS, OCTOBER).total_ht
