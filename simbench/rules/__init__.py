"""Rules: measure a ledger against the contract and yield findings. Shares data with the centre, never code."""
