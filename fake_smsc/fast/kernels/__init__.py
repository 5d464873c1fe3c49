"""Compiled functions of the fast path, over arrays shared with the core."""
