"""The choice of the contract by which a record is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from simbench.base.errors import BadInput
from simbench.contract import DEFAULT, Contract, load_contract
from simbench.ledger import Run
from simbench.ledger.info import NAME, read_info
from simbench.tables.frames import Frame

Language = Literal["en", "fr"]
"""The languages of pages and invoices."""


def contract_in(given: Contract | Path | str | None) -> Contract:
    """Return the contract given as an object, a name or a file; None: the default. Raises ContractError."""
    return given if isinstance(given, Contract) else load_contract(given or DEFAULT)


def contract_for(source: Path | Run | Frame, given: Contract | Path | str | None) -> Contract:
    """Return the given contract, otherwise the contract of the run, otherwise the built-in one. Raises ContractError.

    A run names its contract; if that file is missing or has changed since, the built-in contract is used.
    """
    if given:
        return contract_in(given)
    try:
        info = source.info if isinstance(source, Run) else None
        if isinstance(source, Path) and (source / NAME).is_file():
            info = read_info(source)
        if info is not None and info.contract:
            found = load_contract(info.contract)
            if found.digest == info.contract_digest:
                return found
    except BadInput:  # no file of that name, or a folder that the reader of runs rejects with its reason
        pass
    return contract_in(None)
