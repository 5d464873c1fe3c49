"""Compiled functions that read the wire."""
