"""Compiled loops over calls and lines."""
