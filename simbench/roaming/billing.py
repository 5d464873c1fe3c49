"""The output of a billing system, read from three tables: CSV, or Parquet or XLSX of the same names.

A row that cannot be read is set aside with its line and reason, counted and shown.

subscribers.csv  one row per SIM: its plan, and whether its user agreed to exceed the spending limit
records.csv      one row per presence of a day, data of a day at home or abroad, call, SMS of a day; in order of days
notices.csv      notifications to the customer with dates: envelopes of billing periods, warnings, alerts, surcharges
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from simbench.base.errors import BadInput
from simbench.base.toml_files import shown
from simbench.tables.cells import text_of, truth_of
from simbench.tables.reader import read_table
from simbench.tables.rows import Kind, RejectedRow, Row, check_rejected, closing_on_error

SUBSCRIBERS, RECORDS, NOTICES = "subscribers.csv", "records.csv", "notices.csv"
COLUMNS = {
    SUBSCRIBERS: ("subscriber", "price_eur", "vat_share", "domestic_gb", "prepaid", "agreed_beyond_limit"),
    RECORDS: ("subscriber", "day", "service", "place", "quantity", "charged", "amount", "currency"),
    NOTICES: ("subscriber", "day", "kind", "octets"),
}
"""Quantities are octets, seconds of one call, or SMS; charged is kilobytes, seconds, SMS; amounts are before VAT."""

SERVICES = ("presence", "data", "voice", "sms")
PLACES = ("home", "abroad", "both")
KINDS = ("envelope", "envelope-used-up", "warning", "limit", "alert", "surcharge-begins", "surcharge-ends")
MOST_UNITS = 10**15
MOST_DIGITS = 9  # digits before the decimal point of an amount, less one
CURRENCY = "EUR"
# Columns whose decimal sign is a comma if the columns are separated by semicolons.
_NUMBERS: Final = frozenset({"price_eur", "vat_share", "domestic_gb", "amount"})


class SetAside(NamedTuple):
    """A row that is not judged: file, line, and reason."""

    file: str
    line: int
    reason: str
    value: str


class Record(NamedTuple):
    """One rated record."""

    day: date
    service: str
    place: str
    quantity: int
    charged: int
    amount: Decimal


class Notice(NamedTuple):
    """A notification to a customer; octets of an envelope, else 0."""

    day: date
    kind: str
    octets: int


class Account(msgspec.Struct):
    """One SIM: its plan, its records and notices in order."""

    subscriber: str
    price_eur: Decimal
    vat_share: Decimal
    domestic_gb: Decimal | None
    prepaid: bool
    agreed: bool
    records: list[Record] = []
    notices: list[Notice] = []


class Billing(msgspec.Struct):
    """The contents of the files: accounts by subscriber, rows judged, and rows set aside."""

    accounts: dict[str, Account]
    rows: int
    aside: list[SetAside]

    def reasons(self) -> Counter[str]:
        """Count the rows set aside by reason."""
        return Counter(one.reason for one in self.aside)


class _Unfit(Exception):
    """The reason why a row cannot be judged, with the value."""

    def __init__(self, reason: str, value: object = "") -> None:
        super().__init__(reason)
        self.reason, self.value = reason, shown(str(value)) if value != "" else ""


def read_billing(folder: Path, first: date, last: date) -> Billing:
    """Read the three files of a folder; days outside `first` to `last` are set aside.

    Raises BadInput if a file is missing, unreadable, or lacks a column.
    """
    billing = Billing({}, 0, [])

    def account(row: list[str]) -> None:
        made = _account(row)
        if made.subscriber in billing.accounts:
            raise _Unfit("subscriber named twice", made.subscriber)
        billing.accounts[made.subscriber] = made

    def record(row: list[str]) -> None:
        of, made = _of(billing, row[0]), _record(row, first, last)
        if of.records and made.day < of.records[-1].day:
            raise _Unfit("out of order: earlier than the row before", made.day)
        of.records.append(made)

    def notice(row: list[str]) -> None:
        of, made = _of(billing, row[0]), _notice(row, first, last)
        if of.notices and made.day < of.notices[-1].day:
            raise _Unfit("out of order: earlier than the row before", made.day)
        of.notices.append(made)

    for name, take in ((SUBSCRIBERS, account), (RECORDS, record), (NOTICES, notice)):
        _read(folder / name, billing, take)
    return billing


def _read(path: Path, billing: Billing, take: Callable[[list[str]], None]) -> None:
    columns = COLUMNS[path.name]
    kinds: dict[str, Kind] = {name: "note" if name == "day" else "text" for name in columns}
    table = read_table(path, kinds, needed=columns, whole_rows=True)
    with closing_on_error(table.rows, table.source):
        for row in table.rows:
            try:
                if isinstance(row, RejectedRow):
                    raise _Unfit(f"not {len(columns)} values" if row.kind == "columns" else "unreadable", row.reason)
                take([_written(row, name) for name in columns])
                billing.rows += 1
            except _Unfit as unfit:
                billing.aside.append(SetAside(path.name, row.line, unfit.reason, unfit.value))
                check_rejected(
                    path, len(billing.aside), billing.rows, f"line {billing.aside[0].line}: {billing.aside[0].reason}"
                )


def _written(row: Row, name: str) -> str:
    """Return a cell as text; the date that a spreadsheet or a database makes of a day has no time."""
    cell = row.cells.get(name, "")
    if isinstance(cell, date):
        return cell.isoformat().removesuffix("T00:00:00")
    text = text_of(cell)
    return text.replace(",", ".") if row.decimal_comma and name in _NUMBERS else text


def _of(billing: Billing, subscriber: str) -> Account:
    found = billing.accounts.get(subscriber)
    if found is None:
        raise _Unfit("unknown subscriber", subscriber)
    return found


def _account(row: list[str]) -> Account:
    name, price, vat, domestic, prepaid, agreed = row
    if not name:
        raise _Unfit("no subscriber")
    share = _amount("VAT", vat)
    if share >= 1:
        raise _Unfit("unknown VAT", vat)
    allowance = None if not domestic else _amount("domestic_gb", domestic)
    return Account(name, _amount("price", price), share, allowance, _flag(prepaid), _flag(agreed), [], [])


def _record(row: list[str], first: date, last: date) -> Record:
    _, day, service, place, quantity, charged, amount, currency = row
    if currency != CURRENCY:
        raise _Unfit("another currency", currency)
    known = _word("service", service, SERVICES)
    where = _word("place", place, PLACES)
    if where == "both" and known != "presence":
        raise _Unfit("unknown place", place)
    euros = _amount("price", amount)
    return Record(_day(day, first, last), known, where, _units(quantity), _units(charged), euros)


def _notice(row: list[str], first: date, last: date) -> Notice:
    _, day, kind, octets = row
    known = _word("kind", kind, KINDS)
    return Notice(_day(day, first, last), known, _units(octets) if known == "envelope" else 0)


def _word(what: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise _Unfit(f"unknown {what}", text)
    return text


def _flag(text: str) -> bool:
    try:
        return truth_of(text, "")
    except BadInput:
        raise _Unfit("unknown yes or no", text) from None


def _day(text: str, first: date, last: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Unfit("no day", text) from None
    if len(text) != 10:
        raise _Unfit("no day", text)
    if not first <= day <= last:
        raise _Unfit(f"day before {first}" if day < first else f"day after {last}", day)
    return day


def _units(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MOST_UNITS):
        raise _Unfit("no whole quantity", text)
    return int(text)


def _amount(what: str, text: str) -> Decimal:
    """Read a plain decimal amount. Raises _Unfit for a missing or negative one."""
    unknown = "unknown VAT" if what == "VAT" else f"no {what}"
    if not text.strip():
        raise _Unfit(unknown if what == "VAT" else f"missing {what}")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise _Unfit(unknown, text) from None
    if not amount.is_finite() or len(text) > 40 or amount.adjusted() > MOST_DIGITS:
        raise _Unfit(unknown, text)
    if amount < 0:
        raise _Unfit(unknown if what == "VAT" else f"negative {what}", text)
    return amount
