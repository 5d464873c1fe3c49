"""Every reader of a user's file, each with a valid file of its kind, for tests with damaged files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow.parquet as pq

from fake_smsc.scenario import read_scenario
from simbench.api.sessions import read_session
from simbench.base.outputs import MANIFEST
from simbench.bench.report.certificate import Certificate, page, read_certificate, sealed
from simbench.bench.report.findings_file import Result, read_findings
from simbench.bench.runner.baseline import read_baseline
from simbench.bench.runner.session_record import SessionRecord, read_record
from simbench.bench.sut.description import read_capabilities, read_description
from simbench.billing.acts import read_acts
from simbench.billing.forecast import read_forecast
from simbench.billing.received import read_received
from simbench.capture.esp import Tunnels
from simbench.capture.tunnelled import read_tunnelled
from simbench.contract import load_contract
from simbench.contract.layers import HOME
from simbench.dialup.calls import Call, calls_of
from simbench.dialup.offer import load_netrevenu
from simbench.dialup.radius.journal import Started, read_journal
from simbench.dialup.radius.plan import schedule
from simbench.dialup.records import write_records
from simbench.dialup.scenario import read_dialup
from simbench.dialup.sources import Reading, read_calls
from simbench.dialup.statement import read_statement
from simbench.finding import tally
from simbench.ledger import MemoryLedger
from simbench.ledger.info import RunInfo, read_info
from simbench.numbering.listing import Listing
from simbench.numbering.portability import PortabilityTable
from simbench.planning.campaign import read_campaign
from simbench.planning.comparison import comparison, read_advice
from simbench.planning.runs import Result as Result_
from simbench.planning.study import MEASURES, Parameter, Prepared, Study, prepare, read_study
from simbench.planning.sweep import Header, intervals, known, table_of, wanted
from simbench.roaming.billing import read_billing
from simbench.roaming.contract import load_roaming
from simbench.roaming.rules import judge_billing
from simbench.roaming.scenario import read_roaming_scenario
from simbench.simulation.scenario import read_world
from simbench.sla.forecast.laws import read_laws
from simbench.sla.imports.campaigns import read_metadata
from simbench.sla.imports.decisions import read_decisions
from simbench.tables.columns import read_mapping
from tests.capture.scenes import Line, ip_packet, pcap
from tests.paris import PLAN
from tests.tables.samples import CONTRACT, PARIS, parquet, workbook

ROOT = Path(__file__).parents[1]
Read = Callable[[Path], Any]


class Reader(NamedTuple):
    """The name of the file, a valid one, and its reader."""

    name: str
    octets: bytes
    read: Read


def _toml(source: str, read: Read) -> Reader:
    path = ROOT / source
    return Reader(path.name, path.read_bytes(), read)


def _capture(path: Path) -> None:
    read_tunnelled(path, MemoryLedger(), None, Tunnels())


@cache
def _calls() -> Any:
    return calls_of(
        Call(
            start_us=968_700_000_000_000 + n * 60_000_000, duration_us=90_000_000, nas=f"nas-{n % 2}", port=n,
            user="u", session=f"{n:08X}", cause=1, line=n + 1,
        )
        for n in range(9)
    )  # fmt: skip


def _written(suffix: str, folder: Path) -> bytes:
    path = folder / f"calls{suffix}"
    write_records(path, _calls(), load_netrevenu().calendar)
    return path.read_bytes()


def _journal() -> bytes:
    from tests.dialup.radius.scenes import answered

    run = answered(schedule(_calls(), 0, ()))
    assert isinstance(run.run, Started)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in (run.run, *run.sent, run.end))


def _of_folder(name: str, read: Read) -> Read:
    """Read the folder of a file, under the name that the file has there."""

    def found(path: Path) -> None:
        if path.name != name:
            path.rename(path.with_name(name))
        read(path.parent)

    return found


DECISION = '[[decisions]]\nincident = "O0001"\nclass = "client"\nreason = "link"\nwho = "A. M."\nwhen = 2025-02-01\n'
LAWS = '[[drawn]]\nname = "a"\nbetween = { mean_h = 10 }\nlasting = { mean_h = 1, law = "fixed" }\n'
CAMPAIGNS = """[[codes]]
code = "36010"
rate_per_s = 10
[[campaigns]]
class = "marketing"
code = "36010"
from = 2025-03-01T10:00:00+01:00
to = 2025-03-01T11:00:00+01:00
recipients = ["+33639980012"]
opted_in = true
[[outages]]
from = 2025-03-01T10:00:00+01:00
to = 2025-03-01T11:00:00+01:00
"""
KEYS = '[[sa]]\nspi = "c0ffee01"\nencryption = "AES-CBC"\nkey = "00112233445566778899aabbccddeeff"\n'
BASELINE = """[[deviation]]
purpose = "rate.backlog-at-tier"
reason = "known"
ticket = "T-1"
expires = 2099-01-01
"""
ACTS = '[[codes]]\ncode = "36010"\nopened = 2016-10-03\n[[codes.tiers]]\nmonth = "2016-10"\nrate_per_s = 10\n'
FORECAST = 'issued = 2016-09-20\n[[expected]]\nmonth = "2016-11"\ncode = "36010"\nmessages = 400000\n'
MAPPING = '[outages.columns]\nstart = "d\u00e9but"\n[outages]\ndelimiter = ";"\ntime = "%d/%m/%Y"\n'
SUT = 'kind = "external"\nname = "gateway"\nport = 5000\n'
NUMBERS = b"msisdn,operator,state\n0639980012,orange,attached\n0639980013,none,off\n"
PORTED = b"msisdn,operator,valid_from\n0639980012,orange,2016-10-03\n"
STATEMENT = (
    b"month,period,calls,minutes,share_ff\n2000-09,peak,10,20,1.5\n2000-09,off-peak,1,2,0.5\n2000-09,total,11,22,2\n"
)
DETAIL = b"""Sun Nov 22 05:43:35 2026
\tAcct-Status-Type = Stop
\tAcct-Session-Id = "0000A1B2"
\tUser-Name = "dupont@isp.example"
\tNAS-IP-Address = 192.0.2.10
\tAcct-Session-Time = 1337
\tTimestamp = 1795326215

"""
FINDINGS = msgspec.json.encode(Result({"contract": "orange_ops_2016", "seed": 1}, tally(()), ()))

SESSION = SessionRecord(
    "gateway", exercises={"originators": ("sender.forbidden-requests",)}, contract="orange_ops_2016"
)
CERTIFICATE = Certificate("gateway", "1", "orange_ops_2016", "0", 1, 0, {"simbench": "1"}, (), {})
OVERLAY = 'extends = "orange_ops_2016"\ntitle = "mine"\n'
OVERLAY += '[terms.quality]\navailability = { value = 0.995, status = "contract" }\n'
BILLED = b"subscriber,day,service,place,quantity,charged,amount,currency\nS1,2018-03-05,data,abroad,2048,2,0.01,EUR\n"
INVOICE = [("clause", "code", "quantity", "unit_price", "amount"), ("OPS-TAR-02", "36010", 1, 150, 150.5)]
STUDY = Study(scenario="day", parameters=(Parameter("codes.0.rate_per_s", values=(10, 20)),), replications=2, block=2)


@cache
def _study() -> Prepared:
    return prepare(STUDY, read_world(ROOT / "scenarios/plan/day.toml"), CONTRACT)


def _results() -> dict[tuple[int, int], Result_]:
    return {(point, n): Result_(point, n, (1.0,) * len(MEASURES)) for point in range(2) for n in range(2)}


def _sweep(folder: Path) -> bytes:
    pq.write_table(table_of(_study(), _results()), folder / "sweep.parquet")
    return (folder / "sweep.parquet").read_bytes()


def _sweep_journal() -> bytes:
    lines = [Header(_study().study.name, _study().digest), *_results().values()]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _swept(folder: Path) -> None:
    """Read what a sweep left, as if it was ours: what damages it keeps its own line in the manifest."""
    (folder / MANIFEST).write_text("-  sweep.journal\n-  sweep.parquet\n")
    done = known(_study(), folder)
    if set(wanted(_study(), done)) <= set(done):
        intervals(_study(), done)
    table_of(_study(), done)


def _session(folder: Path) -> None:
    (folder / "findings.json").write_bytes(FINDINGS)
    read_session(folder, CONTRACT)


def _billed(folder: Path) -> None:
    subscribers = "subscriber,price_eur,vat_share,domestic_gb,prepaid,agreed_beyond_limit\nS1,20,0.2,,no,no\n"
    (folder / "subscribers.csv").write_text(subscribers)
    (folder / "notices.csv").write_text("subscriber,day,kind,octets\n")
    judge_billing(read_billing(folder, date(2017, 6, 15), date(2032, 1, 1)), load_roaming())


def _advice() -> bytes:
    """A plan of one code for a month, with a demand."""
    share = {"share": 1.0, "low": 0.99, "high": 1.0, "sure": 1.0, "occasions": 10, "effective": 10.0}
    score = {"kept": {"s": share}, "whole": share, "futures": 10, "asked": 0.95, "by_period": False}
    invoice = {
        "month": "2026-03", "lines": [], "total_ht": "760.00", "vat": "152.00", "total_ttc": "912.00",
        "complete": True, "notes": [],
    }  # fmt: skip
    chosen = {
        "mix": {"held": {"36": [[[10, 1]]]}}, "words": "36ABC: 1 x 10/s", "euros": "730.00", "score": score,
        "meets": True, "holds": True, "proved": True, "doubt": False, "why": "the cheapest",
    }  # fmt: skip
    nothing: list[Any] = []
    lists = (
        "rivals", "candidates", "own", "sensitivities", "tradeoffs", "curves", "waits", "orders", "forecasts", "notes",
        "remarks",
    )  # fmt: skip
    return msgspec.json.encode({
        "name": "campaign", "title": "campaign", "target": 0.95, "promise": "sending", "verdict": "It holds.",
        "chosen": chosen, "current": None, "more_futures": None, "one_more": None, **dict.fromkeys(lists, nothing),
        "confirmation": {"samples": [], "messages": 0, "budget": 1, "left_out": 0}, "invoices": [invoice],
        "acts": {"codes": [], "other_changes": [], "qualifications": [], "quotes": {}}, "closings": "0",
        "euros_in_all": "760.00", "replications": 10, "scored": 10, "seed": 1, "contract": "orange", "currency": "EUR",
        "asked": {"period": {"from": "2026-03", "months": 1}},
    })  # fmt: skip


def _invoice() -> bytes:
    head, row = INVOICE
    return parquet(**{str(name): [cell] for name, cell in zip(head, row, strict=True)})


def readers(folder: Path) -> dict[str, Reader]:
    """All of them; `folder` is for making samples."""
    offer, roaming = load_netrevenu(), load_roaming()
    capture = pcap((at, ip_packet(segment)) for at, segment in Line().open().talk().close().sent)
    return {
        "scenario": _toml("scenarios/03_outage.toml", read_scenario),
        "faults": _toml("scenarios/05_faults.toml", read_scenario),
        "world": _toml("scenarios/year/04_badly_announced_maintenance.toml", read_world),
        "study": Reader("study.toml", (ROOT / "scenarios/plan/study_tiers.toml").read_bytes(), read_study),
        "plan": _toml("scenarios/plan/01_thursdays.toml", read_campaign),
        "plan.json": Reader("plan.json", _advice(), lambda path: comparison([read_advice(path)] * 2)),
        "dial-up": _toml("scenarios/dialup/01_fifty_million.toml", read_dialup),
        "roaming": _toml("scenarios/roaming/01_a_year_abroad.toml", lambda path: read_roaming_scenario(path, roaming)),
        "contract": Reader("mine.toml", (HOME / "demo_telecom.toml").read_bytes(), load_contract),
        "offer": Reader("offer.toml", (HOME / "netrevenu_2000.toml").read_bytes(), load_netrevenu),
        "roaming contract": Reader("eu.toml", (HOME / "roaming_eu.toml").read_bytes(), load_roaming),
        "decisions": Reader("d.toml", DECISION.encode(), lambda path: read_decisions(path, "orange")),
        "laws": Reader("laws.toml", LAWS.encode(), read_laws),
        "campaigns": Reader("c.toml", CAMPAIGNS.encode(), lambda path: read_metadata(path, None, PLAN, PARIS)),
        "keys": Reader("keys.toml", KEYS.encode(), Tunnels),
        "baseline": Reader("b.toml", BASELINE.encode(), lambda path: read_baseline(path, ["rate.backlog-at-tier"])),
        "acts": Reader("acts.toml", ACTS.encode(), lambda path: read_acts(path, CONTRACT)),
        "forecast": Reader("f.toml", FORECAST.encode(), lambda path: read_forecast(path, CONTRACT)),
        "mapping": Reader("map.toml", MAPPING.encode(), lambda path: read_mapping(path, {"outages": ["start"]})),
        "client": Reader("sut.toml", SUT.encode(), read_description),
        "numbers": Reader("n.csv", NUMBERS, lambda path: Listing.read(path, PLAN)),
        "ported": Reader("p.csv", PORTED, lambda path: PortabilityTable.read(path, PLAN, CONTRACT.calendar)),
        "calls": Reader("c.csv", _written(".csv", folder), lambda path: read_calls(path, offer, Reading())),
        "calls, Parquet": Reader(
            "c.parquet", _written(".parquet", folder), lambda path: read_calls(path, offer, Reading())
        ),
        "detail": Reader("detail", DETAIL, lambda path: read_calls(path, offer, Reading())),
        "statement": Reader("s.csv", STATEMENT, read_statement),
        "journal": Reader("j.jsonl", _journal(), read_journal),
        "capture": Reader("c.pcap", capture, _capture),
        "RADIUS capture": Reader("r.pcap", capture, lambda path: read_calls(path, offer, Reading())),
        "run.json": Reader("run.json", msgspec.json.encode(RunInfo("run")), _of_folder("run.json", read_info)),
        "session.json": Reader(
            "session.json", msgspec.json.encode(SessionRecord("gateway")), _of_folder("session.json", read_record)
        ),
        "findings.json": Reader("findings.json", FINDINGS, read_findings),
        "session": Reader("session.json", msgspec.json.encode(SESSION), _of_folder("session.json", _session)),
        "certificate": Reader("c.html", page(sealed(CERTIFICATE)).encode(), read_certificate),
        "capabilities": Reader(
            "c.toml", b'keeps_ranges = false\nresult_timer_s = 30\nclock = "fixed"\n', read_capabilities
        ),
        "overlay": Reader("o.toml", OVERLAY.encode(), load_contract),
        "sweep": Reader("sweep.parquet", _sweep(folder), _of_folder("sweep.parquet", _swept)),
        "journal of a sweep": Reader("sweep.journal", _sweep_journal(), _of_folder("sweep.journal", _swept)),
        "roaming bills": Reader("records.csv", BILLED, _of_folder("records.csv", _billed)),
        "invoice, XLSX": Reader("i.xlsx", workbook(*INVOICE), lambda path: read_received(path, CONTRACT)),
        "invoice, Parquet": Reader("i.parquet", _invoice(), lambda path: read_received(path, CONTRACT)),
    }
