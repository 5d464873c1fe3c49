"""Compiled functions of the fast path, over arrays that the core reads and writes too."""
