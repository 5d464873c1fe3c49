"""What others recorded, as incidents and rows of a ledger: tables, logs, probes, decisions. Judges nothing."""
