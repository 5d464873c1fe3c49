"""Captures: converts pcap and pcapng to ledger rows and back, decodes frames, and makes UCP a layer of scapy.

Modules import heavy libraries (scapy, Arrow) only when needed, so that importing the package is fast.
"""
