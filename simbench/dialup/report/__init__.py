"""The report of a dial-up run."""
