"""Files of bills: each row is judged or set aside by name, and a wrong file is one line."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbench.base.errors import BadInput
from simbench.roaming.billing import COLUMNS, NOTICES, RECORDS, SUBSCRIBERS, read_billing
from simbench.roaming.rules import judge_billing
from tests.roaming.bills import CONTRACT, FIRST, LAST, Files, Row, copied, written

BAD = [
    (RECORDS, {"day": "2017-06-14"}, "day before 2017-06-15"),
    (RECORDS, {"day": "2017-13-01"}, "no day"),
    (RECORDS, {"day": "20180101"}, "no day"),
    (RECORDS, {"amount": "-0.5"}, "negative price"),
    (RECORDS, {"amount": ""}, "missing price"),
    (RECORDS, {"amount": "NaN"}, "no price"),
    (RECORDS, {"amount": "1e999999999"}, "no price"),
    (RECORDS, {"currency": "GBP"}, "another currency"),
    (RECORDS, {"subscriber": "nobody"}, "unknown subscriber"),
    (RECORDS, {"service": "fax"}, "unknown service"),
    (RECORDS, {"quantity": "-1"}, "no whole quantity"),
    (RECORDS, {"quantity": "9" * 5000}, "no whole quantity"),
    (SUBSCRIBERS, {"price_eur": ""}, "missing price"),
    (SUBSCRIBERS, {"price_eur": "-20"}, "negative price"),
    (SUBSCRIBERS, {"vat_share": "FR"}, "unknown VAT"),
    (SUBSCRIBERS, {"vat_share": ""}, "unknown VAT"),
    (SUBSCRIBERS, {"vat_share": "20"}, "unknown VAT"),
    (NOTICES, {"kind": "farewell"}, "unknown kind"),
]


@pytest.mark.parametrize(("file", "change", "reason"), BAD)
def test_a_row_that_cannot_be_judged_is_set_aside_counted_and_named(
    file: str, change: Row, reason: str, honest: Files, tmp_path: Path
) -> None:
    files = {name: [dict(row) for row in rows[:50]] for name, rows in honest.items()}
    for name in (RECORDS, NOTICES):
        files[name] = [row for row in files[name] if row["subscriber"] == "S0000000"]
    files[file][-1].update(change)
    billing = read_billing(written(tmp_path, files), FIRST, LAST)
    assert billing.reasons() == {reason: 1}
    assert (billing.aside[0].file, billing.aside[0].line) == (file, len(files[file]) + 1)
    assert billing.rows == sum(map(len, files.values())) - 1


def test_a_record_earlier_than_the_one_before_is_set_aside(honest: Files, tmp_path: Path) -> None:
    files = copied(honest)
    rows = files[RECORDS]
    rows[0], rows[-1] = rows[-1], rows[0]
    rows[0]["subscriber"] = rows[1]["subscriber"]
    billing = read_billing(written(tmp_path, files), FIRST, LAST)
    assert set(billing.reasons()) == {"out of order: earlier than the row before"}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_file_that_is_missing_or_has_other_columns_is_one_clear_line(
    name: str, honest: Files, tmp_path: Path
) -> None:
    (written(tmp_path, honest) / name).write_text("a,b\n")
    with pytest.raises(BadInput, match=rf'{name}: no column "subscriber"; expected one for subscriber$'):
        read_billing(tmp_path, FIRST, LAST)
    (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=f"{name}: No such file"):
        read_billing(tmp_path, FIRST, LAST)


@given(st.sampled_from(list(COLUMNS)), st.binary(max_size=300), st.booleans())
def test_any_octets_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, octets: bytes, header: bool
) -> None:
    folder = written(tmp_path_factory.mktemp("any"), {file: [] for file in COLUMNS})
    (folder / name).write_bytes(",".join(COLUMNS[name]).encode() + b"\n" + octets if header else octets)
    try:
        billing = read_billing(folder, FIRST, LAST)
    except BadInput as problem:
        refusal = str(problem)
    else:
        refusal = ""
        assert not billing.rows or name == SUBSCRIBERS
    assert "\n" not in refusal


WORDS = ["", "S0000000", "2018-03-05", "2018-03-04", "data", "voice", "home", "abroad", "both", "EUR", "0"]
CELLS = st.sampled_from(WORDS) | st.text(max_size=12)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=9), max_size=12))
def test_every_row_is_judged_or_set_aside(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = written(tmp_path_factory.mktemp("rows"), {name: [] for name in COLUMNS})
    subscriber = ["S0000000", "20", "0.2", "", "no", "no"]
    for name, lines in ((SUBSCRIBERS, [subscriber]), (RECORDS, rows)):
        with (folder / name).open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
            csv.writer(file).writerows([COLUMNS[name], *lines])
    billing = read_billing(folder, FIRST, LAST)
    assert billing.rows + len(billing.aside) == 1 + sum(any(map(str.strip, row)) for row in rows)
    judge_billing(billing, CONTRACT)
