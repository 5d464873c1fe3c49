"""Compiled loops of the rules over all operations of a record."""
