"""Traces: what the rules read from a ledger."""
