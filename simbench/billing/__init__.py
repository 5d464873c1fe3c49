"""Billing: what a contract's acts and delivered messages cost, and whether a received bill is right."""
