"""The report of a roaming run."""
