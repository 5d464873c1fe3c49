"""Attacks on a served simbench, each bounded in counts, and what ordinary clients notice of them."""
