"""Exercises run against a real client, and the runner that judges them. Never reads the SMSC's internal state."""
