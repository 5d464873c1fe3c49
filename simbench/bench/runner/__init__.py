"""Runs exercises with a system under test and judges them."""
