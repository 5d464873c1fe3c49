"""Numbering plan, portability and the subscriber base."""
