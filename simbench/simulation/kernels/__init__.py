"""Compiled loops of the vectorised engine."""
