"""Captures to frames to ledger rows: the only place that knows scapy. Judges nothing."""
