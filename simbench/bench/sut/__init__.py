"""Systems under test: starting, feeding and stopping each kind."""
