"""Captures: pcap and pcapng to ledger rows and back, UCP as a scapy layer, decoded frames.

Modules import heavy libraries (scapy, Arrow) only when needed, so that importing the package is cheap.
"""
