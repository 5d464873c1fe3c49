"""Compiled loops over subscribers and days abroad."""
