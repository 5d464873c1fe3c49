"""The contract as data: every commitment, number and price."""

from simbench.base.toml_files import as_typed, choice, dotted, read_table, read_toml, refusal
from simbench.contract.load import DEFAULT, load_contract
from simbench.contract.sms import Clause, Contract
from simbench.contract.term import Ambiguity, Term
from simbench.contract.terms import Terms

__all__ = [
    "DEFAULT",
    "Ambiguity",
    "Clause",
    "Contract",
    "Term",
    "Terms",
    "as_typed",
    "choice",
    "dotted",
    "load_contract",
    "read_table",
    "read_toml",
    "refusal",
]
