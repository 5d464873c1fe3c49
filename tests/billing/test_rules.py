"""A right bill passes every rule; each tampered one fails the rule of its row, and only a reading makes it weak."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from simbench.billing.acts import Acts, CodeActs, Option, OtherChange, Qualification, Tier
from simbench.billing.counts import Count, Counts
from simbench.billing.invoice import invoice
from simbench.billing.page import as_csv
from simbench.billing.received import compare, read_received
from simbench.billing.rules import Bill, judge_bill
from simbench.contract import Contract
from simbench.finding import Finding, exit_status
from tests.billing.worked import BILLED, CONTRACT, LONG_SINCE, OCTOBER, ROWS, WORKED, codes

# Every row of the grid is due in this month.
ACTS = Acts(
    (
        *codes(22),
        CodeActs("36900", date(2016, 10, 5), None, (Tier("2016-10", 100, "R-1"),)),
        CodeActs("36901", LONG_SINCE, None, (Tier("2016-01", 20), Tier("2016-10", 50, "R-2"))),
        CodeActs("36902", LONG_SINCE, None, (Tier("2016-01", 150, "R-3"),), (Option(date(2016, 10, 3)),)),
        CodeActs("36903", LONG_SINCE, date(2016, 10, 9), (Tier("2016-01", 20),)),
        *codes(11, "34"),
    ),
    (OtherChange(date(2016, 10, 12), "Changement d'adresse IP"),),
    (Qualification("Alpha", "2016-10", 1000),),
)
COUNTS = Counts("hand", {(OCTOBER, "36001"): Count(98_000, 100_000)})


def received(tmp_path: Path, text: str, contract: Contract = CONTRACT) -> dict[str, Finding]:
    path = tmp_path / "received.csv"
    path.write_text(text, encoding="utf-8")
    bill = Bill(contract, ACTS, COUNTS, OCTOBER, read_received(path, contract))
    return {finding.purpose: finding for finding in judge_bill(bill)}


def right_bill(contract: Contract = CONTRACT) -> str:
    return as_csv(invoice(contract, ACTS, COUNTS, OCTOBER), contract)


def test_a_right_bill_passes_every_rule(tmp_path: Path) -> None:
    findings = received(tmp_path, right_bill())
    assert {finding.outcome for finding in findings.values()} == {"pass"}
    assert {BILLED[f"OPS-TAR-{row}"] for row in ROWS} < set(findings)
    rows = {line.split(",")[0] for line in right_bill().splitlines()[1:]}
    assert {f"OPS-TAR-{row}" for row in ROWS} < rows, "every row is due, so that every rule had something to look at"


@pytest.mark.parametrize("row", ROWS)
def test_a_wrong_quantity_in_any_row_fails_the_rule_of_that_row_alone(tmp_path: Path, row: str) -> None:
    lines = right_bill().splitlines()
    at = next(place for place, line in enumerate(lines) if line.startswith(f"OPS-TAR-{row},"))
    clause, code, quantity, price, _ = lines[at].split(",")
    lines[at] = f"{clause},{code},{int(quantity) + 1},{price},{Decimal(price) * (int(quantity) + 1):.2f}"
    findings = received(tmp_path, "\n".join(line for line in lines if not line.startswith(("HT", "VAT", "TTC"))))
    failed = {purpose for purpose, finding in findings.items() if finding.outcome in {"fail", "weak"}}
    expected = {BILLED[f"OPS-TAR-{row}"]} | ({"bill.each-number-billed"} if row == "18" else set())
    assert failed == expected
    assert findings[BILLED[f"OPS-TAR-{row}"]].blame == "platform"


def test_a_bill_right_under_another_reading_is_weak_and_names_it(tmp_path: Path) -> None:
    finding = received(tmp_path, right_bill(CONTRACT.read_as("AMB-02", "slab")))[BILLED["OPS-TAR-07"]]
    assert (finding.outcome, finding.assumed) == ("weak", ("AMB-02",))
    assert "AMB-02 slab" in finding.summary


def test_half_of_another_reading_excuses_nothing(tmp_path: Path) -> None:
    slab = right_bill(CONTRACT.read_as("AMB-02", "slab")).splitlines()
    dear = next(line for line in slab if line.startswith("OPS-TAR-07,"))
    lines = [line for line in right_bill().splitlines() if not line.startswith("OPS-TAR-07,")]
    findings = received(tmp_path, "\n".join([*lines, dear]))  # twenty codes billed at 150 and again at 500
    assert findings[BILLED["OPS-TAR-07"]].outcome == "fail"


def test_part_of_a_month_of_a_tier_fails(tmp_path: Path) -> None:
    for amount in ("2177.42", "2822.58"):
        text = right_bill().replace("OPS-TAR-11,36900,1,2500,2500.00", f"OPS-TAR-11,36900,1,2500,{amount}")
        findings = received(tmp_path, text)
        assert findings["bill.whole-months"].outcome == "fail"
        assert findings[BILLED["OPS-TAR-11"]].outcome == "fail"


@pytest.mark.parametrize("numbers", [999, 1001])
def test_a_number_qualified_and_not_billed_fails_as_one_billed_and_not_qualified(tmp_path: Path, numbers: int) -> None:
    text = right_bill().replace("OPS-TAR-18,,1000,0.01,10.00", f"OPS-TAR-18,,{numbers},0.01,{numbers / 100:.2f}")
    assert received(tmp_path, text)["bill.each-number-billed"].outcome == "fail"


def test_a_rate_line_for_the_standard_rate_fails(tmp_path: Path) -> None:
    findings = received(tmp_path, right_bill() + "OPS-TAR-09,36001,1,800,800.00\n")
    assert findings["bill.standard-rate-included"].outcome == "fail"


def test_a_wrong_sum_fails_and_another_vat_is_weak(tmp_path: Path) -> None:
    lines = right_bill().splitlines()
    ht = next(line for line in lines if line.startswith("HT,"))
    assert received(tmp_path, right_bill().replace(ht, "HT,,,,1.00"))["bill.sums"].outcome == "fail"
    vat = next(line for line in lines if line.startswith("VAT,"))
    total = Decimal(ht.rpartition(",")[2])
    other = [
        line.replace(vat, f"VAT,,,,{total * Decimal('0.055'):.2f}") for line in lines if not line.startswith("TTC")
    ]
    assert received(tmp_path, "\n".join(other))["bill.sums"].outcome == "weak"
    whole = [*other, f"TTC,,,,{total + round(total * Decimal('0.055'), 2)}"]
    weak = received(tmp_path, "\n".join(whole))["bill.sums"]
    assert (weak.outcome, weak.assumed) == ("weak", ("money.vat_share",))
    assert "5.5% of VAT" in weak.summary
    no_rate = [line.replace(vat, "VAT,,,,1.00") for line in lines if not line.startswith("TTC")]
    assert received(tmp_path, "\n".join(no_rate))["bill.sums"].outcome == "fail"  # no rate makes it of the net
    text = "\n".join(line for line in lines if not line.startswith(("HT", "VAT", "TTC")))
    assert received(tmp_path, text)["bill.sums"].outcome == "unsupported"


def test_a_high_tier_without_a_request_is_the_clients_failure(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    acts = Acts((CodeActs("36050", LONG_SINCE, None, (Tier("2016-01", 50),)),))
    path.write_text(as_csv(invoice(CONTRACT, acts, COUNTS, OCTOBER), CONTRACT))
    findings = judge_bill(Bill(CONTRACT, acts, COUNTS, OCTOBER, read_received(path, CONTRACT)))
    asked = next(finding for finding in findings if finding.purpose == "bill.requested")
    assert (asked.outcome, asked.blame) == ("fail", "client")
    assert exit_status(findings) == 1


@pytest.mark.parametrize("name", WORKED)
def test_every_invoice_worked_by_hand_is_found_right(tmp_path: Path, name: str) -> None:
    acts, counts, lines, _ = WORKED[name]
    path = tmp_path / "bill.csv"
    rows = [f"{clause},{code},{quantity},,{amount}" for (clause, code), (quantity, amount) in lines.items()]
    path.write_text("\n".join(["clause,code,quantity,unit_price,amount", *rows]))
    found = judge_bill(Bill(CONTRACT, acts, counts, OCTOBER, read_received(path, CONTRACT)))
    assert {finding.outcome for finding in found} <= {"pass", "unsupported"}


def test_a_tier_by_quotation_differs_by_its_quantity_alone(tmp_path: Path) -> None:
    quotation = CONTRACT.read_as("AMB-07", "quotation")
    own, path = invoice(quotation, ACTS, COUNTS, OCTOBER), tmp_path / "bill.csv"
    path.write_text(right_bill().replace("OPS-TAR-12,36902,1,3000,3000.00", "OPS-TAR-12,36902,2,2000,4000.00"))
    (found,) = compare(own, read_received(path, CONTRACT))
    assert (found.clause, found.what, found.quantity, found.amount) == ("OPS-TAR-12", "different", 1, None)


def test_invoices_are_laid_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    text = right_bill().replace("OPS-TAR-12,36902,1,3000,3000.00\n", "OPS-TAR-12,36999,1,3000,3000.00\n")
    path.write_text(text.replace("OPS-TAR-05,,98000,0.030,2940.00", "OPS-TAR-05,,100000,0.030,3000.00"))
    own = invoice(CONTRACT, ACTS, COUNTS, OCTOBER)
    found = {(one.clause, one.code): one.what for one in compare(own, read_received(path, CONTRACT))}
    assert found == {
        ("OPS-TAR-05", ""): "different",
        ("OPS-TAR-12", "36902"): "missing",
        ("OPS-TAR-12", "36999"): "unexpected",
    }
