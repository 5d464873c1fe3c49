"""The suite pytest collects: one item a test purpose. Judges nothing itself."""
