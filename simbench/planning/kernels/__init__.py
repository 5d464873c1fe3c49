"""The compiled loop of a fluid approximation of a day."""
