"""Imports of external tables, logs, probes and decisions as incidents and rows of a ledger."""
