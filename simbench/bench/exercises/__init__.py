"""The exercises a client is put through, by topic."""
