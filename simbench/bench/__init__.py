"""Exercises driven against a real client, and the runner that judges them. Never looks into the centre."""
