"""Numbering plan, portability and the subscriber base. Knows no message."""
