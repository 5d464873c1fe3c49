"""Attacks on a served simbench, each bounded in counts, and their effect on ordinary clients."""
