"""Amounts with their nouns in singular or plural."""

from __future__ import annotations


def count(amount: int, noun: str, plural: str = "") -> str:
    """Write "1 code" or "2 codes"."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"
