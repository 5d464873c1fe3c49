"""A package ships a contract by an entry point, and it is loaded by its name like a built-in one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from simbench.base.errors import ContractError
from simbench.cli.main import cli
from simbench.contract import load_contract


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, value: str = "acme_contracts:ACME") -> Path:
    file = folder / "acme_2026.toml"
    file.write_text('extends = "demo_telecom"\ntitle = "Acme, contract of 2026"\ninvented = true\n')
    (folder / "acme_contracts.py").write_text(f"ACME = {str(file)!r}\n")
    about = folder / "acme_contracts-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-contracts\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[simbench.contracts]\nacme = {value}\n")
    monkeypatch.delitem(sys.modules, "acme_contracts", raising=False)  # of another test
    monkeypatch.syspath_prepend(str(folder))
    return file


def test_a_shipped_contract_is_loaded_by_its_name_and_found_again_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = package(tmp_path, monkeypatch)
    contract = load_contract("acme")
    assert contract.title == "Acme, contract of 2026"
    assert contract.source == str(file)
    assert load_contract(Path(contract.source)).digest == contract.digest == load_contract("demo_telecom").digest
    listed = json.loads(CliRunner().invoke(cli, ["contract", "list", "--json"]).stdout)
    assert ("acme", str(file)) in {(one["name"], one["file"]) for one in listed}


def test_another_contract_extends_a_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch)
    own = tmp_path / "own.toml"
    own.write_text('extends = "acme"\ntitle = "Ours"\n')
    assert load_contract(own).title == "Ours"


@pytest.mark.parametrize("value", ["no_such_module:ACME", "acme_contracts:NOTHING"])
def test_an_entry_point_that_cannot_be_loaded_is_one_line(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, monkeypatch, value)
    with pytest.raises(ContractError, match=r"simbench\.contracts cannot be loaded") as refused:
        load_contract("acme")
    assert "\n" not in str(refused.value)


def test_an_unknown_name_names_the_nearest_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(tmp_path, monkeypatch)
    with pytest.raises(ContractError, match="acme"):
        load_contract("acmee")
