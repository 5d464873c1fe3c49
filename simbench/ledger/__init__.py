"""The record of a run: rows of six tables, written and read."""

from simbench.ledger.info import RunInfo
from simbench.ledger.reader import Run, export_parquet, open_run
from simbench.ledger.writer import AnyLedger, Ledger, MemoryLedger

__all__ = ["AnyLedger", "Ledger", "MemoryLedger", "Run", "RunInfo", "export_parquet", "open_run"]
