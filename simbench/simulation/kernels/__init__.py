"""Compiled loops of the bulk engine."""
