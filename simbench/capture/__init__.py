"""Captures: converts pcap and pcapng to ledger rows and back, and decodes frames.

Modules import heavy libraries (scapy, Arrow) only when needed, so that importing the package is fast.
"""
