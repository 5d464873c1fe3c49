"""Imports: tables, logs, probes and decisions of others, as incidents and rows of a ledger."""
