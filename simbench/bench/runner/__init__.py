"""Runs exercises against a system under test and judges them."""
