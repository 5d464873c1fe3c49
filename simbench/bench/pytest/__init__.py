"""The pytest side of the bench: plugin, fixtures, outcomes."""
