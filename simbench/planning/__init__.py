"""Tier advisor and sweeps. Never simulates by itself: it asks the world."""
