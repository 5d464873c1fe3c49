"""Invoices from what was delivered. Never decides what was delivered."""
