"""Billing: the cost of a contract's acts and delivered messages, and the check of a received bill."""
