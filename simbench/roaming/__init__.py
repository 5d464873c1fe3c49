"""EU roaming: fair-use envelopes and what they cost."""
