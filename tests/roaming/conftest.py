"""The bills of an honest operator, made once for each module."""

from __future__ import annotations

import csv

import pytest

from simbench.roaming.billing import COLUMNS
from simbench.roaming.export import export_billing
from tests.roaming.bills import CONTRACT, SOME, Files, scenario


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the bills of an operator that keeps the rules, for a dozen subscribers."""
    folder = tmp_path_factory.mktemp("honest")
    export_billing(folder, scenario(), CONTRACT, SOME)
    files = {}
    for name in COLUMNS:
        with (folder / name).open(newline="") as file:
            files[name] = list(csv.DictReader(file))
    return files
