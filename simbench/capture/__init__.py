"""Captures: pcap and pcapng to ledger rows and back, UCP as a scapy layer, frames in plain words. Judges nothing.

Each module imports what is heavy (scapy, Arrow) when it is needed, so that importing the package costs nothing.
"""
