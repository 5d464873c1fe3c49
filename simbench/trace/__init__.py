"""The judge's own reading of a ledger."""
