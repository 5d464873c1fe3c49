"""The rules as they were written first, one operation after the other: oracles of those on arrays."""
