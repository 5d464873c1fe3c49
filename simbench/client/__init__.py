"""The reference client. Its core has no clock and no socket; the shell adds both."""
