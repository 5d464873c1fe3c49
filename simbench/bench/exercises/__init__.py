"""Exercises for clients, by topic."""
