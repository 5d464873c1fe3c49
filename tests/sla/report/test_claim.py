"""The draft of a claim: what it states, and that it claims nothing that is not certain."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from simbench.contract import load_contract
from simbench.ledger.incidents import Incident
from simbench.sla.report import SlaRun, write_sla
from simbench.sla.report.translations import LANGUAGES
from tests.sla.report.years import outages, run_of_year

WIDE = "\u00a0"


def claimed(folder: Path, incidents: list[Incident], language: str = "en") -> str | None:
    """The letter of a year, None where there is none."""
    _, written = write_sla(folder, SlaRun(run_of_year(incidents, []), load_contract(), language), claim=True)
    letter = folder / "claim.md"
    assert (letter in written) == (folder / "claim.pdf" in written)
    return letter.read_text("utf-8") if letter in written else None


def test_nothing_is_claimed_where_nothing_is_missed(tmp_path: Path) -> None:
    assert claimed(tmp_path, outages(14)) is None


def test_the_letter_states_terms_incidents_and_arithmetic(tmp_path: Path) -> None:
    text = claimed(tmp_path, outages(15))
    assert text is not None
    assert "disponibilité à 99 %, 12 mois glissants" in text
    assert f"90{WIDE}h{WIDE}00 of down time: 1 − lost / window = 98.9726{WIDE}%" in text
    assert f"87{WIDE}h{WIDE}36 were allowed" in text
    assert all(f"| S{number} |" in text for number in range(1, 16))
    assert "droit à réparation" in text
    assert "OPS-QOS-02" not in text  # six hours each: restored in time
    assert (tmp_path / "claim.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_names_each_outage_that_was_restored_too_late(tmp_path: Path, language: str) -> None:
    text = claimed(tmp_path, outages(3, 7), language)
    assert text is not None
    assert f"S1 (7{WIDE}h{WIDE}00), S2 (7{WIDE}h{WIDE}00), S3 (7{WIDE}h{WIDE}00)" in text


def test_a_reading_that_excuses_a_breach_is_named(tmp_path: Path) -> None:
    """Seven hours from the failure, five from the ticket."""
    (one,) = outages(1, 7)
    text = claimed(tmp_path, [replace(one, noticed_at=one.start + 7_200_000_000)])
    assert text is not None
    assert "Restoration counts from: the ticket" in text
