"""Decisions that class incidents anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from simbench.base.errors import BadInput
from simbench.contract import load_contract
from simbench.ledger.incidents import Incident
from simbench.rules.rule import Case, judge
from simbench.sla.classification import counted
from simbench.sla.imports.decisions import decided, read_decisions
from simbench.sla.imports.record import retold
from simbench.trace.trace import Trace
from tests.sla.years import YEAR, case_of, maintenance, outage

WHO = 'reason = "agreed in the review"\nwho = "A. Martin"\nwhen = 2025-03-01\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "decisions.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("counted_as", "incident", "counts_as"),
    [
        ("client", outage(10, 7), "excluded"),
        ("void", outage(10, 7), "excluded"),
        ("orange", outage(10, 7, attributed_to="client"), "unplanned"),
        ("unplanned", maintenance(10, 7, 9), "unplanned"),
        ("partial", outage(10, 7), "partial"),
    ],
)
def test_a_decision_classes_an_incident_anew(
    tmp_path: Path, counted_as: str, incident: Incident, counts_as: str
) -> None:
    path = write(tmp_path, f'[[decisions]]\nincident = "T1"\nclass = "{counted_as}"\n{WHO}')
    changed = decided([incident], read_decisions(path, "orange"), str(path), "orange")
    (found,) = counted(changed, load_contract())
    assert found.counted_as == counts_as
    assert "A. Martin" in found.incident.cause


def test_a_decision_may_say_when_a_notice_was_received(tmp_path: Path) -> None:
    text = f'[[decisions]]\nincident = "T1"\nclass = "planned"\nannounced_at = "2024-12-20T00:00:00Z"\n{WHO}'
    changed = decided([outage(10, 7)], read_decisions(write(tmp_path, text), "orange"), "d", "orange")
    assert counted(changed, load_contract())[0].counted_as == "planned"


def test_the_ledger_stays_as_it_was_and_the_verdict_changes(tmp_path: Path) -> None:
    case = case_of([outage(10, 7)])
    path = write(tmp_path, f'[[decisions]]\nincident = "T1"\nclass = "client"\n{WHO}')
    before = case.trace.run.events.to_pylist()
    after = retold(case.trace.run, decided([outage(10, 7)], read_decisions(path, "orange"), "d", "orange"), YEAR)
    assert case.trace.run.events.to_pylist() == before
    judged = [judge("sla.restoration", one, "").outcome for one in (case, Case(Trace(after), case.contract))]
    assert judged == ["fail", "pass"]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ('[[decisions]]\nincident = "T9"\nclass = "client"\n' + WHO, 'no incident "T9"; expected .*T1'),
        ('[[decisions]]\nincident = "T1"\nclass = "mine"\n' + WHO, "decisions.0..class"),
        ('[[decisions]]\nincident = "T1"\nclass = "client"\n', "reason` is missing|reason: is missing"),
        ('[[decisions]]\nincident = "T1"\nclass = "client"\n' + WHO.replace("2025-03-01", '"soon"'), "when: is"),
        (f'[[decisions]]\nincident = "T1"\nclass = "client"\n{WHO}' * 2, "has two decisions"),
        (f'[[decisions]]\nincident = "T1"\nclass = "partial"\nshare = 7\n{WHO}', "share: is 7"),
        ("[[decision]]\n", "unknown key"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_in_one_line(tmp_path: Path, text: str, reported: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadInput, match=reported) as refused:
        decided([outage(10, 7)], read_decisions(path, "orange"), str(path), "orange")
    assert "\n" not in str(refused.value)
