"""Rules: compare a ledger with the contract and yield findings."""
