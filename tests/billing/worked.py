"""Contracts with invoices calculated by hand. No formula of the program is used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from simbench.billing.acts import Acts, CodeActs, Month, Option, OtherChange, Qualification, Tier
from simbench.billing.counts import Count, Counts
from simbench.contract import load_contract

CONTRACT = load_contract("orange_ops_2016")
BILLED = {clause: f"bill.{name}.billed" for name, clause in CONTRACT.terms.row_clauses().items()}  # purposes
ROWS = ("01", "02", "03", "04", "05", "06", "07", "09", "10", "11", "12", "17", "18", "19", "20", "21", "22")
OCTOBER = Month(2016, 10)
LONG_SINCE = date(2015, 3, 2)


def codes(count: int, prefix: str = "36", opened: date = LONG_SINCE) -> tuple[CodeActs, ...]:
    return tuple(CodeActs(f"{prefix}{number:03}", opened) for number in range(1, count + 1))


def delivered(messages: int, code: str = "36001") -> Counts:
    return Counts("hand", {(OCTOBER, code): Count(messages, messages)})


NOTHING = Counts("hand", {})

# name: acts, counts, lines {(clause, code): (quantity, amount)}, total before VAT
WORKED: dict[str, tuple[Acts, Counts, dict[tuple[str, str], tuple[int, str]], str]] = {
    # opened this month: 280 + 300, one month 150, 100,000 messages at 0.030 = 3,000
    "one new code": (
        Acts(codes(1, opened=date(2016, 10, 5))),
        delivered(100_000),
        {
            ("OPS-TAR-01", "36001"): (1, "280.00"),
            ("OPS-TAR-04", "36001"): (1, "300.00"),
            ("OPS-TAR-05", ""): (100_000, "3000.00"),
            ("OPS-TAR-06", ""): (1, "150.00"),
        },
        "3730.00",
    ),
    # 20 x 150
    "twenty codes": (Acts(codes(20)), NOTHING, {("OPS-TAR-06", ""): (20, "3000.00")}, "3000.00"),
    # 20 x 150 + 1 x 500
    "twenty-one codes": (
        Acts(codes(21)),
        NOTHING,
        {("OPS-TAR-06", ""): (20, "3000.00"), ("OPS-TAR-07", ""): (1, "500.00")},
        "3500.00",
    ),
    # 20 x 150 + 5 x 500
    "twenty-five codes": (
        Acts(codes(25)),
        NOTHING,
        {("OPS-TAR-06", ""): (20, "3000.00"), ("OPS-TAR-07", ""): (5, "2500.00")},
        "5500.00",
    ),
    # each tier adds to the 150 of its code: 4 x 150 + 800 + 1600 + 2500 + 3000
    "the four tiers": (
        Acts(
            tuple(
                CodeActs(f"36{rate:03}", LONG_SINCE, None, (Tier("2016-01", rate, "R-7"),))
                for rate in (20, 50, 100, 150)
            )
        ),
        NOTHING,
        {
            ("OPS-TAR-06", ""): (4, "600.00"),
            ("OPS-TAR-09", "36020"): (1, "800.00"),
            ("OPS-TAR-10", "36050"): (1, "1600.00"),
            ("OPS-TAR-11", "36100"): (1, "2500.00"),
            ("OPS-TAR-12", "36150"): (1, "3000.00"),
        },
        "8500.00",
    ),
    # from 20/s to 50/s this month: 150 for the change, 150 + 1600 for the month; a second code falls back to 10/s: 150
    # for the change, 150 for its month
    "changes of rate": (
        Acts(
            (
                CodeActs("36001", LONG_SINCE, None, (Tier("2016-01", 20), Tier("2016-10", 50, "R-8"))),
                CodeActs("36002", LONG_SINCE, None, (Tier("2016-01", 20), Tier("2016-10", 10))),
            )
        ),
        NOTHING,
        {
            ("OPS-TAR-02", "36001"): (1, "150.00"),
            ("OPS-TAR-02", "36002"): (1, "150.00"),
            ("OPS-TAR-06", ""): (2, "300.00"),
            ("OPS-TAR-10", "36001"): (1, "1600.00"),
        },
        "2200.00",
    ),
    # option switched on the 3rd and off the 20th: 150 + 2 x 280; another goes on since June: 150; codes 2 x 150
    "the sender option": (
        Acts(
            (
                CodeActs("36001", LONG_SINCE, None, (), (Option(date(2016, 10, 3), date(2016, 10, 20)),)),
                CodeActs("36002", LONG_SINCE, None, (), (Option(date(2016, 6, 1)),)),
            )
        ),
        NOTHING,
        {
            ("OPS-TAR-06", ""): (2, "300.00"),
            ("OPS-TAR-19", "36001"): (1, "150.00"),
            ("OPS-TAR-19", "36002"): (1, "150.00"),
            ("OPS-TAR-20", "36001"): (2, "560.00"),
        },
        "1160.00",
    ),
    # eleven codes 34ABC: 10 x 150 + 500; three 35ABC: 3 x 150; none of them among the ordinary ones
    "green and geo codes": (
        Acts(codes(11, "34") + codes(3, "35")),
        NOTHING,
        {("OPS-TAR-21", ""): (13, "1950.00"), ("OPS-TAR-22", ""): (1, "500.00")},
        "2450.00",
    ),
    # access 200 for each of two companies, 12,345 + 5 numbers at 0.01 = 123.50; one code 150
    "qualification": (
        Acts(
            codes(1),
            qualifications=(Qualification("Alpha", "2016-10", 12_345), Qualification("Beta", "2016-10", 5)),
        ),
        NOTHING,
        {
            ("OPS-TAR-06", ""): (1, "150.00"),
            ("OPS-TAR-17", ""): (2, "400.00"),
            ("OPS-TAR-18", ""): (12_350, "123.50"),
        },
        "673.50",
    ),
    # closed on the 7th: 150 for the act, 150 for the month begun; an address changed: 150
    "closing and another address": (
        Acts(
            (CodeActs("36001", LONG_SINCE, date(2016, 10, 7)),),
            (OtherChange(date(2016, 10, 12), "Changement d'adresse IP"),),
        ),
        NOTHING,
        {
            ("OPS-TAR-03", "36001"): (1, "150.00"),
            ("OPS-TAR-03", ""): (1, "150.00"),
            ("OPS-TAR-06", ""): (1, "150.00"),
        },
        "450.00",
    ),
    # 12,345,678 x 0.030 = 370,370.34; the code 150
    "many messages": (
        Acts(codes(1)),
        delivered(12_345_678),
        {("OPS-TAR-05", ""): (12_345_678, "370370.34"), ("OPS-TAR-06", ""): (1, "150.00")},
        "370520.34",
    ),
}


def amounts(lines: dict[tuple[str, str], tuple[int, str]]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    return {key: (quantity, Decimal(amount)) for key, (quantity, amount) in lines.items()}
