"""A second operator is a second file: everything runs with Demo Telecom, which has figures of its own."""

from __future__ import annotations

import asyncio
import json
import signal
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from simbench.api.audit import AuditInputs, audit_capture
from simbench.bench.exercises.codes import codes_under
from simbench.bench.runner.findings import judge_exercise
from simbench.bench.runner.in_memory import conduct_in_memory
from simbench.bench.runner.selection import select
from simbench.bench.sut.registry import EVERYTHING
from simbench.capture.pcap import write_pcapng
from simbench.cli.main import cli
from simbench.client.faults import FAULTS
from simbench.contract import load_contract
from simbench.finding import Finding
from simbench.planning.campaign import read_campaign
from simbench.planning.code_plan import cost
from simbench.planning.own_code_plan import own_code_plan
from simbench.rules.rule import load
from tests.cli.child import Served
from tests.fake_smsc.live import dial

DEMO = load_contract("demo_telecom")
CHOSEN = select(contract=DEMO)
QUICK = ("ranges", "sender-names", "morning-edge", "evening-edge", "winter-time", "opt-outs", "late-results")


def judged(exercise: str, *faults: str) -> dict[str, Finding]:
    one, purposes = CHOSEN[exercise]
    found = judge_exercise(conduct_in_memory(one, DEMO, faults), list(purposes), DEMO, EVERYTHING)
    return {finding.purpose: finding for finding in found}


def test_codes_and_rates_are_those_of_the_contract() -> None:
    names = ("first", "second", "third", "fourth", "reply", "presence", "machines")
    assert codes_under(names, DEMO) == {
        "first": ("7205", 5), "second": ("7225", 25), "third": ("7275", 75), "fourth": ("7201", 75),
        "reply": ("6101", 5), "machines": ("9401", 5),
    }  # fmt: skip
    assert DEMO.terms.code_per_tier() == {"7205": 5, "7225": 25, "7275": 75}


def test_hours_and_holidays_are_those_of_the_contract() -> None:
    lisbon = DEMO.calendar
    for day, hour, allowed in (
        ((2026, 3, 3), 9, True),
        ((2026, 3, 3), 8, False),
        ((2026, 3, 3), 20, False),
        ((2026, 3, 8), 12, False),  # a Sunday
        ((2026, 4, 25), 12, False),  # Freedom Day
        ((2026, 7, 14), 12, True),  # a holiday elsewhere
    ):
        assert DEMO.may_send("marketing", lisbon.instant(*day, hour)) is allowed, (day, hour)


def test_purposes_without_a_clause_are_not_judged() -> None:
    chosen = {purpose for _, purposes in CHOSEN.values() for purpose in purposes}
    named = {purpose for clause in DEMO.clauses.values() for purpose in clause.verified_by}
    assert chosen <= named
    assert named - chosen <= {purpose for purpose, rule in load().items() if not {"client"} & {*rule.suites}}
    assert "ported" not in CHOSEN
    assert set(select()) > set(CHOSEN)


@pytest.mark.parametrize("exercise", QUICK)
def test_a_correct_client_passes_and_findings_name_the_clause(exercise: str) -> None:
    for purpose, finding in judged(exercise).items():
        assert (finding.outcome, finding.clause) == ("pass", DEMO.clause_of(purpose)), finding


@pytest.mark.parametrize(
    ("exercise", "fault", "purpose"),
    [
        ("morning-edge", "opens-early", "hours.morning-edge"),
        ("evening-edge", "closes-late", "hours.evening-edge"),
        ("winter-time", "keeps-summer-time", "hours.winter-time"),
        ("ranges", "people-on-machine-codes", "ranges.machines-only"),
        ("ranges", "markets-on-any-range", "ranges.marketing-range"),
    ],
)
def test_a_planted_fault_is_caught(exercise: str, fault: str, purpose: str) -> None:
    assert judged(exercise, fault)[purpose].outcome == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("exercise", [name for name in CHOSEN if name not in QUICK])
def test_a_correct_client_passes_every_other_exercise(exercise: str) -> None:
    outcomes = {finding.outcome for finding in judged(exercise).values()}
    assert outcomes <= {"pass", "unsupported"}


@pytest.mark.slow
@pytest.mark.parametrize("exercise", CHOSEN)
def test_every_planted_fault_of_a_client_is_caught(exercise: str) -> None:
    one, purposes = CHOSEN[exercise]
    own = [purpose for purpose in purposes if purpose in one.purposes]
    for purpose in own:
        for fault in (fault for fault in load()[purpose].catches if fault in FAULTS):
            assert judged(exercise, fault)[purpose].outcome in {"fail", "weak"}, (purpose, fault)


def test_a_served_run_is_judged_by_the_contract_it_was_served_with(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    async def session(port: int) -> None:
        peer = await dial(port)
        assert (await peer.login("7205")).data[0] == "A"
        await peer.close()

    with Served("--port", "0", "--contract", "demo_telecom", "-o", folder) as server:
        for code, rate in {"7205": 5, "7225": 25, "7275": 75}.items():
            assert any(line.split()[:4] == [code, "secret", code, f"{rate}/s"] for line in server.banner.splitlines())
        asyncio.run(session(server.port))
        server.end(signal.SIGTERM)
    done = CliRunner().invoke(cli, ["judge", str(folder), "--contract", "demo_telecom", "--json"])
    findings = json.loads(done.stdout)["findings"]
    assert {finding["clause"] for finding in findings} <= set(DEMO.clauses)
    assert "2.1" in {finding["clause"] for finding in findings if finding["outcome"] == "pass"}


def test_a_capture_is_judged_by_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "traffic.pcapng"
    write_pcapng(conduct_in_memory(CHOSEN["late-results"][0], DEMO).run, path)
    findings = audit_capture(path, AuditInputs(), DEMO).findings
    assert {finding.clause for finding in findings} <= set(DEMO.clauses)
    assert {"pass"} <= {finding.outcome for finding in findings} <= {"pass", "unsupported", "inconclusive"}


def test_a_table_of_outages_is_judged_by_the_quarter_and_the_contracts_hours(tmp_path: Path) -> None:
    table = tmp_path / "outages.csv"
    rows = ["2026-07-02 10:00,2026-07-02 16:30,no,total", "2026-08-02 10:00,2026-08-02 14:30,no,total"]
    table.write_text("\n".join(["start,end,planned,scope", *rows]))
    period = ["--from", "2026-07-01", "--to", "2026-10-01", "--tz", "Europe/Lisbon"]
    done = CliRunner().invoke(cli, ["judge", str(table), *period, "--contract", "demo_telecom", "--json"])
    found = {one["clause"]: one for one in json.loads(done.stdout)["findings"]}
    assert (found["6.1"]["outcome"], found["6.2"]["outcome"]) == ("pass", "fail")
    hours = 92 * 24  # of the quarter, without a change of the clock
    assert found["6.1"]["measured"] == pytest.approx(1 - 11 / hours)
    assert (found["6.1"]["limit"], found["6.2"]["measured"], found["6.2"]["limit"]) == (0.995, 6.5, 4)


def test_a_bill_has_the_contracts_prices_bands_and_words(tmp_path: Path) -> None:
    acts, counts = tmp_path / "acts.toml", tmp_path / "counts.csv"
    acts.write_text(
        '[[codes]]\ncode = "7205"\nopened = 2026-10-05\n'
        '[[codes]]\ncode = "7225"\nopened = 2026-01-05\ntiers = [{ month = "2026-02", rate_per_s = 25 }]\n'
        '[[codes]]\ncode = "7275"\nopened = 2026-01-05\n'
        'tiers = [{ month = "2026-02", rate_per_s = 75, request_id = "R1" }]\n'
    )
    counts.write_text("month,code,delivered,accepted\n2026-10,7205,1000,1100\n2026-10,7225,5000,5100\n")
    words = ["bill", str(counts), "--acts", str(acts), "--month", "2026-10", "--contract", "demo_telecom", "--json"]
    done = CliRunner().invoke(cli, words)
    (bill,) = [one["invoice"] for one in json.loads(done.stdout)["invoices"]]
    lines = {line["clause"]: Decimal(line["amount"]) for line in bill["lines"]}
    assert lines == {
        "7.2a": Decimal(90), "7.3": Decimal(126), "7.5a": Decimal(180), "7.4a": Decimal(210), "7.4b": Decimal(540),
    }  # fmt: skip
    assert (Decimal(bill["total_ht"]), Decimal(bill["vat"])) == (Decimal("1146.00"), Decimal("263.58"))


def test_a_world_is_simulated_under_the_contract(tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text(
        'name = "quiet"\ntitle = "A quiet day"\ncontract = "demo_telecom"\n'
        '[period]\nfrom = "2026-03-03"\nto = "2026-03-04"\n[subscribers]\ncount = 1000\npreset = "clean-base"\n'
        '[[codes]]\ncode = "7205"\n[[flows]]\nname = "parcels"\ncode = "7205"\nper_day = 300\n'
    )
    done = CliRunner().invoke(cli, ["run", str(world), "-o", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (info["contract"], info["contract_digest"]) == ("demo_telecom", DEMO.digest)


def test_a_plan_buys_the_contracts_tiers_at_its_prices(tmp_path: Path) -> None:
    campaign = tmp_path / "letter.toml"
    campaign.write_text(
        'name = "letter"\ntitle = "A letter"\ncontract = "demo_telecom"\nprobability = 0.9\nreplications = 3\n'
        '[period]\nfrom = "2026-10"\nmonths = 1\n'
        '[[sendings]]\nname = "letter"\nclass = "marketing"\nstart = "2026-10-06T09:00"\ndeadline_h = 4\n'
        "volume = 100000\n"
    )
    plan = read_campaign(campaign)
    acts = own_code_plan("7201=5,7202=5", plan)
    assert plan.tiers == (5, 25, 75)
    assert plan.groups == ("72",)
    assert cost(acts, plan.months, plan.contract) == Decimal(2 * 90 + 2 * 60)
