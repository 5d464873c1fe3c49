"""The table of tamperings: fifty-odd ways to change a right bill, each caught by name, or excused by name with why.

A kind is caught by the purposes that fail or are weak; `EXCUSED` are changes that leave the bill right.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.billing.acts import Month
from simbench.billing.invoice import invoice
from simbench.billing.page import as_csv
from simbench.billing.received import read_received
from simbench.billing.rules import Bill, balance, judge_bill
from tests.billing.test_rules import ACTS, COUNTS
from tests.billing.test_tampering import AMOUNT, CLAUSE, CODE, PRICE, QUANTITY, SUMS, Lines, place, right, summed
from tests.billing.worked import CONTRACT, OCTOBER

HEADER = "clause,code,quantity,unit_price,amount"
Change = Callable[[Lines], Lines | None]


def cell(row: str, column: int, value: str) -> Change:
    def change(lines: Lines) -> None:
        lines[place(lines, name(row))][column] = value

    return change


def name(row: str) -> str:
    return row if row in SUMS else f"OPS-TAR-{row}"


def row(number: str) -> str:
    """The purpose on a row of the tariff, by the number of its clause."""
    names = {clause: key for key, clause in CONTRACT.terms.row_clauses().items()}
    return f"bill.{names[f'OPS-TAR-{number}']}.billed"


def both(*changes: Change) -> Change:
    def change(lines: Lines) -> Lines:
        for one in changes:
            lines = one(lines) or lines
        return lines

    return change


def added(*cells: str) -> Change:
    return lambda lines: [*lines, list(cells)]


def without(row: str) -> Change:
    return lambda lines: [line for line in lines if line[CLAUSE] != name(row)]


def doubled(row: str) -> Change:
    return lambda lines: [*lines, lines[place(lines, name(row))]]


def parts(row: str, *of: tuple[str, int, str]) -> Change:
    """A row replaced by parts: code, quantity, amount."""

    def change(lines: Lines) -> Lines:
        price = lines[place(lines, name(row))][PRICE]
        rest = [line for line in lines if line[CLAUSE] != name(row)]
        return [*rest, *([name(row), code, str(quantity), price, amount] for code, quantity, amount in of)]

    return change


def under(ambiguity: str, reading: str) -> Change:
    """Return the bill under another reading of the contract."""

    def change(_: Lines) -> Lines:
        text = as_csv(invoice(CONTRACT.read_as(ambiguity, reading), ACTS, COUNTS, OCTOBER), CONTRACT)
        return [line.split(",") for line in text.splitlines()[1:]]

    return change


# Kind: the change, and the purposes that catch it. Sums follow the lines wherever they can, as a careful forger's do.
CAUGHT: dict[str, tuple[Change, dict[str, str]]] = {
    "an invented row under a clause that has no price": (
        added("OPS-TAR-13", "36001", "1", "99", "99.00"), {"bill.nothing-else": "fail"}),
    "an invented row of a large amount": (
        added("OPS-TAR-13", "", "1", "500000", "500000.00"), {"bill.nothing-else": "fail"}),
    "an invented discount": (added("OPS-TAR-13", "", "1", "-99", "-99.00"), {"bill.nothing-else": "fail"}),
    "a charge for the standard rate": (
        added("OPS-TAR-08", "36001", "1", "99", "99.00"), {"bill.nothing-else": "fail"}),
    "a unit price above the contract's, the amount right": (
        cell("01", PRICE, "281"), {row("01"): "fail"}),
    "a unit price below the contract's, the amount right": (
        cell("09", PRICE, "799.99"), {row("09"): "fail"}),
    "a unit price and an amount above the contract's": (
        both(cell("10", PRICE, "1700"), cell("10", AMOUNT, "1700.00")), {row("10"): "fail"}),
    "messages at another price": (
        both(cell("05", PRICE, "0.031"), cell("05", AMOUNT, "3038.00")), {row("05"): "fail"}),
    "more messages than were delivered": (
        both(cell("05", QUANTITY, "99000"), cell("05", AMOUNT, "2970.00")), {row("05"): "fail"}),
    "fewer messages than were delivered": (
        both(cell("05", QUANTITY, "97000"), cell("05", AMOUNT, "2910.00")), {row("05"): "fail"}),
    "a quantity raised, the amount right": (cell("05", QUANTITY, "98001"), {row("05"): "fail"}),
    "an amount that is not quantity times price": (cell("05", AMOUNT, "2940.01"), {row("05"): "fail"}),
    "an amount a cent too small": (cell("22", AMOUNT, "499.99"), {row("22"): "fail"}),
    "an opening billed twice": (doubled("01"), {row("01"): "fail"}),
    "an opening of a code held long since": (
        added("OPS-TAR-01", "36001", "1", "280", "280.00"), {row("01"): "fail"}),
    "an opening of a code that nobody has": (
        added("OPS-TAR-04", "36777", "1", "300", "300.00"), {row("04"): "fail"}),
    "an opening left out": (without("04"), {row("04"): "fail"}),
    "a change of rate that did not happen": (
        added("OPS-TAR-02", "36900", "1", "150", "150.00"), {row("02"): "fail"}),
    "a change of rate left out": (without("02"), {row("02"): "fail"}),
    "another change left out": (without("03"), {row("03"): "fail"}),
    "a closing billed for a code that stays": (
        added("OPS-TAR-03", "36001", "1", "150", "150.00"), {row("03"): "fail"}),
    "messages left out": (without("05"), {row("05"): "fail"}),
    "months of codes left out": (without("06"), {row("06"): "fail"}),
    "one month of a code too many": (
        both(cell("06", QUANTITY, "21"), cell("06", AMOUNT, "3150.00")), {row("06"): "fail"}),
    "a code of the low band in the high one": (
        both(cell("06", QUANTITY, "19"), cell("06", AMOUNT, "2850.00"),
             cell("07", QUANTITY, "7"), cell("07", AMOUNT, "3500.00")),
        {row("06"): "fail", row("07"): "fail"}),
    "a tier of another rate": (
        cell("09", CLAUSE, "OPS-TAR-10"), {row("09"): "fail", row("10"): "fail"}),
    "a tier of another code": (
        cell("12", CODE, "36001"), {row("12"): "fail", "bill.standard-rate-included": "fail"}),
    "a tier without its code": (cell("12", CODE, ""), {row("12"): "fail"}),
    "a tier billed twice": (doubled("12"), {row("12"): "fail"}),
    "part of a month of a tier": (
        cell("11", AMOUNT, "1250.00"), {row("11"): "fail", "bill.whole-months": "fail"}),
    "a tier left out": (without("11"), {row("11"): "fail"}),
    "a qualification access left out": (without("17"), {row("17"): "fail"}),
    "more numbers qualified": (
        both(cell("18", QUANTITY, "1100"), cell("18", AMOUNT, "11.00")),
        {row("18"): "fail", "bill.each-number-billed": "fail"}),
    "an option billed for another code": (cell("19", CODE, "36901"), {row("19"): "fail"}),
    "an activation billed twice": (doubled("20"), {row("20"): "fail"}),
    "a range's codes in the ordinary band": (
        without("21"), {row("21"): "fail"}),
    "a split with a cent lost": (
        parts("05", ("36001", 50_000, "1500.00"), ("36002", 48_000, "1439.99")), {row("05"): "fail"}),
    "a split over a code that nobody has": (
        parts("05", ("36001", 50_000, "1500.00"), ("36777", 48_000, "1440.00")), {row("05"): "fail"}),
    "a credit of what is due": (
        added("OPS-TAR-01", "36900", "-1", "280", "-280.00"), {row("01"): "fail"}),
    "a negative quantity with a positive amount": (
        cell("01", QUANTITY, "-1"), {row("01"): "fail"}),
    "half of another reading": (
        both(cell("21", QUANTITY, "9"), cell("21", AMOUNT, "1350.00")), {row("21"): "fail"}),
}  # fmt: skip
SUMS_CAUGHT: dict[str, tuple[Change, str]] = {
    "a net that is not the sum of the lines": (cell("HT", AMOUNT, "20511.00"), "fail"),
    "a gross that is not net and VAT": (cell("TTC", AMOUNT, "24612.01"), "fail"),
    "a wrong VAT under a right gross": (cell("VAT", AMOUNT, "4019.96"), "fail"),
    "no VAT under a right gross": (cell("VAT", AMOUNT, "0.00"), "fail"),
    "a negative VAT": (both(cell("VAT", AMOUNT, "-4102.00"), cell("TTC", AMOUNT, "16408.00")), "fail"),
    "VAT of no rate": (both(cell("VAT", AMOUNT, "4103.00"), cell("TTC", AMOUNT, "24613.00")), "fail"),
    "VAT at another rate throughout": (
        both(cell("VAT", AMOUNT, "4019.96"), cell("TTC", AMOUNT, "24529.96")), "weak"),
}  # fmt: skip
READINGS: dict[str, tuple[str, str]] = {
    "the tenth code of a range at the higher price": ("AMB-01", "from_10"),
    "all codes at the price of the high band": ("AMB-02", "slab"),
    "tiers in place of the codes' prices": ("AMB-03", "replaces"),
    "messages accepted instead of delivered": ("AMB-11", "routed"),
    "codes of the ranges 34 and 35 in the ordinary band as well": ("AMB-19", "adds"),
}
EXCUSED: dict[str, tuple[Change, str]] = {
    "other order of the lines": (lambda lines: lines[::-1], "the order of lines means nothing"),
    "a row cut in two": (
        parts("05", ("", 49_000, "1470.00"), ("", 49_000, "1470.00")), "the parts add up to what is due"),
    "a row split by codes": (
        parts("05", ("36001", 50_000, "1500.00"), ("36002", 48_000, "1440.00")), "rows of the contract may be split"),
    "a line billed twice and credited": (
        both(doubled("01"), added("OPS-TAR-01", "36900", "-1", "280", "-280.00")), "the credit takes it back"),
    "no unit prices": (cell("01", PRICE, ""), "the amount follows the quantity"),
    "no sums": (lambda lines: [line for line in lines if line[CLAUSE] not in SUMS], "lines need no sums"),
    "amounts with more zeros": (cell("01", AMOUNT, "280.0000"), "it is the same amount"),
}  # fmt: skip
REFUSED: dict[str, tuple[str, str]] = {
    "in dollars": ("currency", "USD"),
    "in pounds by their sign": ("currency", "£"),
    "in a currency that nobody knows": ("currency", "XYZ"),
}


def outcomes(tmp_path: Path, lines: Lines, header: str = HEADER) -> dict[str, str]:
    path = tmp_path / "bill.csv"
    path.write_text("\n".join([header, *(",".join(line) for line in lines)]))
    bill = Bill(CONTRACT, ACTS, COUNTS, OCTOBER, read_received(path, CONTRACT))
    return {one.purpose: one.outcome for one in judge_bill(bill) if one.outcome not in {"pass", "unsupported"}}


@pytest.mark.parametrize("kind", CAUGHT)
@pytest.mark.parametrize("follow", [True, False], ids=["sums follow", "sums stay"])
def test_each_kind_is_caught_by_name(kind: str, follow: bool, tmp_path: Path) -> None:
    change, expected = CAUGHT[kind]
    lines = right()
    lines = change(lines) or lines
    found = outcomes(tmp_path, summed(lines) if follow else lines)
    assert {purpose: found.get(purpose) for purpose in expected} == expected
    others = set(found) - set(expected)
    assert others <= {"bill.sums", "bill.whole-months"}, "no row is blamed for another's tampering"
    if follow:
        assert "bill.sums" not in found


@pytest.mark.parametrize("kind", SUMS_CAUGHT)
def test_each_tampering_with_the_sums_is_caught_by_the_sums_alone(kind: str, tmp_path: Path) -> None:
    change, outcome = SUMS_CAUGHT[kind]
    lines = right()
    assert outcomes(tmp_path, change(lines) or lines) == {"bill.sums": outcome}


@pytest.mark.parametrize("kind", READINGS)
def test_another_reading_throughout_is_weak_and_never_a_pass(kind: str, tmp_path: Path) -> None:
    found = outcomes(tmp_path, under(*READINGS[kind])([]) or [])
    assert found
    assert set(found.values()) == {"weak"}


@pytest.mark.parametrize("kind", EXCUSED)
def test_each_change_that_leaves_the_bill_right_is_excused(kind: str, tmp_path: Path) -> None:
    change, why = EXCUSED[kind]
    lines = right()
    assert outcomes(tmp_path, change(lines) or lines) == {}, why


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bill_in_another_currency_is_refused(kind: str, tmp_path: Path) -> None:
    column, value = REFUSED[kind]
    with pytest.raises(BadInput, match="currency"):
        outcomes(tmp_path, [[*line, value] for line in right()], f"{HEADER},{column}")


def test_a_bill_of_the_month_before_is_caught(tmp_path: Path) -> None:
    text = as_csv(invoice(CONTRACT, ACTS, COUNTS, Month(2016, 9)), CONTRACT)
    found = outcomes(tmp_path, [line.split(",") for line in text.splitlines()[1:]])
    assert {row("01"), row("02"), row("05")} <= set(found)


def test_a_right_bill_balances_and_is_found_right(tmp_path: Path) -> None:
    assert outcomes(tmp_path, right()) == {}
    assert balance(Bill(CONTRACT, ACTS, COUNTS, OCTOBER, read_received(tmp_path / "bill.csv", CONTRACT))) == Decimal(0)
